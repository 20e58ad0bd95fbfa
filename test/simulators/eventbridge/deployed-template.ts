/** A synthesized template as CloudFormation deploys it: its references are filled in, and its secrets are read. */
import * as z from 'zod';

export interface DeployedNames {
  /** The name that CloudFormation gives to what `Ref` or `Fn::GetAtt` names; by default the id, or `<id>.<attribute>`. */
  readonly physical?: (id: string, attribute: string | undefined) => string;
  /** The texts of the secrets that exist, by name. */
  readonly secrets?: Readonly<Record<string, string>>;
}

const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::AccountId': '123456789012',
  'AWS::Partition': 'aws',
  'AWS::Region': 'eu-west-1',
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'stack',
};

const reference = z.strictObject({ Ref: z.string() });
const attribute = z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const join = z.strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) });
const substitution = z.strictObject({ 'Fn::Sub': z.string() });
const intrinsic = z.union([reference, attribute, join, substitution]);

/**
 * The value with every reference filled in, at any depth.
 * @throws {Error} for an intrinsic function that is not supported here.
 */
export function deployed(value: unknown, names: DeployedNames = {}): unknown {
  const { physical = (id, of) => (of === undefined ? id : `${id}.${of}`) } = names;
  const nameOf = (id: string, of?: string): string => PSEUDO_PARAMETERS[id] ?? physical(id, of);
  const textOf = (part: unknown): string => z.string().parse(deployed(part, names));
  if (Array.isArray(value)) return value.map((element) => deployed(element, names));
  if (typeof value !== 'object' || value === null) return value;
  const found = intrinsic.safeParse(value).data;
  if (found !== undefined) {
    if ('Ref' in found) return nameOf(found.Ref);
    if ('Fn::GetAtt' in found) return nameOf(...found['Fn::GetAtt']);
    if ('Fn::Join' in found) return found['Fn::Join'][1].map(textOf).join(found['Fn::Join'][0]);
    return found['Fn::Sub'].replaceAll(/\$\{(?<id>[\w:]+)(?:\.(?<of>\w+))?\}/g, (_match, id: string, of?: string) =>
      nameOf(id, of),
    );
  }
  const unknown = Object.keys(value).find((name) => name.startsWith('Fn::'));
  if (unknown !== undefined) throw new Error(`${unknown} is not supported here`);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, deployed(member, names)]));
}

/**
 * The text with its dynamic references to Secrets Manager replaced.
 * @throws {Error} when a secret does not exist or lacks the member, as the deployment would fail.
 */
export function withSecrets(text: string, { secrets = {} }: DeployedNames): string {
  return text.replaceAll(
    /\{\{resolve:secretsmanager:(?<name>[^:}]+):SecretString:(?<member>[^:}]*):[^:}]*:[^:}]*\}\}/g,
    (_match, name: string, member: string) => {
      const secret = secrets[name];
      if (secret === undefined) throw new Error(`the secret ${name} does not exist`);
      if (member === '') return secret;
      const value = z.record(z.string(), z.string()).parse(JSON.parse(secret))[member];
      if (value === undefined) throw new Error(`the secret ${name} has no member ${member}`);
      return value;
    },
  );
}
