/**
 * The settings of the translation in an environment: switches and value maps, as data with a schema.
 * Validated by zod at synth, and written beside the bundled function as JSON.
 * Sources: mapping.csv (rows that say LOOKUP); source-srm7.md, "Amounts and units" and "Statuses";
 * rules.md, "Defaults".
 */
import * as z from 'zod';
import { stripZeros, SUPPLIER_NUMBER, SUPPLIER_NUMBER_FORM } from './sap-values.ts';

const code = z.string().min(1);
const EMPTY = 'must not be empty';
const nonEmpty = (map: object): boolean => Object.keys(map).length > 0;

const vendorNumber = z
  .string()
  .regex(SUPPLIER_NUMBER, `must be ${SUPPLIER_NUMBER_FORM}`)
  .refine(
    (number) => stripZeros(number) === number,
    'must have no leading zeros: the interface compares vendor numbers without them, such as 100777',
  );

/** A code of 11VMS, at most as long as the order's field: a longer one would fail every cart that has it. */
const targetCode = (maximum: number) => code.max(maximum);

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}

const MOST_QUANTIFIERS = 3;
const MOST_GROUPS = 3;

/**
 * Whether a pattern ends soon on every text: a repeated group can take a time that doubles with each character, and each
 * quantifier multiplies it by the length of the text.
 */
function endsSoon(pattern: string): boolean {
  // What is escaped or in brackets is one character.
  const plain = pattern
    .replaceAll(/\\./gu, (escape) => (/^\\[1-9k]$/.test(escape) ? escape : 'x'))
    .replaceAll(/\[[^\]]*\]/g, 'x');
  const count = (sign: RegExp): number => plain.match(sign)?.length ?? 0;
  return (
    !plain.includes('\\') &&
    !/\)[*+{]/.test(plain) &&
    count(/\(/g) <= MOST_GROUPS &&
    count(/(?:(?<!\()[*+?]|\{\d+,\d*\})\??/g) <= MOST_QUANTIFIERS
  );
}

/** Every code must be listed; one that is not is a fault. */
const listedCodes = (target: z.ZodString) => z.record(code, target).refine(nonEmpty, EMPTY);

/**
 * `identity`: codes pass through, except those listed, which are replaced.
 * `mapped`: every code must be listed, so that no unknown code passes silently.
 */
const codeMap = (key: z.ZodString, target: z.ZodString) =>
  z.discriminatedUnion(
    'mode',
    [
      z.strictObject({ mode: z.literal('identity'), codes: z.record(key, target).default({}) }),
      z.strictObject({ mode: z.literal('mapped'), codes: z.record(key, target).refine(nonEmpty, EMPTY) }),
    ],
    'must be written { "mode": "identity" or "mapped", "codes": { ... } }',
  );
export type CodeMap = z.infer<ReturnType<typeof codeMap>>;

/** Checked by the library that uses it: a zone that it does not know would fail every cart. */
function isTimeZone(name: string): boolean {
  // Intl takes an offset, too, which AWS does not, and which has no summer time.
  if (!/^[A-Z]/i.test(name)) return false;
  try {
    const known = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
    // Intl takes small letters for capitals, which AWS does not; it writes the old name of a zone for its new one.
    return known === name || known.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}
export const timeZoneSchema = z
  .string()
  .refine(isTimeZone, 'must be an IANA time zone, such as Europe/Brussels, and neither an offset nor an abbreviation');

const statusMeaning = z.enum(['approved', 'eligible', 'completed', 'rejected', 'awaiting', 'deleted']);

const countryCodes =
  'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD ' +
  'CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF ' +
  'GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN ' +
  'KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA ' +
  'NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI ' +
  'SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI ' +
  'VN VU WF WS YE YT ZA ZM ZW';
const isoCountries = Object.fromEntries(countryCodes.split(' ').map((country) => [country, country]));

/** ISO 4217, active currencies by their number of decimals. */
const isoCurrencies: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2:
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP ' +
    'COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR ' +
    'JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN ' +
    'NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL ' +
    'THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};
const isoCurrencyDecimals: Record<string, number> = Object.fromEntries(
  Object.entries(isoCurrencies).flatMap(([decimals, currencies]) =>
    currencies.split(' ').map((currency) => [currency, Number(decimals)]),
  ),
);

const defaultUnits: Record<string, string> = {
  ST: 'EA', PC: 'EA', EA: 'EA',
  STD: 'HUR', H: 'HUR',
  TAG: 'DAY', DAY: 'DAY',
  WCH: 'WEE', WK: 'WEE',
  MON: 'MON',
  JHR: 'ANN', YR: 'ANN',
  MIN: 'MIN',
  LE: 'C62', AU: 'C62',
  KG: 'KGM', G: 'GRM', TO: 'TNE',
  M: 'MTR', M2: 'MTK', M3: 'MTQ', L: 'LTR', KM: 'KMT',
}; // biome-ignore format: one unit a pair, one kind of unit a line

const extension = z.boolean().exactOptional();

const givenMapsSchema = z.strictObject({
  extend: z
    .strictObject({
      unit: z.boolean().default(true).describe('`true`: a unit that is given is added to the default.'),
      country: z.boolean().default(true).describe('`true`: a country that is given is added to the default.'),
      currencyDecimals: extension.describe('Must be said with `currencyDecimals`.'),
      accountCategory: extension.describe('Must be said with `accountCategory`.'),
      status: extension.describe('Must be said with `status`.'),
      textType: extension.describe('Must be said with `textType`.'),
    })
    .prefault({})
    .describe('Whether a map that is given is added to its default (`true`), or replaces it whole (`false`).'),
  businessUnit: listedCodes(targetCode(20)).describe(
    'Mapping row 14, keyed by CoCode, or by CoCode/ProcOrg where one company has several units.',
  ),
  supplier: codeMap(vendorNumber, targetCode(35))
    .default({ mode: 'identity', codes: {} })
    .describe('Mapping row 18, keyed by the vendor number without leading zeros.'),
  category: codeMap(code, targetCode(20))
    .default({ mode: 'identity', codes: {} })
    .describe('Mapping row 40: the product category.'),
  tax: codeMap(code, targetCode(10)).default({ mode: 'identity', codes: {} }).describe('Mapping row 51: the tax code.'),
  unit: listedCodes(targetCode(3))
    .default(defaultUnits)
    .describe("Mapping row 44: SAP's unit, internal or English, to UN/ECE Recommendation 20."),
  currencyDecimals: z
    .record(
      z
        .string()
        .refine(
          (currency) => Object.hasOwn(isoCurrencyDecimals, currency),
          'must be an active currency of ISO 4217, such as EUR',
        ),
      z.int().min(0).max(4),
    )
    .refine(nonEmpty, EMPTY)
    .default(isoCurrencyDecimals)
    .describe('Mapping row 13: the known currencies, and how many decimals each has.'),
  country: listedCodes(code.regex(/^[A-Z]{2}$/, 'must be a country of ISO 3166-1, two capital letters, such as BE'))
    .default({ ...isoCountries, UK: 'GB', EL: 'GR' })
    .describe("Mapping row 29: SAP's country key to ISO 3166-1 alpha-2."),
  accountCategory: z
    .record(code, z.enum(['COST_CENTRE', 'INTERNAL_ORDER', 'WBS', 'ASSET', 'NETWORK']))
    .refine(nonEmpty, EMPTY)
    .default({ CC: 'COST_CENTRE', OR: 'INTERNAL_ORDER', WBS: 'WBS', AS: 'ASSET', NET: 'NETWORK' })
    .describe('Mapping row 57: the account assignment category.'),
  status: z
    .record(code, statusMeaning)
    .refine(nonEmpty, EMPTY)
    .default({
      I1129: 'approved',
      I1111: 'eligible',
      I1113: 'eligible',
      I1080: 'eligible',
      I1120: 'eligible',
      I1116: 'eligible',
      I1038: 'completed',
      I1180: 'eligible',
      I1016: 'rejected',
      I1015: 'awaiting',
      I1021: 'awaiting',
      I1009: 'awaiting',
      I1040: 'deleted',
    })
    .describe(
      'What a status says of a cart or line (source-srm7.md, "Statuses"). Verify it against your own table TJ02T.',
    ),
  textType: z
    .record(code, z.enum(['HEADER', 'INTERNAL', 'SUPPLIER']))
    .refine((types) => types['INTN'] !== 'SUPPLIER', {
      error: 'internal texts never go to the supplier',
      path: ['INTN'],
    })
    .default({ NOTE: 'HEADER', INTN: 'INTERNAL', VEND: 'SUPPLIER' })
    .describe("Mapping row 63: SAP's text id to the note type; a text id that is not listed is left out."),
  partnerFunction: z
    .strictObject({ shipTo: code.describe('The partner function of the ship-to address.') })
    .default({ shipTo: '00000027' })
    .describe('Mapping row 29: which partner gives the delivery address.'),
});
type GivenMaps = z.infer<typeof givenMapsSchema>;
type ExtendableMap = keyof GivenMaps['extend'];

const DEFAULT_MAPS = givenMapsSchema.parse({ businessUnit: { code: 'of the environment' } });
const EXTENDABLE_MAPS: readonly ExtendableMap[] = [
  'unit',
  'country',
  'currencyDecimals',
  'accountCategory',
  'status',
  'textType',
];

/** One that is given and has a default says whether it extends or replaces it: a default is never lost without a word. */
export const valueMapsSchema = givenMapsSchema
  .superRefine((maps, context) => {
    for (const name of EXTENDABLE_MAPS) {
      const isDefault = JSON.stringify(maps[name]) === JSON.stringify(DEFAULT_MAPS[name]);
      if (isDefault || maps.extend[name] !== undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [name],
        message: `must say whether it is added to the default: "extend": { "${name}": true }; or replaces it whole: false`,
      });
    }
  })
  .transform((maps) => ({
    ...maps,
    unit: extended(maps, 'unit', maps.unit),
    country: extended(maps, 'country', maps.country),
    currencyDecimals: extended(maps, 'currencyDecimals', maps.currencyDecimals),
    accountCategory: extended(maps, 'accountCategory', maps.accountCategory),
    status: extended(maps, 'status', maps.status),
    textType: extended(maps, 'textType', maps.textType),
  }));

const extended = <Name extends ExtendableMap>(
  { extend }: GivenMaps,
  name: Name,
  given: GivenMaps[Name],
): GivenMaps[Name] => (extend[name] === true ? { ...DEFAULT_MAPS[name], ...given } : given);

export type ValueMaps = z.infer<typeof valueMapsSchema>;
/** The maps from a code of SRM to what it becomes or means. */
export type ValueMapName = Exclude<keyof ValueMaps, 'extend' | 'partnerFunction'>;

/** Switches of the translation and its value maps (rules.md, "Defaults"). */
export const translationSettingsSchema = z.strictObject({
  timeZone: timeZoneSchema.describe(
    'The zone of `orderDate` (mapping row 12), an IANA name. Without it: `extraction.timeZone`.',
  ),
  amountsAreInternal: z
    .boolean()
    .default(false)
    .describe(
      '`true` where SRM sends amounts as ABAP stores them, always with 2 decimals (source-srm7.md, "Amounts and units").',
    ),
  allowZeroPrice: z.boolean().default(false).describe('`true` where a line may cost nothing.'),
  allowUnlimited: z.boolean().default(false).describe('`true` where a limit line may have no limit.'),
  purchaseRequestMandatory: z
    .boolean()
    .default(false)
    .describe('`true` where an order must name a purchase request (mapping row 9).'),
  glAccountMandatory: z
    .boolean()
    .default(false)
    .describe('`true` where every account assignment must name a G/L account (mapping row 60).'),
  lineFilter: z
    .strictObject({
      purchaseRequestPattern: z
        .string()
        .refine(isPattern, 'must be a regular expression, such as ^PR')
        .refine(
          endsSoon,
          `must be a simple regular expression, such as ^PR: at most ${MOST_GROUPS} groups, none of them repeated or referred to, and at most ${MOST_QUANTIFIERS} of *, +, ? and {n,m}`,
        )
        .exactOptional()
        .describe(
          'Only lines whose purchase request, of which the first 40 characters count, matches this regular expression.',
        ),
      categories: z.array(code).min(1).exactOptional().describe('Only lines of these product categories.'),
      suppliers: z
        .array(vendorNumber)
        .min(1)
        .exactOptional()
        .describe('Only lines of these vendors, by their number without leading zeros.'),
    })
    .default({})
    .describe('Rule 2: restricts the interface to the lines that belong in 11VMS; off by default.'),
  maximumLines: z.int().min(1).max(999).default(999).describe('An order with more lines is refused, never cut.'),
  maximumAttachments: z
    .int()
    .min(0)
    .default(50)
    .describe('How many attachments an order takes; more are left out, with a warning.'),
  maximumBodyBytes: z
    .int()
    .min(1024)
    .default(1_048_576)
    .describe('Edge case 28: an order whose JSON is larger is refused, never cut.'),
  valueMaps: valueMapsSchema.describe('The value maps.'),
});
export type TranslationSettings = z.infer<typeof translationSettingsSchema>;
