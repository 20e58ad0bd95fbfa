/** The one switch from outcome to settlement, and how a cart's outcome comes from those of its orders. */
import { describe, expect, test } from '@jest/globals';
import {
  combineOutcomes,
  type OrderOutcome,
  type Outcome,
  type Retry,
  settle,
} from '../../functions/create-purchase-orders/outcome.ts';
import type { Health } from '../../functions/create-purchase-orders/delivery/answers.ts';
import type { Fault } from '../../shared/failure.ts';
import fc from '../properties.ts';

const down: Fault = { code: 'E_TGT_UNAVAILABLE', message: 'down' };
const auth: Fault = { code: 'E_TGT_AUTH', message: 'no' };
const slow: Fault = { code: 'E_TGT_THROTTLED', message: 'wait' };
const invalid: Fault = { code: 'E_TGT_VALIDATION', message: 'bad' };
const noSupplier: Fault = { code: 'E_SUPPLIER_MISSING', message: 'none' };

const created: OrderOutcome = { kind: 'created', orderId: 'po_1', orderNumber: 'PO-1', recovered: false };
const skipped: OrderOutcome = { kind: 'skipped', reason: 'already created' };
const failed = (health: Health, faults: readonly Fault[], afterMs?: number): Retry => ({
  kind: 'retry',
  faults,
  afterMs,
  cause: { system: '11VMS', health },
});
const refused = failed('refused', [auth]);
const throttled = failed('throttled', [slow], 60);
const maybeThere: Fault = { code: 'E_TGT_TIMEOUT_UNKNOWN', message: 'who knows' };
const rejected: OrderOutcome = { kind: 'rejected', faults: [invalid] };
const retry = (afterMs?: number): Retry => failed('unhealthy', [down], afterMs);

describe('a cart', () => {
  test.each<[string, readonly OrderOutcome[], readonly Fault[], Outcome]>([
    ['with all orders created is done', [created, created], [], { kind: 'done' }],
    ['with one created and one there before is done', [skipped, created], [], { kind: 'done' }],
    ['with nothing left to do is skipped', [skipped, skipped], [], { kind: 'skipped', reason: 'already created' }],
    ['with rejected content is dead-lettered', [created, rejected], [], { kind: 'dead-letter', faults: [invalid] }],
    ['with a faulty group is dead-lettered', [created], [noSupplier], { kind: 'dead-letter', faults: [noSupplier] }],
    ['of faulty groups alone is dead-lettered', [], [noSupplier], { kind: 'dead-letter', faults: [noSupplier] }],
    [
      'reports all faults together',
      [rejected, rejected],
      [noSupplier],
      { kind: 'dead-letter', faults: [noSupplier, invalid, invalid] },
    ],
    ['with one order to retry is retried', [created, retry()], [], retry()],
    [
      'is retried after the longest wait of its orders',
      [retry(5), retry(900), retry()],
      [],
      failed('unhealthy', [down, down, down], 900),
    ],
    [
      'with something left to try is retried, and keeps its faults',
      [rejected, retry()],
      [noSupplier],
      failed('unhealthy', [down, noSupplier, invalid]),
    ],
    [
      'with one refused order is refused, whatever the others came to',
      [rejected, retry(), throttled, refused],
      [noSupplier],
      failed('refused', [auth, slow, down, noSupplier, invalid], 60),
    ],
    [
      'with a failed and a throttled order is throttled: the latter may still succeed',
      [retry(), throttled],
      [],
      failed('throttled', [slow, down], 60),
    ],
    [
      'whose look-up is refused is refused, and reports the unknown outcome',
      [created, failed('refused', [auth, maybeThere])],
      [],
      failed('refused', [auth, maybeThere]),
    ],
  ])('%s', (_what, orders, groupFaults, outcome) => {
    expect(combineOutcomes(orders, groupFaults)).toEqual(outcome);
  });

  const anyOrders = fc.array(fc.constantFrom(created, skipped, refused, rejected, retry(), retry(7)));
  const anyFaults = fc.array(fc.constantFrom(noSupplier, invalid), { maxLength: 3 });

  test('is a dead letter only when nothing else can be tried, and then with every fault', () => {
    fc.assert(
      fc.property(anyOrders, anyFaults, (orders, groupFaults) => {
        const outcome = combineOutcomes(orders, groupFaults);
        const canBeTried = orders.some(({ kind }) => kind === 'retry');
        const all = groupFaults.length + orders.filter(({ kind }) => kind === 'rejected').length;
        expect(outcome.kind === 'dead-letter').toBe(!canBeTried && all > 0);
        const reported = outcome.kind === 'dead-letter' ? outcome.faults.length : all;
        expect(reported).toBe(all);
      }),
    );
  });

  test('is done only when each of its orders is done', () => {
    fc.assert(
      fc.property(anyOrders, anyFaults, (orders, groupFaults) => {
        const { kind } = combineOutcomes(orders, groupFaults);
        const settled = groupFaults.length === 0 && orders.every((order) => order === created || order === skipped);
        expect(kind === 'done' || kind === 'skipped').toBe(settled);
      }),
    );
  });
});

describe('a message to be settled', () => {
  const policy = { baseSeconds: 30 };
  const toRetry = (afterMs?: number): Outcome => retry(afterMs);

  test.each<[string, Outcome, ReturnType<typeof settle>]>([
    ['that is done is deleted', { kind: 'done' }, { kind: 'delete' }],
    ['that is skipped is deleted', { kind: 'skipped', reason: 'rule' }, { kind: 'delete' }],
    [
      'to be dead-lettered is visible at once',
      { kind: 'dead-letter', faults: [invalid] },
      { kind: 'return', visibleAfterSeconds: 0 },
    ],
    ['that was refused is retried like a failed one', refused, { kind: 'return', visibleAfterSeconds: 30 }],
    ['that was requeued as a new one is deleted', { kind: 'requeued', faults: [down] }, { kind: 'delete' }],
  ])('%s', (_what, outcome, settlement) => {
    expect(settle(outcome, 1, policy, 0.5)).toEqual(settlement);
  });

  test.each([
    [1, 0, 24],
    [1, 0.5, 30],
    [1, 1, 36],
    [2, 0, 48],
    [2, 0.5, 60],
    [2, 1, 72],
    [3, 0, 96],
    [3, 0.5, 120],
    [3, 1, 144],
  ])('received %i times waits with jitter %d for %i s', (attempt, jitter, seconds) => {
    expect(settle(toRetry(), attempt, policy, jitter)).toEqual({ kind: 'return', visibleAfterSeconds: seconds });
  });

  test.each([
    ['waits for a longer Retry-After', 45_000, 45],
    ['waits no shorter for a shorter Retry-After', 5000, 30],
    ['waits for whole seconds, never less than Retry-After', 45_001, 46],
    ['waits no longer than the cap', 86_400_000, 900],
  ])('%s', (_what, afterMs, seconds) => {
    expect(settle(toRetry(afterMs), 1, policy, 0.5)).toEqual({ kind: 'return', visibleAfterSeconds: seconds });
  });

  test('waits for a whole number of seconds between 1 and 900, and never less than 11VMS asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 600 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.option(fc.nat(2_000_000), { nil: undefined }),
        (attempt, baseSeconds, jitter, afterMs) => {
          const settlement = settle(toRetry(afterMs), attempt, { baseSeconds }, jitter);
          const seconds = settlement.kind === 'return' ? settlement.visibleAfterSeconds : -1;
          expect(Number.isInteger(seconds)).toBe(true);
          expect(seconds).toBeGreaterThanOrEqual(1);
          expect(seconds).toBeLessThanOrEqual(900);
          expect(seconds).toBeGreaterThanOrEqual(Math.min((afterMs ?? 0) / 1000, 900));
          const nominal = baseSeconds * 2 ** (attempt - 1);
          expect(seconds).toBeGreaterThanOrEqual(Math.min(Math.round(nominal * 0.8), 900));
          expect(seconds).toBeLessThanOrEqual(Math.max(1, Math.round(nominal * 1.2), Math.ceil((afterMs ?? 0) / 1000)));
        },
      ),
    );
  });
});
