/** Answers a question about the carts of an environment. */
import { printableJson } from '../../shared/printable-text.ts';
import type { Progress } from './known-cart.ts';
import { ordersOfDay, cartsInState } from './listed-carts.ts';
import { oneCart } from './one-cart.ts';
import { type OpenedLedger, openLedger } from './open-ledger.ts';
import type { CartsOptions, Question } from './options.ts';
import { asCsv, type TableRow } from './tables.ts';
import { waitingCarts } from './waiting-carts.ts';

export interface Answer {
  readonly text: string;
  /** Names that end in `Ms` hold milliseconds since 1970; printed, they are instants without that ending. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly list?: { readonly columns: readonly string[]; readonly rows: readonly TableRow[] };
}

export interface Surroundings {
  readonly now: () => number;
  readonly progress: Progress;
}

/** Returns what is to be printed. @throws {Unanswerable} */
export async function answer(options: CartsOptions, surroundings: Surroundings): Promise<string> {
  const ledger = await openLedger(options);
  try {
    const { text, data, list } = await ask(options.question, ledger, surroundings);
    if (options.format === 'csv' && list !== undefined) return asCsv(list.columns, list.rows);
    if (options.format === 'text') return text;
    const head = { environment: ledger.environment.name, sapClient: ledger.environment.srm.client };
    return `${printableJson(withInstants({ ...head, ...data }))}\n`;
  } finally {
    ledger.close();
  }
}

function ask(question: Question, ledger: OpenedLedger, { now, progress }: Surroundings): Promise<Answer> {
  switch (question.kind) {
    case 'cart':
      return oneCart(question, ledger, now());
    case 'day':
      return ordersOfDay(question.day, ledger);
    case 'state':
      return cartsInState(question, ledger, now(), progress);
    case 'waiting':
      return waitingCarts(question.scanMegabytes, ledger, now(), progress);
  }
}

/** `sinceMs: 1764252000000` becomes `since: "2025-11-27T14:00:00.000Z"`, at any depth. */
function withInstants(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withInstants);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]: [string, unknown]) =>
      /[a-z]Ms$/.test(name) && typeof field === 'number'
        ? [name.slice(0, -2), new Date(field).toISOString()]
        : [name, withInstants(field)],
    ),
  );
}
