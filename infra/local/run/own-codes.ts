/**
 * Puts generated carts into the codes of an environment. They are drawn in the codes of the environment "local"; with
 * other value maps nearly all of them would be dead letters, and consumption would pause.
 */
import { asJsonObject } from '../../../shared/exact-json.ts';
import { isSameCode, padZeros, textOf } from '../../../shared/sap-values.ts';
import type { CodeMap, ValueMaps } from '../../../shared/translation-settings.ts';
import {
  currencies as drawnCurrencies,
  inactiveVendor,
  type Vendor,
  vendors as drawnVendors,
} from '../../../test/simulators/cart-vocabulary.ts';
import { minorDigits } from '../../../test/simulators/exact-decimals.ts';
import { hash32 } from '../../../test/simulators/seeded-random.ts';
import { type Environment, loadEnvironment } from '../../environments.ts';

type Row = Readonly<Record<string, unknown>>;

export interface OwnCodes {
  /** Suppliers and currencies decide which lines share an order, so that carts are drawn with them. */
  readonly vendors: readonly Vendor[];
  readonly currencies: readonly string[];
  /** The row with the environment's codes. A code that is a flaw stays one. */
  readonly translate: (row: Row) => Row;
}

export function ownCodesOf({ srm, translation }: Pick<Environment, 'srm' | 'translation'>): OwnCodes {
  const drawn = loadEnvironment('local').translation.valueMaps;
  const { valueMaps: own, lineFilter, amountsAreInternal, purchaseRequestMandatory, glAccountMandatory } = translation;
  const categories = lineFilter.categories ?? listed(own.category);
  const taxCodes = listed(own.tax);
  // A service in units of time is labour, which needs a period.
  const otherUnits = Object.keys(own.unit).filter((unit) => !LABOUR_UNITS.includes(own.unit[unit] ?? ''));
  const approved = srm.statuses.find((status) => own.status[status] === 'approved') ?? srm.statuses[0];

  const share = (part: Row): Row => ({
    ...part,
    ...accountFields(part, drawn.accountCategory, own.accountCategory),
    ...(glAccountMandatory && part['GLAcct'] === '' ? { GLAcct: '0000615200' } : {}),
  });
  const partner = (row: Row): Row => ({
    ...row,
    ...changed(row, 'PartnerFct', (role) =>
      isSameCode(role, drawn.partnerFunction.shipTo) ? own.partnerFunction.shipTo : role,
    ),
    ...changed(row, 'Country', (country) => sameMeaning(country, drawn.country, own.country)),
  });
  const item = (row: Row, purchaseRequest: string): Row => ({
    ...row,
    ...itemStatus(row, drawn.status, own.status),
    ...changed(row, 'Unit', (unit) => sameMeaning(unit, drawn.unit, own.unit, otherUnits)),
    ...changed(row, 'CategoryId', (category) => oneOf(categories, category)),
    ...changed(row, 'TaxCode', (code) => oneOf(taxCodes, code)),
    ...(purchaseRequestMandatory && row['ExtDemid'] === '' ? { ExtDemid: purchaseRequest } : {}),
    ...eachOf(row, 'Accounting', share),
    ...eachOf(row, 'Partners', partner),
  });
  return {
    vendors: ownVendors(own.supplier, lineFilter.suppliers),
    currencies: ownCurrencies(own.currencyDecimals, amountsAreInternal),
    translate(row) {
      const requests = entitiesOf(row, 'Items').map((entity) => textOf(asJsonObject(entity)?.['ExtDemid']));
      const request = requests.find((text) => text !== undefined) ?? 'PR-2026-100000';
      return {
        ...row,
        ...organization(row, drawn.businessUnit, own.businessUnit),
        Status: approved,
        ...eachOf(row, 'Items', (entity) => item(entity, request)),
        ...eachOf(row, 'Partners', partner),
      };
    },
  };
}

const LABOUR_UNITS: readonly string[] = ['HUR', 'DAY', 'WEE', 'MON'];

/** The codes that a map takes; undefined where it takes any. */
const listed = ({ mode, codes }: CodeMap): readonly string[] | undefined =>
  mode === 'mapped' ? Object.keys(codes) : undefined;

/** Always the same for the same code. */
function pickFor(code: string, codes: readonly string[]): string {
  return codes[hash32(code) % codes.length] ?? code;
}

function oneOf(codes: readonly string[] | undefined, code: string): string {
  return codes === undefined || code === '' || codes.some((one) => isSameCode(one, code)) ? code : pickFor(code, codes);
}

/**
 * The own code of the same meaning, or else one of the others. A code that is not among those drawn is a flaw, and stays.
 */
function sameMeaning(
  code: string,
  drawn: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
  others: readonly string[] = [],
): string {
  if (Object.hasOwn(own, code) || !Object.hasOwn(drawn, code)) return code;
  const codes = Object.keys(own);
  return codes.find((one) => own[one] === drawn[code]) ?? pickFor(code, others.length > 0 ? others : codes);
}

/** A company may have several business units, by its purchasing organization: CoCode/ProcOrg. */
function organization(row: Row, drawn: ValueMaps['businessUnit'], own: ValueMaps['businessUnit']): Row {
  const code = row['CoCode'];
  if (typeof code !== 'string' || Object.hasOwn(own, code) || !Object.hasOwn(drawn, code)) return {};
  const [company, purchasing] = pickFor(code, Object.keys(own)).split('/');
  return { CoCode: company, ...(purchasing === undefined ? {} : { ProcOrg: purchasing }) };
}

/** A dropped line stays dropped, by the flag where no own status says so. */
function itemStatus({ Status: status }: Row, drawn: ValueMaps['status'], own: ValueMaps['status']): Row {
  const meaning = typeof status === 'string' ? drawn[status] : undefined;
  if (typeof status !== 'string' || meaning === undefined || own[status] === meaning) return {};
  const same = Object.keys(own).find((one) => own[one] === meaning);
  if (same !== undefined) return { Status: same };
  if (['deleted', 'rejected', 'awaiting'].includes(meaning)) return { Status: '', DelInd: 'X' };
  return { Status: Object.keys(own).find((one) => own[one] === 'approved') ?? '' };
}

const OBJECT_FIELD: Readonly<Record<ValueMaps['accountCategory'][string], string>> = {
  COST_CENTRE: 'CostCtr',
  INTERNAL_ORDER: 'OrderNo',
  WBS: 'WbsElem',
  ASSET: 'Asset',
  NETWORK: 'Network',
};

/** Where no own category has the same object, the share goes to the object of another category. */
function accountFields(part: Row, drawn: ValueMaps['accountCategory'], own: ValueMaps['accountCategory']): Row {
  const { AccCat: category } = part;
  if (typeof category !== 'string') return {};
  const chosen = sameMeaning(category, drawn, own);
  const [before, after] = [drawn[category], own[chosen]];
  if (before === undefined || after === undefined || before === after) return { AccCat: chosen };
  const object = part[OBJECT_FIELD[before]];
  // The shortest object has ten characters.
  const text = typeof object === 'string' ? object.replaceAll(/\D/g, '').slice(-8) : object;
  return { AccCat: chosen, [OBJECT_FIELD[before]]: '', [OBJECT_FIELD[after]]: text };
}

function ownVendors(map: CodeMap, wanted: readonly string[] | undefined): readonly Vendor[] {
  const known = listed(map)?.filter((number) => !isSameCode(number, inactiveVendor.id));
  const numbers = wanted?.filter((number) => known?.some((one) => isSameCode(one, number)) ?? true) ?? known;
  if (numbers === undefined || numbers.length === 0) return drawnVendors;
  return numbers.map((number, index) => ({
    id: padZeros(number, 10),
    name: drawnVendors[index % drawnVendors.length]?.name ?? '',
  }));
}

/** Where SRM sends amounts as ABAP stores them, a currency without two decimals looks different; carts are drawn without. */
function ownCurrencies(decimals: ValueMaps['currencyDecimals'], amountsAreInternal: boolean): readonly string[] {
  const fits = (currency: string): boolean =>
    decimals[currency] === minorDigits(currency) && !(amountsAreInternal && minorDigits(currency) !== 2);
  const own = Object.keys(decimals);
  const candidates = [drawnCurrencies.filter(fits), own.filter(fits), own];
  return candidates.find((list) => list.length > 0) ?? drawnCurrencies;
}

function changed(row: Row, name: string, change: (code: string) => string): Row {
  const code = row[name];
  return typeof code === 'string' ? { [name]: change(code) } : {};
}

function entitiesOf(row: Row, navigation: string): readonly unknown[] {
  const results = asJsonObject(row[navigation])?.['results'];
  return Array.isArray(results) ? results : [];
}

/** Changes the entities of a navigation. One that is broken on purpose stays as it is. */
function eachOf(row: Row, name: string, change: (entity: Row) => Row): Row {
  const results = entitiesOf(row, name);
  if (results.length === 0) return {};
  const changedEntity = (entity: unknown): unknown => {
    const fields = asJsonObject(entity);
    return fields === undefined ? entity : change(fields);
  };
  return { [name]: { results: results.map(changedEntity) } };
}
