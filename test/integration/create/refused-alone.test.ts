/**
 * Edge cases 68 and 69: a cart that a firewall refuses for its text is a dead letter with a reason of its own, while 11VMS
 * takes others; where everything is refused, consumption pauses and no cart is lost.
 */
import { describe, expect, test } from '@jest/globals';
import { type Answer, foreignAnswer } from '../../simulators/answers.ts';
import { UNQUOTABLE } from '../../simulators/pages.ts';
import type { Interceptor } from '../recording-proxy.ts';
import {
  always,
  answer,
  asRequeuedCopy,
  CARELESS,
  commitThenAnswer,
  envelope,
  isCreate,
  isLookUp,
  isToken,
  newCart,
  type Row,
  setUpWorkerFixture,
  withItems,
  type Worker,
} from './worker-fixture.ts';

/** What a firewall answers to each attack: its own page, or what looks as if the collection were not there. */
const ATTACKS: Readonly<Record<string, Answer>> = {
  "'; DROP TABLE carts --": foreignAnswer(403, 'blocked'),
  '<script>401': foreignAnswer(401, 'blocked'),
  '<script>401 in JSON': foreignAnswer(401, 'gateway-status'),
  '<script>404': foreignAnswer(404, 'blocked'),
  '../../etc/passwd 404': foreignAnswer(404, 'gateway-status'),
  '../../etc/passwd 404, in words of its own': foreignAnswer(404, 'unknown-page'),
  '../../etc/passwd 405': foreignAnswer(405, 'empty'),
  '../../etc/passwd 410': foreignAnswer(410, 'gateway-status'),
};
const ATTACK = "'; DROP TABLE carts --";
/** As it may stand in the name of an order, by which a look-up asks. */
const ATTACK_IN_ADDRESS = /(<|%3C)script|'1'='|%271%27%3D|12(\/|%2F)345/;

const fixture = await setUpWorkerFixture({
  vms: {
    ...CARELESS,
    firewall: (body, { search }) =>
      Object.entries(ATTACKS).find(([text]) => body.includes(`Cleaning ${text}"`))?.[1] ??
      (ATTACK_IN_ADDRESS.test(body) || ATTACK_IN_ADDRESS.test(search) ? foreignAnswer(404, 'blocked') : undefined),
  },
});

const attack = (text: string = ATTACK): Row => newCart({ Description: `Cleaning ${text}` });
const healthy: Interceptor = (_call, forward) => forward();

interface End {
  readonly dead: number;
  readonly requeued: number;
  readonly ordered: number;
  readonly breaker: 'CLOSED' | 'OPEN';
}

/** Each cart is received four times. */
async function endOf(carts: readonly Row[], interceptor: Interceptor): Promise<End> {
  // On a busy machine, an order that is answered late would be a failure beside the refusal.
  const worker = await fixture.worker({ VMS_TIMEOUT_MS: '10000' });
  fixture.proxies.vms.intercept(interceptor);
  await worker.send(...carts.map((cart) => envelope(cart)));
  await worker.deliverTimes(5);
  return {
    dead: (await worker.deadLetters()).length,
    requeued: (await worker.requeued()).length,
    ordered: carts.flatMap((cart) => fixture.ordersOf(cart)).length,
    breaker: (await fixture.breaker()) === undefined ? 'CLOSED' : 'OPEN',
  };
}

describe('of carts that are refused', () => {
  const good = (count: number): Row[] => Array.from({ length: count }, () => newCart());
  const refusedCreates = always(isCreate, answer(403, { title: 'Forbidden' }));
  const refused = always((call) => isCreate(call) || isLookUp(call), answer(403, {}));
  test.each<[string, Row[], Interceptor, End]>([
    ['one alone is kept at first', [attack()], healthy, { dead: 0, requeued: 1, ordered: 0, breaker: 'CLOSED' }],
    [
      'one among nine others is kept at first, and they are ordered',
      [...good(5), attack(), ...good(4)],
      healthy,
      { dead: 0, requeued: 1, ordered: 9, breaker: 'CLOSED' },
    ],
    [
      'one by 11VMS itself, which answers its look-ups, is kept at first: that we may read shows little',
      good(1),
      refusedCreates,
      { dead: 0, requeued: 1, ordered: 0, breaker: 'CLOSED' },
    ],
    ...Object.keys(ATTACKS).map((text): [string, Row[], Interceptor, End] => [
      `one among two others is kept at first, and they are ordered: ${text}`,
      [...good(1), attack(text), ...good(1)],
      healthy,
      { dead: 0, requeued: 1, ordered: 2, breaker: 'CLOSED' },
    ]),
    [
      'two are kept while 11VMS takes no other: it may refuse everything',
      good(2),
      refusedCreates,
      { dead: 0, requeued: 2, ordered: 0, breaker: 'OPEN' },
    ],
    ['three open the breaker', good(3), refusedCreates, { dead: 0, requeued: 3, ordered: 0, breaker: 'OPEN' }],
    [
      'one is kept while look-ups are refused, too',
      good(1),
      refused,
      { dead: 0, requeued: 1, ordered: 0, breaker: 'OPEN' },
    ],
  ])('%s', async (_what, carts, interceptor, end) => {
    expect(await endOf(carts, interceptor)).toEqual(end);
  });
});

/** The last receive of what waits, requeued so often, after 11VMS took another cart. */
async function lastCopies(worker: Worker, requeues: number) {
  await worker.deliverTimes(2);
  await worker.send(envelope(newCart()));
  await worker.deliverAndReturn();
  return (await worker.receive()).map((record) => asRequeuedCopy(record, requeues));
}

test('the reason names the firewall and what to do, quotes nothing, and counts as one refusal; let through, the cart is ordered', async () => {
  const cart = attack();
  const worker = await fixture.worker();
  const [messageId = ''] = await worker.send(envelope(cart));
  await worker.invoke(await lastCopies(worker, 3));
  expect(await fixture.verdictOf(messageId)).toEqual([
    {
      code: 'E_TGT_ORDER_REFUSED',
      message: expect.stringMatching(
        /^11VMS answered 403 with HTML .*block page of a firewall\); 11VMS does not hold the order, and takes the orders of other carts$/,
      ),
    },
  ]);
  const kept = [...fixture.takeOutput(), JSON.stringify(await fixture.ledgerOf(cart))].join('\n');
  for (const secret of [...UNQUOTABLE, 'DROP TABLE']) expect(kept).not.toContain(secret);
  expect(kept.match(/"TargetRefused":1\b/g)).toHaveLength(1);
  expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN', mayExist: true });

  const corrected = { ...cart, Description: 'Cleaning' };
  await fixture.expireLease(cart);
  await worker.send(envelope(corrected));
  await worker.deliverTimes(2);
  expect(fixture.ordersOf(cart)).toHaveLength(1);
});

test.each(['<script>', "'1'='1'", '12/345'])(
  'a supplier %s, by whose name a firewall would refuse each look-up, pauses nothing: its cart is a dead letter before any call',
  async (VendorId) => {
    const cart = withItems(newCart(), (item) => ({ ...item, VendorId }));
    const worker = await fixture.worker();
    const [messageId = ''] = await worker.send(envelope(cart));
    await worker.deliverTimes(1);
    expect(await fixture.breaker()).toBeUndefined();
    expect(await fixture.verdictOf(messageId)).toMatchObject([{ code: 'E_FIELD_FORMAT' }]);
    expect(fixture.callsFor(cart)).toEqual([]);
  },
);

test('two that were kept three times are dead letters the next time', async () => {
  const worker = await fixture.worker();
  const ids = await worker.send(envelope(attack()), envelope(attack()));
  expect((await worker.invoke(await lastCopies(worker, 3))).failed.toSorted()).toEqual(ids.toSorted());
  for (const id of ids) expect(await fixture.verdictOf(id)).toMatchObject([{ code: 'E_TGT_ORDER_REFUSED' }]);
  expect(await fixture.breaker()).toBeUndefined();
});

test.each<[number, string, number]>([
  [2, ATTACK, 0],
  [3, ATTACK, 1],
  [3, '../../etc/passwd 404', 1],
  [3, '<script>401 in JSON', 1],
])('one that was requeued %i times, with %s, ends as %i dead letters', async (requeues, text, dead) => {
  const worker = await fixture.worker();
  await worker.send(envelope(attack(text)));
  expect((await worker.invoke(await lastCopies(worker, requeues))).failed).toHaveLength(dead);
  expect(await fixture.breaker()).toBeUndefined();
});

describe('where a probe does not show that all are refused', () => {
  const HOUR_MS = 3600 * 1000;
  const lostRoute = always((call) => !isToken(call), answer(404, { message: 'Not Found' }));

  async function lastReceiveOf(
    cart: Row,
    {
      waitsForMs,
      interceptor = healthy,
      othersTaken,
      lookUpBy = 'none',
    }: { waitsForMs: number; interceptor?: Interceptor; othersTaken: boolean; lookUpBy?: string },
  ) {
    const worker = await fixture.worker({ VMS_LOOK_UP_BY: lookUpBy });
    const [messageId = ''] = await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(interceptor);
    await worker.deliverTimes(2);
    if (othersTaken) {
      await worker.send(envelope(newCart()));
      await worker.deliverAndReturn();
    } else await worker.deliverTimes(1);
    const copies = (await worker.receive()).map((record) => asRequeuedCopy(record, 99, waitsForMs));
    const { failed } = await worker.invoke(copies);
    return { dead: failed.length, verdict: await fixture.verdictOf(messageId), breaker: await fixture.breaker() };
  }

  test.each<[string, string]>([
    ['403', ATTACK],
    ['404', '../../etc/passwd 404'],
  ])('one that is answered %s is a dead letter once 11VMS took another after it', async (_status, text) => {
    const end = await lastReceiveOf(attack(text), { waitsForMs: HOUR_MS, othersTaken: true });
    expect(end).toMatchObject({ dead: 1, verdict: [{ code: 'E_TGT_ORDER_REFUSED' }], breaker: undefined });
  });

  test.each<[string, Interceptor, string]>([
    ['the route is lost', lostRoute, 'none'],
    ['the client has lost its right', always(isCreate, answer(403)), 'none'],
    ['the client has lost its right to create alone', always(isCreate, answer(403)), '?externalId='],
    ['the route of creates alone is lost', always(isCreate, answer(405, '')), '?externalId='],
  ])(
    'one that comes alone is kept for a day, so that no cart is given up while %s',
    async (_why, interceptor, lookUpBy) => {
      const kept = { waitsForMs: 23 * HOUR_MS, interceptor, othersTaken: false, lookUpBy };
      expect(await lastReceiveOf(newCart(), kept)).toMatchObject({ dead: 0, breaker: undefined });
      const given = { ...kept, waitsForMs: 24 * HOUR_MS };
      expect(await lastReceiveOf(newCart(), given)).toMatchObject({
        dead: 1,
        verdict: [{ code: 'E_TGT_ORDER_REFUSED', message: expect.stringMatching(/, and answers a probe$/) }],
      });
    },
  );

  test('one whose refusal is followed by a look-up that fails is a dead letter with both reasons: its order may exist', async () => {
    let isRefused = false;
    const interceptor: Interceptor = (call, forward) => {
      const wasRefused = isRefused;
      if (!isToken(call)) isRefused = isCreate(call);
      if (isRefused) return answer(403)(call, forward);
      return isLookUp(call) && wasRefused ? answer(500)(call, forward) : forward();
    };
    const given = { waitsForMs: 24 * HOUR_MS, interceptor, othersTaken: false, lookUpBy: '?externalId=' };
    expect(await lastReceiveOf(newCart(), given)).toMatchObject({
      dead: 1,
      verdict: [
        { code: 'E_TGT_ORDER_REFUSED', message: '11VMS answered 403, and answers a probe' },
        { code: 'E_TGT_TIMEOUT_UNKNOWN', message: expect.stringMatching(/403, and the look-up failed/) },
      ],
    });
  });

  test('a lost route pauses at the third cart, and none is a dead letter', async () => {
    const worker = await fixture.worker({ VMS_LOOK_UP_BY: 'none' });
    fixture.proxies.vms.intercept(lostRoute);
    await worker.send(...Array.from({ length: 3 }, () => envelope(newCart())));
    await worker.deliverTimes(4);
    expect(await fixture.breaker()).toMatchObject({ state: 'OPEN' });
    expect(await worker.requeued()).toHaveLength(3);
  });
});

describe('where the firewall refuses what 11VMS answers', () => {
  const refusedAnswer = commitThenAnswer(403, { title: 'Forbidden' });

  test.each<[string, Interceptor]>([
    ['403', refusedAnswer],
    ['404', commitThenAnswer(404, { message: 'Not Found' })],
  ])('%s: the order is found at once, and nobody doubles it', async (_status, interceptor) => {
    const cart = newCart();
    const worker = await fixture.worker();
    await worker.send(envelope(cart));
    fixture.proxies.vms.intercept(always(isCreate, interceptor));
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup']);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED' });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test('and 11VMS finds the order only later: it is looked up before it is posted again', async () => {
    const cart = newCart();
    const worker = await fixture.worker();
    await worker.send(envelope(cart));
    fixture.proxies.vms.intercept((call, forward) =>
      isCreate(call)
        ? refusedAnswer(call, forward)
        : isLookUp(call)
          ? answer(200, { items: [] })(call, forward)
          : forward(),
    );
    await worker.deliverTimes(1);
    fixture.calm();
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'lookup']);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });

  test.each<[string, Interceptor]>([
    ['refused, too', answer(403)],
    ['not answered', answer(500)],
  ])('and a look-up is %s, its outcome is open: it is found before anything is posted again', async (_what, lookUp) => {
    const cart = newCart();
    const worker = await fixture.worker();
    await worker.send(envelope(cart));
    fixture.proxies.vms.intercept((call, forward) =>
      isCreate(call) ? refusedAnswer(call, forward) : isLookUp(call) ? lookUp(call, forward) : forward(),
    );
    await worker.deliverTimes(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'UNKNOWN', mayExist: true });
    fixture.calm();
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.callsFor(cart)).toEqual(['create', 'lookup', 'lookup']);
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  });
});

test.each([405, 404])(
  'an 11VMS that refuses us, and has no look-up against its settings (%i): the order is posted again',
  async (status) => {
    const cart = newCart();
    const worker = await fixture.worker();
    await worker.send(envelope(cart));
    const none = answer(status, { title: 'Reading is not supported' });
    fixture.proxies.vms.intercept((call, forward) =>
      isCreate(call) ? answer(403)(call, forward) : isLookUp(call) ? none(call, forward) : forward(),
    );
    await worker.deliverTimes(1);
    expect(await fixture.orderRow(cart)).toMatchObject({ state: 'NEW' });
    fixture.calm();
    expect(await worker.deliver()).toMatchObject({ failed: [] });
    expect(fixture.ordersOf(cart)).toHaveLength(1);
  },
);
