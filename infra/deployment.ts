/** What a deployment says of itself: which code, when and by whom; and the entry, so that the next one can be compared. */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import type { Environment } from './environments.ts';

/** Known only when it is deployed: a synthesis without it is the same for the same sources. */
export const deploymentSchema = z.strictObject({
  version: z.string(),
  commit: z.string(),
  /** ISO 8601; of an assembly, when it was built. */
  at: z.string(),
  /** The identity in AWS; of an assembly, who built it. */
  by: z.string(),
  /** As {@link packEntry} packs it. */
  entry: z.string().exactOptional(),
});
export type Deployment = z.infer<typeof deploymentSchema>;

export const describeDeployment = ({ version, commit, at, by }: Deployment): string =>
  `version ${version}, commit ${commit}, at ${at}, by ${by}`;

/** As tags, where AWS takes fewer characters. */
export const deploymentTags = ({ version, commit, at, by }: Deployment): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries({ version, commit, deployedAt: at, deployedBy: by }).map(([key, value]) => [
      key,
      value.replaceAll(/[^\p{L}\p{N} _.:/=+@-]/gu, '_').slice(0, 256),
    ]),
  );

type ValueMap = Readonly<Record<string, unknown>>;

const scalars = z.record(z.string(), z.union([z.string(), z.number()]));
const mapWithMode = z.object({ codes: scalars });
const entryWithMaps = z.object({ translation: z.object({ valueMaps: z.record(z.string(), z.unknown()) }) });

/** The value maps of an entry by name, also of one that another version deployed. */
export function valueMapsOf(entry: unknown): ReadonlyMap<string, ValueMap> {
  const maps = entryWithMaps.safeParse(entry).data?.translation.valueMaps ?? {};
  return new Map(
    Object.entries(maps).flatMap(([name, value]): [string, ValueMap][] => {
      // What a map adds to its default is a switch, and no map.
      if (name === 'extend') return [];
      const withMode = mapWithMode.safeParse(value);
      if (withMode.success) return [[name, withMode.data.codes]];
      const plain = scalars.safeParse(value);
      return plain.success ? [[name, plain.data]] : [];
    }),
  );
}

/**
 * Each map of the worker's bundle by its number of entries and a fingerprint, which the order of the entries does not change:
 * the value maps, and the names of 11VMS's fields where there are any.
 */
export const describeValueMaps = (environment: Environment): string =>
  [...valueMapsOf(environment), ...fieldsOf(environment)]
    .map(([name, map]) => `${name} ${Object.keys(map).length} ${fingerprint(map)}`)
    .join(', ');

const fieldsOf = ({ vms: { fields } }: Environment): [string, ValueMap][] =>
  Object.keys(fields).length === 0 ? [] : [['vms.fields', fields]];

function fingerprint(map: ValueMap): string {
  const entries = Object.entries(map).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex').slice(0, 8);
}

/** A template holds at most 1 MB. */
const MAXIMUM_PACKED = 400_000;

/** The entry for the metadata of the template; undefined where its value maps are too large for one. */
export function packEntry(environment: Environment): string | undefined {
  const packed = gzipSync(JSON.stringify(environment)).toString('base64');
  return packed.length > MAXIMUM_PACKED ? undefined : packed;
}

export const unpackEntry = (packed: string): unknown =>
  JSON.parse(gunzipSync(Buffer.from(packed, 'base64')).toString('utf8'));

const templateSchema = z.object({ Metadata: z.object({ Deployment: deploymentSchema }) });

/** What the deployment of a template says of itself; undefined where it says nothing. */
export function deploymentOfTemplate(text: string): Deployment | undefined {
  try {
    return templateSchema.parse(JSON.parse(text)).Metadata.Deployment;
  } catch {
    return undefined;
  }
}

export interface ValueMapDifference {
  readonly name: string;
  /** `1 added, 2 changed, 3 removed` */
  readonly counts: string;
  /** A line for each code: `+ 100777 -> SUP-2`, `~ 100234: SUP-1 -> SUP-2`, `- 100999 -> SUP-3`. */
  readonly lines: readonly string[];
}

export interface EntryDifferences {
  /** A line for each setting that differs; `-` for one that was deployed, `+` for one that will be. */
  readonly settings: readonly string[];
  readonly valueMaps: readonly ValueMapDifference[];
}

export function entryDifferences(deployed: unknown, next: unknown): EntryDifferences {
  const [before, after] = [valueMapsOf(deployed), valueMapsOf(next)];
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const isCode = (path: string): boolean =>
    names.some(
      (name) => path.startsWith(`translation.valueMaps.${name}.`) && path !== `translation.valueMaps.${name}.mode`,
    );
  return {
    settings: compared(leavesOf(deployed), leavesOf(next))
      .filter(({ key }) => !isCode(key))
      .map(
        ({ mark, key, old, now }) => `${mark} ${key}: ${[old, now].filter((text) => text !== undefined).join(' -> ')}`,
      ),
    valueMaps: names.flatMap((name) => {
      const codes = compared(textsOf(before.get(name)), textsOf(after.get(name)));
      if (codes.length === 0) return [];
      const counts = Object.entries({ '+': 'added', '~': 'changed', '-': 'removed' })
        .map(([mark, word]) => ({ word, count: codes.filter((code) => code.mark === mark).length }))
        .filter(({ count }) => count > 0)
        .map(({ word, count }) => `${count} ${word}`);
      const lines = codes.map(({ mark, key, old, now }) =>
        mark === '~' ? `~ ${key}: ${old ?? ''} -> ${now ?? ''}` : `${mark} ${key} -> ${now ?? old ?? ''}`,
      );
      return [{ name, counts: counts.join(', '), lines }];
    }),
  };
}

const textsOf = (map: ValueMap = {}): ReadonlyMap<string, string> =>
  new Map(Object.entries(map).map(([code, target]) => [code, String(target)]));

interface Difference {
  readonly mark: '+' | '~' | '-';
  readonly key: string;
  readonly old: string | undefined;
  readonly now: string | undefined;
}

function compared(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Difference[] {
  return [...new Set([...before.keys(), ...after.keys()])].toSorted().flatMap((key): Difference[] => {
    const [old, now] = [before.get(key), after.get(key)];
    if (old === now) return [];
    return [{ mark: old === undefined ? '+' : now === undefined ? '-' : '~', key, old, now }];
  });
}

/** Every value as JSON, by its path. A list is one value: its order has a meaning. */
function leavesOf(value: unknown, path = ''): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new Map(value === undefined ? [] : [[path, JSON.stringify(value)]]);
  }
  return new Map(
    Object.entries(value).flatMap(([key, part]) => [...leavesOf(part, path === '' ? key : `${path}.${key}`)]),
  );
}

/** A loss of more than this part of a map is more likely a file that was cut off than a decision. */
const LARGE_LOSS = 1 / 5;

/** A clause for each value map that loses more than a fifth of its entries. */
export function largeLosses(deployed: unknown, next: unknown): string[] {
  const after = valueMapsOf(next);
  return [...valueMapsOf(deployed)].flatMap(([name, before]) => {
    const keys = Object.keys(before);
    const lost = keys.filter((key) => !Object.hasOwn(after.get(name) ?? {}, key)).length;
    return lost > LARGE_LOSS * keys.length ? [`value map ${name} loses ${lost} of its ${keys.length} entries`] : [];
  });
}
