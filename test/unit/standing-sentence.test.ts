/** What a person reads of a cart's standing: since when, why, and what comes next. */
import { describe, expect, test } from '@jest/globals';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';
import { sentenceOf, type SentenceContext } from '../../shared/standing-sentence.ts';
import type { Standing } from '../../shared/standing.ts';
import type { OrderTrace, VerdictTrace } from '../../shared/traces.ts';

const at = (time: string): number => Date.parse(`2026-11-27T${time}Z`);
const running: SentenceContext = {
  nowMs: at('12:00:00'),
  breaker: { state: 'CLOSED', reason: '', sinceMs: 0, nextTrialAtMs: 0 },
  watermarkMs: at('11:54:00'),
  ownerText: (owner) => (owner === 'mapping owner' ? 'mapping owner Ann (ann@example.com)' : owner),
};
const paused = (state: 'OPEN' | 'FORCED_OPEN', reason = '', nextTrialAtMs = 0): SentenceContext => ({
  ...running,
  breaker: { state, reason, sinceMs: at('09:00:00'), nextTrialAtMs },
});
const order = (orderNumber: string, changes: Partial<OrderTrace> = {}): OrderTrace => ({
  kind: 'order',
  externalId: `SRM7-100-1-${orderNumber}-EUR-BE10`,
  state: 'CREATED',
  changedAtMs: at('08:00:00'),
  isVersionKnown: true,
  messageId: 'm1',
  receive: 1,
  ordersOfCart: 1,
  firstClaimedAtMs: at('08:01:00'),
  claimedAtMs: at('08:01:00'),
  leaseUntilMs: 0,
  createdAtMs: at('08:01:30'),
  orderNumber,
  faults: [],
  ...changes,
});
const fault = (code: 'E_TGT_UNAVAILABLE' | 'E_TGT_THROTTLED' | 'E_MAP_UOM', message = 'no') => ({ code, message });
const verdict: VerdictTrace = {
  kind: 'verdict',
  state: 'FINAL',
  messageId: 'm1',
  changedAtMs: at('08:00:00'),
  isVersionKnown: true,
  recordedAtMs: at('08:02:00'),
  faults: [fault('E_MAP_UOM'), fault('E_MAP_UOM'), fault('E_TGT_UNAVAILABLE')],
};
const waiting: Standing = { word: 'waiting', sinceMs: at('08:00:00'), isOverdue: false };
const retrying = {
  word: 'retrying',
  triedAtMs: at('11:59:00'),
  againAtMs: at('12:01:00'),
  faults: [fault('E_TGT_UNAVAILABLE')],
  isOverdue: false,
} as const;
const dead = {
  word: 'dead-lettered',
  faults: [{ ...fault('E_MAP_UOM'), path: '$.Unit', value: 'XXX' }],
  sinceMs: at('08:02:00'),
  keptUntilMs: at('12:00:01'),
  messageIds: ['m1'],
} as const;

describe('the sentence of a standing', () => {
  test.each<[string, Standing, SentenceContext, string]>([
    [
      'never read',
      { word: 'never-read' },
      running,
      'No run has read this cart; SRM is read up to 2026-11-27T11:54:00Z.',
    ],
    [
      'never read, before the first run',
      { word: 'never-read' },
      { ...running, watermarkMs: undefined },
      'No run has read this cart: no run has completed yet.',
    ],
    ['in line', waiting, running, 'Queued since 2026-11-27T08:00:00Z, and not tried yet: it waits in line.'],
    [
      'in line for longer than a message is tried',
      { ...waiting, isOverdue: true },
      running,
      'Queued since 2026-11-27T08:00:00Z, and not tried yet: it waits in line, or its message is lost, and the daily reconciliation queues it again.',
    ],
    [
      'waiting while a person paused consumption',
      { ...waiting, isOverdue: true },
      paused('FORCED_OPEN', 'maintenance, Ann'),
      'Queued since 2026-11-27T08:00:00Z, and not tried yet: consumption is paused since 2026-11-27T09:00:00Z, until a person resumes it (maintenance, Ann).',
    ],
    [
      'settled by hand',
      { word: 'closed', sinceMs: at('09:00:00'), by: 'Ann', reason: 'ordered by telephone', messageIds: ['m1'] },
      running,
      'Settled by hand at 2026-11-27T09:00:00Z, by Ann: ordered by telephone.',
    ],
    [
      'being tried',
      { word: 'in-progress', untilMs: at('12:00:30') },
      paused('OPEN'),
      'Being tried; the attempt ends by 2026-11-27T12:00:30Z.',
    ],
    [
      'tried again later',
      retrying,
      running,
      'Tried at 2026-11-27T11:59:00Z, without success (E_TGT_UNAVAILABLE: no): it is tried again at about 2026-11-27T12:01:00Z.',
    ],
    [
      'throttled',
      { ...retrying, faults: [fault('E_TGT_THROTTLED', 'slow down')], againAtMs: at('11:59:59') },
      running,
      'Tried at 2026-11-27T11:59:00Z, without success (E_TGT_THROTTLED: slow down): it is tried again any moment, since the other side limits our calls.',
    ],
    [
      'tried before the pause',
      retrying,
      paused('OPEN', '11VMS is down', at('12:04:00')),
      'Tried at 2026-11-27T11:59:00Z, without success (E_TGT_UNAVAILABLE: no): consumption is paused since 2026-11-27T09:00:00Z, until a trial succeeds, the next one at about 2026-11-27T12:04:00Z (11VMS is down).',
    ],
    [
      'left by a crash',
      { ...retrying, faults: [], isOverdue: true },
      running,
      'Tried at 2026-11-27T11:59:00Z, without a recorded end: no attempt has followed; its message is lost, and the daily reconciliation queues it again.',
    ],
    [
      'partly ordered',
      { word: 'partly-ordered', created: [order('PO-1'), order('PO-2')], missing: 1, rest: retrying },
      running,
      '2 of its 3 orders exist (PO-1, PO-2). What is missing: tried at 2026-11-27T11:59:00Z, without success (E_TGT_UNAVAILABLE: no): it is tried again at about 2026-11-27T12:01:00Z.',
    ],
    [
      'ordered',
      { word: 'ordered', created: [order('PO-1'), order('', { orderNumber: undefined, orderId: 'po_2' })] },
      running,
      'Ordered: PO-1 at 2026-11-27T08:01:30Z, po_2 at 2026-11-27T08:01:30Z.',
    ],
    [
      'cured',
      { word: 'cured', created: [order('PO-1')], givenUp: [verdict] },
      running,
      'Ordered: PO-1 at 2026-11-27T08:01:30Z, after it was given up at 2026-11-27T08:02:00Z for E_MAP_UOM, E_TGT_UNAVAILABLE.',
    ],
    [
      'skipped',
      { word: 'skipped', reason: 'a change version', sinceMs: at('08:02:00') },
      running,
      'Not to be ordered, by a rule, since 2026-11-27T08:02:00Z: a change version.',
    ],
    [
      'dead-lettered',
      dead,
      paused('OPEN'),
      'Given up at 2026-11-27T08:02:00Z (E_MAP_UOM: no ($.Unit, value "XXX")). Mapping owner Ann (ann@example.com): ' +
        `${FAULT_CATALOGUE.E_MAP_UOM.action} ` +
        'SQS keeps its dead letter until 2026-11-27T12:00:01Z.',
    ],
    [
      'dead-lettered too long ago',
      { ...dead, faults: [], keptUntilMs: at('11:59:59') },
      running,
      'Given up at 2026-11-27T08:02:00Z (no reason is recorded). SQS may have deleted its dead letter, since 2026-11-27T11:59:59Z.',
    ],
  ])('that is %s', (_what, standing, context, sentence) => {
    expect(sentenceOf(standing, context)).toBe(sentence);
  });

  test('names three faults of many, and each owner once', () => {
    const faults = ['one', 'two', 'three', 'four', 'five', 'one'].map((message) => fault('E_MAP_UOM', message));

    const sentence = sentenceOf({ ...dead, faults }, running);

    expect(sentence).toContain('(E_MAP_UOM: one; E_MAP_UOM: two; E_MAP_UOM: three; and 2 more)');
    expect(sentence.match(/Mapping owner/g)).toHaveLength(1);
  });
});
