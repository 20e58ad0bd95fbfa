/** Polling Consumer: reads the approved carts of a window from SRM onto the queue, without gaps. */
import type { CartQueue } from '../../shared/cart-queue.ts';
import { InterfaceError } from '../../shared/failure.ts';
import { inLanes } from '../../shared/lanes.ts';
import type { CartKey } from '../../shared/ledger-keys.ts';
import type { Meter } from '../../shared/log.ts';
import { rowToBody, type Sender } from '../../shared/message-body.ts';
import { METRICS } from '../../shared/metric-names.ts';
import type { OperationOutcome } from '../../shared/operations.ts';
import type { RecordCopies } from '../../shared/queued-copies.ts';
import type { QueuedVersions } from '../../shared/queued-versions.ts';
import { readSliceTwice, type SliceDependencies } from '../../shared/reading/read-slice.ts';
import { narrowerWidth, nextSlice, SlicePosition, WIDEST_SLICE_MS } from '../../shared/reading/slice.ts';
import { type SourceRow, sourceRow } from '../../shared/reading/source-row.ts';
import type { CartPage, ReadingWindow, SrmCarts } from '../../shared/srm-carts.ts';
import { isClosedByHand } from '../../shared/standing.ts';
import type { Trace } from '../../shared/traces.ts';
import type { Watermark } from '../../shared/watermark.ts';
import {
  clockFault,
  readingEndMs,
  readingStartMs,
  SKEW_WARNED_MS,
  trustedTimeMs,
  type WindowSettings,
  wholeSeconds,
} from './extraction-window.ts';

export interface ExtractionSettings extends WindowSettings {
  readonly sapClient: string;
  readonly leaseMs: number;
}

export interface ExtractionDependencies extends SliceDependencies {
  readonly carts: SrmCarts;
  readonly queue: CartQueue;
  readonly queuedVersions: QueuedVersions;
  readonly recordCopies: RecordCopies;
  /** What the ledger holds of a cart. */
  readonly tracesOf: (cart: CartKey) => Promise<readonly Trace[]>;
  readonly watermark: Watermark;
  readonly meter: Meter;
  readonly now: () => number;
  readonly settings: ExtractionSettings;
}

export interface ExtractionResult {
  readonly runId: string;
  /**
   * `locked`: another run is reading. `stopped`: out of time, the next run continues. `behind`: by SRM's clock there is
   * nothing to read beyond the watermark, although there is by ours.
   */
  readonly status: 'complete' | 'stopped' | 'locked' | 'behind';
  readonly cartsRead: number;
  /** Without those of which an earlier run queued the same version: each run reads the overlap again. */
  readonly cartsQueued: number;
  /** Left out of a replayed window: a person has settled a dead letter of this version by hand. */
  readonly closed: number;
  /** Of those queued, the carts too large for a message, which travel as their key. */
  readonly claimChecks: number;
  readonly pages: number;
  /** How far was read: an RFC 3339 instant, from which an operator can continue a stopped replay of a window. */
  readonly readTo?: string;
}

/** The tally of a run, over all its slices. */
interface Tally {
  cartsRead: number;
  cartsQueued: number;
  closed: number;
  claimChecks: number;
  pages: number;
}

/** The run that the schedule starts: from the watermark to now, slice by slice, under the lease. */
export async function extractNewCarts(dependencies: ExtractionDependencies): Promise<ExtractionResult> {
  const { watermark, settings, log, runId } = dependencies;
  const lease = { runId, leaseMs: settings.leaseMs };
  const stored = await watermark.acquire(lease, dependencies.now());
  const tally = newTally();
  // Fixed for the whole run. Otherwise a run would never end where SRM needs a second for a page: each adds a second.
  const endMs = readingEndMs(dependencies.now(), settings);
  if (stored === undefined) {
    log.info('extraction.locked');
    return { runId, status: 'locked', ...tally };
  }
  try {
    let { watermarkMs, positionMs } = stored;
    const reachedMs = (): number => Math.max(watermarkMs ?? settings.firstWatermarkMs, positionMs ?? 0);
    const beganAtMs = reachedMs();
    let hasMoved = false;
    let isBehind = false;
    const clock = createClock(dependencies);
    let widthMs = stored.sliceMs ?? WIDEST_SLICE_MS;
    let startMs = readingStartMs(stored, settings);
    for (;;) {
      const slice = nextSlice(startMs, watermarkMs, endMs, widthMs);
      if (slice === undefined) break;
      const position = new SlicePosition(slice, positionMs);
      const readToMs = reachedMs();
      const end = await readSliceTwice(slice, dependencies, {
        async onPage(page) {
          const timeMs = clock.after(page, slice, readToMs);
          await queuePage(page, dependencies, tally, queueNewVersions);
          const movedToMs = position.after(page, readingEndMs(timeMs, settings));
          if (movedToMs === undefined) return;
          await watermark.advancePosition(lease, movedToMs, dependencies.now());
          positionMs = movedToMs;
        },
        async onIncomplete() {
          position.standStill();
          await watermark.dropPosition(lease, dependencies.now());
          positionMs = undefined;
        },
      });
      const narrowerMs = narrowerWidth(slice);
      if (end.kind === 'too-large') {
        if (narrowerMs === undefined) throw end.error;
        widthMs = narrowerMs;
        continue;
      }
      if (end.kind === 'stopped') {
        // Else the next run would stop at the same place.
        if (reachedMs() <= beganAtMs && narrowerMs !== undefined) {
          await watermark.keepSliceWidth(lease, narrowerMs, dependencies.now());
        }
        return finish('stopped', dependencies, tally, position.reachedMs ?? slice.fromMs);
      }
      if (end.kind === 'incomplete') throw incomplete(end);
      // By SRM's clock, carts may still be added at the end of the slice: then it is whole only up to that time.
      const wholeToMs = Math.min(slice.toMs, readingEndMs(clock.now(), settings));
      // A slice of the overlap may end before the watermark, which never moves back, or before the position, which the
      // watermark would take back.
      if (wholeToMs > (watermarkMs ?? slice.fromMs) && wholeToMs >= (positionMs ?? 0)) {
        await watermark.completeSlice(lease, wholeToMs, dependencies.now());
        watermarkMs = wholeToMs;
        positionMs = undefined;
        hasMoved = true;
      }
      startMs = slice.toMs;
      if (wholeToMs < slice.toMs) {
        // Such a run is not complete: an alarm must see a clock that stands still.
        isBehind = !hasMoved;
        break;
      }
    }
    if (stored.sliceMs !== undefined) await watermark.keepSliceWidth(lease, undefined, dependencies.now());
    // Not of a replay: it would hide that the scheduled runs fail.
    if (!isBehind) dependencies.meter.count(METRICS.extractionCompleted);
    return finish(isBehind ? 'behind' : 'complete', dependencies, tally, watermarkMs ?? startMs);
  } finally {
    await watermark.release(lease).catch((error: unknown) => {
      // The lease ends by itself; an error thrown here would hide the one that ended the run.
      log.warn('extraction.lease-not-released', {
        reason: error instanceof Error ? error.name : 'unknown',
      });
    });
  }
}

/** Narrow: a replay remembers nothing, and where pages are not in order, it is continued only behind a whole slice. */
const REPLAYED_SLICE_MS = 3600_000;
const LEDGER_READS_AT_ONCE = 20;

/** A replay that an operator asks for: reads the given window and leaves the watermark alone. */
export async function extractWindow(
  window: ReadingWindow,
  dependencies: ExtractionDependencies,
): Promise<ExtractionResult> {
  const tally = newTally();
  const { fromMs, toMs } = wholeSeconds(window);
  let widthMs = REPLAYED_SLICE_MS;
  let startMs = fromMs;
  for (;;) {
    const slice = nextSlice(startMs, undefined, toMs, widthMs);
    if (slice === undefined) return finish('complete', dependencies, tally, toMs);
    const position = new SlicePosition(slice, undefined);
    const end = await readSliceTwice(slice, dependencies, {
      async onPage(page) {
        await queuePage(page, dependencies, tally, queueUnsettled);
        position.after(page, slice.toMs);
      },
      async onIncomplete() {
        position.standStill();
      },
    });
    if (end.kind === 'too-large') {
      const narrowerMs = narrowerWidth(slice);
      if (narrowerMs === undefined) throw end.error;
      widthMs = narrowerMs;
      continue;
    }
    if (end.kind === 'stopped') return finish('stopped', dependencies, tally, position.reachedMs ?? slice.fromMs);
    if (end.kind === 'incomplete') throw incomplete(end);
    startMs = slice.toMs;
  }
}

/**
 * A replay of one cart, which a run has read before: SRM's service knows a cart by its GUID, and the ledger by its number.
 * @throws {UnknownCart} when it cannot be read.
 */
export async function extractCart(number: string, dependencies: ExtractionDependencies): Promise<ExtractionResult> {
  const { carts, tracesOf, runId, settings } = dependencies;
  const traces = await tracesOf({ client: settings.sapClient, number });
  const guids = traces.flatMap((trace) => (trace.kind === 'queued' && trace.guid !== undefined ? [trace.guid] : []));
  const guid = guids.at(-1);
  if (guid === undefined) throw new UnknownCart(number, 'the interface has not read it, or read it without a Guid');
  const source = await carts.cart(guid, runId);
  if (source === undefined) throw new UnknownCart(number, 'SRM does not find it by its Guid');
  const tally = newTally();
  await queuePage(
    { rows: [sourceRow({ source })], announced: 1, serverTimeMs: undefined, isCached: false },
    dependencies,
    tally,
    queueCopies,
  );
  return finish('complete', dependencies, tally, undefined);
}

/** The cart that an operator asks for cannot be replayed by its number. */
export class UnknownCart extends Error {
  constructor(number: string, reason: string) {
    super(`Cart ${number} cannot be replayed: ${reason}. Replay the window in which it was changed instead`);
    this.name = 'UnknownCart';
  }
}

/** What came of a replay. One that ran out of time is continued by the operator. */
export function outcomeOf({
  runId,
  status,
  cartsRead,
  cartsQueued,
  closed,
  readTo,
}: ExtractionResult): OperationOutcome {
  const leftOut = closed === 0 ? '' : `, ${closed} left out, which were closed by hand`;
  const counts = `run ${runId}: ${cartsRead} carts read, ${cartsQueued} queued${leftOut}`;
  return status === 'complete'
    ? { result: 'done', summary: counts }
    : { result: 'stopped', summary: `${counts}; ${status} at ${readTo ?? 'its begin'}` };
}

interface Clock {
  /** The time to use after a page: of its slice, and how far was read before it. */
  after(page: CartPage, slice: ReadingWindow, readToMs: number): number;
  /** The time to use now. */
  now(): number;
}

/** SRM's clock as the first page of the run shows it, where it differs from ours; ours from the first `Date` on that is no clock. */
function createClock({ now, log }: ExtractionDependencies): Clock {
  let timeMs: number | undefined;
  let isIgnored = false;
  const self: Clock = {
    now: () => timeMs ?? now(),
    after(page, slice, readToMs) {
      const { serverTimeMs } = page;
      const reason = clockFault(page, slice, readToMs);
      if (reason !== undefined && !isIgnored) log.warn('extraction.clock-ignored', { reason });
      isIgnored ||= reason !== undefined;
      if (isIgnored) {
        timeMs = undefined;
      } else if (timeMs === undefined) {
        timeMs = trustedTimeMs(now(), serverTimeMs);
        const skewMs = (serverTimeMs ?? timeMs) - now();
        if (Math.abs(skewMs) > SKEW_WARNED_MS) {
          log.warn('extraction.clock-skew', { skewSeconds: Math.round(skewMs / 1000) });
        }
      }
      return self.now();
    },
  };
  return self;
}

type QueueRows = (
  rows: readonly SourceRow[],
  dependencies: ExtractionDependencies,
) => Promise<Pick<Tally, 'cartsQueued' | 'claimChecks'> & { readonly closed?: number }>;

/** An ordinary run: each version of a cart once. */
const queueNewVersions: QueueRows = async (read, dependencies) => {
  const { queuedVersions, log, runId, now } = dependencies;
  const versions = await queuedVersions.unqueued(read);
  const rows = versions.map(({ row }) => row);
  const counts = await sendRows(rows, dependencies);
  // A crash up to here queues these versions again, which is harmless.
  const unrecorded = await queuedVersions.record(versions, { runId, nowMs: now() });
  if (unrecorded > 0) log.warn('extraction.queued-not-recorded', { rows: unrecorded });
  return counts;
};

/** A replay of a window: no cart that a person has settled by hand, and which may be ordered elsewhere. */
const queueUnsettled: QueueRows = async (read, dependencies) => {
  const { tracesOf, log, settings } = dependencies;
  const settled = await inLanes(read, LEDGER_READS_AT_ONCE, async ({ number, guid, changedAtMs }) => {
    if (number === undefined && guid === undefined) return false;
    // A row without a readable stamp has no version: any dead letter counts.
    return isClosedByHand(await tracesOf({ client: settings.sapClient, number, guid }), changedAtMs ?? 0);
  });
  const closed = read.filter((_, index) => settled[index]);
  for (const { number, guid } of closed) log.info('extraction.cart-closed', { cartNumber: number, cartGuid: guid });
  const counts = await queueCopies(
    read.filter((_, index) => !settled[index]),
    dependencies,
  );
  return { ...counts, closed: closed.length };
};

/** A replay of one cart: also one that was queued before, or closed. */
const queueCopies: QueueRows = async (rows, dependencies) => {
  const { recordCopies, runId, now } = dependencies;
  const counts = await sendRows(rows, dependencies, 'replay');
  await recordCopies(rows, { runId, nowMs: now() });
  return counts;
};

async function sendRows(
  rows: readonly SourceRow[],
  { queue, runId, settings }: ExtractionDependencies,
  origin?: Sender['origin'],
): ReturnType<QueueRows> {
  const sender = { runId, client: settings.sapClient, ...(origin === undefined ? {} : { origin }) };
  const messages = rows.map((row) => rowToBody(row, sender));
  await queue.send(messages.map(({ body }) => body));
  return { cartsQueued: messages.length, claimChecks: messages.filter(({ isClaim }) => isClaim).length };
}

async function queuePage(
  { rows }: CartPage,
  dependencies: ExtractionDependencies,
  tally: Tally,
  queueRows: QueueRows,
): Promise<void> {
  const { log, meter } = dependencies;
  const { cartsQueued, claimChecks, closed = 0 } = await queueRows(rows, dependencies);
  tally.pages++;
  tally.cartsRead += rows.length;
  tally.cartsQueued += cartsQueued;
  tally.closed += closed;
  tally.claimChecks += claimChecks;
  meter.count(METRICS.cartsRead, rows.length);
  meter.count(METRICS.cartsQueued, cartsQueued);
  log.info('extraction.page-queued', { pages: tally.pages, rows: rows.length, queued: tally.cartsQueued });
}

function incomplete(end: { announced: number; read: number }): InterfaceError {
  const message = `SRM announced ${end.announced} carts and delivered ${end.read}, twice; the watermark stays where it was`;
  return new InterfaceError('transient', { code: 'E_SRC_PAGING_INCOMPLETE', message });
}

const newTally = (): Tally => ({ cartsRead: 0, cartsQueued: 0, closed: 0, claimChecks: 0, pages: 0 });

const ENDS = {
  complete: 'extraction.completed',
  stopped: 'extraction.stopped',
  behind: 'extraction.behind',
} as const;

function finish(
  status: keyof typeof ENDS,
  { log, runId }: ExtractionDependencies,
  tally: Tally,
  readToMs: number | undefined,
): ExtractionResult {
  const readTo = readToMs === undefined ? undefined : new Date(readToMs).toISOString();
  log.info(ENDS[status], {
    ...(readTo === undefined ? {} : { watermark: readTo }),
    pages: tally.pages,
    rows: tally.cartsRead,
    queued: tally.cartsQueued,
  });
  return { runId, status, ...tally, ...(readTo === undefined ? {} : { readTo }) };
}
