/** The timeline of one cart: what ledger, log and acts by hand tell of it, each thing once. */
import { describe, expect, test } from '@jest/globals';
import type { Moment } from '../../../infra/carts/cart-story.ts';
import { operationsAbout, timelineOf } from '../../../infra/console/carts/timeline.ts';
import type { LogLine } from '../../../infra/console/logs/log-search.ts';
import type { Operation } from '../../../shared/operations-of-month.ts';

const AT = Date.UTC(2026, 10, 27, 8);
const SECOND = 1000;
const MINUTE = 60 * SECOND;

const line = (event: string, changes: Partial<LogLine> = {}): LogLine => ({
  atMs: AT,
  service: 'create-purchase-orders',
  event,
  sentence: `sentence of ${event}`,
  cartNumber: '1010000123',
  messageId: 'm1',
  runId: undefined,
  externalId: undefined,
  orderNumber: undefined,
  attempt: undefined,
  reason: undefined,
  ...changes,
});
const act = (action: string, changes: Partial<Operation> = {}): Operation => ({
  id: `${action} of the test`,
  action,
  by: 'arn:aws:sts::1:assumed-role/operator/a',
  reason: 'SRM-123',
  requestId: 'r',
  subject: 'consumption',
  startedAtMs: AT,
  endedAtMs: AT + SECOND,
  cartNumbers: [],
  messageIds: [],
  outcome: { result: 'done', summary: 'paused' },
  ...changes,
});
const moment = (kind: Moment['kind'], changes: Partial<Moment> = {}): Moment => ({
  atMs: AT,
  kind,
  what: kind,
  ...changes,
});
const told = (witnesses: Partial<Parameters<typeof timelineOf>[0]>) =>
  timelineOf({ moments: [], lines: [], operations: [], ...witnesses }).map(
    ({ witness, kind }) => `${witness}: ${kind}`,
  );

describe('a timeline', () => {
  test('is in the order of time, whoever tells', () => {
    expect(
      told({
        moments: [moment('queued', { atMs: AT - 5 * MINUTE }), moment('ordered', { atMs: AT + 5 * MINUTE })],
        lines: [line('cart.retry-scheduled', { atMs: AT - MINUTE })],
        operations: [act('pause', { startedAtMs: AT })],
      }),
    ).toEqual(['ledger: queued', 'log: tried', 'operator: paused', 'ledger: ordered']);
  });

  test.each<[string, Moment, LogLine]>([
    [
      'an order',
      moment('ordered', { externalId: 'SRM7-1' }),
      line('order.created', { externalId: 'SRM7-1', atMs: AT + SECOND }),
    ],
    ['a found order', moment('ordered', { externalId: 'SRM7-1' }), line('order.recovered', { externalId: 'SRM7-1' })],
    ['a dead letter', moment('dead-lettered', { messageId: 'm1' }), line('cart.dead-lettered', { atMs: AT - SECOND })],
    ['a skip', moment('skipped'), line('cart.skipped')],
  ])('tells %s once, which both ledger and log know', (_, known, same) => {
    expect(told({ moments: [known], lines: [same] })).toEqual([`ledger: ${known.kind}`]);
  });

  test('tells what another message, another order or another hour is about', () => {
    const moments = [moment('dead-lettered', { messageId: 'm1' }), moment('ordered', { externalId: 'SRM7-1' })];
    const lines = [
      line('cart.dead-lettered', { messageId: 'm2' }),
      line('cart.dead-lettered', { atMs: AT + 61 * MINUTE }),
      line('order.created', { externalId: 'SRM7-2' }),
    ];

    expect(told({ moments, lines })).toHaveLength(5);
  });

  test('tells a line once that the log holds twice, and each attempt for itself', () => {
    const first = line('cart.retry-scheduled', { attempt: 1 });

    expect(told({ lines: [first, { ...first }, { ...first, attempt: 2 }] })).toHaveLength(2);
  });

  test('tells an act once, with who, why and what came of it', () => {
    const lines = [line('operation.ended', { atMs: AT + 2 * SECOND })];

    const [entry, ...others] = timelineOf({ moments: [], lines, operations: [act('pause')] });
    expect(others).toEqual([]);
    expect(entry?.what).toBe('pause of consumption, by arn:aws:sts::1:assumed-role/operator/a: SRM-123 (done: paused)');
  });
});

test('the acts about a cart are those on it or its messages, and the pauses of its time', () => {
  const window = { fromMs: AT - MINUTE, toMs: AT + MINUTE };
  const acts = [
    act('pause'),
    act('resume', { startedAtMs: AT + 2 * MINUTE }),
    act('redrive', { startedAtMs: AT + 5 * MINUTE, messageIds: ['m1'] }),
    act('replay-cart', { cartNumbers: ['1010000123'] }),
    act('close', { cartNumbers: ['1010000124'], messageIds: ['m2'] }),
  ];

  expect(
    operationsAbout(acts, { number: '1010000123', messageIds: ['m1'] }, window).map(({ action }) => action),
  ).toEqual(['pause', 'redrive', 'replay-cart']);
});
