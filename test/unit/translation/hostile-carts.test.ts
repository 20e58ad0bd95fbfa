/** What a cart costs never grows faster than the cart, and no cart of the queue fills the memory of the worker. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from '@jest/globals';
import { cleanText } from '../../../shared/sap-values.ts';
import { countWork } from '../counted-work.ts';
import { accounting, cartOf, cartWith, faultsOf, labour, list, type Row, shipTo, translate } from './sample-carts.ts';

const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));
const guid = (index: number): string => `005056a509b31ee1bee5${String(index).padStart(12, '0')}`;
/** Outline rows, each below the one before; and the GUID of the last. */
const chain = (length: number): Row[] =>
  times(length, (index) => ({
    Guid: guid(index),
    ...(index === 0 ? {} : { ParentGuid: guid(index - 1) }),
    OutlineInd: 'X',
    Description: 'Hierarchy '.repeat(100),
  }));
const lines = (count: number, fields: (index: number) => Row = () => ({})): Row[] =>
  times(count, (index) => labour({ NumberInt: String(index + 1), ...fields(index) }));

describe('twice the cart is at most twice the work', () => {
  test.each<[string, (size: number) => Row]>([
    ['lines', (size) => cartOf(lines(size))],
    ['lines without a field', (size) => cartOf(times(size, () => ({})))],
    [
      'lines below a chain',
      (size) => cartOf([...chain(size / 5), ...lines(size, () => ({ ParentGuid: guid(size / 5 - 1) }))]),
    ],
    [
      'lines with references of their own',
      (size) => cartOf(lines(size, (index) => ({ ExtDemid: `PR${index}`, BeObjectId: `B${index}` }))),
    ],
    [
      'lines beside a long address',
      (size) =>
        cartOf(
          lines(size, () => ({ Partners: null })),
          { Partners: shipTo({ Street: 's'.repeat(size) }) },
        ),
    ],
    [
      'shares of a line',
      (size) =>
        cartOf(
          lines(1, () => ({ Accounting: accounting(...times(size, () => ({ DistrPerc: (100 / size).toFixed(2) }))) })),
        ),
    ],
    [
      'attachments',
      (size) =>
        cartWith({ Attachments: list(...times(size, (index) => ({ Guid: guid(index), FileName: 'plan.pdf' }))) }),
    ],
    ['characters', (size) => cartWith({ Description: 'd'.repeat(size * 100) })],
  ])('%s', (_what, cartOfSize) => {
    const [small, large] = [cartOfSize(100), cartOfSize(200)];
    // The first call makes what all calls share.
    translate(small);
    expect(countWork(() => translate(large))).toBeLessThan(2.1 * countWork(() => translate(small)));
  });

  test('marks on one character are kept up to 30: to order them for NFC takes the square of their number', () => {
    const marked = `a${'\u0301'.repeat(200_000)}${'\u0323'.repeat(200_000)}`;
    expect(cleanText(marked)).toHaveLength(30);
    expect(cleanText(`a${'\u0323'.repeat(30)}`)).toBe(`\u1ea1${'\u0323'.repeat(29)}`);
  });
});

test('a code that is longer than any text of an order breaks the contract: it would stand in each account of each line', () => {
  const cart = cartWith({ CoCode: 'C'.repeat(4001) });
  expect(faultsOf(translate(cart))).toMatchObject([
    { code: 'E_SRC_SCHEMA', message: expect.stringContaining('must have at most 4000 characters'), path: '$.CoCode' },
  ]);
  expect(faultsOf(translate(cartWith({ CoCode: 'C'.repeat(4000) })))).not.toMatchObject([{ code: 'E_SRC_SCHEMA' }]);
});

test.each([
  [
    '101 outline rows above a line break the contract',
    101,
    [{ code: 'E_SRC_SCHEMA', path: '$.Items.results[101].ParentGuid' }],
  ],
  ['100 do not', 100, []],
])('%s', (_what, length, faults) => {
  expect(faultsOf(translate(cartOf([...chain(length), labour({ ParentGuid: guid(length - 1) })])))).toMatchObject(
    faults,
  );
});

test('the faults of a cart are a hundred for each order, however many it has, and tell that there are more', () => {
  const faults = faultsOf(translate(cartOf(times(1000, (index) => ({ VendorId: String(index % 5) })))));
  expect(faults.length).toBeLessThan(5 * 102);
  expect(faults.some(({ message }) => /^and at least \d+ more$/.test(message))).toBe(true);
  expect(new Set(faults.map(({ code }) => code)).size).toBeGreaterThan(8);
});

/** Ten of them are a tenth of what the worker has. */
const limits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 };

test.each([
  ['lines below a chain', 'faulty'],
  ['lines without a field', 'orders'],
  ['many orders and texts', 'faulty'],
])('a cart of %s is translated in little memory', async (workerData, kind) => {
  const worker = new Worker(new URL('hostile-worker.ts', import.meta.url), { workerData, resourceLimits: limits });
  expect(await once(worker, 'message')).toEqual([kind]);
  await worker.terminate();
});
