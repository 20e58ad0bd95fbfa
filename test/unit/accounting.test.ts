/** The accounting of every cart from queues and ledger: a lost cart must never count as accounted for. */
import { describe, expect, test } from '@jest/globals';
import {
  account,
  type Accounts,
  distinctCarts,
  type Evidence,
  identityOf,
  type LedgerItem,
} from '../../infra/local/run/accounting.ts';
import type { QueuedMessage } from '../../infra/local/aws/emulators.ts';
import type { CartIdentity } from '../../infra/local/run/systems.ts';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';

const body = (number: string | null, guid: string | null = `guid-${number}`): string =>
  JSON.stringify({ schemaVersion: 1, client: '100', cart: { number, guid }, source: { ObjectId: number } });
const message = (messageId: string, text: string): QueuedMessage => ({
  messageId,
  body: text,
  approximateReceiveCount: 1,
  sentTimestamp: 0,
  messageAttributes: {},
});
const item = (pk: string, sk: string, rest: Partial<LedgerItem> = {}): LedgerItem => ({ pk, sk, faults: [], ...rest });
const order = (number: string, state: string, supplier = 'S1'): LedgerItem =>
  item(`CART#100#${number}`, `ORDER#SRM7-100-${number}-${supplier}`, { state });
const skip = (number: string, reason = 'E_CART_EMPTY'): LedgerItem => item(`CART#100#${number}`, 'SKIP', { reason });
const verdict = (messageId: string, faults: LedgerItem['faults']): LedgerItem =>
  item('VERDICTS', `VERDICT#${messageId}`, { faults });
const cart = (number: string | undefined, guid: string | undefined = `guid-${number}`): CartIdentity => ({
  number,
  guid,
});

const accountOf = (evidence: Partial<Evidence>): Accounts =>
  account({ approved: [], queuedBodies: [], leftOnQueue: [], deadLetters: [], ledger: [], ...evidence });

const NO_CARTS: Accounts['carts'] = {
  createdInFull: [],
  createdInPart: [],
  skipped: [],
  deadLettered: [],
  waiting: [],
  unaccounted: [],
};

describe('a cart is accounted for', () => {
  test('by its orders, when all of them were created', () => {
    const accounts = accountOf({
      approved: [cart('1'), cart('2')],
      ledger: [order('1', 'CREATED'), order('2', 'CREATED', 'S1'), order('2', 'CREATED', 'S2')],
    });

    expect(accounts.carts).toEqual({ ...NO_CARTS, createdInFull: ['1', '2'] });
    expect(accounts.orders).toHaveLength(3);
  });

  test('by a skip', () => {
    const accounts = accountOf({ approved: [cart('1')], ledger: [skip('1', 'a change version')] });

    expect(accounts.carts).toEqual({ ...NO_CARTS, skipped: ['1'] });
    expect(accounts.skips).toEqual([{ cart: '1', reason: 'a change version' }]);
  });

  test('by a dead letter, even while one of its orders is open', () => {
    const accounts = accountOf({
      approved: [cart('1')],
      ledger: [order('1', 'CREATED', 'S1'), order('1', 'REJECTED', 'S2')],
      deadLetters: [message('m1', body('1'))],
    });

    expect(accounts.carts).toEqual({ ...NO_CARTS, createdInPart: ['1'] });
    expect(accounts.orders).toHaveLength(1);
  });

  test('whether its number has leading zeros or not', () => {
    const accounts = accountOf({
      approved: [cart('0000000001'), cart('0000000002')],
      ledger: [order('1', 'CREATED')],
      deadLetters: [message('m2', body('2'))],
    });

    expect(accounts.carts.unaccounted).toEqual([]);
  });

  test('by its GUID, if it has no number or an invalid one', () => {
    const accounts = accountOf({
      approved: [cart(undefined, 'g1'), cart('not a number ', 'g2')],
      deadLetters: [message('m1', body(null, 'g1')), message('m2', body(null, 'g2'))],
    });

    expect(accounts.carts.unaccounted).toEqual([]);
  });

  test('when several have neither number nor GUID, each by a dead letter of its own', () => {
    const unidentified: CartIdentity = { number: undefined, guid: undefined };
    const deadLetters = [message('m1', body(null, null)), message('m2', body(null, null))];

    expect(accountOf({ approved: [unidentified, unidentified], deadLetters }).carts.unaccounted).toEqual([]);
    expect(
      accountOf({ approved: [unidentified, unidentified, unidentified], deadLetters }).carts.unaccounted,
    ).toHaveLength(1);
  });
});

describe('a cart is not accounted for', () => {
  test('without any trace', () => {
    const accounts = accountOf({ approved: [cart('1'), cart(undefined, 'g2')], ledger: [order('3', 'CREATED')] });

    expect(accounts.carts.unaccounted).toEqual(['1', 'guid g2']);
  });

  test.each(['NEW', 'POSTING', 'UNKNOWN', 'REJECTED'])('when one of its orders is %s', (state) => {
    const ledger = [order('1', 'CREATED', 'S1'), order('1', state, 'S2')];

    expect(accountOf({ approved: [cart('1')], ledger }).carts.unaccounted).toEqual(['1']);
  });

  test('while a message of it is on the queue', () => {
    const ledger = [order('1', 'CREATED')];
    const leftOnQueue = [message('m1', body('1'))];

    expect(accountOf({ approved: [cart('1')], ledger, leftOnQueue }).carts).toEqual({ ...NO_CARTS, waiting: ['1'] });
  });

  test('by a dead letter of another cart, or by one that cannot be read', () => {
    const deadLetters = [message('m1', body('2')), message('m2', 'not ours')];

    expect(accountOf({ approved: [cart('1')], deadLetters }).carts.unaccounted).toEqual(['1']);
  });

  test('by a cart whose number only ends in the same digits', () => {
    expect(accountOf({ approved: [cart('1')], ledger: [order('11', 'CREATED')] }).carts.unaccounted).toEqual(['1']);
  });
});

describe('every approved cart', () => {
  test('has exactly one end', () => {
    const accounts = accountOf({
      approved: ['1', '2', '3', '4', '5', '6'].map((number) => cart(number)),
      ledger: [order('1', 'CREATED'), order('2', 'CREATED', 'S1'), order('2', 'REJECTED', 'S2'), skip('3')],
      deadLetters: [message('m2', body('2')), message('m4', body('4'))],
      leftOnQueue: [message('m5', body('5'))],
    });

    expect(accounts.carts).toEqual({
      createdInFull: ['1'],
      createdInPart: ['2'],
      skipped: ['3'],
      deadLettered: ['4'],
      waiting: ['5'],
      unaccounted: ['6'],
    });
  });

  test('that waits on the queue with a final verdict shows its faults, as a dead letter does', () => {
    const ledger = [
      { ...verdict('m1', [{ code: 'E_MAP_UOM', message: 'the code is not in the value map' }]), state: 'FINAL' },
      { ...verdict('m2', [{ code: 'E_INT_CRASHED', message: 'the last attempt did not end' }]), state: 'PROVISIONAL' },
    ];
    const leftOnQueue = [message('m1', body('1')), message('m2', body('2'))];
    const { deadLettered, condemned } = accountOf({ approved: [cart('1'), cart('2')], ledger, leftOnQueue });

    expect(deadLettered).toEqual([]);
    expect(condemned.map(({ cartNumber, codes }) => ({ cartNumber, codes }))).toEqual([
      { cartNumber: '1', codes: ['E_MAP_UOM'] },
    ]);
  });
});

describe('an order', () => {
  test('appears with its numbers in SRM and in 11VMS', () => {
    const ledger = [
      { ...order('1', 'CREATED'), orderId: 'po_1', orderNumber: 'PO-2026-000001' },
      order('2', 'UNKNOWN'),
    ];

    expect(accountOf({ ledger }).orders).toEqual([
      { cartNumber: '1', externalId: 'SRM7-100-1-S1', orderId: 'po_1', orderNumber: 'PO-2026-000001' },
    ]);
  });
});

describe('when only SRM knows the approved carts', () => {
  test('every cart that was queued must be accounted for', () => {
    const accounts = accountOf({
      approved: undefined,
      queuedBodies: [body('1'), body('1'), body('2'), body('3'), body(null, null)],
      ledger: [order('1', 'CREATED'), skip('2')],
    });

    expect(accounts.carts.unaccounted).toEqual(['3', 'no number, no GUID']);
  });
});

describe('a dead letter', () => {
  const faults: LedgerItem['faults'] = [
    { code: 'E_MAP_UOM', message: 'unit ZZZ is not in the value map', path: '$.Items[0].Unit' },
    { code: 'E_MAP_UOM', message: 'unit YYY is not in the value map', path: '$.Items[1].Unit' },
    { code: 'E_QTY_INVALID', message: 'the quantity is not greater than zero' },
  ];

  test('has cart, codes, each reason with its action, and the exact body', () => {
    const text = body('1').replace('"source":', '"source" : ');
    const { deadLettered } = accountOf({ deadLetters: [message('m1', text)], ledger: [verdict('m1', faults)] });

    expect(deadLettered).toEqual([
      {
        cartNumber: '1',
        guid: 'guid-1',
        codes: ['E_MAP_UOM', 'E_QTY_INVALID'],
        reason:
          `unit ZZZ is not in the value map ($.Items[0].Unit). ${FAULT_CATALOGUE.E_MAP_UOM.action} ` +
          `unit YYY is not in the value map ($.Items[1].Unit). ${FAULT_CATALOGUE.E_MAP_UOM.action} ` +
          `the quantity is not greater than zero. ${FAULT_CATALOGUE.E_QTY_INVALID.action}`,
        faults: faults.map((fault) => {
          const { owner, action } = FAULT_CATALOGUE[fault.code === 'E_MAP_UOM' ? 'E_MAP_UOM' : 'E_QTY_INVALID'];
          return { ...fault, owner, action };
        }),
        body: text,
      },
    ]);
  });

  test('has the verdict of its own message, not of another of the same cart', () => {
    const { deadLettered } = accountOf({
      deadLetters: [message('m1', body('1')), message('m2', body('1'))],
      ledger: [verdict('m2', faults.slice(2))],
    });

    expect(deadLettered.map(({ codes }) => codes)).toEqual([['E_INT_CRASHED'], ['E_QTY_INVALID']]);
    expect(deadLettered[0]?.reason).toMatch(/^The ledger holds no verdict: no attempt ended\. Read the log/);
  });

  test('appears once for a cart that a repeated run queued again, but each time for carts without number and GUID', () => {
    const bodies = [body('1'), body('1').replace('"100"', '"100" '), body('2'), body(null, null), body(null, null)];
    const { deadLettered } = accountOf({
      deadLetters: bodies.map((text, index) => message(`m${index}`, text)),
      ledger: bodies.map((_text, index) => verdict(`m${index}`, faults)),
    });

    expect(deadLettered.map(({ cartNumber }) => cartNumber)).toEqual(['1', '2', null, null]);
  });

  test('with an unknown code appears too', () => {
    const { deadLettered } = accountOf({
      deadLetters: [message('m1', body('1'))],
      ledger: [verdict('m1', [{ code: 'E_FUTURE', message: 'something new' }])],
    });

    expect(deadLettered[0]).toMatchObject({
      codes: ['E_FUTURE'],
      reason: 'something new.',
      faults: [{ code: 'E_FUTURE', owner: null, action: null }],
    });
  });

  test.each([['not JSON'], ['7'], ['null'], ['{}'], ['{"cart":null}'], ['{"cart":{"number":7,"guid":{}}}']])(
    'of a message that is no cart message (%s) names no cart',
    (text) => {
      expect(identityOf(text)).toEqual({ number: undefined, guid: undefined });
      expect(accountOf({ deadLetters: [message('m1', text)] }).deadLettered).toMatchObject([
        { cartNumber: null, guid: null, body: text },
      ]);
    },
  );
});

describe('carts on the queue', () => {
  test('are counted once, however often they were queued; carts without number and GUID each', () => {
    const bodies = [
      body('1'),
      body('0001'),
      body('2'),
      body(null, 'g'),
      body(null, 'g'),
      body(null, null),
      'none of ours',
    ];

    expect(distinctCarts(bodies)).toHaveLength(5);
  });
});
