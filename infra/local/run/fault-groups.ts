/** The faults of many carts as a few lines: one for each kind of fault, with examples. */
import type { FaultOwner } from '../../../shared/failure.ts';
import type { DeadLetter, ReportedFault } from './accounting.ts';
import { counted, shortList } from './words.ts';

/** All faults of one code, by what is wrong and where. */
interface FaultGroup {
  readonly fault: ReportedFault;
  readonly paths: Set<string>;
  readonly values: Set<string>;
  /** The carts by number or GUID. A cart without either is one more. */
  readonly carts: string[];
}

const SHOWN_CARTS = 3;
const SHOWN_VALUES = 3;

/** An owner with a name and a way to reach them, where the environment knows them. */
export type OwnerText = (owner: FaultOwner) => string;

/** A heading for each code, which says who does what, and below it a line for each kind of fault. The most frequent comes first. */
export function faultLines(deadLetters: readonly DeadLetter[], ownerText: OwnerText): string[] {
  const byCode = Map.groupBy(groupsOf(deadLetters), ({ fault }) => fault.code);
  const cartsOf = (groups: readonly FaultGroup[]): number => groups.reduce((sum, { carts }) => sum + carts.length, 0);
  return [...byCode.values()]
    .toSorted((a, b) => cartsOf(b) - cartsOf(a))
    .flatMap((groups) => [
      ...groups.slice(0, 1).map(({ fault }) => headingOf(fault, ownerText)),
      ...groups.toSorted((a, b) => b.carts.length - a.carts.length).map(lineOf),
    ]);
}

function groupsOf(deadLetters: readonly DeadLetter[]): FaultGroup[] {
  const groups = new Map<string, FaultGroup>();
  for (const { cartNumber, guid, faults } of deadLetters) {
    const cart = cartNumber ?? guid ?? 'without number';
    const seen = new Set<string>();
    for (const fault of faults) {
      const key = JSON.stringify([fault.code, plain(fault.message), plain(fault.field ?? fault.path ?? '')]);
      const group = groups.get(key) ?? { fault, paths: new Set(), values: new Set(), carts: [] };
      groups.set(key, group);
      if (fault.path !== undefined) group.paths.add(fault.path);
      if (fault.value !== undefined) group.values.add(JSON.stringify(fault.value));
      // Ten lines with the same fault are one cart.
      if (!seen.has(key)) group.carts.push(cart);
      seen.add(key);
    }
  }
  return [...groups.values()];
}

/** Without the numbers and quotes by which the same fault differs from line to line, and from cart to cart. */
const plain = (text: string): string => withoutQuotes(text).replaceAll(/\d+/g, '#');
const withoutQuotes = (text: string): string => text.replaceAll(/"[^"]*"/g, '"…"');

const headingOf = ({ code, owner, action }: ReportedFault, ownerText: OwnerText): string =>
  owner === null || action === null ? `  ${code}` : `  ${code}  for the ${ownerText(owner)}: ${action}`;

function lineOf({ fault, paths, values, carts }: FaultGroup): string {
  const [path, ...otherPaths] = paths;
  const where = [
    ...(path === undefined ? [] : [otherPaths.length === 0 ? path : path.replaceAll(/\[\d+\]/g, '[…]')]),
    ...(fault.field === undefined ? [] : [`for ${paths.size > 1 ? fault.field.replaceAll(/\d+/g, '…') : fault.field}`]),
    ...(values.size === 0 ? [] : [`value ${shortList([...values], SHOWN_VALUES)}`]),
  ].join(', ');
  const place = where === '' ? '' : ` (${where})`;
  const message = values.size > 1 ? withoutQuotes(fault.message) : fault.message;
  return `      ${counted(carts.length, 'cart').padEnd(10)} ${message}${place}: ${shortList(carts, SHOWN_CARTS)}`;
}
