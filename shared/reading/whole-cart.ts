/**
 * A cart is whole when each of its collections holds all of its rows. SRM may send a collection in part, with a link to
 * the rest, or as a link alone; at any depth (edge case 84). A part is never read as the whole.
 */
import { asJsonObject } from '../exact-json.ts';
import { InterfaceError } from '../failure.ts';
import { inLanes } from '../lanes.ts';
import { CART_NAVIGATIONS, type Navigations } from '../srm-service.ts';

/** OData's names for a link to the rest of a collection, and to the whole of it. */
export type LinkName = '__next' | '__deferred';

/** The rows behind a link. `announced`: how many rows the whole collection has according to its first page there. */
export interface LinkedRows {
  readonly rows: readonly unknown[];
  readonly announced: number | undefined;
}

/**
 * Reads all rows behind a link, page after page. `entity`: the navigations that lead to them, such as `Items.Accounting`.
 * @throws {InterfaceError} `permanent` when it cannot be followed.
 */
export type ReadLink = (link: unknown, name: LinkName, entity: string) => Promise<LinkedRows>;

/** One cart has so many calls under way; a worker has those of a batch at once. */
const CALLS_AT_ONCE = 4;

/** The cart with every collection read to its end. @throws {InterfaceError} E_SRC_SCHEMA with the path of one that cannot be. */
export const completeCart = (source: unknown, readLink: ReadLink): Promise<unknown> =>
  completeEntity(source, CART_NAVIGATIONS, '$', readLink);

export const isWhole = (source: unknown): boolean => isEntityWhole(source, CART_NAVIGATIONS);

function isEntityWhole(entity: unknown, navigations: Navigations): boolean {
  const row = asJsonObject(entity);
  if (row === undefined) return true;
  for (const name in navigations) {
    const below = navigations[name];
    if (below === undefined || !Object.hasOwn(row, name)) continue;
    if (missingPart(row[name]) !== undefined) return false;
    if (!rowsOf(row[name]).every((entry) => isEntityWhole(entry, below))) return false;
  }
  return true;
}

/** How many rows the cart has in all of its collections together. */
export const countRows = (source: unknown): number => rowsBelow(source, CART_NAVIGATIONS);

function rowsBelow(entity: unknown, navigations: Navigations): number {
  const row = asJsonObject(entity);
  let count = 0;
  for (const name in navigations) {
    const below = navigations[name];
    if (row === undefined || below === undefined || !Object.hasOwn(row, name)) continue;
    for (const entry of rowsOf(row[name])) count += 1 + rowsBelow(entry, below);
  }
  return count;
}

async function completeEntity(
  entity: unknown,
  navigations: Navigations,
  path: string,
  readLink: ReadLink,
): Promise<unknown> {
  if (isEntityWhole(entity, navigations)) return entity;
  const row = asJsonObject(entity);
  const completed: Record<string, unknown> = {};
  for (const [name, below] of Object.entries(navigations)) {
    if (row === undefined || !Object.hasOwn(row, name)) continue;
    completed[name] = await completeCollection(row[name], below, `${path}.${name}`, readLink);
  }
  return { ...row, ...completed };
}

async function completeCollection(
  collection: unknown,
  below: Navigations,
  path: string,
  readLink: ReadLink,
): Promise<unknown> {
  const missing = missingPart(collection);
  const linked = missing && (await followLink(missing, path, readLink));
  const rows = linked === undefined ? rowsOf(collection) : [...(missing?.before ?? []), ...linked.rows];
  const results = await inLanes(rows, CALLS_AT_ONCE, (row, index) =>
    completeEntity(row, below, `${path}.results[${index}]`, readLink),
  );
  if (linked === undefined && results.every((row, index) => row === rows[index])) return collection;
  const { __next: _, __deferred: __, ...rest } = asJsonObject(collection) ?? {};
  // The reader of the collection compares the number with the rows.
  const announced = announcedRows(collection) ?? linked?.announced;
  return { ...rest, ...(announced === undefined ? {} : { __count: announced }), results };
}

interface MissingPart {
  /** The rows that are there already. */
  readonly before: readonly unknown[];
  readonly link: unknown;
  readonly name: LinkName;
}

/** Undefined where nothing is missing, and where the collection is malformed, which the translation reports. */
function missingPart(collection: unknown): MissingPart | undefined {
  const body = asJsonObject(collection);
  if (body === undefined) return undefined;
  const deferred = body['__deferred'];
  if (deferred !== undefined && deferred !== null) {
    return { before: [], link: asJsonObject(deferred)?.['uri'], name: '__deferred' };
  }
  const { results = [], __next: link } = body;
  return hasNext(link) && Array.isArray(results) ? { before: results, link, name: '__next' } : undefined;
}

/** Whether there is a further page, readable or not: null and "" are SAP's ways to say that there is none. */
export const hasNext = (link: unknown): boolean => link !== undefined && link !== null && link !== '';

/** `__count`, a text or a number: how many rows there are according to SRM. */
export function announcedRows(collection: unknown): number | undefined {
  const count = asJsonObject(collection)?.['__count'];
  const text = typeof count === 'string' || typeof count === 'number' ? String(count) : '';
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** What says that rows are missing from a collection that is taken for the whole; undefined when nothing does. */
export function missingRows(collection: unknown): string | undefined {
  if (missingPart(collection) !== undefined) return 'must hold all rows, and not a link to them';
  const rows = rowsOf(collection);
  const announced = announcedRows(collection);
  if (announced !== undefined && announced !== rows.length) return `must hold the ${announced} rows that it announces`;
  const isLink = (row: unknown): boolean => asJsonObject(row)?.['__deferred'] !== undefined;
  return rows.some(isLink) ? 'must hold rows, and not links to them' : undefined;
}

/** `{"results":[..]}` or, from some V1-style services, the list itself. */
export function rowsOf(collection: unknown): readonly unknown[] {
  const rows = Array.isArray(collection) ? collection : asJsonObject(collection)?.['results'];
  return Array.isArray(rows) ? rows : [];
}

async function followLink({ link, name }: MissingPart, path: string, readLink: ReadLink): Promise<LinkedRows> {
  try {
    return await readLink(link, name, path.replaceAll(/^\$\.|\.results\[\d+\]/g, ''));
  } catch (error) {
    // A link that cannot be followed is a fault of this cart; any other failure may be over at the next attempt.
    if (!(error instanceof InterfaceError) || error.failureClass !== 'permanent') throw error;
    // Too much of a cart is no broken link.
    if (error.fault.code === 'E_TGT_TOO_LARGE') throw error;
    const message = `SRM sent only a part of the collection, and the rest cannot be read: ${error.fault.message}`;
    throw new InterfaceError('permanent', { code: 'E_SRC_SCHEMA', message, path });
  }
}
