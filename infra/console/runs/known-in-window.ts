/**
 * What the ledger knows of a window before it is replayed. No index lists carts by their last change in SRM: the lists of
 * the days from the window on are read, which hold what became of carts, with the version that it became of.
 */
import { inLanes } from '../../../shared/lanes.ts';
import { LISTS, type List } from '../../../shared/lists.ts';
import type { ReadingWindow } from '../../../shared/srm-carts.ts';
import type { ListPosition, OpenedLedger } from '../../carts/open-ledger.ts';

const DAY_MS = 86_400_000;
/** A cart is ordered minutes after it was changed, or weeks later, when what it failed for is mended. */
const MOST_DAYS = 45;
/** A person waits for the page. */
const MOST_ITEMS = 30_000;
const AT_ONCE = 6;

export interface KnownInWindow {
  /** Different carts, by the list that they are on. A cart may be on several. */
  readonly carts: Readonly<Record<List, number>>;
  /** The lists that were read, by their day in UTC. */
  readonly firstDay: string;
  readonly lastDay: string;
  /** False where there is more than was read. */
  readonly isWhole: boolean;
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export async function knownInWindow(
  ledger: Pick<OpenedLedger, 'listedPart'>,
  { fromMs, toMs }: ReadingWindow,
  nowMs: number,
): Promise<KnownInWindow> {
  const firstMs = Date.parse(dayOf(fromMs));
  const count = Math.max(1, Math.floor((nowMs - firstMs) / DAY_MS) + 1);
  const days = Array.from({ length: Math.min(count, MOST_DAYS) }, (_, index) => dayOf(firstMs + index * DAY_MS));
  const carts = new Map<List, Set<string>>(LISTS.map((list) => [list, new Set()]));
  let items = 0;
  let isWhole = count <= MOST_DAYS;
  const parts = LISTS.flatMap((list) => days.map((day) => ({ list, day })));
  await inLanes(parts, AT_ONCE, async ({ list, day }) => {
    let after: ListPosition | undefined;
    do {
      if (items >= MOST_ITEMS) {
        isWhole = false;
        return;
      }
      const part = await ledger.listedPart(list, day, { after });
      items += part.items.length;
      for (const { pk, changedAtMs = Number.NaN } of part.items)
        if (changedAtMs >= fromMs && changedAtMs < toMs) carts.get(list)?.add(pk);
      after = part.next;
    } while (after !== undefined);
  });
  const countOf = (list: List): number => carts.get(list)?.size ?? 0;
  return {
    carts: { CREATED: countOf('CREATED'), SKIPPED: countOf('SKIPPED'), 'DEAD-LETTERED': countOf('DEAD-LETTERED') },
    firstDay: days[0] ?? '',
    lastDay: days.at(-1) ?? '',
    isWhole,
  };
}
