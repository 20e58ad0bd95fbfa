/** The order in the JSON of an 11VMS that differs, against the simulator's own renaming; and the pointers into it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  canonicalBody,
  contentHash,
  differences,
} from '../../functions/create-purchase-orders/translation/order-content.ts';
import { normalOrder } from '../../functions/create-purchase-orders/translation/normal-order.ts';
import {
  type PurchaseOrder,
  purchaseOrderSchema,
} from '../../functions/create-purchase-orders/translation/purchase-order.ts';
import {
  createWireOrder,
  type WireField,
  wireFields,
  type WireSettings,
} from '../../functions/create-purchase-orders/translation/wire-order.ts';
import { parseExactJson } from '../../shared/exact-json.ts';
import fc from '../properties.ts';
import { disguisedOrder } from '../simulators/order-disguise.ts';
import { mulberry32 } from '../simulators/seeded-random.ts';
import { openDialect } from '../simulators/vms-dialect.ts';
import { generatedCart, goodCart } from './translation/arbitrary-carts.ts';
import { ordersOf, translate } from './translation/sample-carts.ts';

const sample = purchaseOrderSchema.parse(
  JSON.parse(
    readFileSync(join(import.meta.dirname, '../../shared/contract/samples/11vms-purchase-order.json'), 'utf8'),
  ),
);

/** Any orders that the interface can send. */
const anyOrder: fc.Arbitrary<PurchaseOrder> = fc
  .oneof(goodCart, generatedCart)
  .map((cart) => ordersOf(translate(cart)))
  .filter((orders) => orders.length > 0)
  .chain((orders) => fc.constantFrom(...orders));

const pathsOf = (fields: readonly WireField[], list = ''): string[] =>
  fields.flatMap(({ path, members }) => {
    const own = list + path.join('.');
    return [own, ...pathsOf(members ?? [], `${own}.`)];
  });
const paths = pathsOf(wireFields({ fields: {} }));

/** New places for any fields: flat, nested, or in an object that several share. */
const anySettings: fc.Arbitrary<WireSettings> = fc.record({
  decimalsAs: fc.constantFrom('string', 'number'),
  fields: fc
    .subarray(paths, { minLength: 1 })
    .chain((chosen) =>
      fc
        .tuple(...chosen.map(() => fc.constantFrom('', 'nested.', 'deep.er.')))
        .map((owners) =>
          Object.fromEntries(chosen.map((path, index) => [path, `${owners[index]}f${paths.indexOf(path)}`])),
        ),
    ),
});

const asSent = (order: PurchaseOrder, settings: WireSettings): string =>
  canonicalBody(createWireOrder(settings).toWire(order));
const asRead = (json: string, settings: WireSettings): PurchaseOrder =>
  purchaseOrderSchema.parse(normalOrder(createWireOrder(settings).fromWire(Object(parseExactJson(json)))));

describe('an order', () => {
  test('is sent to the letter as the contract has it, where the settings say nothing else', () => {
    fc.assert(
      fc.property(anyOrder, (order) => {
        expect(asSent(order, { decimalsAs: 'string', fields: {} })).toBe(canonicalBody(order));
      }),
      { numRuns: 40 },
    );
  });

  test('is the same order for an 11VMS of any other names, which gives it back as the same order', () => {
    fc.assert(
      fc.property(anyOrder, anySettings, fc.integer(), (order, settings, seed) => {
        const dialect = openDialect(settings);
        expect(dialect.read(asSent(order, settings))).toEqual({ body: order, errors: [] });
        for (const json of [JSON.stringify(order), disguisedOrder(order, mulberry32(seed))]) {
          const read = asRead(dialect.write(json), settings);
          expect(differences(read, order)).toEqual([]);
          expect(contentHash(read)).toBe(contentHash(order));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('keeps every digit of a decimal that is written as a number', () => {
    const totals = { netAmount: '4103125000000.0001', taxAmount: '0.10', grossAmount: '0041031.2500' };
    const body = asSent({ ...sample, totals }, { decimalsAs: 'number', fields: {} });
    expect(body).toContain('"totals":{"grossAmount":41031.2500,"netAmount":4103125000000.0001,"taxAmount":0.10}');
    expect(body).toContain('"percentage":60.00');
    // Codes of digits are no decimals.
    expect(body).toContain('"glAccount":"0000615200"');
    expect(canonicalBody(JSON.parse(body))).not.toBe(body);
  });

  test('that cannot be sent is measured all the same: what is no decimal stays a text', () => {
    const totals = { netAmount: '12,5', taxAmount: '', grossAmount: '1'.repeat(20) };
    expect(asSent({ ...sample, totals }, { decimalsAs: 'number', fields: {} })).toContain(
      `"totals":{"grossAmount":"${'1'.repeat(20)}","netAmount":"12,5","taxAmount":""}`,
    );
  });

  test('has an object under another name with all its fields, but those that have a place of their own', () => {
    const settings: WireSettings = {
      decimalsAs: 'string',
      fields: { supplier: 'vendor.data', 'supplier.code': 'vendorCode', lines: 'order.items', 'lines.category': 'cat' },
    };
    expect(JSON.parse(asSent(sample, settings))).toMatchObject({
      vendor: { data: { externalCode: sample.supplier.externalCode } },
      vendorCode: sample.supplier.code,
      order: { items: sample.lines.map(({ category }) => ({ cat: category })) },
    });
    expect(asSent(sample, settings)).not.toMatch(/"(supplier|lines)":/);
    expect(differences(asRead(asSent(sample, settings), settings), sample)).toEqual([]);
  });
});

describe('a pointer of 11VMS', () => {
  const wire = createWireOrder({
    decimalsAs: 'string',
    fields: {
      'supplier.code': 'supplierCode',
      requester: 'person.orderedBy',
      approver: 'person.approvedBy',
      lines: 'items',
      'lines.unitOfMeasure': 'measure.uom',
      'lines.accounting.glAccount': 'account',
    },
  });
  test.each([
    ['/supplierCode', '/supplier/code'],
    ['supplierCode', '/supplier/code'],
    ['/supplier/name', '/supplier/name'],
    ['/items', '/lines'],
    ['/items/3', '/lines/3'],
    ['items[3].measure.uom', '/lines/3/unitOfMeasure'],
    ['/items/0/accounting/12/account', '/lines/0/accounting/12/glAccount'],
    ['/items/0/category/code', '/lines/0/category/code'],
    ['/items/0/category', '/lines/0/category'],
    ['/person/orderedBy', '/requester'],
    ['/person/orderedBy/email', '/requester/email'],
    // It holds parts of several objects.
    ['/person', '/person'],
    ['/measure/uom', '/measure/uom'],
    // Names of the body in another order: not a place, and not personal.
    ['/supplier/code', '/supplier/code'],
    // What is no field of the body may be personal.
    ['/lines/0/netAmount', undefined],
    ['Max Mustermann', undefined],
    ['', undefined],
  ])('%j is %j in the order', (pointer, ours) => {
    expect(wire.ourPointer(pointer)).toBe(ours);
  });

  test('stays as it is where the fields have the names of the contract', () => {
    const contract = createWireOrder({ decimalsAs: 'number', fields: {} });
    for (const pointer of ['/lines/0/netAmount', 'lines[0].netAmount', 'netAmount', '/supplier']) {
      expect(contract.ourPointer(pointer)).toBe(pointer);
    }
    for (const pointer of ['/items/0', 'max.mustermann@example.com', '']) {
      expect(contract.ourPointer(pointer)).toBeUndefined();
    }
  });
});
