/**
 * What a function may do with the ledger, by the policies in the snapshots of the templates, which snapshots.test.ts holds
 * against the code. Evaluates as much of IAM's language as these policies use, and refuses the rest.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

export const LEDGER_FUNCTIONS = [
  'Extractor',
  'Worker',
  'Supervisor',
  'Reconciler',
  'Redriver',
  'OrderNumbers',
] as const;
/** As their constructs are named. */
export type LedgerFunction = (typeof LEDGER_FUNCTIONS)[number];

/** One request to DynamoDB: the partition keys that it names, of the table itself. */
export interface LedgerRequest {
  readonly operation: string;
  readonly keys: readonly string[];
}

const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())]);
const statementSchema = z.object({
  Action: texts,
  Condition: z
    .strictObject({
      'ForAllValues:StringLike': z.strictObject({ 'dynamodb:LeadingKeys': texts }),
      Null: z.strictObject({ 'dynamodb:LeadingKeys': z.literal('false') }),
    })
    .optional(),
});
const policySchema = z.object({
  Type: z.literal('AWS::IAM::Policy'),
  Properties: z.object({
    PolicyDocument: z.object({ Statement: z.array(z.looseObject({ Action: texts, Effect: z.string() })) }),
  }),
});
type Statement = z.output<typeof statementSchema>;

const snapshot = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'snapshots', `${name}.json`), 'utf8'));

const resources = z.object({
  template: z.object({ Resources: z.record(z.string(), z.unknown()) }),
});

/** The snapshot of the environment with every block names each value that prod has not, by its path. */
function nested(leaves: Readonly<Record<string, string>>): unknown {
  const root: Record<string, unknown> = {};
  for (const [path, change] of Object.entries(leaves)) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    let place = root;
    for (const name of names) {
      const inner = place[name];
      // oxlint-disable-next-line no-unsafe-type-assertion -- made here
      place = (typeof inner === 'object' ? inner : (place[name] = {})) as Record<string, unknown>;
    }
    place[last] = change.replace(/^none -> /, '');
  }
  return listed(root);
}

/** Objects whose names are 0, 1 and so on were lists. */
function listed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, listed(inner)] as const);
  return entries.every(([name]) => /^\d+$/.test(name))
    ? entries.map(([, inner]) => inner)
    : Object.fromEntries(entries);
}

function readPolicies(): ReadonlyMap<LedgerFunction, readonly Statement[]> {
  const everything = nested(z.record(z.string(), z.string()).parse(snapshot('everything')));
  const all = {
    ...resources.parse(everything).template.Resources,
    ...resources.parse(snapshot('prod')).template.Resources,
  };
  return new Map(
    LEDGER_FUNCTIONS.map((name) => {
      const [policy] = Object.entries(all).flatMap(([id, resource]) =>
        new RegExp(`^${name}FunctionRoleDefaultPolicy[0-9A-F]{8}$`).test(id) ? [policySchema.parse(resource)] : [],
      );
      if (policy === undefined) throw new Error(`no policy of the role of ${name} is in the snapshots`);
      const { Statement } = policy.Properties.PolicyDocument;
      return [
        name,
        Statement.filter(
          ({ Action, Effect }) => Effect === 'Allow' && Action.some((action) => action.startsWith('dynamodb:')),
        ).map((statement) => statementSchema.parse(statement)),
      ];
    }),
  );
}

let policies: ReadonlyMap<LedgerFunction, readonly Statement[]> | undefined;

/** StringLike: `*` is any text; none of these policies has a `?`. */
const isLike = (text: string, pattern: string): boolean =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => RegExp.escape(part))
      .join('.*')}$`,
    's',
  ).test(text);

export function mayDo(name: LedgerFunction, { operation, keys }: LedgerRequest): boolean {
  policies ??= readPolicies();
  return (policies.get(name) ?? []).some(({ Action, Condition }) => {
    if (!Action.includes(`dynamodb:${operation}`)) return false;
    if (Condition === undefined) return true;
    const patterns = Condition['ForAllValues:StringLike']['dynamodb:LeadingKeys'];
    return keys.length > 0 && keys.every((key) => patterns.some((pattern) => isLike(key, pattern)));
  });
}

const item = z.object({ pk: z.object({ S: z.string() }) });
const body = z.object({
  Key: item.optional(),
  Item: item.optional(),
  IndexName: z.undefined().optional(),
  KeyConditionExpression: z.templateLiteral(['pk = :pk', z.string()]).optional(),
  ExpressionAttributeValues: z.looseObject({ ':pk': z.object({ S: z.string() }).optional() }).optional(),
  RequestItems: z
    .record(
      z.string(),
      z.union([
        z.object({ Keys: z.array(item) }).transform(({ Keys }) => Keys),
        z.array(
          z
            .object({
              PutRequest: z.object({ Item: item }).optional(),
              DeleteRequest: z.object({ Key: item }).optional(),
            })
            .transform(({ PutRequest, DeleteRequest }) => PutRequest?.Item ?? DeleteRequest?.Key),
        ),
      ]),
    )
    .optional(),
});

/** Of a request as the SDK sends it. */
export function ledgerRequest(call: { readonly operation: string; readonly body: string }): LedgerRequest {
  const {
    Key,
    Item,
    KeyConditionExpression,
    ExpressionAttributeValues,
    RequestItems = {},
  } = body.parse(JSON.parse(call.body));
  const queried = KeyConditionExpression === undefined ? undefined : ExpressionAttributeValues?.[':pk']?.S;
  const keys = [
    Key?.pk.S,
    Item?.pk.S,
    queried,
    ...Object.values(RequestItems)
      .flat()
      .map((one) => one?.pk.S),
  ];
  return { operation: call.operation, keys: keys.filter((key) => key !== undefined) };
}
