/** Edge cases 67 to 71 and 80: when the last messages must pause consumption, and when they must not. */
import { describe, expect, test } from '@jest/globals';
import type { Outcome } from '../../functions/create-purchase-orders/outcome.ts';
import {
  createHealth,
  createTargetHealth,
  ledgerHealth,
  lookUpHealth,
  type PauseReason,
} from '../../functions/create-purchase-orders/breaker/target-health.ts';
import type { CreateAnswer } from '../../functions/create-purchase-orders/delivery/vms-orders.ts';
import type { FaultCode } from '../../shared/failure.ts';

const fault = (code: FaultCode) => ({ code, message: 'so it is' });
const retry = (code: FaultCode): Outcome => ({ kind: 'retry', faults: [fault(code)], afterMs: undefined });
const rejected = (code: FaultCode): Outcome => ({ kind: 'dead-letter', faults: [fault(code)] });
const refused = (isForbidden: boolean, code: FaultCode = 'E_TGT_AUTH'): Outcome => ({
  kind: 'refused',
  faults: [fault(code)],
  isForbidden,
});
const down = retry('E_TGT_UNAVAILABLE');
const done: Outcome = { kind: 'done' };
const skipped: Outcome = { kind: 'skipped', reason: 'already created' };

/** The signal at each message; each message is of another cart, unless the cart is named. */
function noteAll(outcomes: readonly Outcome[], cart?: string): (PauseReason | undefined)[] {
  const health = createTargetHealth();
  return outcomes.map((outcome, index) => health.note({ client: '100', number: cart ?? String(index) }, outcome));
}

/** The messages, counted from 1, at which consumption had to pause. */
const pausedAt = (outcomes: readonly Outcome[], cart?: string): number[] =>
  noteAll(outcomes, cart).flatMap((pause, index) => (pause === undefined ? [] : [index + 1]));
const times = (count: number, outcome: Outcome): Outcome[] => Array.from({ length: count }, () => outcome);

describe('a dead letter with AMBIGUOUS', () => {
  const ambiguous = rejected('E_TGT_TIMEOUT_UNKNOWN');

  test('counts as a failure of 11VMS, not of content: five in a row pause consumption, which resumes by itself', () => {
    const [pause] = noteAll(times(5, ambiguous)).slice(-1);
    expect(pause).toMatchObject({ byPerson: false });
    expect(pausedAt(times(4, ambiguous))).toEqual([]);
  });
});

describe('a refusal', () => {
  test('by 401, a refused secret or a collection that does not exist pauses at once, with the reason', () => {
    expect(noteAll([refused(false)])).toEqual([{ reason: 'E_TGT_AUTH: so it is', byPerson: false }]);
  });

  test('by 403 pauses at the third message in a row', () => {
    expect(pausedAt(times(4, refused(true)))).toEqual([3]);
  });

  test.each([
    ['an order that was created', done],
    ['a content that 11VMS judged', rejected('E_TGT_VALIDATION')],
  ])('by 403 counts from the start after %s', (_what, between) => {
    expect(pausedAt([...times(2, refused(true)), between, ...times(3, refused(true))])).toEqual([6]);
  });

  test('by SRM does not pause: few carts are read again', () => {
    expect(pausedAt(times(10, refused(false, 'E_SRC_AUTH')))).toEqual([]);
  });
});

describe('failures of 11VMS', () => {
  test.each<FaultCode>([
    'E_TGT_UNAVAILABLE',
    'E_TGT_TIMEOUT_UNKNOWN',
    'E_TGT_DISGUISED_ERROR',
    'E_TGT_RESPONSE_SCHEMA',
  ])('pause after five in a row over different carts: %s', (code) => {
    const pauses = noteAll(times(5, retry(code)));
    expect(pauses.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined]);
    expect(pauses[4]).toEqual({ reason: `5 failures in a row, the last: ${code}: so it is`, byPerson: false });
  });

  test('of one cart alone never pause', () => {
    expect(pausedAt(times(50, down), 'the one')).toEqual([]);
  });

  test('of two carts count together', () => {
    const health = createTargetHealth();
    const note = (number: string) => health.note({ client: '100', number }, down);
    expect(['a', 'a', 'a', 'a'].map(note)).toEqual([undefined, undefined, undefined, undefined]);
    expect(note('b')).toMatchObject({ byPerson: false });
  });

  test.each([
    ['an order that was created', done],
    ['a content that 11VMS rejected', rejected('E_TGT_VALIDATION')],
  ])('count from the start after %s', (_what, between) => {
    expect(pausedAt([...times(4, down), between, ...times(5, down)])).toEqual([10]);
  });

  test.each([
    ['a cart that was skipped', skipped],
    ['a cart that could not be translated', rejected('E_FIELD_MISSING')],
  ])('are still in a row after %s, which never reached 11VMS', (_what, between) => {
    expect(pausedAt([...times(4, down), between, down])).toEqual([6]);
  });

  test('count from the start after a pause, when carts flow again', () => {
    expect(pausedAt(times(11, down))).toEqual([5, 10]);
  });

  test.each<FaultCode>(['E_TGT_THROTTLED', 'E_INT_LEDGER', 'E_INT_IN_PROGRESS', 'E_SRC_UNAVAILABLE'])(
    'do not include %s',
    (code) => {
      expect(pausedAt(times(20, retry(code)))).toEqual([]);
    },
  );

  test('do not include a few contents that 11VMS rejects', () => {
    expect(pausedAt(times(10, rejected('E_TGT_VALIDATION')))).toEqual([]);
  });
});

describe('contents that 11VMS rejects', () => {
  const broken = rejected('E_FIELD_MISSING');

  test('pause until a person resumes, when they are more than half of twenty', () => {
    const pauses = noteAll([...times(9, done), ...times(11, broken)]);
    expect(pauses.at(-1)).toEqual({
      reason: '11 of the last 20 carts were rejected by content: check the last change of value maps',
      byPerson: true,
    });
    expect(pauses.slice(0, -1).every((pause) => pause === undefined)).toBe(true);
  });

  test.each([
    ['successes', done],
    ['skips', skipped],
  ])('do not pause when half of twenty are %s', (_what, other) => {
    expect(pausedAt([...times(10, broken), ...times(10, other), ...times(10, broken)])).toEqual([]);
  });

  test('count once, however often the overlap is read: a repeated reading is neither a failure nor a success', () => {
    const again: Outcome = { kind: 'skipped', reason: 'a dead letter already', isDuplicateRead: true };
    expect(pausedAt([...times(10, broken), ...times(40, again), ...times(9, done), ...times(1, broken)])).toEqual([60]);
  });

  test('are not judged before there are twenty messages', () => {
    expect(pausedAt(times(19, broken))).toEqual([]);
    expect(pausedAt(times(20, broken))).toEqual([20]);
  });

  test('are counted over the last twenty, whatever was before', () => {
    expect(pausedAt([...times(100, done), ...times(11, broken)])).toEqual([111]);
  });

  test('are counted without messages that are only retried', () => {
    expect(pausedAt([...times(19, broken), ...times(4, retry('E_TGT_THROTTLED'))])).toEqual([]);
  });
});

describe('a trial of 11VMS', () => {
  const unavailable = { fault: fault('E_TGT_UNAVAILABLE'), retryAfterMs: undefined };
  test.each<[string, CreateAnswer]>([
    ['creates the order', { kind: 'created', id: 'po_1', number: undefined }],
    ['has it already', { kind: 'exists' }],
    ['judges the content', { kind: 'rejected', faults: [fault('E_TGT_VALIDATION')] }],
  ])('that meets an 11VMS which %s finds it healthy', (_what, answer) => {
    expect(createHealth(answer)).toEqual({ healthy: true });
  });

  test.each<[string, CreateAnswer]>([
    ['does not take it', { kind: 'not-taken', ...unavailable }],
    ['leaves it unanswered', { kind: 'unknown', ...unavailable }],
    ['refuses us', { kind: 'refused', fault: fault('E_TGT_AUTH'), isForbidden: true }],
  ])('that meets an 11VMS which %s keeps the pause', (_what, answer) => {
    expect(createHealth(answer)).toMatchObject({
      healthy: false,
      tried: true,
      reason: expect.stringMatching(/^E_[A-Z_]+: so it is$/),
    });
  });

  test('waits for the next answer after a throttled create', () => {
    expect(createHealth({ kind: 'throttled', ...unavailable, mayBeTaken: false })).toBeUndefined();
  });

  test.each(['failed', 'refused'] as const)('keeps the pause when a look-up is not answered: %s', (reason) => {
    const result = { kind: 'unanswered', reason, fault: fault('E_TGT_UNAVAILABLE') } as const;
    expect(lookUpHealth(result)).toMatchObject({ healthy: false, tried: true });
  });

  test('waits for the next answer after a throttled look-up', () => {
    expect(lookUpHealth({ kind: 'unanswered', reason: 'throttled', fault: fault('E_TGT_THROTTLED') })).toBeUndefined();
  });

  test('learns nothing from a look-up that 11VMS does not have', () => {
    expect(lookUpHealth({ kind: 'impossible', fault: fault('E_TGT_TIMEOUT_UNKNOWN') })).toBeUndefined();
  });

  test('keeps the pause when the ledger fails, since no order is posted without it', () => {
    expect(ledgerHealth(retry('E_INT_LEDGER'))).toMatchObject({ healthy: false, tried: true });
  });

  test.each<[string, Outcome]>([
    ['was ordered before', skipped],
    ['cannot be translated', rejected('E_FIELD_MISSING')],
    ['is not given out by SRM', retry('E_SRC_UNAVAILABLE')],
    ['is refused by SRM', refused(false, 'E_SRC_AUTH')],
    ['is held by another delivery', retry('E_INT_IN_PROGRESS')],
    ['meets a defect of ours', retry('E_INT_UNEXPECTED')],
  ])('learns nothing from a cart that %s', (_what, outcome) => {
    expect(ledgerHealth(outcome)).toBeUndefined();
  });
});
