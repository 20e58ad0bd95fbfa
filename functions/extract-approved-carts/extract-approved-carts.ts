/** Polling Consumer: reads the approved carts of a window from SRM onto the queue, without gaps. */
import { type CartMessage, SQS_LIMIT_BYTES, writeCartMessage } from '../../shared/cart-message.ts';
import { InterfaceError } from '../../shared/failure.ts';
import type { Log, Meter } from '../../shared/log.ts';
import { METRICS } from '../../shared/metric-names.ts';
import type { CartPage, ReadingWindow, SourceRow, SrmCarts } from '../../shared/srm-carts.ts';
import type { Watermark } from '../../shared/watermark.ts';
import type { CartQueue } from './cart-queue.ts';
import {
  nextSlice,
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

export interface ExtractionDependencies {
  readonly carts: SrmCarts;
  readonly queue: CartQueue;
  readonly watermark: Watermark;
  readonly log: Log;
  readonly meter: Meter;
  readonly now: () => number;
  /** False when what is left of the invocation is not enough for one more page. */
  readonly timeLeft: () => boolean;
  readonly runId: string;
  readonly settings: ExtractionSettings;
}

export interface ExtractionResult {
  readonly runId: string;
  /** `locked`: another run is reading. `stopped`: out of time, the next run goes on. */
  readonly status: 'complete' | 'stopped' | 'locked';
  readonly cartsRead: number;
  readonly cartsQueued: number;
  /** Of those queued, the carts too large for a message, which travel as their key. */
  readonly claimChecks: number;
  readonly pages: number;
  /** How far was read: an RFC 3339 instant. A stopped replay goes on from here. */
  readonly readTo?: string;
}

/** The tally of a run, over all its slices. */
interface Tally {
  cartsRead: number;
  cartsQueued: number;
  claimChecks: number;
  pages: number;
}

/** The run that the schedule starts: from the watermark to now, slice by slice, under the lease. */
export async function extractNewCarts(dependencies: ExtractionDependencies): Promise<ExtractionResult> {
  const { watermark, settings, log, runId } = dependencies;
  const lease = { runId, leaseMs: settings.leaseMs };
  const stored = await watermark.acquire(lease, dependencies.now());
  const tally = newTally();
  // Fixed for the whole run: an SRM that needs a second for a page would else be asked for one new second after another.
  const endMs = readingEndMs(dependencies.now(), settings);
  if (stored === undefined) {
    log.info('Another run holds the watermark; nothing to do');
    return { runId, status: 'locked', ...tally };
  }
  try {
    let { watermarkMs } = stored;
    let startMs = readingStartMs(stored, settings);
    for (;;) {
      const slice = nextSlice(startMs, watermarkMs, endMs);
      if (slice === undefined) break;
      const position = new Position(slice, stored.positionMs);
      const end = await readSliceTwice(slice, dependencies, tally, {
        async onQueued(page, timeMs) {
          const reachedMs = position.after(page, readingEndMs(timeMs, settings));
          if (reachedMs !== undefined) await watermark.advancePosition(lease, reachedMs, dependencies.now());
        },
        async onIncomplete() {
          position.standStill();
          await watermark.dropPosition(lease, dependencies.now());
        },
      });
      if (end.kind === 'stopped') {
        return finish('stopped', dependencies, tally, position.reachedMs ?? slice.fromMs);
      }
      if (end.kind === 'incomplete') throw incomplete(end);
      // By SRM's clock the end of the slice may still be in the making: then only so far is it whole.
      const wholeToMs = Math.min(slice.toMs, readingEndMs(end.timeMs, settings));
      // A slice of a long overlap may end before the watermark, which never moves back.
      if (wholeToMs > (watermarkMs ?? slice.fromMs)) {
        await watermark.completeSlice(lease, wholeToMs, dependencies.now());
        watermarkMs = wholeToMs;
      }
      if (wholeToMs < slice.toMs) break;
      startMs = slice.toMs;
    }
    return finish('complete', dependencies, tally, watermarkMs ?? startMs);
  } finally {
    await watermark.release(lease).catch((error: unknown) => {
      // The lease ends by itself; failing the run here would hide the error that brought us here.
      log.warn('The lease could not be released; the next run waits until it ends', {
        reason: error instanceof Error ? error.name : 'unknown',
      });
    });
  }
}

/** A replay that an operator asks for: reads the given window and leaves the watermark alone. */
export async function extractWindow(
  window: ReadingWindow,
  dependencies: ExtractionDependencies,
): Promise<ExtractionResult> {
  const tally = newTally();
  const { fromMs, toMs } = wholeSeconds(window);
  let startMs = fromMs;
  for (;;) {
    const slice = nextSlice(startMs, undefined, toMs);
    if (slice === undefined) return finish('complete', dependencies, tally, toMs);
    const position = new Position(slice, undefined);
    const end = await readSliceTwice(slice, dependencies, tally, {
      async onQueued(page) {
        position.after(page, slice.toMs);
      },
      async onIncomplete() {
        position.standStill();
      },
    });
    if (end.kind === 'stopped') return finish('stopped', dependencies, tally, position.reachedMs ?? slice.fromMs);
    if (end.kind === 'incomplete') throw incomplete(end);
    startMs = slice.toMs;
  }
}

/** How far a slice is durably queued. It stands still as soon as the pages turn out not to be in order. */
class Position {
  reachedMs: number | undefined;
  readonly #endMs: number;
  #lastMs: number;
  #inOrder = true;

  constructor(slice: ReadingWindow, storedMs: number | undefined) {
    this.#endMs = slice.toMs;
    this.#lastMs = slice.fromMs;
    this.reachedMs = storedMs;
  }

  /**
   * The new position when the page moved it forward, no further than the limit. Rows without a readable stamp are
   * queued, and move nothing; a stamp beyond the slice is none to go by.
   */
  after(page: CartPage, limitMs: number): number | undefined {
    for (const { changedAtMs } of page.rows) {
      if (changedAtMs === undefined) continue;
      if (changedAtMs < this.#lastMs || changedAtMs >= this.#endMs) this.#inOrder = false;
      this.#lastMs = changedAtMs;
    }
    const reachedMs = Math.min(this.#lastMs, limitMs);
    if (!this.#inOrder || reachedMs <= (this.reachedMs ?? 0)) return undefined;
    this.reachedMs = reachedMs;
    return reachedMs;
  }

  /** The slice was not delivered whole: what it has reached proves nothing, and only its end will. */
  standStill(): void {
    this.reachedMs = undefined;
    this.#inOrder = false;
  }
}

type SliceEnd =
  | { readonly kind: 'whole'; readonly timeMs: number }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'incomplete'; readonly announced: number; readonly read: number };

interface SliceEvents {
  /** A page is durably queued; the time is the one to reckon with for this slice. */
  onQueued(page: CartPage, timeMs: number): Promise<void>;
  /** The slice was not delivered whole and is about to be read once more. */
  onIncomplete(): Promise<void>;
}

/** Edge case 7: a slice whose count does not add up is read once more, then it is an alert. */
async function readSliceTwice(
  slice: ReadingWindow,
  dependencies: ExtractionDependencies,
  tally: Tally,
  events: SliceEvents,
): Promise<SliceEnd> {
  const first = await readSlice(slice, dependencies, tally, events);
  if (first.kind !== 'incomplete') return first;
  dependencies.log.warn('SRM announced another number of carts than it delivered; the slice is read again', {
    expected: first.announced,
    rows: first.read,
  });
  await events.onIncomplete();
  return readSlice(slice, dependencies, tally, events);
}

async function readSlice(
  slice: ReadingWindow,
  dependencies: ExtractionDependencies,
  tally: Tally,
  events: SliceEvents,
): Promise<SliceEnd> {
  const { carts, log, now, runId } = dependencies;
  let announced: number | undefined;
  // A cart that moved between the pages comes twice and counts once, so that it cannot stand in for a missing one.
  const guids = new Set<string>();
  let nameless = 0;
  let timeMs = now();
  log.info('Reading approved carts', {
    changedFrom: new Date(slice.fromMs).toISOString(),
    changedTo: new Date(slice.toMs).toISOString(),
  });
  for await (const page of readAhead(carts.pages(slice, runId))) {
    if (announced === undefined) {
      announced = page.announced;
      timeMs = followSkew(page.serverTimeMs, dependencies);
    }
    if (!dependencies.timeLeft()) return { kind: 'stopped' };
    await queuePage(page, dependencies, tally);
    await events.onQueued(page, timeMs);
    for (const { guid } of page.rows) {
      if (guid === undefined) nameless++;
      else guids.add(guid);
    }
  }
  const read = guids.size + nameless;
  if (announced !== undefined && announced !== read) return { kind: 'incomplete', announced, read };
  return { kind: 'whole', timeMs };
}

function followSkew(serverTimeMs: number | undefined, { now, log }: ExtractionDependencies): number {
  const ourMs = now();
  if (serverTimeMs !== undefined && Math.abs(serverTimeMs - ourMs) > SKEW_WARNED_MS) {
    const skewSeconds = Math.round((serverTimeMs - ourMs) / 1000);
    log.warn('The clocks of SRM and of this function differ; SRM’s is followed', { skewSeconds });
  }
  return trustedTimeMs(ourMs, serverTimeMs);
}

/** Fetches the next page while the last one is queued. */
async function* readAhead<Page>(pages: AsyncGenerator<Page, void, void>): AsyncGenerator<Page, void, void> {
  let next = pages.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = pages.next();
      // Its failure is thrown by the await above; until then nobody else may take it for unhandled.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await pages.return();
  }
}

async function queuePage(page: CartPage, dependencies: ExtractionDependencies, tally: Tally): Promise<void> {
  const { queue, log, meter, runId, settings } = dependencies;
  const bodies = page.rows.map((row) => {
    const body = writeCartMessage(toMessage(row, runId, settings.sapClient));
    if (Buffer.byteLength(body) <= SQS_LIMIT_BYTES) return body;
    tally.claimChecks++;
    return writeCartMessage(toClaim(row, runId, settings.sapClient));
  });
  await queue.send(bodies);
  tally.pages++;
  tally.cartsRead += page.rows.length;
  tally.cartsQueued += bodies.length;
  meter.count(METRICS.cartsRead, page.rows.length);
  meter.count(METRICS.cartsQueued, bodies.length);
  log.info('Page queued', { pages: tally.pages, rows: page.rows.length, queued: tally.cartsQueued });
}

const envelope = (row: SourceRow, runId: string, client: string) => ({
  schemaVersion: 1 as const,
  runId,
  correlationId: `${runId}/${row.guid ?? row.number ?? 'unidentified'}`,
  client,
  cart: { number: row.number ?? null, guid: row.guid ?? null },
});

const toMessage = (row: SourceRow, runId: string, client: string): CartMessage => ({
  ...envelope(row, runId, client),
  source: row.source,
});

/** Claim Check (rule 4). */
const toClaim = (row: SourceRow, runId: string, client: string): CartMessage => ({
  ...envelope(row, runId, client),
  claim: { guid: row.guid ?? null },
});

function incomplete(end: { announced: number; read: number }): InterfaceError {
  const message = `SRM announced ${end.announced} carts and delivered ${end.read}, twice; the watermark stays where it was`;
  return new InterfaceError('transient', { code: 'E_SRC_PAGING_INCOMPLETE', message });
}

const newTally = (): Tally => ({ cartsRead: 0, cartsQueued: 0, claimChecks: 0, pages: 0 });

function finish(
  status: 'complete' | 'stopped',
  { log, meter, runId }: ExtractionDependencies,
  tally: Tally,
  readToMs: number,
): ExtractionResult {
  const readTo = new Date(readToMs).toISOString();
  if (status === 'complete') meter.count(METRICS.extractionCompleted);
  log.info(status === 'complete' ? 'Extraction complete' : 'Out of time; the next run goes on', {
    watermark: readTo,
    pages: tally.pages,
    rows: tally.cartsRead,
    queued: tally.cartsQueued,
  });
  return { runId, status, ...tally, readTo };
}
