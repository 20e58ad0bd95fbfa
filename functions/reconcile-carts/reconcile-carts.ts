/**
 * The daily reconciliation (rules.md, "Reading without gaps"): the last days are read again, and carts for which the
 * ledger does not account are queued again. It takes no lease and moves no watermark, so that it may run beside an
 * extraction. A cart that is queued needlessly is harmless, since no order is ever created twice.
 */
import type { CartQueue } from '../../shared/cart-queue.ts';
import type { BreakerRecord } from '../../shared/circuit-breaker.ts';
import { InterfaceError } from '../../shared/failure.ts';
import { inLanes } from '../../shared/lanes.ts';
import type { CartKey } from '../../shared/ledger-keys.ts';
import type { Meter } from '../../shared/log.ts';
import { rowToBody } from '../../shared/message-body.ts';
import { METRICS } from '../../shared/metric-names.ts';
import type { OperationOutcome } from '../../shared/operations.ts';
import type { RecordCopies } from '../../shared/queued-copies.ts';
import { readSliceTwice, type SliceDependencies } from '../../shared/reading/read-slice.ts';
import { narrowerWidth, nextSlice, SlicePosition, wholeSecond } from '../../shared/reading/slice.ts';
import { isInactiveVersion } from '../../shared/sap-values.ts';
import { FRESH_MS, type Standing, standingOf } from '../../shared/standing.ts';
import type { SourceRow } from '../../shared/reading/source-row.ts';
import type { CartPage } from '../../shared/srm-carts.ts';
import type { Trace } from '../../shared/traces.ts';
import type { Watermark } from '../../shared/watermark.ts';
import type { ReconciliationRecord, ReconciliationState } from './reconciliation-record.ts';

export interface ReconciliationDependencies extends SliceDependencies {
  readonly queue: CartQueue;
  readonly recordCopies: RecordCopies;
  readonly watermark: Pick<Watermark, 'read'>;
  /** What the ledger holds of a cart. */
  readonly tracesOf: (cart: CartKey) => Promise<readonly Trace[]>;
  readonly record: ReconciliationRecord;
  /** While it is not closed, carts wait on the queue. */
  readonly breaker: Pick<BreakerRecord, 'read'>;
  readonly meter: Meter;
  readonly now: () => number;
  readonly settings: {
    readonly sapClient: string;
    readonly firstWatermarkMs: number;
    /** How many days the daily reconciliation goes back. */
    readonly days: number;
  };
}

export interface ReconciliationResult {
  readonly runId: string;
  /**
   * `stopped`: out of time, the next run continues. `paused`: read to the end, but consumption is paused: carts without
   * a trace may still be on the queue, and were not classified.
   */
  readonly status: 'complete' | 'stopped' | 'paused';
  /** The sum of the counts below. */
  readonly cartsRead: number;
  readonly created: number;
  readonly inFlight: number;
  readonly deadLettered: number;
  /** Dead letters that a person settled by hand. */
  readonly closed: number;
  readonly skipped: number;
  readonly queuedAgain: number;
  /** Not accounted for while consumption is paused: the next reconciliation sees them again. */
  readonly notJudged: number;
  /** Rows with neither number nor GUID: the ledger knows only their messages, and each is a dead letter. */
  readonly unidentified: number;
  readonly readTo: string;
}

export interface NotDue {
  readonly runId: string;
  readonly status: 'not-due';
}

type Tally = Record<keyof Omit<ReconciliationResult, 'runId' | 'status' | 'readTo'>, number>;

const DAY_MS = 24 * 3600_000;
/** Narrower than SRM allows: when a cart leaves its slice meanwhile, since it changed, only this much is read again. */
const SLICE_MS = 6 * 3600_000;
const LEDGER_READS_AT_ONCE = 20;
/** SQS's longest delay: an original message that is still on its way comes first and creates the order itself. */
const DELAY_SECONDS = 900;

/** Longer than the schedule's firings of one night take, and shorter than the time between two nights. */
const DUE_AFTER_MS = 12 * 3600_000;

/**
 * The schedule starts it several times a night: the reconciliation of the day, or the rest of an unfinished one. A cart
 * costs 1.3 ms of CPU, so that a run of 15 minutes on one CPU is too short for the 700,000 carts of a week at 100,000 a
 * day, and SRM may be slower. The next firing, an hour later, continues an unfinished run; a firing that has nothing to
 * do ends after one read.
 */
export async function reconcileWhenDue(
  dependencies: ReconciliationDependencies,
): Promise<ReconciliationResult | NotDue> {
  const { record, now, settings, runId } = dependencies;
  const { reachedMs, ...unfinished } = await record.read();
  if (reachedMs !== undefined) return reconcileSince(reachedMs, unfinished, dependencies);
  const nowMs = now();
  if (nowMs - (unfinished.startedMs ?? 0) < DUE_AFTER_MS) return { runId, status: 'not-due' };
  return reconcileSince(nowMs - settings.days * DAY_MS, { startedMs: nowMs }, dependencies);
}

/**
 * An operator starts it, and the schedule finishes it. It replaces an unfinished reconciliation; one of fewer days only
 * interrupts it.
 */
export async function reconcileDays(
  { days, includeLastHour }: { readonly days: number; readonly includeLastHour: boolean },
  dependencies: ReconciliationDependencies,
): Promise<ReconciliationResult> {
  const { record, now, settings } = dependencies;
  const { startedMs, reachedMs, isPartial = false, interruptedMs } = await record.read();
  const wholeMs = isPartial ? interruptedMs : reachedMs;
  const unfinished = {
    ...(startedMs === undefined ? {} : { startedMs }),
    ...(includeLastHour ? { includesLastHour: true } : {}),
    ...(days < settings.days ? { isPartial: true, ...(wholeMs === undefined ? {} : { interruptedMs: wholeMs }) } : {}),
  };
  return reconcileSince(now() - days * DAY_MS, unfinished, dependencies);
}

/** What came of a reconciliation by hand. The schedule continues one that is not complete. */
export function outcomeOf({
  runId,
  status,
  cartsRead,
  queuedAgain,
  notJudged,
  readTo,
}: ReconciliationResult): OperationOutcome {
  const counts = `run ${runId}: ${cartsRead} carts read, ${queuedAgain} queued again, ${notJudged} not judged`;
  return status === 'complete'
    ? { result: 'done', summary: counts }
    : { result: 'stopped', summary: `${counts}; ${status} at ${readTo}` };
}

async function reconcileSince(
  sinceMs: number,
  unfinished: Omit<ReconciliationState, 'reachedMs'>,
  dependencies: ReconciliationDependencies,
): Promise<ReconciliationResult> {
  const { record, watermark, settings, log, meter, runId, now } = dependencies;
  const { startedMs, includesLastHour = false, sliceMs, isPartial = false, interruptedMs } = unfinished;
  const tally = newTally();
  const { watermarkMs = settings.firstWatermarkMs } = await watermark.read();
  // Most younger carts are still under way; the next day's reconciliation reads them.
  const endMs = wholeSecond(watermarkMs - (includesLastHour ? 0 : FRESH_MS));
  // The interface never reads carts from before the first watermark.
  let startMs = wholeSecond(Math.max(sinceMs, settings.firstWatermarkMs));
  // From now on it is unfinished: the next run continues it, even after a crash.
  await record.write({ ...unfinished, reachedMs: startMs });
  const fromMs = startMs;
  const keepReport = (status: ReconciliationResult['status']): Promise<void> =>
    record.keepReport({ runId, status, endedMs: now(), fromMs, toMs: Math.max(fromMs, startMs), ...tally });
  let widthMs = sliceMs ?? SLICE_MS;
  let incompleteSlices = 0;
  const unreadable: InterfaceError[] = [];
  for (;;) {
    const slice = nextSlice(startMs, undefined, endMs, widthMs);
    if (slice === undefined) break;
    const position = new SlicePosition(slice, undefined);
    // A slice that is read twice, or a cart that comes on two pages, is classified and queued once.
    const classified = new Set<string>();
    const end = await readSliceTwice(slice, dependencies, {
      async onPage(page) {
        await classifyPage(page, classified, dependencies, tally);
        position.after(page, slice.toMs);
      },
      async onIncomplete() {
        position.standStill();
      },
    }).catch((error: unknown) => {
      // SRM's answer will be the same tomorrow.
      if (error instanceof InterfaceError && error.failureClass === 'permanent')
        return { kind: 'unreadable', error } as const;
      throw error;
    });
    const narrowerMs = narrowerWidth(slice);
    if (end.kind === 'too-large' && narrowerMs !== undefined) {
      widthMs = narrowerMs;
      continue;
    }
    startMs = end.kind === 'stopped' ? wholeSecond(position.reachedMs ?? slice.fromMs) : slice.toMs;
    // Where it got nowhere, the next run would stop at the same place.
    const nextMs = startMs === fromMs ? narrowerMs : undefined;
    await record.write({ ...unfinished, reachedMs: startMs, ...(nextMs === undefined ? {} : { sliceMs: nextMs }) });
    if (end.kind === 'stopped') {
      const readTo = new Date(startMs).toISOString();
      log.warn('reconciliation.stopped', { watermark: readTo, ...fieldsOf(tally) });
      await keepReport('stopped');
      return { runId, status: 'stopped', ...tally, readTo };
    }
    // The other slices are still read: one that cannot be read, or has a wrong count, must not hide the days after it.
    if (end.kind === 'incomplete') incompleteSlices++;
    if (end.kind === 'unreadable' || end.kind === 'too-large') {
      unreadable.push(end.error);
      log.warn('reconciliation.slice-unreadable', {
        changedFrom: new Date(slice.fromMs).toISOString(),
        changedTo: new Date(slice.toMs).toISOString(),
        reason: end.error.fault.message,
      });
    }
  }
  await record.write({
    ...(startedMs === undefined ? {} : { startedMs }),
    ...(interruptedMs === undefined ? {} : { reachedMs: interruptedMs }),
  });
  if (unreadable[0] !== undefined) throw notReadWhole(unreadable[0], unreadable.length);
  if (incompleteSlices > 0) throw incomplete(incompleteSlices);
  const status = tally.notJudged > 0 ? 'paused' : 'complete';
  await keepReport(status);
  if (status === 'complete' && !isPartial) meter.count(METRICS.reconciliationCompleted);
  return finish(status, tally, startMs, dependencies);
}

async function classifyPage(
  page: CartPage,
  classified: Set<string>,
  dependencies: ReconciliationDependencies,
  tally: Tally,
): Promise<void> {
  const { queue, recordCopies, breaker, log, meter, now, runId, settings } = dependencies;
  const rows = page.rows.filter(({ guid, changedAtMs }) => {
    const version = `${guid} ${changedAtMs}`;
    if (guid !== undefined && classified.has(version)) return false;
    classified.add(version);
    return true;
  });
  const standings = await standingsOf(rows, dependencies);
  const lost = rows.filter((_, index) => isLost(standings[index]));
  // Read only when it matters: a cart that was tried is accounted for in any case.
  const isPaused = lost.length > 0 && (await breaker.read()).state !== 'CLOSED';
  if (lost.length > 0 && !isPaused) {
    const sender = { runId, client: settings.sapClient, origin: 'reconciliation' as const };
    const bodies = lost.map((row) => rowToBody(row, sender).body);
    await queue.send(bodies, DELAY_SECONDS);
    await recordCopies(lost, { runId, nowMs: now() });
    meter.count(METRICS.cartsQueued, bodies.length);
    for (const { number, guid } of lost) {
      log.warn('reconciliation.cart-queued', { cartNumber: number, cartGuid: guid });
    }
  }
  tally.cartsRead += rows.length;
  for (const standing of standings) tally[fieldOf(standing, isPaused)]++;
}

/** `undefined` for a row that the ledger cannot be asked about. */
function standingsOf(
  rows: readonly SourceRow[],
  { tracesOf, settings, now }: ReconciliationDependencies,
): Promise<readonly (Standing | undefined)[]> {
  return inLanes(rows, LEDGER_READS_AT_ONCE, async ({ number, guid, changedAtMs, source }) => {
    if (number === undefined && guid === undefined) return undefined;
    const traces = await tracesOf({ client: settings.sapClient, number, guid });
    // A row without a readable stamp has no version: any trace counts.
    return standingOf(traces, {
      changedAtMs: changedAtMs ?? 0,
      isInactiveVersion: isInactiveVersion(source),
      nowMs: now(),
    });
  });
}

/** Nothing accounts for this version of the cart: no attempt will follow. */
function isLost(standing: Standing | undefined): boolean {
  if (standing === undefined) return false;
  if (standing.word === 'partly-ordered') return isLost(standing.rest);
  return standing.word === 'never-read' || ('isOverdue' in standing && standing.isOverdue);
}

function fieldOf(standing: Standing | undefined, isPaused: boolean): keyof Tally {
  if (standing === undefined) return 'unidentified';
  if (isLost(standing)) return isPaused ? 'notJudged' : 'queuedAgain';
  switch (standing.word) {
    case 'ordered':
    case 'cured':
      return 'created';
    case 'skipped':
      return 'skipped';
    case 'dead-lettered':
      return 'deadLettered';
    case 'closed':
      return 'closed';
    case 'partly-ordered':
      return fieldOf(standing.rest, isPaused);
    case 'never-read':
    case 'waiting':
    case 'in-progress':
    case 'retrying':
      return 'inFlight';
  }
}

function finish(
  status: 'complete' | 'paused',
  tally: Tally,
  readToMs: number,
  { log, runId }: ReconciliationDependencies,
): ReconciliationResult {
  const readTo = new Date(readToMs).toISOString();
  const fields = { watermark: readTo, ...fieldsOf(tally) };
  if (status === 'complete') log.info('reconciliation.completed', fields);
  else log.warn('reconciliation.inconclusive', fields);
  return { runId, status, ...tally, readTo };
}

const fieldsOf = ({ cartsRead, ...counts }: Tally) => ({ rows: cartsRead, ...counts });

function incomplete(slices: number): InterfaceError {
  const message = `SRM announced another number of carts than it delivered, twice, in ${slices} slice(s) of the reconciliation`;
  return new InterfaceError('transient', { code: 'E_SRC_PAGING_INCOMPLETE', message });
}

const notReadWhole = ({ fault: { code, message } }: InterfaceError, slices: number): InterfaceError =>
  new InterfaceError('permanent', {
    code,
    message: `${slices} slice(s) of the reconciliation cannot be read: ${message}`,
  });

const newTally = (): Tally => ({
  cartsRead: 0,
  created: 0,
  inFlight: 0,
  deadLettered: 0,
  closed: 0,
  skipped: 0,
  queuedAgain: 0,
  notJudged: 0,
  unidentified: 0,
});
