/** The rows of the carts' lists: the same on the page and as CSV. */
import { type Fault, isFaultCode } from '../../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../../shared/fault-catalogue.ts';
import { verdictSort } from '../../../shared/ledger-keys.ts';
import { instantText, reasonsOf } from '../../../shared/standing-sentence.ts';
import {
  type CartList,
  listParts,
  ORDER_COLUMNS,
  orderOf,
  orderRow,
  SKIPPED_COLUMNS,
  skippedRow,
  type StandingCart,
  standingsOf,
} from '../../carts/cart-lists.ts';
import type { ListedState } from '../../carts/cart-states.ts';
import type { OpenedLedger } from '../../carts/open-ledger.ts';
import type { TableRow } from '../../carts/tables.ts';
import type { Environment } from '../../environments.ts';
import { ownerText } from '../../owners.ts';
import { wordsOf } from '../standing-status.ts';

/** A message that was given up, as the list names it: the cart may stand otherwise by now. */
export interface ListedDeadLetter {
  readonly messageId: string;
  readonly faults: readonly Fault[];
  readonly codes: string;
  readonly owners: string;
  readonly actions: string;
}

export function deadLetterOf(
  { item: { sk, codes }, traces }: StandingCart,
  environment: Pick<Environment, 'owners'>,
): ListedDeadLetter {
  const messageId = sk.slice(verdictSort('').length);
  const verdict = traces.find((trace) => trace.kind === 'verdict' && trace.messageId === messageId);
  const known = codes.filter(isFaultCode).map((code) => FAULT_CATALOGUE[code]);
  return {
    messageId,
    faults: verdict?.kind === 'verdict' ? verdict.faults : [],
    codes: codes.join(' '),
    owners: [...new Set(known.map(({ owner }) => ownerText(environment, owner)))].join(', '),
    actions: [...new Set(known.map(({ action }) => action))].join(' '),
  };
}

export const CSV_COLUMNS = {
  ordered: ORDER_COLUMNS,
  skipped: [...SKIPPED_COLUMNS, 'standing'],
  'dead-lettered': ['given up at', 'cart', 'standing', 'code', 'owner', 'message id', 'why', 'what to do'],
} as const satisfies Readonly<Record<ListedState, readonly string[]>>;

/** All rows of a list, in the parts in which it is read. */
export async function* csvRows(
  state: ListedState,
  list: CartList,
  ledger: OpenedLedger,
  nowMs: number,
): AsyncGenerator<readonly TableRow[]> {
  for await (const items of listParts(ledger, list)) {
    if (state === 'ordered') yield items.map((item) => orderRow(orderOf(item)));
    else {
      const carts = await standingsOf(items, ledger, nowMs);
      yield carts.map((one) => (state === 'skipped' ? skippedCells(one) : deadLetterCells(one, ledger.environment)));
    }
  }
}

const skippedCells = ({ item: { listedAtMs, reason }, cart, standing }: StandingCart): TableRow => ({
  ...skippedRow(cart.name, { sinceMs: listedAtMs, reason }),
  standing: wordsOf(standing),
});

function deadLetterCells(one: StandingCart, environment: Pick<Environment, 'owners'>): TableRow {
  const { messageId, faults, codes, owners, actions } = deadLetterOf(one, environment);
  return {
    'given up at': instantText(one.item.listedAtMs),
    cart: one.cart.name,
    standing: wordsOf(one.standing),
    code: codes,
    owner: owners,
    'message id': messageId,
    why: reasonsOf(faults),
    'what to do': actions,
  };
}
