/** The settings of the translation in an environment; a mistake is refused at synth, by the name of the field. */
import { describe, expect, test } from '@jest/globals';
import { translationSettingsSchema } from '../../../shared/translation-settings.ts';

const businessUnit = { BE10: 'BU-BE-BRU' };
const timeZone = 'Europe/Brussels';
const WHOLE = { currencyDecimals: false, accountCategory: false, status: false, textType: false };
const issues = (settings: object): string[] =>
  (translationSettingsSchema.safeParse({ timeZone, ...settings }).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );
const withMaps = (maps: object): string[] => issues({ valueMaps: { businessUnit, extend: WHOLE, ...maps } });
const mapsOf = (maps: object) =>
  translationSettingsSchema.parse({ timeZone, valueMaps: { businessUnit, ...maps } }).valueMaps;

test('the default settings are those of the specification (rules.md, "Defaults")', () => {
  const settings = translationSettingsSchema.parse({ timeZone, valueMaps: { businessUnit } });
  expect(settings).toMatchObject({
    amountsAreInternal: false,
    allowZeroPrice: false,
    allowUnlimited: false,
    purchaseRequestMandatory: false,
    glAccountMandatory: false,
    lineFilter: {},
    maximumLines: 999,
    maximumAttachments: 50,
    maximumBodyBytes: 1024 * 1024,
  });
  const { valueMaps } = settings;
  expect([valueMaps.supplier, valueMaps.category, valueMaps.tax]).toEqual(
    Array.from({ length: 3 }, () => ({ mode: 'identity', codes: {} })),
  );
  expect(valueMaps.textType).toEqual({ NOTE: 'HEADER', INTN: 'INTERNAL', VEND: 'SUPPLIER' });
  expect(valueMaps.country).toMatchObject({ UK: 'GB', EL: 'GR', GB: 'GB', GR: 'GR' });
  expect(Object.keys(valueMaps.country)).toHaveLength(249 + 2);
  expect(valueMaps.currencyDecimals).toMatchObject({ EUR: 2, JPY: 0, KWD: 3, TND: 3, CLF: 4, UYW: 4, HUF: 2 });
  expect(valueMaps.currencyDecimals).not.toHaveProperty('DEM');
});

test('every country and currency of the defaults is an ISO code, and known to ICU as far as possible', () => {
  const { valueMaps } = translationSettingsSchema.parse({ timeZone, valueMaps: { businessUnit } });
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
  expect(Object.values(valueMaps.country).filter((code) => names.of(code) === undefined)).toEqual([]);
  const currencies = Object.keys(valueMaps.currencyDecimals);
  expect(currencies.filter((code) => !/^[A-Z]{3}$/.test(code))).toEqual([]);
  const inUse = [
    'EUR',
    'USD',
    'GBP',
    'CHF',
    'SEK',
    'DKK',
    'NOK',
    'PLN',
    'CZK',
    'HUF',
    'RON',
    'TRY',
    'CNY',
    'INR',
    'BRL',
    'MAD',
  ];
  expect(inUse.filter((code) => !currencies.includes(code))).toEqual([]);
});

describe('an empty map is refused:', () => {
  test.each(['businessUnit', 'unit', 'currencyDecimals', 'country', 'accountCategory', 'status'])('%s', (map) => {
    expect(withMaps({ [map]: {} })).toEqual([`valueMaps.${map}: must not be empty`]);
  });

  test.each(['supplier', 'category', 'tax'])('%s, where it is in force', (map) => {
    expect(withMaps({ [map]: { mode: 'mapped', codes: {} } })).toEqual([`valueMaps.${map}.codes: must not be empty`]);
    expect(withMaps({ [map]: { mode: 'identity' } })).toEqual([]);
  });

  test('text types, where an empty map leaves all notes out instead', () => {
    expect(withMaps({ textType: {} })).toEqual([]);
  });
});

describe('a map that has a default', () => {
  test.each(['unit', 'country'])('is added to it, in case of %s', (name) => {
    const added = mapsOf({ [name]: { XX: 'BE' } });

    expect(Reflect.get(added, name)).toEqual({ ...Object(Reflect.get(mapsOf({}), name)), XX: 'BE' });
  });

  test.each(['unit', 'country', 'currencyDecimals', 'accountCategory', 'status', 'textType'])(
    'replaces it or is added to it as %s says',
    (name) => {
      const byDefault: object = Object(Reflect.get(mapsOf({}), name));
      const [[key, value] = []] = Object.entries(byDefault).slice(1, 2);
      const given = { [String(key)]: value };

      expect(Reflect.get(mapsOf({ [name]: given, extend: { [name]: false } }), name)).toEqual(given);
      expect(Reflect.get(mapsOf({ [name]: given, extend: { [name]: true } }), name)).toEqual(byDefault);
    },
  );

  test.each([
    ['currencyDecimals', { EUR: 2 }],
    ['accountCategory', { CC: 'COST_CENTRE' }],
    ['status', { Z0001: 'approved' }],
    ['textType', {}],
  ])('must say which, in case of %s', (name, map) => {
    expect(issues({ valueMaps: { businessUnit, [name]: map } })).toEqual([
      `valueMaps.${name}: must say whether it is added to the default: "extend": { "${name}": true }; or replaces it whole: false`,
    ]);
  });

  test('is the same when it is parsed twice, as the function reads what synth wrote', () => {
    const maps = mapsOf({ unit: { ST: 'EA' }, status: { Z0001: 'approved' }, extend: { unit: false, status: true } });

    expect(mapsOf(maps)).toEqual(maps);
  });
});

describe('an invalid code is refused:', () => {
  test('a currency unknown to ISO, or with impossible decimals', () => {
    expect(withMaps({ currencyDecimals: { DEM: 2 } })).toEqual([
      expect.stringMatching(/^valueMaps\.currencyDecimals\.DEM: /),
    ]);
    expect(withMaps({ currencyDecimals: { EUR: 5 } })).toEqual([
      expect.stringMatching(/^valueMaps\.currencyDecimals\.EUR: /),
    ]);
    expect(withMaps({ currencyDecimals: { HUF: 0, EUR: 2 } })).toEqual([]);
  });

  test('a vendor number with leading zeros, which would never be found; one with letters keeps them', () => {
    expect(withMaps({ supplier: { mode: 'mapped', codes: { '0000100234': 'SUP' } } })).toEqual([
      expect.stringMatching(/^valueMaps\.supplier\.codes\.0000100234: /),
    ]);
    expect(withMaps({ supplier: { mode: 'mapped', codes: { '01A': 'SUP', '0': 'NONE', '100234': 'SUP' } } })).toEqual(
      [],
    );
    expect(issues({ valueMaps: { businessUnit }, lineFilter: { suppliers: ['0100'] } })).toEqual([
      'lineFilter.suppliers.0: must have no leading zeros: the interface compares vendor numbers without them, such as 100777',
    ]);
  });

  test.each(['100 234', 'Müller', 'a@b.example', 'DUPONT', '12/345'])(
    'a vendor number that no order can have: %s',
    (number) => {
      expect(withMaps({ supplier: { mode: 'mapped', codes: { [number]: 'SUP' } } })).toEqual([
        expect.stringContaining(`valueMaps.supplier.codes.${number}: `),
      ]);
      expect(issues({ valueMaps: { businessUnit }, lineFilter: { suppliers: [number] } })).toEqual([
        'lineFilter.suppliers.0: must be capitals and digits, also joined by - or _, with a digit or of at most four characters',
      ]);
    },
  );

  test('a target that 11VMS does not accept', () => {
    expect(withMaps({ country: { BE: 'BEL' } })).toEqual([expect.stringMatching(/^valueMaps\.country\.BE: /)]);
    expect(withMaps({ unit: { ST: 'EACH' } })).toEqual([expect.stringMatching(/^valueMaps\.unit\.ST: /)]);
    expect(withMaps({ businessUnit: { BE10: 'B'.repeat(21) } })).toEqual([
      expect.stringMatching(/^valueMaps\.businessUnit\.BE10: /),
    ]);
    expect(withMaps({ supplier: { mode: 'identity', codes: { '1': 'S'.repeat(36) } } })).toEqual([
      expect.stringMatching(/^valueMaps\.supplier\.codes\.1: /),
    ]);
    expect(withMaps({ category: { mode: 'mapped', codes: { A: 'C'.repeat(21) } } })).toEqual([
      expect.stringMatching(/^valueMaps\.category\.codes\.A: /),
    ]);
    expect(withMaps({ tax: { mode: 'mapped', codes: { A: 'T'.repeat(11) } } })).toEqual([
      expect.stringMatching(/^valueMaps\.tax\.codes\.A: /),
    ]);
    expect(withMaps({ accountCategory: { SO: 'SALES_ORDER' } })).toEqual([
      expect.stringMatching(/^valueMaps\.accountCategory\.SO: /),
    ]);
    expect(withMaps({ status: { I1129: 'ok' } })).toEqual([expect.stringMatching(/^valueMaps\.status\.I1129: /)]);
  });

  test('an internal text that would go to the supplier', () => {
    expect(withMaps({ textType: { INTN: 'SUPPLIER' } })).toEqual([
      'valueMaps.textType.INTN: internal texts never go to the supplier',
    ]);
    expect(withMaps({ textType: { INTN: 'HEADER', VEND: 'SUPPLIER' } })).toEqual([]);
  });

  test('an empty code', () => {
    expect(withMaps({ unit: { '': 'EA' } })).toEqual([expect.stringMatching(/^valueMaps\.unit\.: /)]);
    expect(withMaps({ unit: { ST: '' } })).toEqual([expect.stringMatching(/^valueMaps\.unit\.ST: /)]);
  });

  test('a mode that is unknown or missing', () => {
    expect(withMaps({ supplier: { mode: 'strict', codes: {} } })).toEqual([
      expect.stringMatching(/^valueMaps\.supplier\.mode: /),
    ]);
    expect(withMaps({ supplier: { '1': 'SUP' } })).toEqual([expect.stringMatching(/^valueMaps\.supplier\.mode: /)]);
  });
});

describe('a wrong setting is refused:', () => {
  test.each([
    ['timeZone', 'Mars/Olympus', 'must be an IANA time zone, such as Europe/Brussels'],
    ['maximumLines', 1000, ''],
    ['maximumLines', 0, ''],
    ['maximumAttachments', -1, ''],
    ['maximumBodyBytes', 1023, ''],
    ['amountsAreInternal', 'false', ''],
    ['lineFilter', { purchaseRequestPattern: '(' }, 'must be a regular expression, such as ^PR'],
    ...['(a+)+$', '(a|aa)*$', '^(a?){20}$', '(.)\\1', '(?<n>a)\\k<n>', 'a*a*a?a{0,9}$', '(a|b)(a|b)(a|b)(a|b)'].map(
      (purchaseRequestPattern): [string, object, string] => [
        'lineFilter',
        { purchaseRequestPattern },
        'must be a simple regular expression, such as ^PR: at most 3 groups, none of them repeated or referred to',
      ],
    ),
    ['lineFilter', { categories: [] }, ''],
    ['lineFilter', { category: ['A'] }, ''],
  ])('%s: %j', (name, value, message) => {
    const [issue, ...others] = issues({ valueMaps: { businessUnit }, [name]: value });
    expect(issue).toMatch(new RegExp(`^${name}`));
    expect(issue).toContain(message);
    expect(others).toEqual([]);
  });

  test.each(['^PR', '^(?:PR|PO)-\\d{4}-', '^[A-Z]{2}\\d+$', '^\\d{1,4}(-\\d{1,4})?$', '^\\(PR\\)+', '[(]+', '(?=PR)'])(
    'and %s is not',
    (purchaseRequestPattern) => {
      expect(issues({ valueMaps: { businessUnit }, lineFilter: { purchaseRequestPattern } })).toEqual([]);
    },
  );

  test('one that is unknown, or a map', () => {
    expect(issues({ valueMaps: { businessUnit }, allowZeroPrices: true })).toEqual([
      ': Unrecognized key: "allowZeroPrices"',
    ]);
    expect(withMaps({ units: {} })).toEqual(['valueMaps: Unrecognized key: "units"']);
    expect(issues({})).toEqual([expect.stringMatching(/^valueMaps: /)]);
    expect(issues({ valueMaps: {} })).toEqual([expect.stringMatching(/^valueMaps\.businessUnit: /)]);
  });
});
