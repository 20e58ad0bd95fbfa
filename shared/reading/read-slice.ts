/** Reads one slice of SRM's carts, page by page, and compares their number with SRM's own count (edge cases 7, 8). */
import type { Log } from '../log.ts';
import { PageTooLarge } from './slice.ts';
import type { SourceRow } from './source-row.ts';
import type { CartPage, ReadingWindow, SrmCarts } from '../srm-carts.ts';

export interface SliceDependencies {
  readonly carts: Pick<SrmCarts, 'pages'>;
  readonly log: Log;
  /** False when the invocation has no time for one more page. */
  readonly timeLeft: () => boolean;
  readonly runId: string;
}

export type SliceEnd =
  | { readonly kind: 'whole' }
  | { readonly kind: 'stopped' }
  /** A narrower slice may fit. What was read of this one is handled. */
  | { readonly kind: 'too-large'; readonly error: PageTooLarge }
  | { readonly kind: 'incomplete'; readonly announced: number; readonly read: number };

export interface SliceEvents {
  /** A page was read. The next page waits until this one is handled. */
  onPage(page: CartPage): Promise<void>;
  /** The slice was not delivered whole and is about to be read once more. */
  onIncomplete(): Promise<void>;
}

/** Edge case 7: a slice whose count is wrong is read once more; if it is wrong again, the run fails in the end. */
export async function readSliceTwice(
  slice: ReadingWindow,
  dependencies: SliceDependencies,
  events: SliceEvents,
): Promise<SliceEnd> {
  const first = await readSlice(slice, dependencies, events);
  if (first.kind !== 'incomplete') return first;
  dependencies.log.warn('extraction.count-mismatch', {
    expected: first.announced,
    rows: first.read,
  });
  await events.onIncomplete();
  return readSlice(slice, dependencies, events);
}

async function readSlice(
  slice: ReadingWindow,
  dependencies: SliceDependencies,
  events: SliceEvents,
): Promise<SliceEnd> {
  try {
    return await readPages(slice, dependencies, events);
  } catch (error) {
    if (!(error instanceof PageTooLarge)) throw error;
    dependencies.log.warn('extraction.slice-too-large', { reason: error.fault.message });
    return { kind: 'too-large', error };
  }
}

async function readPages(
  slice: ReadingWindow,
  dependencies: SliceDependencies,
  events: SliceEvents,
): Promise<SliceEnd> {
  const { carts, log, runId } = dependencies;
  let announced: number | undefined;
  let read = 0;
  const earlier = new Map<string, number | undefined>();
  log.info('extraction.slice-started', {
    changedFrom: new Date(slice.fromMs).toISOString(),
    changedTo: new Date(slice.toMs).toISOString(),
  });
  for await (const page of readAhead(carts.pages(slice, runId))) {
    announced ??= page.announced;
    if (!dependencies.timeLeft()) return { kind: 'stopped' };
    for (const { number, guid, faultOffset } of page.rows) {
      if (faultOffset === undefined) continue;
      const reason = `its page is not JSON at character ${faultOffset + 1}`;
      log.warn('page.row-unreadable', { cartNumber: number, cartGuid: guid, reason });
    }
    await events.onPage(page);
    read += page.rows.filter((row) => !hasMoved(row, earlier)).length;
    for (const { guid, changedAtMs } of page.rows) if (guid !== undefined) earlier.set(guid, changedAtMs);
  }
  return announced === undefined || announced === read ? { kind: 'whole' } : { kind: 'incomplete', announced, read };
}

/**
 * Whether the cart was on an earlier page in another version. It then counts once: otherwise it would make up for a missing
 * one. The same version twice is two rows of SRM's own, which counts them, too.
 */
function hasMoved({ guid, changedAtMs }: SourceRow, earlier: ReadonlyMap<string, number | undefined>): boolean {
  if (guid === undefined || !earlier.has(guid)) return false;
  return changedAtMs === undefined || earlier.get(guid) !== changedAtMs;
}

/** Fetches the next page while the last one is queued. */
async function* readAhead<Page>(pages: AsyncGenerator<Page, void, void>): AsyncGenerator<Page, void, void> {
  let next = pages.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done) return;
      next = pages.next();
      // The await above throws its failure; until then Node must not take it for unhandled.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await pages.return();
  }
}
