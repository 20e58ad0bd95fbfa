/** The standing of a cart, by the items that the ledger holds of it. */
import { describe, expect, test } from '@jest/globals';
import { FRESH_MS, isClosedByHand, type Standing, standingOf } from '../../shared/standing.ts';
import {
  type ClosedTrace,
  isOpenOrder,
  type OrderTrace,
  type QueuedTrace,
  type RedriveTrace,
  type SkipTrace,
  type Trace,
  type VerdictTrace,
} from '../../shared/traces.ts';
import fc from '../properties.ts';

const NOW = 1_000_000_000_000;
const VERSION = 500;
const STALE = NOW - FRESH_MS - 1;
const DAYS_MS = 24 * 3600_000;
const CANCELLED = { code: 'E_CART_CANCELLED_AFTER_SEND', message: 'nothing left for it' } as const;

const order = (state: OrderTrace['state'], changes: Partial<OrderTrace> = {}): OrderTrace => ({
  kind: 'order',
  externalId: 'SRM-1-A',
  state,
  changedAtMs: VERSION,
  isVersionKnown: true,
  messageId: 'm1',
  receive: 1,
  ordersOfCart: 1,
  firstClaimedAtMs: STALE,
  claimedAtMs: STALE,
  leaseUntilMs: STALE + 1,
  faults: [],
  ...changes,
});
const other = (state: OrderTrace['state'], changes: Partial<OrderTrace> = {}): OrderTrace =>
  order(state, { externalId: 'SRM-1-B', ...changes });
const verdict = (changes: Partial<VerdictTrace> = {}): VerdictTrace => ({
  kind: 'verdict',
  state: 'FINAL',
  changedAtMs: VERSION,
  isVersionKnown: true,
  messageId: 'm1',
  recordedAtMs: STALE + 1,
  faults: [{ code: 'E_MAP_UOM', message: 'unit' }],
  ...changes,
});
const skip = (changes: Partial<SkipTrace> = {}): SkipTrace => ({
  kind: 'skip',
  changedAtMs: VERSION,
  isVersionKnown: true,
  reason: 'deleted',
  recordedAtMs: STALE,
  ...changes,
});
const queued = (changes: Partial<QueuedTrace> = {}): QueuedTrace => ({
  kind: 'queued',
  changedAtMs: VERSION,
  isVersionKnown: true,
  runId: 'run',
  queuedAtMs: NOW - 1000,
  ...changes,
});
const redrive = (changes: Partial<RedriveTrace> = {}): RedriveTrace => ({
  kind: 'redrive',
  state: 'SENT',
  changedAtMs: VERSION,
  isVersionKnown: true,
  messageId: 'm1',
  newMessageId: 'm2',
  by: 'ann',
  reason: 'unit mapped',
  startedAtMs: NOW - 2,
  sentAtMs: NOW - 1,
  ...changes,
});
const closed = (changes: Partial<ClosedTrace> = {}): ClosedTrace => ({
  kind: 'closed',
  changedAtMs: VERSION,
  isVersionKnown: true,
  messageId: 'm1',
  by: 'ann',
  reason: 'ordered by hand',
  recordedAtMs: NOW - 1,
  ...changes,
});
const two = { ordersOfCart: 2 };
const earlier = { changedAtMs: VERSION - 1 };

/** The word, and for a cart that is ordered in part, the word of the rest. */
function wordOf(standing: Standing): string {
  if (standing.word === 'partly-ordered')
    return `partly-ordered, ${standing.missing} missing: ${wordOf(standing.rest)}`;
  return 'isOverdue' in standing && standing.isOverdue ? `${standing.word}, overdue` : standing.word;
}

describe('a cart stands as', () => {
  test.each<[string, string, readonly Trace[]]>([
    ['never-read', 'when nothing is known of it', []],
    ['waiting', 'from when it is queued', [queued()]],
    ['waiting', 'when an earlier version was created', [order('CREATED', earlier), queued()]],
    ['waiting', 'when an earlier version was given up', [verdict(earlier), queued()]],
    ['waiting, overdue', 'when nothing was heard of it for an hour', [queued({ queuedAtMs: STALE })]],
    ['waiting', 'when a copy was queued since', [queued({ queuedAtMs: STALE, copiedAtMs: NOW - 1 })]],
    ['in-progress', 'while an attempt holds its order', [queued(), order('POSTING', { leaseUntilMs: NOW + 1 })]],
    [
      'in-progress',
      'in its last attempt, whose verdict is provisional',
      [order('POSTING', { leaseUntilMs: NOW + 1, claimedAtMs: NOW }), verdict({ state: 'PROVISIONAL' })],
    ],
    ['retrying', 'after an attempt that failed', [order('NEW', { claimedAtMs: NOW })]],
    [
      'retrying',
      'after an attempt that failed an hour ago, to the millisecond',
      [order('NEW', { claimedAtMs: STALE + 1 })],
    ],
    ['retrying, overdue', 'when the attempt is longer ago', [order('NEW')]],
    ['retrying, overdue', 'when an attempt never ended', [order('POSTING')]],
    ['retrying, overdue', 'when its outcome was left unknown', [order('UNKNOWN')]],
    [
      'retrying, overdue',
      'when it was redriven, and no later attempt came',
      [order('NEW', { messageId: 'm2' }), verdict({ recordedAtMs: STALE - 1 })],
    ],
    ['retrying', 'when it was redriven', [order('NEW', { claimedAtMs: NOW, messageId: 'm2' }), verdict()]],
    ['ordered', 'when its order is created', [queued(), order('CREATED')]],
    ['ordered', 'when all its orders are created', [order('CREATED', two), other('CREATED', two)]],
    ['ordered', 'when its order was created of a later version', [order('CREATED', { changedAtMs: VERSION + 1 })]],
    ['ordered', 'beside a skip of the same version', [order('CREATED'), skip({ recordedAtMs: NOW })]],
    ['ordered', 'when a rule skips what is missing', [order('CREATED', two), other('NEW', two), skip()]],
    [
      'dead-lettered',
      'when a rule skips what is missing, and an order exists of which no line is left',
      [order('CREATED', two), verdict({ recordedAtMs: STALE, faults: [CANCELLED] }), skip()],
    ],
    [
      'partly-ordered, 1 missing: retrying',
      'when what is missing was tried after a rule skipped it',
      [order('CREATED', two), other('NEW', { ...two, claimedAtMs: NOW }), skip()],
    ],
    ['cured', 'when it was redriven with success', [order('CREATED', { messageId: 'm2' }), verdict()]],
    [
      'cured',
      'when only one of its orders needed the redrive',
      [order('CREATED', two), other('CREATED', { ...two, messageId: 'm2' }), verdict()],
    ],
    ['cured', 'when a later version was ordered', [order('CREATED'), verdict(earlier)]],
    ['cured', 'when its last attempt crashed after the order', [order('CREATED'), verdict({ state: 'PROVISIONAL' })]],
    ['dead-lettered', 'when its message has its verdict', [queued(), verdict()]],
    ['dead-lettered', 'when 11VMS refused its content, verdict or not', [order('REJECTED')]],
    ['dead-lettered', 'when its message was given up with the order open', [order('NEW'), verdict()]],
    [
      'dead-lettered',
      'when its last attempt crashed',
      [order('POSTING'), verdict({ recordedAtMs: STALE - 1, state: 'PROVISIONAL' })],
    ],
    [
      'dead-lettered',
      'when an order exists of which no line is left',
      [order('CREATED'), verdict({ faults: [CANCELLED] })],
    ],
    ['cured', 'when an overlapping receive gave it up after its order was created', [order('CREATED'), verdict()]],
    ['dead-lettered', 'when it was skipped, then read again under another mapping', [skip(), verdict()]],
    ['skipped', 'when a rule says so', [skip()]],
    ['skipped', 'when a rule says so after it was given up', [verdict({ recordedAtMs: STALE - 1 }), skip()]],
    ['partly-ordered, 1 missing: dead-lettered', 'when the rest was given up', [order('CREATED', two), verdict()]],
    [
      'partly-ordered, 1 missing: retrying',
      'when the rest is tried again',
      [order('CREATED', two), other('NEW', { ...two, claimedAtMs: NOW })],
    ],
    [
      'partly-ordered, 1 missing: in-progress',
      'while the rest is tried',
      [order('CREATED', two), other('POSTING', { ...two, leaseUntilMs: NOW })],
    ],
    [
      'partly-ordered, 2 missing: retrying, overdue',
      'when an attempt ended between two orders',
      [order('CREATED', { ordersOfCart: 3 })],
    ],
    ['waiting', 'when its dead letter was redriven', [queued(), verdict(), redrive()]],
    ['waiting', 'when the order that 11VMS refused was redriven', [order('REJECTED'), verdict(), redrive()]],
    ['waiting', 'when it was given up with the order open, and redriven', [order('UNKNOWN'), verdict(), redrive()]],
    [
      'waiting',
      'when an order that must not exist was redriven',
      [order('CREATED'), verdict({ faults: [CANCELLED] }), redrive()],
    ],
    ['waiting', 'when it was skipped, given up, and redriven', [skip(), verdict(), redrive()]],
    [
      'waiting, overdue',
      'when nothing was heard of its redrive for an hour',
      [verdict({ recordedAtMs: STALE - 1 }), redrive({ sentAtMs: STALE })],
    ],
    [
      'in-progress',
      'while its redriven message is tried',
      [order('POSTING', { messageId: 'm2', leaseUntilMs: NOW }), verdict(), redrive()],
    ],
    [
      'retrying',
      'when its redriven message was tried',
      [order('NEW', { messageId: 'm2', claimedAtMs: NOW }), verdict(), redrive()],
    ],
    ['cured', 'when its redriven message was ordered', [order('CREATED', { messageId: 'm2' }), verdict(), redrive()]],
    ['skipped', 'when a rule skipped its redriven message', [verdict(), redrive(), skip({ recordedAtMs: NOW })]],
    [
      'dead-lettered',
      'when its redriven message was given up',
      [verdict(), redrive(), verdict({ messageId: 'm2', recordedAtMs: NOW })],
    ],
    [
      'dead-lettered',
      'when its redriven message was given up before the redriver heard that it was sent',
      [verdict(), verdict({ messageId: 'm2', recordedAtMs: NOW }), redrive({ sentAtMs: NOW + 1 })],
    ],
    [
      'dead-lettered',
      'when 11VMS refused its redriven message',
      [verdict(), redrive(), order('REJECTED', { messageId: 'm2', claimedAtMs: NOW })],
    ],
    ['dead-lettered', 'while its redrive is not known to be sent', [verdict(), redrive({ state: 'SENDING' })]],
    [
      'dead-lettered',
      'while another of its messages is',
      [verdict(), verdict({ messageId: 'm0', recordedAtMs: NOW }), redrive()],
    ],
    [
      'partly-ordered, 1 missing: waiting',
      'when what is left was redriven',
      [order('CREATED', two), other('REJECTED', two), verdict(), redrive()],
    ],
    [
      'partly-ordered, 1 missing: retrying',
      'while its redriven message is between two orders',
      [order('CREATED', { ...two, messageId: 'm2', claimedAtMs: NOW }), other('REJECTED', two), verdict(), redrive()],
    ],
    ['closed', 'when a person settled its dead letter', [queued(), verdict(), closed()]],
    ['closed', 'when a person settled the order that 11VMS refused', [order('REJECTED'), verdict(), closed()]],
    ['closed', 'when a person settled one that no verdict explains', [order('UNKNOWN'), closed()]],
    [
      'closed',
      'when a person cancelled the order that must not exist',
      [order('CREATED'), verdict({ faults: [CANCELLED] }), closed()],
    ],
    [
      'cured',
      'when a person cancelled the order that must not exist, and what was missing was created after that',
      [order('CREATED', { createdAtMs: NOW }), verdict({ faults: [CANCELLED] }), closed()],
    ],
    [
      'closed',
      'when a person settled what came of its redrive',
      [
        verdict(),
        redrive(),
        verdict({ messageId: 'm2', recordedAtMs: NOW }),
        closed({ messageId: 'm2', recordedAtMs: NOW }),
      ],
    ],
    [
      'partly-ordered, 1 missing: closed',
      'when a person settled what is left',
      [order('CREATED', two), other('REJECTED', two), verdict(), closed()],
    ],
    ['dead-lettered', 'while a person settled only one of two', [verdict(), closed(), verdict({ messageId: 'm2' })]],
    ['waiting', 'when a newer version than the settled one is queued', [verdict(earlier), closed(earlier), queued()]],
    [
      'cured',
      'when a newer version than the settled one is ordered',
      [verdict(earlier), closed(earlier), order('CREATED')],
    ],
    [
      'dead-lettered',
      'when only the dead letter of an earlier version tells of an order too many',
      [order('CREATED', earlier), verdict({ ...earlier, faults: [CANCELLED] }), skip()],
    ],
    [
      'dead-lettered',
      'when it is ordered, and such a dead letter is open',
      [other('CREATED', earlier), verdict({ ...earlier, faults: [CANCELLED] }), order('CREATED')],
    ],
    [
      'dead-lettered',
      'when an order of an earlier version may exist, and its message was given up',
      [order('UNKNOWN', earlier), verdict(earlier), skip()],
    ],
    [
      'dead-lettered',
      'when an order of an earlier version may exist although it was rejected, and its dead letter tells of it',
      [order('REJECTED', { ...earlier, mayExist: true }), verdict({ ...earlier, faults: [CANCELLED] }), skip()],
    ],
    [
      'dead-lettered',
      'when an order of an earlier version may exist, and the copy of its message was given up',
      [order('UNKNOWN', earlier), verdict({ ...earlier, messageId: 'm2' }), skip()],
    ],
    [
      'dead-lettered',
      'when an order of an earlier version may exist, and the copy of its message was given up unread',
      [
        order('UNKNOWN', earlier),
        verdict({ changedAtMs: STALE + 1, isVersionKnown: false, messageId: 'm2' }),
        skip({ recordedAtMs: NOW }),
      ],
    ],
    [
      'skipped',
      'when an order of an earlier version may exist, and another message was given up before the attempt at it',
      [order('UNKNOWN', earlier), verdict({ ...earlier, messageId: 'm2', recordedAtMs: STALE - 1 }), skip()],
    ],
    [
      'dead-lettered',
      'when the last attempt at an order of an earlier version crashed',
      [order('POSTING', earlier), verdict({ ...earlier, state: 'PROVISIONAL' }), skip()],
    ],
    [
      'partly-ordered, 1 missing: dead-lettered',
      'when what is left was closed, and a dead letter of an earlier version tells of an order too many',
      [
        other('CREATED', earlier),
        verdict({ ...earlier, faults: [CANCELLED] }),
        order('CREATED', two),
        verdict({ messageId: 'm2' }),
        closed({ messageId: 'm2' }),
      ],
    ],
    [
      'skipped',
      'while the last attempt at an order of an earlier version runs',
      [order('POSTING', { ...earlier, leaseUntilMs: NOW }), verdict({ ...earlier, state: 'PROVISIONAL' }), skip()],
    ],
    [
      'skipped',
      'when that order was cancelled, and the dead letter closed',
      [order('CREATED', earlier), verdict({ ...earlier, faults: [CANCELLED] }), closed(earlier), skip()],
    ],
    [
      'skipped',
      'when the newest dead letter that tells of the same order was closed',
      [
        order('CREATED', earlier),
        verdict({ ...earlier, faults: [CANCELLED] }),
        verdict({ ...earlier, faults: [CANCELLED], messageId: 'm2', recordedAtMs: NOW }),
        closed({ ...earlier, messageId: 'm2' }),
        skip(),
      ],
    ],
    [
      'dead-lettered',
      'when only an older dead letter that tells of the same order was closed',
      [
        order('CREATED', earlier),
        verdict({ ...earlier, faults: [CANCELLED] }),
        closed(earlier),
        verdict({ ...earlier, faults: [CANCELLED], messageId: 'm2', recordedAtMs: NOW }),
        skip(),
      ],
    ],
    [
      'skipped',
      'while the dead letter that tells of the order is redriven',
      [order('CREATED', earlier), verdict({ ...earlier, faults: [CANCELLED] }), redrive(earlier), skip()],
    ],
    [
      'cured',
      'when it has the order again that was too many',
      [verdict({ ...earlier, faults: [CANCELLED] }), order('CREATED')],
    ],
    [
      'waiting',
      'when an earlier version tells of an order too many: this one may have it',
      [order('CREATED', earlier), verdict({ ...earlier, faults: [CANCELLED] }), queued()],
    ],
  ])('%s %s', (word, _when, traces) => {
    expect(wordOf(standingOf(traces, { changedAtMs: traces.length === 0 ? undefined : VERSION, nowMs: NOW }))).toBe(
      word,
    );
  });

  test.each<[string, readonly Trace[]]>([
    ['created', [order('CREATED', earlier)]],
    ['skipped', [skip(earlier)]],
    ['given up', [verdict({ ...earlier, recordedAtMs: NOW })]],
  ])('never-read, when only an earlier version than the one asked about was %s', (_what, traces) => {
    expect(standingOf(traces, { changedAtMs: VERSION, nowMs: NOW })).toEqual({ word: 'never-read' });
  });
});

// Edge case 20.
describe('a change or historical version', () => {
  const inactive = { isInactiveVersion: true, changedAtMs: VERSION + 1 } as const;

  test.each<[string, readonly Trace[]]>([
    ['waiting', [queued(), queued({ ...inactive, queuedAtMs: STALE })]],
    ['ordered', [order('CREATED'), skip(inactive)]],
    ['dead-lettered', [verdict(), skip({ ...inactive, recordedAtMs: NOW })]],
    [
      'ordered',
      [order('CREATED'), verdict({ ...inactive, messageId: 'm2' }), closed({ ...inactive, messageId: 'm2' })],
    ],
    ['skipped', [skip(inactive)]],
  ])('leaves an active one %s', (word, traces) => {
    expect(wordOf(standingOf(traces, { nowMs: NOW }))).toBe(word);
  });

  test('does not account for an active one in the reconciliation, nor the other way round', () => {
    const wordFor = (traces: readonly Trace[], isInactiveVersion: boolean): string =>
      wordOf(standingOf(traces, { changedAtMs: VERSION, isInactiveVersion, nowMs: NOW }));
    expect(wordFor([skip(inactive)], false)).toBe('never-read');
    expect(wordFor([skip(inactive)], true)).toBe('skipped');
    expect(wordFor([order('CREATED')], false)).toBe('ordered');
    expect(wordFor([order('CREATED')], true)).toBe('never-read');
    // Its message could not be read: nothing says which of the two it was.
    expect(wordFor([verdict({ isVersionKnown: false })], true)).toBe('dead-lettered');
  });

  test('that a person closed does not close the active one', () => {
    expect(isClosedByHand([closed(inactive)], VERSION)).toBe(false);
    expect(isClosedByHand([closed()], VERSION)).toBe(true);
  });
});

test('a cart that was given up before its version was read, and redriven with success, is cured', () => {
  const early = verdict({ changedAtMs: NOW, isVersionKnown: false });
  expect(standingOf([early, order('CREATED', { messageId: 'm2' })], { nowMs: NOW }).word).toBe('cured');
  expect(standingOf([early, queued()], { nowMs: NOW }).word).toBe('dead-lettered');
  expect(standingOf([early], { nowMs: NOW }).word).toBe('dead-lettered');
});

test('a cart that was given up twice has the faults of its last attempt, and both of its messages', () => {
  const again = verdict({
    messageId: 'm2',
    recordedAtMs: STALE + 2,
    faults: [{ code: 'E_MAP_TAX', message: 'tax' }],
  });

  expect(standingOf([again, verdict()], { nowMs: NOW })).toMatchObject({
    word: 'dead-lettered',
    faults: again.faults,
    messageIds: ['m2', 'm1'],
  });
});

describe('its standing tells', () => {
  test('when it will be tried again: after the doubled delay, and not before the quiet time ends', () => {
    const tried = { claimedAtMs: NOW, receive: 3 };
    expect(standingOf([order('NEW', tried)], { nowMs: NOW })).toMatchObject({ againAtMs: NOW + 120_000 });
    const quiet = { ...tried, receive: 1, leaseUntilMs: NOW + 45_000 };
    expect(standingOf([order('UNKNOWN', quiet)], { nowMs: NOW })).toMatchObject({ againAtMs: NOW + 45_000 });
  });

  test('since when it waits: a copy does not make it younger', () => {
    const traces = [queued({ queuedAtMs: NOW - 5000, copiedAtMs: NOW - 10 })];
    expect(standingOf(traces, { nowMs: NOW })).toMatchObject({ sinceMs: NOW - 5000 });
  });

  test('until when its dead letter is kept: 14 days from when its message was sent', () => {
    const sent = queued({ queuedAtMs: STALE - 100 });
    expect(standingOf([sent, verdict()], { nowMs: NOW })).toMatchObject({ keptUntilMs: STALE - 100 + 14 * DAYS_MS });
    const redriven = { ...sent, copiedAtMs: STALE - 10 };
    expect(standingOf([redriven, verdict()], { nowMs: NOW })).toMatchObject({ keptUntilMs: STALE - 10 + 14 * DAYS_MS });
    // SQS itself said when it took the message: a requeued copy was queued by no run.
    const known = verdict({ sentAtMs: STALE - 5 });
    expect(standingOf([sent, known], { nowMs: NOW })).toMatchObject({ keptUntilMs: STALE - 5 + 14 * DAYS_MS });
  });

  test('every reason of its dead letters, and their messages', () => {
    const second = verdict({ messageId: 'm2', faults: [{ code: 'E_MAP_CURRENCY', message: 'currency' }] });
    expect(standingOf([verdict(), second], { nowMs: NOW })).toMatchObject({
      word: 'dead-lettered',
      faults: [{ code: 'E_MAP_UOM' }, { code: 'E_MAP_CURRENCY' }],
      messageIds: ['m1', 'm2'],
    });
  });
});

const anyTrace: fc.Arbitrary<Trace> = fc
  .record({
    what: fc.constantFrom(
      ...(['NEW', 'POSTING', 'CREATED', 'REJECTED', 'UNKNOWN'] as const),
      ...(['verdict', 'skip', 'queued', 'redrive', 'closed'] as const),
    ),
    state: fc.constantFrom('FINAL', 'PROVISIONAL'),
    changedAtMs: fc.integer({ min: VERSION - 2, max: VERSION + 2 }),
    messageId: fc.constantFrom('m1', 'm2'),
    externalId: fc.constantFrom('SRM-1-A', 'SRM-1-B'),
    ordersOfCart: fc.constantFrom(1, 2),
    atMs: fc.integer({ min: STALE - 2, max: NOW }),
  })
  .map(({ what, state, changedAtMs, messageId, externalId, ordersOfCart, atMs }) => {
    if (what === 'skip') return skip({ changedAtMs, recordedAtMs: atMs });
    if (what === 'queued') return queued({ changedAtMs, queuedAtMs: atMs });
    if (what === 'verdict') return verdict({ state, changedAtMs, messageId, recordedAtMs: atMs });
    if (what === 'redrive') return redrive({ changedAtMs, messageId, sentAtMs: atMs });
    if (what === 'closed') return closed({ changedAtMs, messageId, recordedAtMs: atMs });
    return order(what, { changedAtMs, messageId, externalId, ordersOfCart, claimedAtMs: atMs, leaseUntilMs: atMs + 1 });
  });

/** A cart has one skip at most. */
const someTraces = fc.uniqueArray(anyTrace, {
  maxLength: 6,
  selector: (trace) => (trace.kind === 'skip' ? 'skip' : trace),
});

describe('the standing of a cart', () => {
  const question = { changedAtMs: VERSION, nowMs: NOW };

  test('does not depend on the order of the traces', () => {
    fc.assert(
      fc.property(someTraces, (traces) => {
        expect(wordOf(standingOf(traces.toReversed(), question))).toBe(wordOf(standingOf(traces, question)));
      }),
      { numRuns: 500 },
    );
  });

  test('does not depend on earlier versions without an open order, except that it says what was given up before', () => {
    fc.assert(
      fc.property(someTraces, (all) => {
        const traces = all.filter(
          (trace) => trace.changedAtMs >= VERSION || trace.kind !== 'order' || !isOpenOrder(trace),
        );
        const current = traces.filter(({ changedAtMs }) => changedAtMs >= VERSION);
        const word = (of: readonly Trace[]): string => wordOf(standingOf(of, question)).replace('cured', 'ordered');
        expect(word(current)).toBe(word(traces));
      }),
      { numRuns: 500 },
    );
  });

  test('is ordered only when an order was created', () => {
    fc.assert(
      fc.property(someTraces, (traces) => {
        const created = traces.filter((trace) => trace.kind === 'order' && trace.state === 'CREATED');
        const { word } = standingOf(traces, question);
        expect(!['ordered', 'cured', 'partly-ordered'].includes(word) || created.length > 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('never changes from overdue to accounted for by time alone', () => {
    fc.assert(
      fc.property(someTraces, fc.nat(), (traces, laterMs) => {
        const isOverdue = (nowMs: number): boolean =>
          wordOf(standingOf(traces, { ...question, nowMs })).endsWith('overdue');
        expect(!isOverdue(NOW) || isOverdue(NOW + laterMs)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
