/** The previews of one input, and what they add up to. */
import type { Fault, FaultCode, FaultOwner } from '../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';
import type { CartDifference } from './compare-carts.ts';
import type { CartPreview, Envelope } from './preview-cart.ts';

export interface Preview {
  /** Where the carts came from. */
  readonly input: string;
  readonly environment: string;
  readonly client: Envelope['client'];
  /** The day in UTC before which a date lies in the past. */
  readonly today: string;
  readonly isMasked: boolean;
  /** What the input lacks. */
  readonly notes: readonly string[];
  readonly carts: readonly CartPreview[];
  /** With another environment's translation; one entry for each cart that would differ. */
  readonly against?: { readonly environment: string; readonly differences: readonly CartDifference[] };
}

export interface Summary {
  readonly carts: number;
  readonly orders: number;
  readonly skipped: number;
  /** Carts with at least one fault; the other orders of the same cart are counted as orders. */
  readonly faulty: number;
  readonly withWarnings: number;
  /** The most frequent first. */
  readonly faults: readonly {
    readonly code: FaultCode;
    readonly carts: number;
    readonly meaning: string;
    readonly owner: FaultOwner;
  }[];
  readonly skips: readonly { readonly reason: string; readonly carts: number }[];
}

export const faultsOfCart = ({ faults, groups }: CartPreview): readonly Fault[] => [
  ...faults,
  ...groups.flatMap((group) => group.faults),
];

export const ordersOfCart = ({ groups }: CartPreview): number => groups.filter(({ kind }) => kind === 'order').length;

export function summaryOf(carts: readonly CartPreview[]): Summary {
  const codes = carts.flatMap((cart) => [...new Set(faultsOfCart(cart).map(({ code }) => code))]);
  return {
    carts: carts.length,
    orders: carts.reduce((orders, cart) => orders + ordersOfCart(cart), 0),
    skipped: carts.filter(({ kind }) => kind === 'skip').length,
    faulty: carts.filter((cart) => faultsOfCart(cart).length > 0).length,
    withWarnings: carts.filter(({ warnings, groups }) =>
      [warnings, ...groups.map((group) => group.warnings)].some((list) => list.length > 0),
    ).length,
    faults: counted(codes).map(([code, count]) => {
      const { meaning, owner } = FAULT_CATALOGUE[code];
      return { code, carts: count, meaning, owner };
    }),
    skips: counted(carts.flatMap(({ reason }) => (reason === undefined ? [] : [reason]))).map(([reason, count]) => ({
      reason,
      carts: count,
    })),
  };
}

/** Each value once with its count, the most frequent first. */
function counted<Value extends string>(values: readonly Value[]): [Value, number][] {
  const groups = Map.groupBy(values, (value) => value);
  return [...groups].map(([value, same]): [Value, number] => [value, same.length]).sort((a, b) => b[1] - a[1]);
}
