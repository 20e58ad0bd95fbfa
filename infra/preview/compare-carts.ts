/** What another environment's value maps and translation settings would change. Data, as preview-cart.ts. */
import type { Fault } from '../../shared/failure.ts';
import type { CartPreview, FieldPreview, FieldValue, GroupPreview } from './preview-cart.ts';

export interface FieldDifference {
  /** `supplier.code`, `line 2: unitOfMeasure`. */
  readonly field: string;
  readonly here: FieldValue | undefined;
  readonly there: FieldValue | undefined;
  readonly row: number;
  readonly rule: string;
}

export interface OrderDifference {
  readonly supplier: string | undefined;
  readonly currency: string | undefined;
  readonly companyCode: string | undefined;
  /** Line numbers, where one environment leaves out lines that the other orders. */
  readonly linesOnlyHere: readonly string[];
  readonly linesOnlyThere: readonly string[];
  /** Undefined where the environment makes no such order: `faulty` where a fault prevents it. */
  readonly here: GroupPreview['kind'] | undefined;
  readonly there: GroupPreview['kind'] | undefined;
  readonly fields: readonly FieldDifference[];
}

export interface CartDifference {
  readonly number: string | undefined;
  readonly guid: string | undefined;
  readonly here: string;
  readonly there: string;
  readonly orders: readonly OrderDifference[];
  readonly faultsOnlyHere: readonly Fault[];
  readonly faultsOnlyThere: readonly Fault[];
}

/** Undefined where nothing differs. */
export function compareCarts(here: CartPreview, there: CartPreview): CartDifference | undefined {
  const [ours, theirs] = [byKey(here), byKey(there)];
  const orders = [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((key) => {
    const difference = compareGroups(ours.get(key), theirs.get(key));
    return difference === undefined ? [] : [difference];
  });
  const [faultsHere, faultsThere] = [allFaults(here), allFaults(there)];
  const difference = {
    number: here.number,
    guid: here.guid,
    here: outcomeText(here),
    there: outcomeText(there),
    orders,
    faultsOnlyHere: faultsHere.filter((fault) => !includes(faultsThere, fault)),
    faultsOnlyThere: faultsThere.filter((fault) => !includes(faultsHere, fault)),
  };
  const isSame =
    difference.here === difference.there &&
    [difference.orders, difference.faultsOnlyHere, difference.faultsOnlyThere].every(({ length }) => length === 0);
  return isSame ? undefined : difference;
}

const byKey = ({ groups }: CartPreview): Map<string, GroupPreview> =>
  new Map(groups.map((group) => [JSON.stringify([group.supplier, group.currency, group.companyCode]), group] as const));

const allFaults = ({ faults, groups }: CartPreview): Fault[] => [...faults, ...groups.flatMap((group) => group.faults)];

const includes = (faults: readonly Fault[], fault: Fault): boolean =>
  faults.some(({ code, path, field }) => code === fault.code && path === fault.path && field === fault.field);

/** `2 orders`, `1 order, 1 with faults`, `skipped: not approved: awaiting`. */
export function outcomeText({ kind, reason = '', groups }: CartPreview): string {
  if (kind === 'skip') return `skipped: ${reason}`;
  if (kind === 'faulty') return 'no order: the cart has faults';
  const orders = groups.filter((group) => group.kind === 'order').length;
  const faulty = groups.length - orders;
  const parts = [
    ...(orders > 0 || faulty === 0 ? [`${orders} order${orders === 1 ? '' : 's'}`] : []),
    ...(faulty > 0 ? [`${faulty} order${faulty === 1 ? '' : 's'} prevented by faults`] : []),
  ];
  return parts.join(', ');
}

function compareGroups(here: GroupPreview | undefined, there: GroupPreview | undefined): OrderDifference | undefined {
  const either = here ?? there;
  if (either === undefined) return undefined;
  const [linesHere, linesThere] = [lineNumbers(here), lineNumbers(there)];
  const difference = {
    supplier: either.supplier,
    currency: either.currency,
    companyCode: either.companyCode,
    linesOnlyHere: linesHere.filter((line) => !linesThere.includes(line)),
    linesOnlyThere: linesThere.filter((line) => !linesHere.includes(line)),
    here: here?.kind,
    there: there?.kind,
    // Of a faulty one, as far as the rules could make it.
    fields: here === undefined || there === undefined ? [] : compareFields(here, there),
  };
  const isSame =
    difference.here === difference.there &&
    [difference.fields, difference.linesOnlyHere, difference.linesOnlyThere].every(({ length }) => length === 0);
  return isSame ? undefined : difference;
}

const lineNumbers = (group: GroupPreview | undefined): string[] =>
  (group?.lines ?? []).map(({ number, path }) => number ?? path);

/** Lines are the same by their number: where one is left out, those behind it have another place. */
function compareFields(here: GroupPreview, there: GroupPreview): FieldDifference[] {
  const [ours, theirs] = [byName(here), byName(there)];
  const shared = new Set(lineNumbers(here).filter((line) => lineNumbers(there).includes(line)));
  return [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((name) => {
    const [one, other] = [ours.get(name), theirs.get(name)];
    const { row, rule } = one?.field ?? other?.field ?? {};
    const line = one?.line ?? other?.line;
    if (row === undefined || rule === undefined || one?.field.value === other?.field.value) return [];
    if (line !== undefined && !shared.has(line)) return [];
    return [{ field: name, here: one?.field.value, there: other?.field.value, row, rule }];
  });
}

function byName(group: GroupPreview): Map<string, { readonly field: FieldPreview; readonly line: string | undefined }> {
  const numbers = lineNumbers(group);
  return new Map(
    group.fields.map((field) => {
      const [, index, rest] = /^lines\[(\d+)\]\.(.*)$/.exec(field.field) ?? [];
      const line = index === undefined ? undefined : numbers[Number(index)];
      return [rest === undefined ? field.field : `line ${line}: ${rest}`, { field, line }] as const;
    }),
  );
}
