/** Usage that AWS bills, as numbers that can be added, subtracted and divided by carts. */

export interface Usage {
  readonly extractorInvocations: number;
  readonly extractorMs: number;
  readonly workerInvocations: number;
  readonly workerMs: number;
  readonly supervisorInvocations: number;
  readonly supervisorMs: number;
  readonly reconcilerInvocations: number;
  readonly reconcilerMs: number;
  /** Carts put on the queue, by the extractor or again by the worker. */
  readonly messages: number;
  /** In units of 64 KiB. */
  readonly sqsRequests: number;
  readonly writeUnits: number;
  readonly readUnits: number;
  /** The items of the table, and their bytes. */
  readonly items: number;
  readonly itemBytes: number;
  readonly secretCalls: number;
  /** Log lines of the functions, EMF included. */
  readonly logLines: number;
  readonly logBytes: number;
}

const usageOf = (value: (name: keyof Usage) => number): Usage => ({
  extractorInvocations: value('extractorInvocations'),
  extractorMs: value('extractorMs'),
  workerInvocations: value('workerInvocations'),
  workerMs: value('workerMs'),
  supervisorInvocations: value('supervisorInvocations'),
  supervisorMs: value('supervisorMs'),
  reconcilerInvocations: value('reconcilerInvocations'),
  reconcilerMs: value('reconcilerMs'),
  messages: value('messages'),
  sqsRequests: value('sqsRequests'),
  writeUnits: value('writeUnits'),
  readUnits: value('readUnits'),
  itemBytes: value('itemBytes'),
  items: value('items'),
  secretCalls: value('secretCalls'),
  logLines: value('logLines'),
  logBytes: value('logBytes'),
});

export const NO_USAGE: Usage = usageOf(() => 0);

export const sumOf = (...usages: readonly Usage[]): Usage =>
  usageOf((name) => usages.reduce((sum, usage) => sum + usage[name], 0));

export const times = (usage: Usage, factor: number): Usage => usageOf((name) => usage[name] * factor);

export const less = (usage: Usage, other: Usage): Usage => usageOf((name) => usage[name] - other[name]);

/** Counts from its start. The usage of a phase is the difference of two readings. */
export class UsageMeter {
  readonly #counts = new Map<keyof Usage, number>();

  add(name: keyof Usage, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  read(): Usage {
    return usageOf((name) => this.#counts.get(name) ?? 0);
  }
}
