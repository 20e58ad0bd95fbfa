/** The status of a cart, by what the ledger holds of it. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FRESH_MS, classifyCart, type CartStatus } from '../../functions/reconcile-carts/classify-cart.ts';
import type { Trace } from '../../shared/ledger.ts';

const NOW = 1_000_000_000_000;
const VERSION = 500;
const STALE = NOW - FRESH_MS - 1;

type OrderTrace = Extract<Trace, { kind: 'order' }>;
const order = (state: OrderTrace['state'], claimedAtMs = STALE, changedAtMs = VERSION, messageId = 'm1'): Trace => ({
  kind: 'order',
  state,
  changedAtMs,
  messageId,
  claimedAtMs,
});
const verdict = (recordedAtMs: number, messageId = 'm1', changedAtMs = VERSION): Trace => ({
  kind: 'verdict',
  changedAtMs,
  messageId,
  recordedAtMs,
});
const skip = (changedAtMs = VERSION): Trace => ({ kind: 'skip', changedAtMs });

describe('a cart is classified as', () => {
  test.each<[string, readonly Trace[], CartStatus]>([
    ['lost, when nothing is known of it', [], 'lost'],
    ['created, when its order is', [order('CREATED')], 'created'],
    ['created, when all of its orders are', [order('CREATED'), order('CREATED', NOW)], 'created'],
    ['created, of a later version than this', [order('CREATED', STALE, VERSION + 1)], 'created'],
    ['lost, when only an earlier version was created', [order('CREATED', STALE, VERSION - 1)], 'lost'],
    ['skipped, when a rule says so', [skip()], 'skipped'],
    ['lost, when only an earlier version was skipped', [skip(VERSION - 1)], 'lost'],
    ['dead-lettered, when its message has its verdict', [verdict(STALE)], 'dead-lettered'],
    ['lost, when only an earlier version was dead-lettered', [verdict(NOW, 'm1', VERSION - 1)], 'lost'],
    ['dead-lettered, when 11VMS refused its content, verdict or not', [order('REJECTED')], 'dead-lettered'],
    ['in flight, when it was tried a moment ago', [order('NEW', NOW)], 'in-flight'],
    ['in flight, when it was tried an hour ago to the millisecond', [order('NEW', STALE + 1)], 'in-flight'],
    ['lost, when it was tried longer ago than that', [order('NEW')], 'lost'],
    ['lost, when an attempt never ended', [order('POSTING')], 'lost'],
    ['lost, when its outcome was left unknown', [order('UNKNOWN')], 'lost'],
    [
      'lost, when one order was left open beside one that was created',
      [order('CREATED', NOW), order('UNKNOWN')],
      'lost',
    ],
    [
      'in flight, when one order is on its way beside one that was created',
      [order('CREATED'), order('NEW', NOW)],
      'in-flight',
    ],
    [
      'dead-lettered, when its message was dead-lettered with the order open',
      [order('NEW'), verdict(STALE + 1)],
      'dead-lettered',
    ],
    [
      'dead-lettered, when its last attempt crashed after its verdict',
      [order('POSTING', STALE), verdict(STALE - 1)],
      'dead-lettered',
    ],
    [
      'lost, when it was redriven as another message, and that left no trace after its attempt',
      [order('NEW', STALE, VERSION, 'm2'), verdict(STALE - 1, 'm1')],
      'lost',
    ],
    [
      'in flight, when it was redriven a moment ago',
      [order('NEW', NOW, VERSION, 'm2'), verdict(STALE, 'm1')],
      'in-flight',
    ],
    [
      'created, when it was redriven with success',
      [order('CREATED', STALE, VERSION, 'm2'), verdict(STALE - 1, 'm1')],
      'created',
    ],
    [
      'dead-lettered, when a part of it was created and the rest was not',
      [order('CREATED', STALE), verdict(STALE + 1)],
      'dead-lettered',
    ],
    ['created, beside a skip of the same version', [order('CREATED'), skip()], 'created'],
  ])('%s', (_, traces, standing) => {
    expect(classifyCart(traces, VERSION, NOW)).toBe(standing);
  });
});

const anyTrace: fc.Arbitrary<Trace> = fc
  .record({
    what: fc.constantFrom('NEW', 'POSTING', 'CREATED', 'REJECTED', 'UNKNOWN', 'verdict', 'skip'),
    changedAtMs: fc.integer({ min: VERSION - 2, max: VERSION + 2 }),
    messageId: fc.constantFrom('m1', 'm2'),
    atMs: fc.integer({ min: STALE - 2, max: NOW }),
  })
  .map(({ what, changedAtMs, messageId, atMs }) => {
    if (what === 'skip') return skip(changedAtMs);
    if (what === 'verdict') return verdict(atMs, messageId, changedAtMs);
    return order(what, atMs, changedAtMs, messageId);
  });

describe('the status of a cart', () => {
  test('does not depend on the order of the traces, nor on traces of older versions', () => {
    fc.assert(
      fc.property(fc.array(anyTrace, { maxLength: 6 }), (traces) => {
        const standing = classifyCart(traces, VERSION, NOW);
        expect(classifyCart(traces.toReversed(), VERSION, NOW)).toBe(standing);
        const current = traces.filter(({ changedAtMs }) => changedAtMs >= VERSION);
        expect(classifyCart(current, VERSION, NOW)).toBe(standing);
      }),
      { numRuns: 500 },
    );
  });

  test('is lost only without a trace, or with an order left open for an hour', () => {
    fc.assert(
      fc.property(fc.array(anyTrace, { maxLength: 6 }), (traces) => {
        const current = traces.filter(({ changedAtMs }) => changedAtMs >= VERSION);
        const isOpen = (trace: Trace): boolean =>
          trace.kind === 'order' &&
          !['CREATED', 'REJECTED'].includes(trace.state) &&
          trace.claimedAtMs < NOW - FRESH_MS;
        const isLost = classifyCart(traces, VERSION, NOW) === 'lost';
        expect(!isLost || current.length === 0 || current.some(isOpen)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('never changes from lost to accounted for by time alone', () => {
    fc.assert(
      fc.property(fc.array(anyTrace, { maxLength: 6 }), fc.nat(), (traces, laterMs) => {
        const isLost = (nowMs: number): boolean => classifyCart(traces, VERSION, nowMs) === 'lost';
        expect(!isLost(NOW) || isLost(NOW + laterMs)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
