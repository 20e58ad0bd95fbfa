/** Reads one slice of SRM's carts, page by page, and compares their number with SRM's own count (edge cases 7, 8). */
import type { Log } from '../log.ts';
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
  const { carts, log, runId } = dependencies;
  let announced: number | undefined;
  // A cart that moved between the pages comes twice and counts once: otherwise it would make up for a missing one.
  const guids = new Set<string>();
  let withoutGuid = 0;
  log.info('extraction.slice-started', {
    changedFrom: new Date(slice.fromMs).toISOString(),
    changedTo: new Date(slice.toMs).toISOString(),
  });
  for await (const page of readAhead(carts.pages(slice, runId))) {
    announced ??= page.announced;
    if (!dependencies.timeLeft()) return { kind: 'stopped' };
    await events.onPage(page);
    for (const { guid } of page.rows) {
      if (guid === undefined) withoutGuid++;
      else guids.add(guid);
    }
  }
  const read = guids.size + withoutGuid;
  return announced === undefined || announced === read ? { kind: 'whole' } : { kind: 'incomplete', announced, read };
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
