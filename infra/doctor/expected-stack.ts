/** The stack as this checkout synthesizes it from the entry, to be compared with what is deployed. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { DeployedStack } from '../deployed-stack.ts';
import type { Environment } from '../environments.ts';

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })),
});

export interface ExpectedResource {
  readonly logicalId: string;
  readonly type: string;
  /** With CloudFormation's own functions unresolved. */
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface ExpectedStack {
  readonly resources: readonly ExpectedResource[];
  /** The output that names a resource, by the logical id of that resource. */
  readonly outputOf: ReadonlyMap<string, string>;
}

/** Synthesizes the entry. The code of the functions is left out: no template holds it. */
export async function expectStack(environment: Environment): Promise<ExpectedStack> {
  // The CDK takes seconds to load, and nothing else of the doctor needs it.
  const [{ App }, { addPurchaseOrderStack, featureFlags }] = await Promise.all([
    import('aws-cdk-lib'),
    import('../synthesize.ts'),
  ]);
  const directory = mkdtempSync(join(tmpdir(), 'expected-stack-'));
  try {
    const code = join(directory, 'code');
    mkdirSync(code);
    writeFileSync(join(code, 'main.cjs'), '');
    const app = new App({
      outdir: join(directory, 'assembly'),
      context: featureFlags(),
      analyticsReporting: false,
      builtinCloudFormationValidation: false,
    });
    const stack = await addPurchaseOrderStack(app, environment, {
      bundles: {
        'extract-approved-carts': code,
        'create-purchase-orders': code,
        'supervise-consumption': code,
        'reconcile-carts': code,
        'redrive-dead-letters': code,
        'report-to-cloud-alm': code,
        'write-order-numbers': code,
      },
    });
    const text = readFileSync(join(app.synth().directory, stack.templateFile), 'utf8');
    const { Resources: resources, Outputs: outputs } = templateSchema.parse(JSON.parse(text));
    const named = z.object({ Ref: z.string() });
    return {
      resources: Object.entries(resources).map(([logicalId, { Type: type, Properties: properties }]) => ({
        logicalId,
        type,
        properties,
      })),
      outputOf: new Map(
        Object.entries(outputs).flatMap(([output, { Value: value }]) => {
          const reference = named.safeParse(value);
          return reference.success ? [[reference.data.Ref, output] as const] : [];
        }),
      ),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const intrinsic = z.union([
  z.strictObject({ Ref: z.string() }),
  z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }),
  z.strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) }),
]);

/** Where a stack is deployed. */
export interface Place {
  readonly account: string;
  readonly region: string;
}

/** A value of the template as CloudFormation resolves it in this stack; undefined for a resource that is not in it. */
export function resolveValue(value: unknown, stack: DeployedStack, place: Place): unknown {
  const resolve = (part: unknown): unknown => resolveValue(part, stack, place);
  const physicalId = (logicalId: string): string | undefined =>
    stack.resources.find((resource) => resource.logicalId === logicalId)?.physicalId;
  const call = intrinsic.safeParse(value).data;
  if (call !== undefined && 'Ref' in call) {
    if (call.Ref === 'AWS::Region') return place.region;
    if (call.Ref === 'AWS::AccountId') return place.account;
    return physicalId(call.Ref);
  }
  if (call !== undefined && 'Fn::GetAtt' in call) {
    const [logicalId, attribute] = call['Fn::GetAtt'];
    const id = physicalId(logicalId);
    if (id === undefined) return undefined;
    if (attribute === 'QueueName') return URL.parse(id)?.pathname.split('/').at(-1);
    return attribute === 'Arn' ? queueArn(id, place.region) : undefined;
  }
  if (call !== undefined) {
    const [separator, parts] = call['Fn::Join'];
    return parts.map(resolve).join(separator);
  }
  if (Array.isArray(value)) return value.map(resolve);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolve(part)]));
}

/** CloudFormation knows a queue by its URL. Undefined for anything else. */
function queueArn(url: string, region: string): string | undefined {
  const [, account, name] = URL.canParse(url) ? new URL(url).pathname.split('/') : [];
  return name === undefined ? undefined : `arn:aws:sqs:${region}:${account ?? ''}:${name}`;
}
