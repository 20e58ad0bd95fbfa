/** The sample cart of the interface's page with changes, and its translation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PurchaseOrder } from '../../../functions/create-purchase-orders/translation/purchase-order.ts';
import {
  type CartTranslation,
  type GroupTranslation,
  translateCart,
} from '../../../functions/create-purchase-orders/translation/translate-cart.ts';
import { loadEnvironment } from '../../../infra/environments.ts';
import type { Fault, Warning } from '../../../shared/failure.ts';
import {
  type TranslationSettings,
  type ValueMaps,
  translationSettingsSchema,
} from '../../../shared/translation-settings.ts';
import { createWireOrder } from '../../../functions/create-purchase-orders/translation/wire-order.ts';
import { DEFAULT_VMS_CONTRACT } from '../../../infra/vms-settings.ts';

/** An entity as SRM writes it. */
export type Row = Readonly<Record<string, unknown>>;

interface SampleCart extends Row {
  readonly Items: { readonly results: readonly SampleItem[] };
}
interface SampleItem extends Row {
  readonly Accounting: { readonly results: readonly Row[] };
  readonly Partners: { readonly results: readonly Row[] };
}

const samplePage: { readonly d: { readonly results: readonly SampleCart[] } } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../shared/contract/samples/srm7-shopping-carts.json'), 'utf8'),
);

function only<Element>(elements: readonly Element[]): Element {
  const [element] = elements;
  if (element === undefined) throw new Error('there is no such element');
  return element;
}

export const sampleCart: SampleCart = only(samplePage.d.results);
const sampleItem = (index: number): SampleItem => only(sampleCart.Items.results.slice(index));
const sampleAssignment = only(sampleItem(0).Accounting.results);
const samplePartner = only(sampleItem(0).Partners.results);

/** Items of the sample, changed: a day rate, a material, an allowance, and one that SRM deleted. */
export const labour = (fields: Row = {}): Row => ({ ...sampleItem(0), ...fields });
export const material = (fields: Row = {}): Row => ({ ...sampleItem(1), ...fields });
export const limit = (fields: Row = {}): Row => ({ ...sampleItem(2), ...fields });
export const deleted = (fields: Row = {}): Row => ({ ...sampleItem(3), ...fields });
/** Work paid by result. */
export const service = (fields: Row = {}): Row =>
  labour({ Unit: 'LE', Quantity: '1.000', Price: '39000.0000', ...fields });

/** The lists of a cart or of an item. */
export const list = (...rows: readonly unknown[]): Row => ({ results: rows });
/** Cost centre assignments of 100 %, changed. */
export const accounting = (...rows: readonly Row[]): Row =>
  list(...rows.map((fields) => ({ ...sampleAssignment, DistrPerc: '100.00', ...fields })));
export const shares = (...percentages: readonly string[]): Row =>
  accounting(...percentages.map((DistrPerc, index) => ({ DistrPerc, AccNo: String(index + 1).padStart(4, '0') })));
/** Ship-to partners: the sample's, changed. */
export const shipTo = (...rows: readonly Row[]): Row =>
  list(...rows.map((fields) => ({ ...samplePartner, ...fields })));
export const texts = (...rows: readonly Row[]): Row => list(...rows);

/** Dates as SRM writes them. */
export const date = (day: string): string => `/Date(${Date.parse(day)})/`;
export const instant = (time: string): string => `/Date(${Date.parse(time)}+0000)/`;

/** The sample with other fields in its header, and in items by their index. */
export const cartWith = (header: Row, items: Readonly<Record<number, Row>> = {}): Row => ({
  ...sampleCart,
  Items: list(...sampleCart.Items.results.map((item, index) => ({ ...item, ...items[index] }))),
  ...header,
});

/** The sample with other fields in one of its items. */
export const itemWith = (index: number, fields: Row): Row => cartWith({}, { [index]: fields });

/** The sample's header with these items, and their sum. */
export const cartOf = (items: readonly Row[], header: Row = {}): Row => ({
  ...sampleCart,
  TotalValue: totalOf(items),
  Items: list(...items),
  ...header,
});

/** In thousandths, as many as SRM's amounts have. */
function totalOf(items: readonly Row[]): string {
  const thousandths = items
    .map((item) => String(item['LimitInd'] === 'X' ? item['ExpValue'] : item['Value']))
    .map((text) => (/^\d+\.\d{3}$/.test(text) ? BigInt(text.replace('.', '')) : 0n))
    .reduce((sum, value) => sum + value, 0n)
    .toString()
    .padStart(4, '0');
  return `${thousandths.slice(0, -3)}.${thousandths.slice(-3)}`;
}

export interface SettingsChange extends Partial<Omit<TranslationSettings, 'valueMaps'>> {
  readonly valueMaps?: Partial<ValueMaps>;
}

const { translation: localSettings } = loadEnvironment('local');

export const settingsWith = (change: SettingsChange = {}): TranslationSettings =>
  translationSettingsSchema.parse({
    ...localSettings,
    ...change,
    valueMaps: {
      ...localSettings.valueMaps,
      ...change.valueMaps,
      // A test gives a map whole.
      extend: {
        unit: false,
        country: false,
        currencyDecimals: false,
        accountCategory: false,
        status: false,
        textType: false,
      },
    },
  });

const unchanged = settingsWith();

export const contractWire = createWireOrder(DEFAULT_VMS_CONTRACT);

export const TODAY = '2026-11-22';

export const translate = (cart: unknown, change?: SettingsChange): CartTranslation =>
  translateCart(cart, {
    client: '100',
    settings: change === undefined ? unchanged : settingsWith(change),
    wire: contractWire,
    today: TODAY,
  });

export const groupsOf = (translation: CartTranslation): readonly GroupTranslation[] =>
  translation.kind === 'orders' ? translation.groups : [];

export const ordersOf = (translation: CartTranslation): PurchaseOrder[] =>
  groupsOf(translation).flatMap((group) => (group.kind === 'order' ? [group.order] : []));

/** Every fault: of the row as a whole, or of its groups. */
export const faultsOf = (translation: CartTranslation): Fault[] =>
  translation.kind === 'faulty'
    ? [...translation.faults]
    : groupsOf(translation).flatMap((group) => (group.kind === 'faulty' ? group.faults : []));

/** Every warning: of the whole cart, and of its orders. */
export const warningsOf = (translation: CartTranslation): Warning[] => [
  ...(translation.kind === 'orders' ? translation.warnings : []),
  ...groupsOf(translation).flatMap((group) => (group.kind === 'order' ? group.warnings : [])),
];

/** `lines[0].tax.code` of an order; undefined where there is none. */
export const valueAt = (value: unknown, field: string): unknown =>
  field
    .split(/[.[\]]+/)
    .filter((key) => key !== '')
    .reduce<unknown>(
      (part, key) => (typeof part === 'object' && part !== null ? Reflect.get(part, key) : undefined),
      value,
    );

/** True where the path of a fault exists in the row. */
export const pathExists = (row: unknown, path: string): boolean =>
  valueAt(row, path.replace(/^\$\.?/, '')) !== undefined;
