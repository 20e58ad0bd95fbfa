/** Runs the interface end to end on this machine, and accounts for every cart. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createWireOrder } from '../../../functions/create-purchase-orders/translation/wire-order.ts';
import { asJsonObject } from '../../../shared/exact-json.ts';
import { SERVICE_NAMES } from '../../../shared/metric-names.ts';
import type { Environment } from '../../environments.ts';
import { ownerText } from '../../owners.ts';
import { synthesizeOnce } from '../../synthesis-cache.ts';
import { type Accounts, account, distinctCarts, readLedger } from './accounting.ts';
import { LOCAL_CREDENTIALS } from '../aws/aws-clients.ts';
import type { InvocationResult } from '../aws/execution-environment.ts';
import { only, type LocalStack, startLocalStack } from '../aws/local-stack.ts';
import type { LocalRunOptions } from './options.ts';
import type { Report, TakenOrder } from './report.ts';
import { RunLog } from './run-log.ts';
import type { Systems } from './systems.ts';
import { counted } from './words.ts';

export interface LocalRun {
  readonly options: LocalRunOptions;
  readonly systems: Systems;
  readonly report: Report;
  /** Ctrl-C: batches in flight end, and the summary is still printed. */
  readonly signal: AbortSignal;
  readonly startedMs: number;
}

interface Run extends LocalRun {
  readonly stack: LocalStack;
  readonly log: RunLog;
  /** The bodies of all received messages, by message id. */
  readonly bodies: ReadonlyMap<string, string>;
}

/** True when every approved cart is accounted for. */
export async function runLocally(localRun: LocalRun): Promise<boolean> {
  const { options, systems, signal } = localRun;
  const report = quietWhenEnding(localRun);
  const directory = mkdtempSync(join(tmpdir(), 'proc-srm7-11vms-'));
  const log = new RunLog(join(directory, 'functions.log'), systems.isClockSet ? ['extraction.clock-skew'] : []);
  let stack: LocalStack | undefined;
  let isSummarized = false;
  const tidyUp = (): void => {
    report.end();
    // The log stays for the user. The assembly can be synthesized again.
    rmSync(join(directory, 'assembly'), { recursive: true, force: true });
    if (!existsSync(log.path)) rmSync(directory, { recursive: true, force: true });
    else if (!isSummarized) localRun.report.warn(`the run broke off; its log stays at ${log.path}`);
  };
  // A second Ctrl-C ends the process here and now.
  process.once('exit', tidyUp);
  signal.addEventListener('abort', () => {
    report.stage('ending', 'what is under way ends first, and the summary follows; Ctrl-C once more ends at once');
  });
  try {
    for (const description of systems.descriptions) report.stage('systems', description);
    for (const note of systems.notes) report.warn(note);
    const bodies = new Map<string, string>();
    stack = await deploy(systems, join(directory, 'assembly'), { log, report, bodies });
    const run: Run = { ...localRun, report, stack, log, bodies };
    const pause = await (options.watch ? keepRunning(run) : runOnce(run));
    const isComplete = await giveAccount(run, pause);
    isSummarized = true;
    return isComplete;
  } finally {
    report.end();
    await stack?.close();
    process.off('exit', tidyUp);
    tidyUp();
  }
}

/** Ctrl-C reaches the functions' processes, too: that they end is no news then. */
const quietWhenEnding = ({ report, signal }: LocalRun): Report => ({
  ...report,
  warn(text) {
    if (!signal.aborted) report.warn(text);
  },
});

async function deploy(
  { environment, variables, secrets }: Systems,
  outdir: string,
  { log, report, bodies }: { log: RunLog; report: Report; bodies: Map<string, string> },
): Promise<LocalStack> {
  const startedMs = Date.now();
  mkdirSync(outdir);
  const { directory: assembly, artifact } = await synthesizeOnce(environment, outdir);
  report.stage('synthesized', `stack of environment ${environment.name} in ${seconds(Date.now() - startedMs)} s`);
  const stack = await startLocalStack({
    assembly,
    artifact,
    variables,
    secrets,
    onLogLine: (line) => log.write(line),
    onError: (error) => report.warn(`queue poller: ${error instanceof Error ? error.message : String(error)}`),
    onBatch: (event) => {
      for (const { messageId, body } of event.records) bodies.set(messageId, body);
      if (event.kind === 'ended' && event.result.kind !== 'succeeded') report.warn(`worker: ${event.result.reason}`);
      if (event.kind === 'ended' && event.wholeBatchReason !== undefined)
        report.warn(`worker: ${event.wholeBatchReason}`);
    },
  });
  const { queues, tables, functions, mappings, schedules } = stack;
  report.stage(
    'provisioned',
    `from the template: ${queues.length} queues, ${tables.length} table, ${functions.length} functions, ` +
      `${mappings.length} event source, ${schedules.length} schedules`,
  );
  return stack;
}

/** One extraction, with the worker running until the queue is empty. Returns the pause that lasts at its end. */
async function runOnce(run: Run): Promise<Pause | undefined> {
  const { stack, report, log } = run;
  stack.startMappings();
  report.follow(log.progress);
  const supervision = supervise(run);
  await extract(run);
  await drain(run, supervision);
  if (run.options.redrive && !run.signal.aborted) {
    await redrive(run);
    await drain(run, supervision);
  }
  if (run.options.reconcile && !run.signal.aborted) await reconcileCarts(run);
  await supervision.stop();
  await stack.stopMappings();
  return supervision.paused();
}

/** --reconcile: the run of the daily schedule. Carts that it queues again are delayed by 15 minutes, so the local run
 * does not wait for them. */
async function reconcileCarts({ stack, report, log }: Run): Promise<void> {
  const result = await stack.scheduleOf(SERVICE_NAMES.reconciler).fire(new Date());
  if (result.kind !== 'succeeded') {
    report.warn(`reconciliation failed: ${log.lastError ?? result.reason}`);
    return;
  }
  const { runId: _, status, readTo, ...counts } = asJsonObject(result.payload) ?? {};
  const nonZero = Object.entries(counts).filter(([, count]) => count !== 0);
  report.stage(
    'reconciled',
    `${String(status)} to ${String(readTo)}: ${nonZero.map((pair) => pair.join(' ')).join(', ')}`,
  );
}

/** --redrive: what "redrive to source" in the SQS console does. */
async function redrive({ stack, report, log }: Run): Promise<void> {
  const { queue } = stack.mappingOf(SERVICE_NAMES.worker);
  const moved = await queue.redriveDeadLetters();
  // The same carts are judged again.
  log.progress.faulty.clear();
  report.stage('redriven', `${moved} dead letters, each as a new message to its source queue`);
}

/** The supervisor runs more often than on AWS, where it runs each minute. */
const SUPERVISION_MS = 5000;

interface Pause {
  readonly reason: string;
  /** How many supervisions have found it, each after a trial if one was due. */
  readonly supervisions: number;
}

interface Supervision {
  readonly paused: () => Pause | undefined;
  stop(): Promise<void>;
}

function supervise({ stack, report, log }: Run): Supervision {
  const schedule = stack.scheduleOf(SERVICE_NAMES.supervisor);
  const stopping = new AbortController();
  let paused: Pause | undefined;
  const superviseOnce = async (): Promise<void> => {
    const result = await schedule.fire(new Date());
    if (result.kind !== 'succeeded') {
      report.warn(`supervisor: ${result.reason}`);
      return;
    }
    const { state, reason } = asJsonObject(result.payload) ?? {};
    if (state === 'CLOSED' && paused !== undefined) report.stage('resumed', '11VMS is healthy again');
    if (state === 'CLOSED') {
      paused = undefined;
      log.progress.waiting = undefined;
      return;
    }
    const { ready, delayed, inFlight } = await stack.mappingOf(SERVICE_NAMES.worker).queue.inspect();
    log.progress.waiting = ready.length + delayed.length + inFlight.length;
    if (paused === undefined) report.warn(`consumption is paused: ${String(reason)}`);
    paused = { reason: String(reason), supervisions: (paused?.supervisions ?? 0) + 1 };
  };
  const running = (async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await sleep(SUPERVISION_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (!stopping.signal.aborted) await superviseOnce();
    }
  })();
  return {
    paused: () => paused,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** A failed extraction is repeated once, as the schedule would do. After that the user decides. */
const EXTRACTION_RUNS = 2;

async function extract(run: Run): Promise<void> {
  const { stack, report, log, signal } = run;
  const schedule = stack.scheduleOf(SERVICE_NAMES.extractor);
  for (let failures = 0; !signal.aborted; ) {
    log.startExtraction();
    const result = await schedule.fire(new Date());
    const status = statusOf(result);
    if (status === 'complete') {
      report.stage('extracted', `${log.progress.queued} carts queued`);
      return;
    }
    if (status === 'stopped') continue;
    failures++;
    const reason = result.kind === 'succeeded' ? `it ended as ${String(status)}` : (log.lastError ?? result.reason);
    report.warn(`extraction failed: ${reason}`);
    if (failures === EXTRACTION_RUNS) return;
    report.stage('extracting', 'once more, as the schedule would');
  }
}

const statusOf = (result: InvocationResult): unknown =>
  result.kind === 'succeeded' ? asJsonObject(result.payload)?.['status'] : undefined;

/** A pause that so many supervisions after its first have found ends the run: it will not end by itself. */
const PAUSE_PATIENCE = 3;

/** Waits until the queue is empty, or until nothing has moved for longer than any retry takes. */
async function drain({ stack, systems, log, report, signal }: Run, supervision: Supervision): Promise<void> {
  const mapping = stack.mappingOf(SERVICE_NAMES.worker);
  // After a crash a message comes back when its visibility timeout ends, which is six times the function's timeout.
  const patienceMs = (30 + 6 * systems.environment.delivery.timeoutSeconds) * 1000;
  const settled = mapping.poller.settled().then(() => true);
  // When this function returns earlier, the later rejection of `settled` must not go unhandled.
  settled.catch(() => false);
  while (!signal.aborted) {
    if (await Promise.race([settled, sleep(250, false)])) return;
    if ((supervision.paused()?.supervisions ?? 0) > PAUSE_PATIENCE) {
      report.warn(`consumption stays paused: the run ends here${lastErrorOf(log)}`);
      return;
    }
    if (Date.now() - log.lastLineAtMs > patienceMs) {
      report.warn(`nothing has moved for ${seconds(patienceMs)} s: the run ends here${lastErrorOf(log)}`);
      return;
    }
  }
}

const lastErrorOf = (log: RunLog): string => (log.lastError === undefined ? '' : ` (last error: ${log.lastError})`);

/** --watch: runs by the schedules of the template until Ctrl-C. */
async function keepRunning(run: Run): Promise<Pause | undefined> {
  const { stack, report, log, signal } = run;
  const schedule = stack.scheduleOf(SERVICE_NAMES.extractor);
  report.stage('look inside', `while it runs: ${commandToLookInside(run)}`);
  const closeConsole = run.options.console ? await openConsole(run) : undefined;
  stack.startMappings();
  report.follow(log.progress);
  const supervision = supervise(run);
  while (!signal.aborted) {
    await extract(run);
    const now = new Date();
    const next = schedule.nextFiring(now);
    if (next === undefined) break;
    report.stage('waiting', `next extraction at ${next.toISOString().slice(11, 19)} UTC; Ctrl-C ends the run`);
    await sleep(next.getTime() - now.getTime(), undefined, { signal }).catch(() => undefined);
  }
  await supervision.stop();
  await stack.stopMappings();
  await closeConsole?.();
  return supervision.paused();
}

/** --console: the pages of `npm run console`, over this run. */
async function openConsole({ stack, systems, report, log }: Run): Promise<() => Promise<void>> {
  const [{ createLocalSources }, { serveConsole }] = await Promise.all([
    import('../../console/local-sources.ts'),
    import('../../console/serve.ts'),
  ]);
  const sources = createLocalSources(systems.environment, stack, log.path);
  const served = await serveConsole({
    sources,
    mode: 'operate',
    port: 0,
    idleMs: Number.MAX_SAFE_INTEGER,
    onIdle: () => undefined,
    onLink: (link) => report.stage('console', `open in a browser: ${link}`),
    onError: (error) =>
      report.warn(`console: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
  });
  return async () => {
    await served.close();
    sources.close();
  };
}

/** With the credentials of this run, which the emulators demand. */
function commandToLookInside({ stack, options }: Run): string {
  const { dynamodb, sqs } = stack.emulators.endpoints;
  const variables = {
    AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    AWS_ENDPOINT_URL_SQS: sqs,
  };
  const table = only(stack.tables, 'table').name;
  const queue = stack.mappingOf(SERVICE_NAMES.worker).queue.url;
  return [
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    `npm run carts -- --env ${options.environmentFile ?? 'local'} --table ${table} --queue ${queue} --waiting`,
  ].join(' ');
}

async function giveAccount(run: Run, pause: Pause | undefined): Promise<boolean> {
  const { stack, systems, report, log, startedMs, options } = run;
  const queue = stack.mappingOf(SERVICE_NAMES.worker).queue;
  const [left, dead, ledger] = await Promise.all([
    queue.inspect(),
    queue.deadLetters?.inspect(),
    readLedger(stack.clients.dynamodb, only(stack.tables, 'table').name),
  ]);
  const leftOnQueue = [...left.ready, ...left.delayed, ...left.inFlight];
  const queuedBodies = [...run.bodies.values(), ...leftOnQueue.map(({ body }) => body)];
  const accounts = account({
    approved: systems.approved,
    queuedBodies,
    leftOnQueue,
    deadLetters: dead === undefined ? [] : [...dead.ready, ...dead.delayed, ...dead.inFlight],
    ledger,
  });
  const queued = distinctCarts(queuedBodies).length;
  const doubled = doubledOrders(systems);
  const failure = failureOf(accounts, doubled, log);
  const taken = systems.vms?.orders().map(({ order }) => order) ?? [];
  if (options.ordersDirectory !== undefined) writeOrders(taken, systems.environment, options.ordersDirectory, report);
  report.summary({
    approved: systems.approved?.length ?? queued,
    queued,
    accounts,
    warnings: log.warnings,
    retries: log.progress.retries,
    seconds: seconds(Date.now() - startedMs),
    pause: pause?.reason,
    doubled,
    failure,
    logPath: log.path,
    wouldBe: options.dryRun ? taken : undefined,
    ownerText: (owner) => ownerText(systems.environment, owner),
  });
  return failure === undefined;
}

/**
 * A file for each order, named after its externalId: what the 11VMS of the environment would get. Only for its owner, since
 * it holds what the cart holds.
 */
function writeOrders(orders: readonly TakenOrder[], { vms }: Environment, directory: string, report: Report): void {
  const wire = createWireOrder(vms);
  for (const order of orders) {
    writeFileSync(
      join(directory, `${encodeURIComponent(order.externalId)}.json`),
      `${JSON.stringify(wire.toWire(order), null, 2)}\n`,
      { mode: 0o600 },
    );
  }
  const others = readdirSync(directory).length - orders.length;
  const earlier = others > 0 ? `, beside ${counted(others, 'other file')} that this run did not write` : '';
  report.stage('orders', `${counted(orders.length, 'file')} in ${directory}${earlier}`);
}

function failureOf({ carts }: Accounts, doubled: readonly string[], log: RunLog): string | undefined {
  if (doubled.length > 0) return `${counted(doubled.length, 'order')} in 11VMS twice`;
  if (!log.completedExtraction) return 'no extraction was completed: SRM may hold carts that were not read';
  const open = [
    ...(carts.waiting.length > 0 ? [`${counted(carts.waiting.length, 'cart')} still on the queue`] : []),
    ...(carts.unaccounted.length > 0 ? [`${counted(carts.unaccounted.length, 'cart')} not accounted for`] : []),
  ];
  return open.length > 0 ? open.join(', ') : undefined;
}

/** Orders that exist twice in the 11VMS simulator, whatever the ledger says. */
function doubledOrders({ vms }: Systems): string[] {
  const ids = vms?.orders().map(({ order }) => order.externalId) ?? [];
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;
