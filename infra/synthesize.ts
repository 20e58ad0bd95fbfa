/** One environment to one cloud assembly: what the CDK CLI and the local run both call. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import * as z from 'zod';
import { bundleFunctions, type Bundles } from './bundle.ts';
import { createCheckedApp } from './checked-app.ts';
import type { Deployment } from './deployment.ts';
import { type Environment, stackName } from './environments.ts';
import { PurchaseOrderStack } from './purchase-order-stack.ts';
import type { Assembly, SynthesisOptions } from './synthesis-cache.ts';

const cdkJson = z.object({ context: z.record(z.string(), z.unknown()) });

/** The feature flags of cdk.json, which the CLI would pass; without them a synth in process gives other logical ids. */
export function featureFlags(): Record<string, unknown> {
  const text = readFileSync(join(import.meta.dirname, '..', 'cdk.json'), 'utf8');
  return cdkJson.parse(JSON.parse(text)).context;
}

const INTERFACE = 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1';

/** Where `cdk deploy` bundles; CDK copies what it needs into its assembly. */
const buildDirectory = (environment: Environment): string =>
  join(import.meta.dirname, '..', '.build', environment.name);

export interface StackOptions {
  readonly bundleDirectory?: string;
  /** Instead of freshly bundled functions. */
  readonly bundles?: Bundles;
  readonly isBeingCreated?: boolean;
  readonly deployment?: Deployment | undefined;
}

/** Adds the stack of one environment to an app. */
export async function addPurchaseOrderStack(
  app: App,
  environment: Environment,
  { bundleDirectory = buildDirectory(environment), bundles, isBeingCreated = false, deployment }: StackOptions = {},
): Promise<PurchaseOrderStack> {
  const { account, region, operation } = environment;
  return new PurchaseOrderStack(app, 'PurchaseOrder', {
    stackName: stackName(environment),
    description: `${INTERFACE} (${environment.name})`,
    environment,
    isBeingCreated,
    deployment,
    // CloudFormation hands them on to every resource that can carry them.
    tags: { ...operation.tags, interface: INTERFACE, environment: environment.name },
    bundles: bundles ?? (await bundleFunctions(environment, bundleDirectory)),
    env: { ...(account === undefined ? {} : { account }), ...(region === undefined ? {} : { region }) },
  });
}

/** Synthesizes in process, for the local run and the tests. */
export async function synthesize(
  environment: Environment,
  outdir: string,
  { isChecked = false }: SynthesisOptions = {},
): Promise<Assembly> {
  const props = { outdir, context: featureFlags(), analyticsReporting: false };
  // The checks take half of the time: the local run does without them.
  const app = isChecked ? createCheckedApp(props) : new App({ ...props, builtinCloudFormationValidation: false });
  const bundleDirectory = join(outdir, 'bundles');
  const { artifactId: artifact } = await addPurchaseOrderStack(app, environment, { bundleDirectory });
  const { directory } = app.synth();
  // The assembly holds copies of them.
  rmSync(bundleDirectory, { recursive: true, force: true });
  return { directory, artifact };
}
