/** The parts of a chaos run: schedule, shrinking and invariants. chaos.deep.ts does a whole run. */
import { describe, expect, test } from '@jest/globals';
import type { QueuedMessage } from '../../../infra/local/aws/emulators.ts';
import type { Item } from '../../../shared/ledger-table.ts';
import { ALTERATIONS, BODY_FORMS } from '../../simulators/answers.ts';
import { type GeneratedCart, generateCarts } from '../../simulators/carts.ts';
import type { StoredOrder } from '../../simulators/vms-order-book.ts';
import { type Evidence, judgeRun } from './invariants.ts';
import { drawSchedule, parseSchedule, printSchedule, type Schedule, type ScheduledDisturbance } from './schedule.ts';
import { shrinkSchedule } from './shrink.ts';

describe('a disturbance schedule', () => {
  test('depends on the seed alone', () => {
    expect(drawSchedule(7, 50, 'harsh')).toEqual(drawSchedule(7, 50, 'harsh'));
    expect(drawSchedule(7, 50, 'harsh')).not.toEqual(drawSchedule(8, 50, 'harsh'));
  });

  test('can be printed and parsed', () => {
    const schedule = drawSchedule(7, 50, 'harsh');

    expect(parseSchedule(printSchedule(schedule))).toEqual(schedule);
  });

  test('is refused with the path of the mistake', () => {
    const text = printSchedule(drawSchedule(7, 50, 'harsh')).replace('"at":"11vms', '"at":"12vms');

    expect(() => parseSchedule(text)).toThrow(/disturbances\[\d+\]\.at/);
  });

  test('has every kind of disturbance, each form of body and each change of an answer within 200 seeds', () => {
    const drawn = Array.from({ length: 200 }, (_run, seed) => drawSchedule(seed, 50, 'harsh')).flatMap(
      ({ disturbances }) => disturbances.map(({ disturbance }) => disturbance),
    );

    const all =
      'altered approved-again committed-late cut-short delayed delivered-twice frozen in-part invoked-twice killed ' +
      'move-task not-json out-of-memory redrive reset-after-commit reset-before slow status throttled timeout-after-commit truncated ' +
      'unavailable';
    expect([...new Set(drawn.map(({ kind }) => kind))].sort().join(' ')).toBe(all);
    const forms = drawn.flatMap((one) => (one.kind === 'status' && one.body !== undefined ? [one.body] : []));
    expect([...new Set(forms)].sort()).toEqual(BODY_FORMS.filter((form) => form !== 'empty').sort());
    const changes = drawn.flatMap((one) => (one.kind === 'altered' ? [one.how] : []));
    expect([...new Set(changes)].sort()).toEqual([...ALTERATIONS].sort());
  });
});

describe('shrinking', () => {
  const culprits = (disturbances: readonly ScheduledDisturbance[]): ScheduledDisturbance[] =>
    disturbances.filter(({ at, nth }) => (at === 'srm page' && nth === 2) || (at === '11vms create' && nth === 40));

  test('keeps only the disturbances that the failure needs', async () => {
    const drawn = drawSchedule(3, 50, 'harsh');
    const added: ScheduledDisturbance[] = [
      { at: 'srm page', nth: 2, disturbance: { kind: 'status', status: 200, body: 'html', afterCommit: true } },
      { at: '11vms create', nth: 40, disturbance: { kind: 'status', status: 200, body: 'html', afterCommit: true } },
    ];
    const others = drawn.disturbances.filter((disturbance) => culprits([disturbance]).length === 0);
    const schedule: Schedule = { ...drawn, disturbances: [...added.slice(0, 1), ...others, ...added.slice(1)] };

    const smallest = await shrinkSchedule(schedule, {
      fails: ({ disturbances, carts }) => Promise.resolve(culprits(disturbances).length === 2 && carts > 20),
      atOnce: 4,
      budget: 500,
    });

    expect(smallest).toEqual({ ...schedule, disturbances: added, carts: 25 });
  });

  test('stops when its budget is used up', async () => {
    let tried = 0;
    const schedule = drawSchedule(3, 50, 'harsh');

    await shrinkSchedule(schedule, {
      fails: () => {
        tried++;
        return Promise.resolve(false);
      },
      atOnce: 3,
      budget: 10,
    });

    expect(tried).toBe(10);
  });
});

describe('the invariants', () => {
  const carts = generateCarts({ count: 40, seed: 5, from: new Date(0), to: new Date(40_000), faultyShare: 0.2 });
  const cartOf = (expected: GeneratedCart['expected']): GeneratedCart => {
    const cart = carts.find((candidate) => candidate.expected === expected);
    if (cart === undefined) throw new Error(`no cart with the result ${expected}`);
    return cart;
  };
  const good = cartOf('orders');
  const flawed = cartOf('dead-letter');
  const [externalId = ''] = good.externalIds;

  const orderFor = (id: string, index: number): StoredOrder => ({
    id: `po_${index}`,
    number: `PO-${index}`,
    status: 'CREATED',
    version: 1,
    createdAt: new Date(0),
    idempotencyKey: '',
    correlationId: '',
    // The invariants read nothing else of an order.
    order: Object.assign(Object.create(null), { externalId: id }),
  });
  const message = (cart: GeneratedCart): QueuedMessage => ({
    messageId: `message ${cart.number}`,
    body: JSON.stringify({ cart: { number: cart.number, guid: cart.guid } }),
    approximateReceiveCount: 5,
    sentTimestamp: 0,
    messageAttributes: {},
  });
  const verdict = (cart: GeneratedCart, code: string): Item => ({
    pk: `CART#100#${cart.number}`,
    sk: `VERDICT#message ${cart.number}`,
    state: 'FINAL',
    faults: [{ code, message: '' }],
  });
  /** Evidence without a violation. A test then breaks one part of it. */
  function whole(): { -readonly [Key in keyof Evidence]: Evidence[Key] } {
    const orders = carts.flatMap(({ externalIds }) => externalIds).map(orderFor);
    const dead = carts.filter(({ expected }) => expected === 'dead-letter');
    return {
      carts,
      orders,
      deadLetters: dead.map(message),
      leftOnQueue: 0,
      items: [
        ...carts.flatMap(({ number, externalIds, expected }) =>
          externalIds.map((own) => ({
            pk: `CART#100#${number}`,
            sk: `ORDER#${own}`,
            state: 'CREATED',
            orderId: orders.find(({ order }) => order.externalId === own)?.id,
            // One group of a faulty cart may be faulty, and the others ordered.
            ordersOfCart: externalIds.length + (expected === 'dead-letter' ? 1 : 0),
            faults: [],
          })),
        ),
        ...dead.map((cart) => verdict(cart, cart.codes?.[0] ?? '')),
        ...carts
          .filter(({ expected }) => expected === 'skip')
          .map(({ number }) => ({ pk: `CART#100#${number}`, sk: 'SKIP', faults: [] })),
      ],
      restedAtMs: 0,
      deliveries: dead.map(({ number }) => ({ messageId: `message ${number}`, receiveCount: 4, ended: true })),
      disturbedVerdicts: new Set(),
      sentToDeadLetters: 0,
      maximumReceives: 4,
    };
  }
  const invariantsBroken = (evidence: Evidence): string[] => [
    ...new Set(judgeRun(evidence).violations.map(({ invariant }) => invariant)),
  ];
  const withoutItem = (items: readonly Item[], sk: string): Item[] => items.filter((item) => item['sk'] !== sk);

  test('hold when every cart has its expected result', () => {
    expect(judgeRun(whole()).violations).toEqual([]);
  });

  test('find an order that is twice in 11VMS', () => {
    const evidence = whole();
    evidence.orders = [...evidence.orders, orderFor(externalId, 999)];

    expect(invariantsBroken(evidence)).toEqual(['nothing doubled']);
  });

  test('find an order that is lost', () => {
    const evidence = whole();
    evidence.orders = evidence.orders.filter(({ order }) => order.externalId !== externalId);
    evidence.items = withoutItem(evidence.items, `ORDER#${externalId}`);

    expect(judgeRun(evidence).violations).toEqual([
      expect.objectContaining({ invariant: 'standing and 11VMS agree' }),
      { invariant: 'nothing lost', detail: `${externalId} is neither in 11VMS nor a dead letter` },
    ]);
  });

  test('accept a dead letter instead of an order only when a disturbance explains it', () => {
    const evidence = whole();
    evidence.orders = evidence.orders.filter(({ order }) => order.externalId !== externalId);
    const ledger = withoutItem(evidence.items, `ORDER#${externalId}`);
    evidence.deadLetters = [...evidence.deadLetters, message(good)];

    expect(invariantsBroken({ ...evidence, items: [...ledger, verdict(good, 'E_TGT_UNAVAILABLE')] })).toEqual([]);
    expect(invariantsBroken({ ...evidence, items: [...ledger, verdict(good, 'E_MAP_UOM')] })).toEqual([
      'dead letters for cause',
      'nothing lost',
    ]);
  });

  test('find a faulty cart without a dead letter, and a skipped cart without a record', () => {
    const evidence = whole();
    evidence.deadLetters = evidence.deadLetters.filter(({ messageId }) => messageId !== `message ${flawed.number}`);
    const skip = cartOf('skip');
    evidence.items = evidence.items.filter(({ pk, sk }) => sk !== 'SKIP' || pk !== `CART#100#${skip.number}`);

    expect(judgeRun(evidence).violations.map(({ detail }) => detail)).toEqual(
      expect.arrayContaining([expect.stringContaining(flawed.number), expect.stringContaining(skip.number)]),
    );
  });

  test('find a dead letter without a verdict, unless its last attempt never ended', () => {
    const evidence = whole();
    evidence.items = withoutItem(evidence.items, `VERDICT#message ${flawed.number}`);
    const killed = evidence.deliveries.map((delivery) => ({ ...delivery, ended: false }));

    expect(invariantsBroken(evidence)).toEqual(['every dead letter explained']);
    expect(invariantsBroken({ ...evidence, deliveries: killed })).toEqual([]);
    expect(invariantsBroken({ ...evidence, disturbedVerdicts: new Set([`message ${flawed.number}`]) })).toEqual([]);
  });

  test('find a ledger that contradicts 11VMS', () => {
    const evidence = whole();
    const changed = (change: Item): Item[] =>
      evidence.items.map((item) => (item['sk'] === `ORDER#${externalId}` ? { ...item, ...change } : item));

    expect(invariantsBroken({ ...evidence, items: changed({ state: 'UNKNOWN' }) })).toEqual([
      'standing and 11VMS agree',
      'ledger and 11VMS agree',
    ]);
    expect(invariantsBroken({ ...evidence, items: changed({ orderId: 'another' }) })).toEqual([
      'ledger and 11VMS agree',
    ]);
  });

  test('find an order without a cart, a message left on the queue, and a dead letter that SQS did not move', () => {
    const evidence = whole();
    evidence.orders = [...evidence.orders, orderFor('SRM7-100-1-2-EUR-BE10', 1)];

    expect(invariantsBroken({ ...evidence, leftOnQueue: 1, sentToDeadLetters: 1 })).toEqual([
      'nothing invented',
      'comes to rest',
      'only SQS dead-letters',
    ]);
  });
});
