/** Does the work for each item, so many at once, and returns the results in the items' order. */
export async function inLanes<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const next = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of next) results[index] = await work(item, index);
  };
  // All lanes end before the caller goes on: one that outlives it would continue in another invocation.
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  const failed = lanes.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results;
}

export type Limit = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** Lets so many works run at once. The others wait for their turn, in their order. */
export function createLimit(atOnce: number): Limit {
  const waiting: (() => void)[] = [];
  let free = atOnce;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}

/** The items in their order, so many in each chunk; the last one may hold fewer. */
export function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

/**
 * The items in their order: a pack is closed by its last place, or when the next item would exceed its bytes. An item that is
 * too large is a pack alone.
 */
export function packs<T>(
  all: readonly T[],
  most: { readonly items: number; readonly bytes: number },
  bytesOf: (item: T) => number,
): T[][] {
  const closed: T[][] = [];
  let pack: T[] = [];
  let bytes = 0;
  for (const item of all) {
    const size = bytesOf(item);
    if (pack.length === most.items || (pack.length > 0 && bytes + size > most.bytes)) {
      closed.push(pack);
      pack = [];
      bytes = 0;
    }
    pack.push(item);
    bytes += size;
  }
  return pack.length === 0 ? closed : [...closed, pack];
}
