/** The service refuses the call with an OData error. */
export class ODataRefusal extends Error {
  override readonly name = 'ODataRefusal';
  readonly status: number;
  readonly code: string;
  readonly property: string;

  constructor(status: number, code: string, message: string, property = '') {
    super(message);
    this.status = status;
    this.code = code;
    this.property = property;
  }
}

/** The selection of a `$filter`. */
export interface Selection {
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  readonly statuses: ReadonlySet<string>;
}

/** Navigations to expand, as a tree: `Items/Texts` is Texts below Items. */
export type ExpandTree = ReadonlyMap<string, ExpandTree>;

/** All navigations of the service. */
export const cartNavigations: ExpandTree = expandTree(
  'Items/Accounting,Items/Partners,Items/Texts,Partners,Texts,Attachments',
);

const literal = String.raw`datetimeoffset'(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,7})?Z)'`;

function documentedFilter({ changedAt, status }: QueryNames): RegExp {
  const one = String.raw`${status} eq '[A-Z0-9]{1,5}'`;
  const statusList = String.raw`(${one}|\(${one}(?: or ${one})*\))`;
  return new RegExp(`^${changedAt} ge ${literal} and ${changedAt} lt ${literal} and ${statusList}$`);
}

/** The service's names of the properties by which it selects and orders. */
export interface QueryNames {
  readonly changedAt: string;
  readonly status: string;
  readonly guid: string;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Reads a `$filter`. It must have exactly the documented form. */
export function parseSelection(filter: string | null, names: QueryNames): Selection {
  if (filter === null || filter.trim() === '') {
    throw new ODataRefusal(
      400,
      'ZSRM_SC/002',
      `A filter on ${names.changedAt} and ${names.status} is required`,
      `ShoppingCart/${names.changedAt}`,
    );
  }
  const [, from = '', to = '', listed = ''] = documentedFilter(names).exec(filter) ?? [];
  const fromMs = Date.parse(from);
  const toMs = Date.parse(to);
  if (Number.isNaN(fromMs) || Number.isNaN(toMs) || fromMs > toMs) {
    throw new ODataRefusal(400, 'ZSRM_SC/003', `Filter is not supported: ${filter}`, 'ShoppingCart/ChangedAt');
  }
  if (toMs - fromMs > dayMs) {
    throw new ODataRefusal(400, 'ZSRM_SC/004', 'Selection window exceeds 24 hours', 'ShoppingCart/ChangedAt');
  }
  const codes = [...listed.matchAll(/'([^']+)'/g)].map(([, code = '']) => code);
  return { fromMs, toMs, statuses: new Set(codes) };
}

/** Accepts only the documented `$orderby`. Ascending is OData's default. */
export function requireDocumentedOrder(orderBy: string | null, { changedAt, guid }: QueryNames): void {
  if (!new RegExp(`^${changedAt}(?: asc)?, ?${guid}(?: asc)?$`).test(orderBy ?? '')) {
    const message = `Order by ${changedAt} asc,${guid} asc is required`;
    throw new ODataRefusal(400, 'ZSRM_SC/005', message, `ShoppingCart/${changedAt}`);
  }
}

/** Reads `$expand`. A navigation that is not in `known` is refused. */
export function parseExpand(expand: string | null, known: ExpandTree): ExpandTree {
  const tree = expandTree(expand ?? '');
  refuseUnknown(tree, known);
  return tree;
}

/** Whether `tree` holds every navigation of `known`. */
export function isFullExpand(tree: ExpandTree, known: ExpandTree): boolean {
  return [...known].every(([name, below]) => {
    const asked = tree.get(name);
    return asked !== undefined && isFullExpand(asked, below);
  });
}

/** Reads a whole number from a query option; null when it is not given. */
export function parseCount(option: string, value: string | null): number | null {
  if (value === null) {
    return null;
  }
  if (!/^\d{1,9}$/.test(value)) {
    throw new ODataRefusal(400, 'ZSRM_SC/003', `${option} is not a whole number: ${value}`);
  }
  return Number(value);
}

function expandTree(expand: string): ExpandTree {
  const tree = new Map<string, ExpandTree>();
  for (const path of expand.split(',').filter((part) => part.trim() !== '')) {
    const [head = '', ...rest] = path.trim().split('/');
    const below = expandTree(rest.join('/'));
    tree.set(head, new Map([...(tree.get(head) ?? []), ...below]));
  }
  return tree;
}

function refuseUnknown(tree: ExpandTree, known: ExpandTree): void {
  for (const [name, below] of tree) {
    const knownBelow = known.get(name);
    if (knownBelow === undefined) {
      throw new ODataRefusal(400, 'ZSRM_SC/007', `No navigation property ${name}`, name);
    }
    refuseUnknown(below, knownBelow);
  }
}
