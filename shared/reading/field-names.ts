/**
 * This SRM's names of the fields, and SAP's, which the rest of the house knows: a row is renamed once, where it is read.
 */
import { asJsonObject } from '../exact-json.ts';
import { CART_NAVIGATIONS, KEY, type Navigations, type SrmService } from '../srm-service.ts';

export interface FieldNames {
  /** This SRM's name of a property or navigation of the cart itself. */
  ofCart(name: string): string;
  /** `Items/Accounting`, with this SRM's names. */
  navigation(path: string): string;
  /**
   * An entity of SRM with SAP's names, and what is in it. Where all names are SAP's, it is the same object.
   *
   * @param entity the navigations that lead to it: `Items.Accounting`; empty for a cart
   */
  toSap(source: unknown, entity: string): unknown;
}

/** The names of one entity. */
interface EntityNames {
  /** SAP's by this SRM's, where they differ. */
  readonly sapNames: ReadonlyMap<string, string>;
  /** This SRM's by SAP's, where they differ. */
  readonly ownNames: ReadonlyMap<string, string>;
  /** The navigations, by SAP's names. */
  readonly parts: ReadonlyMap<string, EntityNames>;
  /** A name differs here or below. */
  readonly isOther: boolean;
}

/** @param aliases this SRM's names by SAP's, which are qualified by their entity: `Items.NumberInt` */
export function createFieldNames(aliases: Readonly<Record<string, string>>): FieldNames {
  const cart = namesOf('', CART_NAVIGATIONS, Object.entries(aliases));
  const steps = (path: string): readonly string[] => path.split(/[./]/).filter((step) => step !== '');
  return {
    ofCart: (name) => cart.ownNames.get(name) ?? name,
    navigation(path) {
      let at: EntityNames | undefined = cart;
      return steps(path)
        .map((step) => {
          const own = at?.ownNames.get(step) ?? step;
          at = at?.parts.get(step);
          return own;
        })
        .join('/');
    },
    toSap(source, entity) {
      const names = steps(entity).reduce<EntityNames | undefined>((at, step) => at?.parts.get(step), cart);
      return names === undefined ? source : renamed(source, names);
    },
  };
}

/** The names of a service, its key among them. */
export const namesOfService = ({ fields, keyProperty }: Pick<SrmService, 'fields' | 'keyProperty'>): FieldNames =>
  createFieldNames({ ...fields, [KEY]: keyProperty });

/** All names are SAP's. */
export const SAP_NAMES = createFieldNames({});

function namesOf(
  prefix: string,
  navigations: Navigations,
  aliases: readonly (readonly [string, string])[],
): EntityNames {
  const own = aliases.flatMap(([path, alias]): [string, string][] => {
    const name = path.slice(prefix.length);
    return path.startsWith(prefix) && !name.includes('.') && name !== alias ? [[name, alias]] : [];
  });
  const parts = new Map(
    Object.entries(navigations).map(([name, below]) => [name, namesOf(`${prefix}${name}.`, below, aliases)]),
  );
  return {
    sapNames: new Map(own.map(([name, alias]) => [alias, name])),
    ownNames: new Map(own),
    parts,
    isOther: own.length > 0 || [...parts.values()].some(({ isOther }) => isOther),
  };
}

function renamed(source: unknown, names: EntityNames): unknown {
  const row = names.isOther ? asJsonObject(source) : undefined;
  if (row === undefined) return source;
  const entries = Object.entries(row).flatMap(([own, value]): [string, unknown][] => {
    // A property that has SAP's name of another one is something else, and is not read.
    const name = names.sapNames.get(own) ?? (names.ownNames.has(own) ? undefined : own);
    if (name === undefined) return [];
    const part = names.parts.get(name);
    return [[name, part === undefined ? value : renamedCollection(value, part)]];
  });
  return Object.fromEntries(entries);
}

/** `{"results":[..]}`, or the list itself; a link stays as it is. */
function renamedCollection(collection: unknown, names: EntityNames): unknown {
  if (Array.isArray(collection)) return collection.map((row) => renamed(row, names));
  const body = asJsonObject(collection);
  const rows = body?.['results'];
  return Array.isArray(rows) ? { ...body, results: rows.map((row) => renamed(row, names)) } : collection;
}
