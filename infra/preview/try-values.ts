/** "What if this code were mapped to ...": settings with further entries in their value maps, in memory alone. */
import {
  type TranslationSettings,
  translationSettingsSchema,
  type ValueMapName,
} from '../../shared/translation-settings.ts';
import { checkSettings, type Mistake } from '../setting-mistakes.ts';
import { FILE_MAP_NAMES } from '../value-map-files.ts';

export interface TriedValue {
  readonly map: ValueMapName;
  /** As it was looked up. */
  readonly code: string;
  readonly value: string;
}

export const isValueMapName = (name: string): name is ValueMapName => FILE_MAP_NAMES.has(name);

/** Checked as a deployment checks them. */
export function withTriedValues(
  settings: TranslationSettings,
  tried: readonly TriedValue[],
): { readonly settings: TranslationSettings } | { readonly mistakes: readonly Mistake[] } {
  const { valueMaps } = settings;
  const maps = mapsOf(tried).map(([map, codes]) => {
    if (!isWithMode(map)) return [map, { ...valueMaps[map], ...codes }];
    const known = valueMaps[map];
    return [map, { ...known, codes: { ...known.codes, ...codes } }];
  });
  return checkSettings(translationSettingsSchema, {
    ...settings,
    valueMaps: {
      ...valueMaps,
      extend: { ...Object.fromEntries(extendable(tried).map((map) => [map, true])), ...valueMaps.extend },
      ...Object.fromEntries(maps),
    },
  });
}

/** What to add to the environment's entry, so that it is deployed as it was tried. */
export function entryToAdd({ valueMaps }: TranslationSettings, tried: readonly TriedValue[]): object {
  // A map that has its default so far must say that it is added to it.
  const unsaid = extendable(tried).filter((map) => !Object.hasOwn(valueMaps.extend, map));
  const maps = mapsOf(tried).map(([map, codes]) => [
    map,
    isWithMode(map) ? { mode: valueMaps[map].mode, codes } : codes,
  ]);
  const extend = unsaid.length === 0 ? {} : { extend: Object.fromEntries(unsaid.map((map) => [map, true])) };
  return { translation: { valueMaps: { ...extend, ...Object.fromEntries(maps) } } };
}

type MapWithMode = 'supplier' | 'category' | 'tax';
const isWithMode = (map: ValueMapName): map is MapWithMode => FILE_MAP_NAMES.get(map) === true;

const mapsOf = (tried: readonly TriedValue[]) =>
  [...Map.groupBy(tried, ({ map }) => map)].map(
    ([map, values]) => [map, Object.fromEntries(values.map(({ code, value }) => [code, valueOf(map, value)]))] as const,
  );

/** What is no number is left as it is, for the schema to refuse. */
const valueOf = (map: ValueMapName, value: string): string | number =>
  map === 'currencyDecimals' && /^\d+$/.test(value) ? Number(value) : value;

/** The maps that have a default. */
const extendable = (tried: readonly TriedValue[]): string[] =>
  [...new Set(tried.map(({ map }) => map))].filter((map) => !isWithMode(map) && map !== 'businessUnit');
