/** Edge cases 67 to 71 and 80: when answers and dead letters must pause consumption, and when they must not. */
import { describe, expect, test } from '@jest/globals';
import { createTargetHealth, type PauseReason } from '../../functions/create-purchase-orders/breaker/target-health.ts';
import type { Health, HealthSignal } from '../../functions/create-purchase-orders/delivery/answers.ts';
import type { Outcome } from '../../functions/create-purchase-orders/outcome.ts';

type Answer = readonly [cart: string, health: Health, request?: HealthSignal['request']];

/** The answers, counted from 1, at which consumption had to pause. */
function pausedAt(answers: readonly Answer[]): number[] {
  const health = createTargetHealth({ deadLettersPause: true });
  return answers.flatMap(([cart, shown, request = 'create'], index) =>
    health.observe(cart, { request, health: shown, reason: 'so it is' }) === undefined ? [] : [index + 1],
  );
}

/** The same answer to so many different carts. */
const each = (count: number, health: Health, request: HealthSignal['request'] = 'create', from = 'cart'): Answer[] =>
  Array.from({ length: count }, (_, index) => [`${from} ${index}`, health, request]);
/** The same answer to one cart. */
const same = (count: number, health: Health): Answer[] => Array.from({ length: count }, () => ['the one', health]);

describe('a refusal', () => {
  test.each(['create', 'look-up'] as const)('by 401, or of the collection, pauses at once: %s', (request) => {
    expect(pausedAt([['a', 'refused', request]])).toEqual([1]);
  });

  test.each(['create', 'look-up'] as const)('by 403 pauses at the third cart: %s', (request) => {
    expect(pausedAt(each(4, 'forbidden', request))).toEqual([3]);
  });

  test('by 403 of one cart alone never pauses', () => {
    expect(pausedAt(same(20, 'forbidden'))).toEqual([]);
  });

  test.each<Health>(['processed', 'judged'])('by 403 counts from the start after an order that was %s', (between) => {
    const refused = each(2, 'forbidden');
    expect(pausedAt([...refused, ['x', between], ...each(3, 'forbidden')])).toEqual([6]);
  });
});

describe('failures of 11VMS', () => {
  test('pause at the fifth cart in a row, and say how many and why', () => {
    const health = createTargetHealth({ deadLettersPause: true });
    const pauses = each(5, 'unhealthy').map(([cart]) =>
      health.observe(cart, { request: 'create', health: 'unhealthy', reason: 'down' }),
    );
    expect(pauses).toEqual([
      ...Array.from({ length: 4 }),
      { reason: '5 carts failed in a row, the last: down', byPerson: false },
    ]);
  });

  test('to look-ups count, too', () => {
    expect(pausedAt([...each(3, 'unhealthy', 'look-up'), ...each(2, 'unhealthy', 'create', 'other')])).toEqual([5]);
  });

  test('of one cart alone never pause, and count once beside those of others', () => {
    expect(pausedAt(same(50, 'unhealthy'))).toEqual([]);
    expect(pausedAt([...same(50, 'unhealthy'), ...each(4, 'unhealthy')])).toEqual([54]);
  });

  test.each<Health>(['processed', 'judged'])('count from the start after an order that was %s', (between) => {
    expect(pausedAt([...each(4, 'unhealthy'), ['x', between], ...each(5, 'unhealthy')])).toEqual([10]);
  });

  test('are still in a row after a look-up that was answered: it does not show that orders can be created', () => {
    expect(pausedAt([...each(4, 'unhealthy'), ['x', 'processed', 'look-up'], ['y', 'unhealthy']])).toEqual([6]);
  });

  test('count from the start after a pause, when carts flow again', () => {
    expect(pausedAt([...each(5, 'unhealthy'), ...each(6, 'unhealthy', 'create', 'later')])).toEqual([5, 10]);
  });

  test('do not include throttling, which does not end their row either', () => {
    expect(pausedAt(each(20, 'throttled'))).toEqual([]);
    expect(pausedAt([...each(4, 'unhealthy'), ['x', 'throttled'], ['y', 'unhealthy']])).toEqual([6]);
  });

  test('of another cart are known, until 11VMS processes an order', () => {
    const health = createTargetHealth({ deadLettersPause: true });
    const observe = (cart: string, shown: Health) =>
      health.observe(cart, { request: 'create', health: shown, reason: '' });
    observe('a', 'unhealthy');
    expect([health.failsForOthers('a'), health.failsForOthers('b')]).toEqual([false, true]);
    observe('b', 'processed');
    expect(health.failsForOthers('b')).toBe(false);
  });

  test.each<[string, [string, Health][], boolean]>([
    [
      'once an order of another is processed',
      [
        ['a', 'forbidden'],
        ['b', 'processed'],
      ],
      true,
    ],
    [
      'once an order of another is judged',
      [
        ['a', 'forbidden'],
        ['b', 'judged'],
      ],
      true,
    ],
    [
      'also when it is refused again',
      [
        ['a', 'forbidden'],
        ['b', 'processed'],
        ['a', 'forbidden'],
      ],
      true,
    ],
    [
      'but not by an order before its refusal',
      [
        ['b', 'processed'],
        ['a', 'forbidden'],
      ],
      false,
    ],
    [
      'nor by another order of its own',
      [
        ['a', 'forbidden'],
        ['a', 'processed'],
      ],
      false,
    ],
    [
      'nor by the refusal of another',
      [
        ['a', 'forbidden'],
        ['b', 'forbidden'],
      ],
      false,
    ],
    [
      'nor after a pause',
      [
        ['a', 'forbidden'],
        ['b', 'processed'],
        ['c', 'refused'],
      ],
      false,
    ],
  ])('show that a cart is refused alone %s', (_when, answers, isAlone) => {
    const health = createTargetHealth({ deadLettersPause: true });
    for (const [cart, shown] of answers) health.observe(cart, { request: 'create', health: shown, reason: '' });
    expect(health.refusedAlone('a')).toBe(isAlone);
  });
});

describe('dead letters', () => {
  const dead: Outcome = { kind: 'dead-letter', faults: [{ code: 'E_FIELD_MISSING', message: 'so it is' }] };
  const done: Outcome = { kind: 'done' };
  const skipped: Outcome = { kind: 'skipped', reason: 'already created' };
  const times = (count: number, outcome: Outcome): Outcome[] => Array.from({ length: count }, () => outcome);

  function noteAll(outcomes: readonly Outcome[]): (PauseReason | undefined)[] {
    const health = createTargetHealth({ deadLettersPause: true });
    return outcomes.map((outcome) => health.note(outcome));
  }
  /** The messages, counted from 1, at which consumption had to pause. */
  const pausedAtMessage = (outcomes: readonly Outcome[]): number[] =>
    noteAll(outcomes).flatMap((pause, index) => (pause === undefined ? [] : [index + 1]));

  test('pause until a person resumes, when they are more than half of twenty messages', () => {
    const pauses = noteAll([...times(9, done), ...times(11, dead)]);
    expect(pauses.at(-1)).toEqual({
      reason: expect.stringMatching(/^11 of the last 20 carts became dead letters/),
      byPerson: true,
    });
    expect(pauses.slice(0, -1).every((pause) => pause === undefined)).toBe(true);
  });

  test.each([
    ['successes', done],
    ['skips', skipped],
  ])('do not pause when half of twenty are %s', (_what, other) => {
    expect(pausedAtMessage([...times(10, dead), ...times(10, other), ...times(10, dead)])).toEqual([]);
  });

  test('never pause where they shall not', () => {
    const health = createTargetHealth({ deadLettersPause: false });
    expect(times(40, dead).map((outcome) => health.note(outcome))).toEqual(Array.from({ length: 40 }));
  });

  test('are not judged before there are twenty messages', () => {
    expect(pausedAtMessage(times(19, dead))).toEqual([]);
    expect(pausedAtMessage(times(20, dead))).toEqual([20]);
  });

  test('are counted over the last twenty, whatever was before', () => {
    expect(pausedAtMessage([...times(100, done), ...times(11, dead)])).toEqual([111]);
  });

  test.each<Outcome>([
    { kind: 'retry', faults: [], afterMs: undefined, cause: undefined },
    { kind: 'requeued', faults: [] },
  ])('are counted without messages that are not finished', (unfinished) => {
    expect(pausedAtMessage([...times(19, dead), ...times(40, unfinished)])).toEqual([]);
  });
});
