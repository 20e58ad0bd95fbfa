import type { ServiceNames } from './srm7-names.ts';
import { type ExpandTree } from './srm7-query.ts';
import { isRecord, plainGuid } from './srm7-rows.ts';

/** How the service shows the collections of a cart. */
export interface CollectionStyle {
  /** The address of the service, as its links spell it. */
  readonly serviceUrl: string;
  /** How many rows of a collection an answer holds; the rest is behind `__next`. */
  readonly pageSize: number;
  readonly names: ServiceNames;
}

/** Navigations that are not asked for become `__deferred`; the others are cut into pages. */
export function showEntity(
  entity: Readonly<Record<string, unknown>>,
  uri: string,
  expand: ExpandTree,
  known: ExpandTree,
  style: CollectionStyle,
  path = '',
): Record<string, unknown> {
  const shown: Record<string, unknown> = { ...entity };
  for (const [navigation, below] of known) {
    const asked = expand.get(navigation);
    const rowsPath = path === '' ? navigation : `${path}.${navigation}`;
    const address = `${uri}/${style.names.own(rowsPath)}`;
    shown[navigation] =
      asked === undefined
        ? { __deferred: { uri: address } }
        : showCollection(entity[navigation], { uri: address, start: 0, path: rowsPath }, asked, below, style);
  }
  return shown;
}

/** One page of a collection, with a link to the next one. A row that breaks the contract is passed on unchanged. */
export function showCollection(
  collection: unknown,
  { uri, start, path }: { readonly uri: string; readonly start: number; readonly path: string },
  expand: ExpandTree,
  known: ExpandTree,
  style: CollectionStyle,
): unknown {
  if (!isRecord(collection) || !Array.isArray(collection['results'])) {
    return collection;
  }
  const rows: unknown[] = collection['results'];
  const end = start + style.pageSize;
  const results = rows
    .slice(start, end)
    .map((row) =>
      isRecord(row) && known.size > 0 ? showEntity(row, itemUri(guidOf(row), style), expand, known, style, path) : row,
    );
  const options =
    expand.size === 0
      ? ''
      : `$expand=${[...expand.keys()].map((name) => style.names.own(`${path}.${name}`)).join(',')}&`;
  return { ...collection, results, ...(end < rows.length ? { __next: `${uri}?${options}$skiptoken=${end}` } : {}) };
}

export const cartUri = (guid: string, { serviceUrl, names }: CollectionStyle): string =>
  `${serviceUrl}/${names.entitySet}(guid'${dashedGuid(guid)}')`;

export const itemUri = (guid: string, { serviceUrl }: CollectionStyle): string =>
  `${serviceUrl}/ShoppingCartItemSet(guid'${dashedGuid(guid)}')`;

export function itemOf(cart: unknown, guid: string): unknown {
  const items = isRecord(cart) && isRecord(cart['Items']) ? cart['Items']['results'] : [];
  return Array.isArray(items) ? items.find((item) => isRecord(item) && guidOf(item) === guid) : undefined;
}

export function dashedGuid(guid: string): string {
  return plainGuid(guid).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function guidOf(item: Readonly<Record<string, unknown>>): string {
  return typeof item['Guid'] === 'string' ? plainGuid(item['Guid']) : '';
}
