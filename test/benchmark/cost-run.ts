/**
 * Counts the usage of a local run, phase by phase: the stack of production on metered emulators, the bundled functions in
 * processes of their own, and two systems that answer after 20 ms.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { type Environment, loadEnvironment } from '../../infra/environments.ts';
import { startEmulators } from '../../infra/local/aws/emulators.ts';
import type { BatchEvent } from '../../infra/local/aws/event-source-mapping.ts';
import type { InvocationResult, LogLine } from '../../infra/local/aws/execution-environment.ts';
import { type LocalStack, only, startLocalStack } from '../../infra/local/aws/local-stack.ts';
import { loadTemplate } from '../../infra/local/aws/template.ts';
import { synthesize } from '../../infra/synthesize.ts';
import { SERVICE_NAMES } from '../../shared/metric-names.ts';
import { emittedMetrics } from '../integration/emitted-metrics.ts';
import { generateCarts } from '../simulators/carts.ts';
import {
  createDisturbancePlan,
  type DisturbanceProfile,
  type DisturbanceSource,
  type SimulatedSystem,
} from '../simulators/disturbances.ts';
import { type Srm7Simulator, startSrm7 } from '../simulators/srm7.ts';
import { startVms, type VmsSimulator } from '../simulators/vms.ts';
import type { CountedUsage } from './bill.ts';
import { countResources, type DeployedResources, type FunctionRole } from './deployed-resources.ts';
import { itemBytes } from './item-size.ts';
import { SYSTEM_DELAY_MS } from './delays.ts';
import { meterServices } from './metered-services.ts';
import { startService } from './processes.ts';
import type { OnStep } from './report.ts';
import { less, times, type Usage, UsageMeter } from './usage.ts';

export const ENVIRONMENT_NAME = 'prod';

export interface CostRun {
  readonly resources: DeployedResources;
  /** Without disturbances, and on a bad day: 11VMS and SRM fail sometimes, and 4 % of the carts are faulty. */
  readonly undisturbed: CountedUsage;
  readonly disturbed: CountedUsage;
}

/** @throws {Error} when a function fails. */
export async function countCostRun(carts: number, onStep: OnStep): Promise<CostRun> {
  const directory = mkdtempSync(join(tmpdir(), 'benchmark-'));
  const systems = await startDelayedSystems();
  try {
    const outdir = join(directory, 'assembly');
    mkdirSync(outdir);
    onStep(`synthesizing ${ENVIRONMENT_NAME}`);
    const { directory: assembly, artifact } = await synthesize(environmentOf(systems), outdir);
    const counter = await startCounter(assembly, artifact, systems);
    try {
      const resources = countResources(loadTemplate(assembly, artifact));
      return { resources, ...(await countPhases(counter, systems, carts, onStep)) };
    } finally {
      await counter.close();
    }
  } finally {
    await Promise.all([systems.srm.close(), systems.vms.close()]);
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Systems {
  readonly srm: Srm7Simulator;
  readonly vms: VmsSimulator;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const base = loadEnvironment(ENVIRONMENT_NAME);

async function startDelayedSystems(): Promise<Systems> {
  const { client } = base.srm;
  const [srm, vms] = await Promise.all([
    startSrm7({ client, keepRequests: false, disturbances: delayed('srm7', 'none') }),
    startVms({ keepRequests: false, disturbances: delayed('11vms', 'none') }),
  ]);
  return { srm, vms };
}

/** A profile whose undisturbed answers are delayed. */
function delayed(system: SimulatedSystem, profile: DisturbanceProfile): DisturbanceSource {
  const plan = createDisturbancePlan(system, profile);
  return ({ operation, key }) => {
    const disturbance = plan.decide(operation, key);
    return disturbance.kind === 'none' ? { kind: 'slow', delayMs: SYSTEM_DELAY_MS } : disturbance;
  };
}

/** The environment of production, with the simulators as its systems, value maps for generated carts, and fast retries. */
function environmentOf({ srm, vms }: Systems): Environment {
  return {
    ...base,
    account: '000000000000',
    region: 'eu-west-1',
    srm: { ...base.srm, baseUrl: srm.url, tokenUrl: srm.tokenUrl },
    vms: { ...base.vms, baseUrl: vms.baseUrl, tokenUrl: vms.tokenUrl },
    extraction: { ...base.extraction, firstWatermark: new Date(Date.now() - 12 * HOUR_MS).toISOString() },
    delivery: { ...base.delivery, retryBaseSeconds: 1 },
    translation: loadEnvironment('local').translation,
  };
}

/** The running stack with its counters. */
interface Counter {
  readonly meter: UsageMeter;
  readonly logLines: readonly string[];
  /** Distinct by function, name and dimensions. */
  readonly customMetrics: () => number;
  readonly extract: () => Promise<void>;
  readonly replay: (fromMs: number, toMs: number) => Promise<void>;
  /** As the schedule starts it: does nothing when none is due. */
  readonly reconcileWhenDue: () => Promise<void>;
  readonly reconcile: () => Promise<void>;
  readonly supervise: () => Promise<void>;
  /** Resolves when no message is queued or in flight. */
  readonly drain: () => Promise<void>;
  readonly tableSize: () => Promise<{ readonly items: number; readonly itemBytes: number }>;
  readonly close: () => Promise<void>;
}

async function startCounter(assembly: string, artifact: string, { srm, vms }: Systems): Promise<Counter> {
  const meter = new UsageMeter();
  const [emulators, table] = await Promise.all([startEmulators(), startService('table')]);
  const endpoints = { ...emulators.endpoints, dynamodb: table.url };
  const metered = await meterServices({ ...emulators, endpoints }, meter);
  const lines: LogLine[] = [];
  const stack = await startLocalStack({
    assembly,
    artifact,
    emulators: metered,
    secrets: {
      [base.srm.secretName]: JSON.stringify({ clientId: srm.clientId, clientSecret: srm.clientSecret }),
      [base.vms.secretName]: JSON.stringify({ clientId: vms.clientId, clientSecret: vms.clientSecret }),
    },
    onLogLine(line) {
      lines.push(line);
      meter.add('logLines');
      meter.add('logBytes', Buffer.byteLength(line.text));
    },
    onBatch: (event) => countBatch(event, meter),
    onError: (error) => {
      throw error;
    },
  });
  stack.startMappings();
  const fire = async (role: FunctionRole): Promise<void> =>
    countInvocation(role, await stack.scheduleOf(SERVICE_NAMES[role]).fire(new Date()), meter);
  const { poller } = only(stack.mappings, 'event source mapping');
  const extractor = functionOf(stack, 'extractor');
  const reconciler = functionOf(stack, 'reconciler');
  const byHand = { by: 'a benchmark', reason: 'what it costs' };
  return {
    meter,
    get logLines() {
      return lines.map(({ text }) => text);
    },
    customMetrics: () => distinctMetrics(lines),
    extract: () => fire('extractor'),
    reconcileWhenDue: () => fire('reconciler'),
    async reconcile() {
      countInvocation('reconciler', await reconciler.invoke({ days: base.reconciliation.days, ...byHand }), meter);
    },
    supervise: () => fire('supervisor'),
    async replay(fromMs, toMs) {
      const event = { changedFrom: new Date(fromMs).toISOString(), changedTo: new Date(toMs).toISOString(), ...byHand };
      countInvocation('extractor', await extractor.invoke(event), meter);
    },
    drain: () => poller.settled(),
    tableSize: () => tableSize(stack),
    async close() {
      await stack.stopMappings();
      await stack.close();
      await metered.close();
      table.stop();
    },
  };
}

function countInvocation(role: FunctionRole, result: InvocationResult, meter: UsageMeter): void {
  if (result.kind !== 'succeeded') throw new Error(`${role}: ${result.reason}`);
  meter.add(`${role}Invocations`);
  meter.add(`${role}Ms`, result.durationMs);
}

function countBatch(event: BatchEvent, meter: UsageMeter): void {
  if (event.kind === 'ended') countInvocation('worker', event.result, meter);
}

const functionOf = ({ functions }: LocalStack, role: FunctionRole) =>
  only(
    functions.filter(({ description }) => description.variables['POWERTOOLS_SERVICE_NAME'] === SERVICE_NAMES[role]),
    role,
  );

function distinctMetrics(lines: readonly LogLine[]): number {
  const ofFunctions = Map.groupBy(lines, ({ functionName }) => functionName);
  const names = [...ofFunctions].flatMap(([functionName, own]) =>
    emittedMetrics(own.map(({ text }) => text)).map(({ name, dimensions }) =>
      [functionName, name, ...dimensions].join(' '),
    ),
  );
  return new Set(names).size;
}

async function tableSize({ clients, tables }: LocalStack): Promise<{ items: number; itemBytes: number }> {
  const TableName = only(tables, 'table').name;
  const size = { items: 0, itemBytes: 0 };
  let page: ScanCommandOutput | undefined;
  do {
    page = await clients.dynamodb.send(new ScanCommand({ TableName, ExclusiveStartKey: page?.LastEvaluatedKey }));
    for (const item of page.Items ?? []) {
      size.items++;
      size.itemBytes += itemBytes(item);
    }
  } while (page.LastEvaluatedKey !== undefined);
  return size;
}

async function countPhases(
  counter: Counter,
  { srm, vms }: Systems,
  carts: number,
  onStep: OnStep,
): Promise<{ undisturbed: CountedUsage; disturbed: CountedUsage }> {
  const nowMs = Date.now();
  const add = (seed: number, fromMs: number, toMs: number, faultyShare: number): void => {
    const [from, to] = [new Date(fromMs), new Date(toMs)];
    const generated = generateCarts({ count: carts, seed, from, to, client: base.srm.client, faultyShare });
    srm.addCarts(generated.map(({ row }) => row));
  };
  const span = async (step: string, work: () => Promise<void>): Promise<Usage> => {
    onStep(step);
    const before = counter.meter.read();
    await work();
    await counter.drain();
    return less(counter.meter.read(), before);
  };
  /** Includes what a phase stores in the table. The single items of watermark, breaker and reconciliation are not counted. */
  const storing = async (step: string, work: () => Promise<void>): Promise<Usage> => {
    const before = await counter.tableSize();
    const usage = await span(step, work);
    const now = await counter.tableSize();
    return { ...usage, items: now.items - before.items, itemBytes: now.itemBytes - before.itemBytes };
  };

  await span('an extraction of nothing, cold', counter.extract);
  const coldReconciliation = await span('a reconciliation of nothing, cold', counter.reconcileWhenDue);
  const reconciliationNotDue = await span('a reconciliation that is not due', counter.reconcileWhenDue);
  const emptyReconciliation = await span('a reconciliation of nothing', counter.reconcile);
  // Old enough for a reconciliation, and before the overlap of the next extractions.
  add(1, nowMs - 4 * HOUR_MS, nowMs - 3 * HOUR_MS, 0);
  await span(`${carts} carts, to warm up`, () => counter.replay(nowMs - 4 * HOUR_MS, nowMs - 3 * HOUR_MS));
  const secretCallsWhenCold = counter.meter.read().secretCalls - coldReconciliation.secretCalls;
  // The watermark moves by whole seconds: a second extraction in the same second would read nothing.
  const emptyExtraction = await span('an extraction of nothing', nextSecond(counter.extract));
  await span('a supervision, cold', counter.supervise);
  const supervision = await span('a supervision', counter.supervise);
  add(2, nowMs - 25 * MINUTE_MS, nowMs - 6 * MINUTE_MS, 0);
  const first = await storing(`${carts} new carts`, nextSecond(counter.extract));
  const again = await storing('the same carts, read again', nextSecond(counter.extract));
  const reconciliation = await span(`a reconciliation of ${carts} carts`, counter.reconcile);
  const customMetricsWhenCalm = counter.customMetrics();
  srm.setDisturbances(delayed('srm7', 'typical'));
  vms.setDisturbances(delayed('11vms', 'typical'));
  // Within the overlap, too: the carts from before are read once more beside them.
  add(3, Date.now() - 25 * MINUTE_MS, Date.now() - 6 * MINUTE_MS, FAULTY_SHARE);
  const disturbedFirst = await storing(`${carts} new carts under typical disturbances`, nextSecond(counter.extract));
  const disturbedAgain = await storing(
    'the same carts, read again, under typical disturbances',
    nextSecond(counter.extract),
  );

  const each = (usage: Usage, besides: Usage): Usage => times(less(usage, besides), 1 / carts);
  const undisturbed: CountedUsage = {
    emptyExtraction,
    emptyReconciliation,
    reconciliationNotDue,
    supervision,
    newCart: each(first, emptyExtraction),
    cartReadAgain: each(again, emptyExtraction),
    cartReconciled: each(reconciliation, emptyReconciliation),
    secretCallsWhenCold,
    customMetrics: customMetricsWhenCalm,
    logCompression: compression(counter.logLines),
  };
  return {
    undisturbed,
    disturbed: {
      ...undisturbed,
      newCart: each(disturbedFirst, again),
      cartReadAgain: each(disturbedAgain, again),
      customMetrics: counter.customMetrics(),
    },
  };
}

/** The share of faulty carts on a bad day. */
export const FAULTY_SHARE = 0.04;

const nextSecond = (work: () => Promise<void>) => async (): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await work();
};

function compression(lines: readonly string[]): number {
  const text = lines.join('\n');
  return gzipSync(text).length / Buffer.byteLength(text);
}
