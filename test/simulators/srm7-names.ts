import { cartNavigations, type ExpandTree } from './srm7-query.ts';
import { isRecord } from './srm7-rows.ts';

/** How a service calls what the contract calls otherwise. */
export interface ServiceNames {
  readonly servicePath: string;
  readonly entitySet: string;
  /** The service's name of a property or navigation, by that of the contract: `ObjectId`, `Items.NumberInt`. */
  own(path: string): string;
  /** A path of `$expand`, or one navigation, in the names of the contract. What the service does not know gets a `?`. */
  known(expand: string, entity?: string): string;
  /** An entity with the names of the service. */
  shown(entity: unknown, path?: string): unknown;
  /** No name differs. */
  readonly areOfContract: boolean;
}

export interface ServiceNameOptions {
  readonly servicePath?: string;
  readonly entitySet?: string;
  /** The names of properties and navigations, by those of the contract: `Items.NumberInt`. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly keyProperty?: string;
}

export function serviceNames(options: ServiceNameOptions): ServiceNames {
  const { servicePath = '/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV', entitySet = 'ShoppingCartSet' } = options;
  const key = options.keyProperty === undefined ? {} : { Guid: options.keyProperty };
  const fields: Readonly<Record<string, string>> = { ...options.fields, ...key };
  const own = (path: string): string => fields[path] ?? path.split('.').at(-1) ?? '';
  const below = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

  const shown = (entity: unknown, path: string, navigations: ExpandTree): unknown => {
    if (!isRecord(entity)) {
      return entity;
    }
    const entries = Object.entries(entity).map(([name, value]) => {
      const part = navigations.get(name);
      const rowsPath = below(path, name);
      return [own(rowsPath), part === undefined ? value : shownCollection(value, rowsPath, part)];
    });
    return Object.fromEntries(entries);
  };
  const shownCollection = (collection: unknown, path: string, navigations: ExpandTree): unknown => {
    if (Array.isArray(collection)) {
      return collection.map((row) => shown(row, path, navigations));
    }
    return isRecord(collection) && Array.isArray(collection['results'])
      ? { ...collection, results: collection['results'].map((row) => shown(row, path, navigations)) }
      : collection;
  };
  const navigationsOf = (path: string): ExpandTree =>
    path
      .split('.')
      .filter((step) => step !== '')
      .reduce<ExpandTree>((tree, step) => tree.get(step) ?? new Map(), cartNavigations);

  const knownPath = (expand: string, entity: string): string => {
    let at = entity;
    return expand
      .split('/')
      .map((step) => {
        const name = [...navigationsOf(at).keys()].find((one) => own(below(at, one)) === step.trim()) ?? `${step}?`;
        at = below(at, name);
        return name;
      })
      .join('/');
  };

  return {
    servicePath,
    entitySet,
    own,
    known: (expand, entity = '') =>
      expand
        .split(',')
        .filter((path) => path.trim() !== '')
        .map((path) => knownPath(path, entity))
        .join(','),
    shown: (entity, path = '') => shown(entity, path, navigationsOf(path)),
    areOfContract: Object.keys(fields).length === 0,
  };
}
