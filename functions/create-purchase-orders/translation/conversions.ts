/** Conversions that several rules share. Each reports through the context and returns undefined for an absent value. */
import { EDM_DATE_FORMS, edmInstantMs, isCode, isOpenEnd, isSameCode, stripZeros } from '../../../shared/sap-values.ts';
import type { ValueMaps } from '../../../shared/translation-settings.ts';
import type { FaultCode } from '../../../shared/failure.ts';
import { type Decimal, hasAtMostDecimals, parseDecimal, powerOfTen } from './decimal.ts';
import type { Address } from './purchase-order.ts';
import { fault, type RuleContext, warn, within } from './rule-table.ts';
import type { Partner } from './shopping-cart.ts';
import { cutText, upperCase } from './text.ts';

/** Where a field stands in the source row, as a JSON path. */
export const at = (path: string, name: string): string => `${path}.${name}`;

export function mandatory(
  text: string | undefined,
  context: RuleContext,
  path: string,
  code: FaultCode = 'E_FIELD_MISSING',
): string | undefined {
  return text ?? fault(context, code, 'the field is empty', path);
}

/**
 * The entry of a code in a value map. Whether all-digit codes have leading zeros is a setting of the service
 * (source-srm7.md, "Leading zeros"): the code as it is goes first, then the one that differs in its zeros alone.
 */
function entryOf<Value>(
  codes: Readonly<Record<string, Value>>,
  key: string,
  isSame?: (left: string, right: string) => boolean,
): Value | undefined {
  if (Object.hasOwn(codes, key)) return codes[key];
  const listed =
    isSame === undefined
      ? codesWithoutZeros(codes).get(stripZeros(key))
      : Object.keys(codes).find((code) => isSame(code, key));
  return listed === undefined ? undefined : codes[listed];
}

/** Made once for each map: each line of a cart looks codes up, and a map may have thousands. */
const withoutZeros = new WeakMap<object, ReadonlyMap<string, string>>();

/** The codes of a map by their text without leading zeros; of two that differ in these alone, the first. */
function codesWithoutZeros(codes: object): ReadonlyMap<string, string> {
  const known = withoutZeros.get(codes);
  const made =
    known ??
    new Map(
      Object.keys(codes)
        .toReversed()
        .map((code) => [stripZeros(code), code]),
    );
  if (known === undefined) withoutZeros.set(codes, made);
  return made;
}

type CodeMapName = 'supplier' | 'category' | 'tax';
type ListName = 'businessUnit' | 'unit' | 'currencyDecimals' | 'country' | 'accountCategory' | 'textType';
type Entries = { readonly [Name in ListName]: ValueMaps[Name][string] };
type Lists = { readonly [Name in ListName]: Readonly<Record<string, Entries[Name]>> };

/** A code by its map; `identity` lets unlisted codes pass. */
export function lookUp(
  name: CodeMapName,
  key: string,
  context: RuleContext,
  code: FaultCode,
  path: string,
): string | undefined {
  const { mode, codes } = context.settings.valueMaps[name];
  const entry = entryOf(codes, key);
  const found = entry ?? (mode === 'identity' ? key : undefined);
  context.onLookUp?.({ map: name, code: key, value: found, isListed: entry !== undefined, field: context.field });
  return found ?? fault(context, code, noEntry(`${name}.codes`, key), path);
}

export function lookUpListed<Name extends ListName>(
  name: Name,
  key: string,
  context: RuleContext,
  code: FaultCode,
  path: string,
): Entries[Name] | undefined {
  return listedEntry(name, key, context) ?? fault(context, code, noEntry(name, key), path);
}

/** The entry of a code in a map that must list it; undefined where it does not. */
export function listedEntry<Name extends ListName>(
  name: Name,
  key: string,
  context: Pick<RuleContext, 'settings' | 'onLookUp' | 'field'>,
  isSame?: (left: string, right: string) => boolean,
): Entries[Name] | undefined {
  const lists: Lists = context.settings.valueMaps;
  const entry = entryOf(lists[name], key, isSame);
  context.onLookUp?.({ map: name, code: key, value: entry, isListed: entry !== undefined, field: context.field });
  return entry;
}

/** Says which entry its owner must add, and where. What stands in a message reaches the log. */
export const noEntry = (map: string, key: string): string =>
  `the value map translation.valueMaps.${map} has no entry ${isCode(key) ? JSON.stringify(key) : 'for this value'}`;

const NO_DECIMAL = 'not a decimal of at most 13 digits before the point and 10 after it, such as 39000.00';

/** A decimal of any scale; absent is undefined, unreadable is a fault. */
export function decimal(text: string | undefined, context: RuleContext, path: string): Decimal | undefined {
  if (text === undefined) return undefined;
  return parseDecimal(text) ?? fault(context, 'E_FIELD_FORMAT', NO_DECIMAL, path);
}

/** An amount in the order's currency: not negative, and with no more decimals than the currency has. */
export function amount(text: string | undefined, context: RuleContext, path: string): Decimal | undefined {
  const raw = decimal(text, context, path);
  if (raw === undefined) return undefined;
  if (raw.lt(0)) return fault(context, 'E_FIELD_FORMAT', 'the amount is negative', path);
  const actual = actualAmount(raw, context);
  if (hasAtMostDecimals(actual, context.decimals)) return actual;
  return fault(context, 'E_AMT_PRECISION', `more decimals than the currency has (${context.decimals})`, path);
}

/** ABAP stores an amount as actual / 10^(2 - decimals), with 2 decimals (source-srm7.md, "Amounts and units"). */
export const actualAmount = (stored: Decimal, { settings, decimals }: RuleContext): Decimal =>
  settings.amountsAreInternal ? stored.times(powerOfTen(2 - decimals)) : stored;

const NO_DATE = `not a date of the years 1753 to 9998, written as ${EDM_DATE_FORMS}`;

/** The UTC calendar date of an Edm.DateTime, with no zone shift (edge case 56). */
export function calendarDate(text: string | undefined, context: RuleContext, path: string): string | undefined {
  if (text === undefined) return undefined;
  return isoInstant(text)?.slice(0, 10) ?? fault(context, 'E_DATE_INVALID', NO_DATE, path);
}

/** The end of a period; undefined where SAP leaves it open (edge case 54). */
export const endOfPeriod = (text: string | undefined, context: RuleContext, path: string): string | undefined =>
  isOpenEnd(text) ? undefined : calendarDate(text, context, path);

/** RFC 3339 UTC, in seconds. */
export function instant(text: string | undefined, context: RuleContext, path: string): string | undefined {
  if (text === undefined) return undefined;
  return secondsOf(text) ?? fault(context, 'E_DATE_INVALID', NO_DATE, path);
}

/** RFC 3339 UTC without fractions, where it is an instant. */
export const secondsOf = (text: string | undefined): string | undefined => isoInstant(text)?.replace(/\.\d+/, '');

/** ISO 8601 in UTC. */
function isoInstant(text: string | undefined): string | undefined {
  const ms = edmInstantMs(text);
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

/** The calendar date of an instant in a zone. The zone may move it out of the years that a date can have. */
export function dateInZone(text: string, timeZone: string, context: RuleContext, path: string): string | undefined {
  const ms = edmInstantMs(text);
  // The rule of the instant itself reports that it is none.
  if (ms === undefined) return undefined;
  const known = dateFormats.get(timeZone);
  const format = known ?? new Intl.DateTimeFormat('en-CA', { timeZone, ...DATE });
  if (known === undefined) dateFormats.set(timeZone, format);
  const date = format.format(ms);
  if (date >= '1753-01-01' && date < '9999-01-01') return date;
  return fault(context, 'E_DATE_INVALID', `${NO_DATE}, as seen in ${timeZone}`, path);
}

const DATE = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
/** By zone: making one takes longer than the whole rest of an order. */
const dateFormats = new Map<string, Intl.DateTimeFormat>();

/** Late approval is normal: a date in the past is ordered, with a warning (edge case 57). */
export function warnIfPast(date: string, context: RuleContext, path: string): string {
  if (date < context.today) warn(context, 'W_DATE_PAST', `the date ${date} lies in the past`, path);
  return date;
}

/** A text for people: cut with a marker and a warning when it is too long (edge case 45). */
export function readableText(text: string, maximum: number, context: RuleContext, path: string): string {
  const cut = cutText(text, maximum);
  if (cut !== text) warn(context, 'W_TEXT_CUT', `cut to ${maximum} characters`, path);
  return cut;
}

/** SAP's HR prefix of an organizational unit: `O 50000123`. */
export const withoutHrPrefix = (text: string | undefined): string | undefined => text?.replace(/^O\s+/, '');

/** Enough to tell an address from a name; 11VMS makes any finer check. */
const EMAIL = /^[^\s@<>()",;:\\[\]]+@[^\s@<>()",;:\\[\]]+\.[^\s@<>()",;:\\[\]]+$/;

export const isEmail = (text: string): boolean => text.length <= 254 && EMAIL.test(text);

export function email(text: string | undefined, context: RuleContext, path: string): string | undefined {
  if (text === undefined) return undefined;
  if (isEmail(text)) return text.toLowerCase();
  return warn(context, 'W_EMAIL_LEFT_OUT', 'not an e-mail address, such as name@example.com; left out', path);
}

/** SAP users are upper-case. */
export const userId = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : upperCase(text);

/** A ship-to address, and the partner that it comes from. Without a country, where that is unknown, which was reported. */
export interface ShipTo {
  readonly address: Partial<Address>;
  readonly row: Partner;
  readonly path: string;
}

/** The ship-to partner's address, if any (mapping row 29). `path` is that of the entity that holds the partners. */
export function shipToAddress(partners: readonly Partner[], context: RuleContext, path: string): ShipTo | undefined {
  const { shipTo } = context.settings.valueMaps.partnerFunction;
  const index = partners.findIndex(({ PartnerFct = '' }) => isSameCode(PartnerFct, shipTo));
  const row = partners[index];
  if (row === undefined) return undefined;
  const where = `${path}.Partners.results[${index}]`;
  const country = countryOf(row, within(context, 'country'), at(where, 'Country'));
  const { Name } = row;
  const name = Name === undefined ? undefined : readableText(Name, 80, within(context, 'name'), at(where, 'Name'));
  return {
    address: {
      ...given('name', name),
      ...given('street', row.Street),
      ...given('houseNumber', row.HouseNo),
      ...given('postalCode', row.PostlCod1),
      ...given('city', row.City),
      ...given('region', row.Region),
      ...given('country', country),
    },
    row,
    path: where,
  };
}

function countryOf({ Country }: Partner, context: RuleContext, path: string): string | undefined {
  const key = mandatory(Country, context, path, 'E_MAP_COUNTRY');
  return key === undefined ? undefined : lookUpListed('country', upperCase(key), context, 'E_MAP_COUNTRY', path);
}

const given = <Name extends string>(name: Name, text: string | undefined): { [Field in Name]?: string } =>
  // oxlint-disable-next-line no-unsafe-type-assertion -- a computed key widens to string
  (text === undefined ? {} : { [name]: text }) as { [Field in Name]?: string };

/** The codes that are there, each once, as it came first: other leading zeros make no other code. */
export function distinctCodes(codes: readonly (string | undefined)[]): string[] {
  const first = new Map<string, string>();
  for (const code of distinct(codes)) if (!first.has(stripZeros(code))) first.set(stripZeros(code), code);
  return [...first.values()];
}

/** The values that are there, each once, in order. */
export const distinct = (values: readonly (string | undefined)[]): string[] => [
  ...new Set(values.filter((value) => value !== undefined)),
];
