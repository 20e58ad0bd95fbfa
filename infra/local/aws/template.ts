/** Reads a synthesized CloudFormation template with its assets, and resolves its intrinsic functions. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { LOCAL_ACCOUNT } from './aws-clients.ts';

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.record(z.string(), z.unknown()).default({}),
      Condition: z.string().optional(),
    }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })).default({}),
});
const assetsSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.object({ path: z.string().optional() }),
      destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
    }),
  ),
});
const manifestSchema = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      environment: z.string().optional(),
      properties: z.object({ stackName: z.string().optional() }).optional(),
    }),
  ),
});

/** A resource of the template, with its intrinsic functions unresolved. */
export type TemplateResource = z.infer<typeof templateSchema>['Resources'][string];

export interface Template {
  readonly stackName: string;
  readonly region: string;
  readonly resources: ReadonlyMap<string, TemplateResource>;
  readonly outputs: ReadonlyMap<string, unknown>;
  /** Asset directories by the S3 key that the template uses. */
  readonly assetDirectories: ReadonlyMap<string, string>;
}

/** Reads `<artifact>.template.json` and its manifests. @throws {Error} that names the file and what is wrong with it. */
export function loadTemplate(directory: string, artifact: string): Template {
  const read = <Schema extends z.ZodType>(name: string, schema: Schema): z.infer<Schema> => {
    const path = join(directory, name);
    try {
      return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
    } catch (error) {
      const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      throw new Error(`${path} is not part of a synthesized assembly: ${reason}. Synthesize again.`, { cause: error });
    }
  };
  const template = read(`${artifact}.template.json`, templateSchema);
  const { files } = read(`${artifact}.assets.json`, assetsSchema);
  const stack = read('manifest.json', manifestSchema).artifacts[artifact];
  const region = stack?.environment?.split('/').at(-1) ?? 'unknown-region';
  return {
    stackName: stack?.properties?.stackName ?? artifact,
    // A stack without a region gets it from the CDK CLI. Here any region will do.
    region: region === 'unknown-region' ? 'eu-west-1' : region,
    resources: new Map(Object.entries(template.Resources)),
    outputs: new Map(Object.entries(template.Outputs).map(([name, { Value }]) => [name, Value])),
    assetDirectories: new Map(
      Object.values(files).flatMap(({ source, destinations }) =>
        Object.values(destinations).map(({ objectKey }) => [objectKey, join(directory, source.path ?? '')] as const),
      ),
    ),
  };
}

/** The values of Ref and Fn::GetAtt for a provisioned resource. */
export interface Provisioned {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Finds a resource, and provisions it first if necessary. `path` is the place that refers to it. */
export type Lookup = (logicalId: string, path: string) => Promise<Provisioned>;

export class Resolver {
  readonly #lookup: Lookup;
  readonly #pseudoParameters: Readonly<Record<string, string | undefined>>;

  constructor({ region, stackName }: Template, lookup: Lookup) {
    this.#lookup = lookup;
    this.#pseudoParameters = {
      'AWS::AccountId': LOCAL_ACCOUNT,
      'AWS::NoValue': undefined,
      'AWS::Partition': 'aws',
      'AWS::Region': region,
      'AWS::StackId': `arn:aws:cloudformation:${region}:${LOCAL_ACCOUNT}:stack/${stackName}/00000000-0000-0000-0000-000000000000`,
      'AWS::StackName': stackName,
      'AWS::URLSuffix': 'amazonaws.com',
    };
  }

  /** @throws {Error} that names the logical id and the path of what cannot be resolved. */
  async resolve(value: unknown, path: string): Promise<unknown> {
    if (typeof value === 'string' && value.includes('{{resolve:')) {
      throw new Error(`${path}: dynamic references ({{resolve:...}}) are not supported by the local run.`);
    }
    if (Array.isArray(value)) {
      const items: unknown[] = [];
      for (const [index, item] of value.entries()) items.push(await this.resolve(item, `${path}[${index}]`));
      return items;
    }
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    const [only] = entries;
    if (only !== undefined && entries.length === 1 && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
      return await this.#intrinsic(only[0], only[1], path);
    }
    const resolved: Record<string, unknown> = {};
    for (const [key, item] of entries) {
      const result = await this.resolve(item, `${path}.${key}`);
      if (result !== undefined) resolved[key] = result;
    }
    return resolved;
  }

  async #intrinsic(name: string, rawArgument: unknown, path: string): Promise<unknown> {
    const parse = <Schema extends z.ZodType>(schema: Schema, argument: unknown): z.infer<Schema> => {
      const parsed = schema.safeParse(argument);
      if (parsed.success) return parsed.data;
      throw new Error(
        `${path}: ${name} has arguments that the local run cannot read: ${z.prettifyError(parsed.error)}`,
      );
    };
    if (name === 'Ref') return await this.#reference(parse(z.string(), rawArgument), path);
    if (name === 'Fn::GetAtt') {
      const target = typeof rawArgument === 'string' ? rawArgument.split('.') : rawArgument;
      const [logicalId, ...attribute] = parse(z.tuple([z.string()], z.string()), target);
      return await this.#attribute(logicalId, attribute.join('.'), path);
    }
    if (name === 'Fn::Sub') {
      const [text, variables] = parse(
        z.tuple([z.string(), z.record(z.string(), z.unknown())]),
        typeof rawArgument === 'string' ? [rawArgument, {}] : rawArgument,
      );
      return await this.#substitute(text, variables, path);
    }
    const argument = await this.resolve(rawArgument, `${path}.${name}`);
    if (name === 'Fn::Join') {
      const [separator, parts] = parse(z.tuple([z.string(), z.array(z.union([z.string(), z.number()]))]), argument);
      return parts.join(separator);
    }
    if (name === 'Fn::Split') {
      const [separator, text] = parse(z.tuple([z.string(), z.string()]), argument);
      return text.split(separator);
    }
    if (name === 'Fn::Select') {
      const [index, items] = parse(z.tuple([z.coerce.number().int(), z.array(z.unknown())]), argument);
      if (index < 0 || index >= items.length) throw new Error(`${path}: Fn::Select has no item ${index}.`);
      return items[index];
    }
    throw new Error(`${path}: ${name} is not supported by the local run. Add it to infra/local/aws/template.ts.`);
  }

  async #reference(name: string, path: string): Promise<string | undefined> {
    if (Object.hasOwn(this.#pseudoParameters, name)) return this.#pseudoParameters[name];
    return (await this.#lookup(name, path)).ref;
  }

  async #attribute(logicalId: string, attribute: string, path: string): Promise<string> {
    const { attributes } = await this.#lookup(logicalId, path);
    const value = Object.hasOwn(attributes, attribute) ? attributes[attribute] : undefined;
    if (value !== undefined) return value;
    throw new Error(`${path}: ${logicalId} has no attribute "${attribute}" in the local run.`);
  }

  async #substitute(text: string, variables: Readonly<Record<string, unknown>>, path: string): Promise<string> {
    let result = '';
    let end = 0;
    for (const match of text.matchAll(/\$\{([^}]+)\}/g)) {
      const [whole, name = ''] = match;
      result += text.slice(end, match.index) + String(await this.#subVariable(name, variables, path));
      end = match.index + whole.length;
    }
    return result + text.slice(end);
  }

  async #subVariable(name: string, variables: Readonly<Record<string, unknown>>, path: string): Promise<unknown> {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    if (Object.hasOwn(variables, name)) return await this.resolve(variables[name], `${path}.Fn::Sub.${name}`);
    const [logicalId = '', ...attribute] = name.split('.');
    return attribute.length === 0
      ? await this.#reference(name, path)
      : await this.#attribute(logicalId, attribute.join('.'), path);
  }
}
