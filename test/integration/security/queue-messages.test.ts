/**
 * A poisoned message on the queue: whatever its body says, its neighbours in the batch are processed, no other cart's
 * orders or ledger items change, nothing is polluted, and it ends in the dead-letter queue with a reason that quotes
 * nothing.
 * (Bodies and rows that only break the contract: ../create/poison.test.ts.)
 */
import { describe, expect, test } from '@jest/globals';
import { BODY_LIMIT_BYTES, SQS_LIMIT_BYTES, writeCartMessage } from '../../../shared/cart-message.ts';
import {
  CARELESS,
  type CartMessage,
  claimCheck,
  envelope,
  itemsOf,
  newCart,
  setUpWorkerFixture,
  type Row,
  textOf,
} from '../create/worker-fixture.ts';
import { startVms } from '../../simulators/vms.ts';

// This 11VMS checks nothing for duplicates: only the interface stands between a forged message and a second order.
const fixture = await setUpWorkerFixture({ vms: CARELESS });

const MARK = 'j.dupont@example.test';
const POISON = `{"polluted":"${MARK}","isAdmin":true}`;

/** Delivers a message between two good ones; the neighbours must be processed, whatever happens to it. */
async function between(body: string) {
  const worker = await fixture.worker();
  const neighbours = [newCart(), newCart()];
  const [before, after] = neighbours.map((cart) => writeCartMessage(envelope(cart)));
  // Sent one by one: SQS takes no batch over 1 MiB.
  const [first = ''] = await worker.send(before ?? '');
  const [messageId = ''] = await worker.send(body);
  const [last = ''] = await worker.send(after ?? '');
  const ids = [first, messageId, last];
  const records = [];
  while (records.length < ids.length) records.push(...(await worker.receive()));
  // CPU time of the worker, since other processes share the machine.
  const started = process.cpuUsage();
  const { failed } = await worker.invoke(
    records.toSorted((a, b) => ids.indexOf(a.messageId) - ids.indexOf(b.messageId)),
  );
  const spent = process.cpuUsage(started);
  expect(neighbours.map((cart) => fixture.ordersOf(cart).length)).toEqual([1, 1]);
  expect(failed).not.toContain(first);
  expect(failed).not.toContain(last);
  // No property of the body has become a property of all objects.
  for (const something of [{}, [], () => undefined, '']) {
    expect(Reflect.get(Object(something), 'polluted')).toBeUndefined();
  }
  return {
    isFailed: failed.includes(messageId),
    faults: (await fixture.verdictOf(messageId)) ?? [],
    cpuMs: (spent.user + spent.system) / 1000,
    output: fixture.takeOutput(),
  };
}

/** A message that must end at its verdict without a call that names it. */
async function expectRefused(body: string, code: string): Promise<void> {
  const reads = fixture.systems.srm.traffic().requests.cart;
  const { isFailed, faults, output } = await between(body);
  expect(isFailed).toBe(true);
  expect(faults.map((fault) => fault.code)).toContain(code);
  expect(fixture.systems.srm.traffic().requests.cart).toBe(reads);
  const kept = [...output, JSON.stringify(faults)];
  expect(kept.join('\n')).not.toMatch(/dupont|polluted/i);
  expect(kept.every((line) => line.length < 20_000)).toBe(true);
}

describe('a body that is no cart message', () => {
  const good = () => writeCartMessage(envelope(newCart()));
  test.each<[string, () => string]>([
    ['is 1 MiB of open brackets', () => '['.repeat(BODY_LIMIT_BYTES)],
    ['is 1 MiB of nested objects', () => '{"a":'.repeat(200_000)],
    ['is half a MiB of brackets that close again', () => '['.repeat(500_000) + ']'.repeat(500_000)],
    ['is one number of 1 MB', () => '9'.repeat(1_000_000)],
    ['is a number beyond all', () => '1e999999999'],
    ['is a text of 1 MB', () => JSON.stringify(MARK.repeat(40_000))],
    ['is half a surrogate pair', () => '"\\ud800'],
    ['is a script', () => `<script>alert("${MARK}")</script>`],
    ['is the local runtime`s end of a log', () => `\\u0000END ${MARK}`],
    ['has a correlation id that would break a header', () => good().replace('"c-', '"c\\r\\nX-Evil: 1-')],
    ['has a correlation id of 100 KB', () => good().replace('"c-', `"${'c'.repeat(100_000)}-`)],
    ['has a run id with line breaks', () => good().replace('run-7', 'run\\n{\\"level\\":\\"INFO\\"}')],
    ['has a run id of 100 KB', () => good().replace('run-7', 'r'.repeat(100_000))],
  ])('and %s is refused, and nothing of it is kept', async (_what, body) => {
    await expectRefused(body(), 'E_INT_MESSAGE');
  });
});

describe('a key that reaches for a prototype', () => {
  const keys = ['"__proto__"', '"\\u005f_proto__"', '"constructor"', '"prototype"'];

  test.each(keys)('%s in the envelope: the message is refused', async (key) => {
    const body = writeCartMessage(envelope(newCart()));
    await expectRefused(`{${key}:${POISON},${body.slice(1)}`, 'E_INT_MESSAGE');
    await expectRefused(body.replace('"cart":{', `"cart":{${key}:{"prototype":${POISON}},`), 'E_INT_MESSAGE');
  });

  test.each(keys)('%s at every level of a cart: the order is the same as without it', async (key) => {
    const cart = newCart();
    const clean = envelope(cart);
    // Every object of the row, from the header down to an accounting row.
    const source = JSON.stringify(cart).replace(/\{(?=")/g, `{${key}:{"prototype":${POISON},"polluted":1},`);
    expect(source.split(key).length).toBeGreaterThan(20);
    const { isFailed, output } = await between(
      JSON.stringify({ ...clean, source: 0 }).replace(/"source":0/, () => `"source":${source}`),
    );

    expect(isFailed).toBe(false);
    const [{ order } = { order: undefined }] = fixture.ordersOf(cart);
    expect(order?.lines).toHaveLength(3);
    expect(JSON.stringify(order)).not.toMatch(/polluted|isAdmin/);
    expect(output.join('\n')).not.toMatch(/polluted|dupont/);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'as a code (%s) is not found in a value map',
    async (name) => {
      const coded = newCart();
      const items = itemsOf(coded).map((item) => ({
        ...item,
        Unit: name,
        CategoryId: name,
        TaxCode: name,
        Status: name,
      }));
      const texts = { results: [{ Tdid: name, Language: 'EN', Text: 'a text' }] };
      const { isFailed, faults } = await between(
        JSON.stringify(envelope({ ...coded, CoCode: name, Items: { results: items }, Texts: texts })),
      );
      expect(isFailed).toBe(true);
      expect(faults.map(({ code }) => code)).toEqual(expect.arrayContaining(['E_MAP_COMPANY', 'E_MAP_UOM']));
    },
  );
});

describe('a message that is not what it says', () => {
  /** A cart that was ordered, and all that the ledger holds of it. */
  async function openVictim() {
    const victim = newCart();
    const worker = await fixture.worker();
    await worker.send(envelope(victim));
    await worker.deliver();
    return {
      victim,
      number: textOf(victim['ObjectId']),
      state: async () => [await fixture.ledgerOf(victim), fixture.ordersOf(victim)],
    };
  }

  test.each<[string, (victim: Row, attacker: Row) => CartMessage]>([
    [
      'names another cart than it carries',
      (victim, attacker) => ({ ...envelope(attacker), cart: envelope(victim).cart }),
    ],
    [
      'carries a cart that was ordered under another number',
      (victim, attacker) => ({ ...envelope(victim), cart: envelope(attacker).cart }),
    ],
    [
      'carries a cart that was ordered under no number',
      (victim) => ({ ...envelope(victim), cart: { number: null, guid: null } }),
    ],
    ['carries a cart that was ordered under another client', (victim) => ({ ...envelope(victim), client: '200' })],
    [
      'names the partition of another cart',
      (victim, attacker) => ({
        ...envelope(attacker),
        cart: { number: `${textOf(victim['ObjectId'])}#ORDER`, guid: null },
      }),
    ],
    [
      'climbs to another cart',
      (victim, attacker) => ({
        ...envelope(attacker),
        cart: { number: `../${textOf(victim['ObjectId'])}`, guid: null },
      }),
    ],
  ])('and %s is refused: the other cart keeps its one order and its ledger items', async (_what, forge) => {
    const { victim, state } = await openVictim();
    const before = JSON.stringify(await state());
    const attacker = newCart();
    const calls = fixture.callsFor(victim).length;

    await expectRefused(JSON.stringify(forge(victim, attacker)), 'E_INT_MESSAGE');

    const verdicts = (await fixture.ledgerOf(victim)).filter(({ sk }) => sk.startsWith('VERDICT#'));
    const [ledger, orders] = await state();
    // A verdict may stand beside the orders of the named cart; it belongs to its message alone.
    expect(JSON.stringify([ledger?.filter((item) => !Reflect.get(item, 'sk').startsWith('VERDICT#')), orders])).toBe(
      before,
    );
    expect(verdicts.length).toBeLessThanOrEqual(1);
    expect(fixture.callsFor(victim)).toHaveLength(calls);
    expect(fixture.ordersOf(attacker)).toEqual([]);
  });

  test('and claims one cart but fetches another is refused', async () => {
    const { victim, number } = await openVictim();
    fixture.systems.srm.addCarts([victim]);
    const attacker = newCart();
    const { isFailed, faults } = await between(
      JSON.stringify({ ...claimCheck(attacker), claim: { guid: victim['Guid'] } }),
    );
    expect([isFailed, faults.map(({ code }) => code)]).toEqual([true, ['E_INT_MESSAGE']]);
    expect(fixture.ordersOf(victim)).toHaveLength(1);
    expect(JSON.stringify(faults)).not.toContain(number);
  });

  test.each([
    "') or 1 eq 1",
    "') or ('1' eq '1",
    "00000000-0000-0000-0000-000000000000')/Items(guid'x",
    '../../OTHER_SRV/Set',
    "x')?$filter=true&$top=1#",
    '%27)%20or%201%20eq%201',
    '1'.repeat(100_000),
    'a\r\nX-Evil: 1',
    '{"$ne":null}',
    '',
  ])('and holds OData in its key (%#) sends no request to SRM', async (guid) => {
    const body = JSON.stringify({ ...claimCheck(newCart()), claim: { guid } });
    const reads = fixture.systems.srm.requests.length;
    const { isFailed, faults } = await between(body);
    expect(isFailed).toBe(true);
    expect(faults.map(({ code }) => code)).toEqual([expect.stringMatching(/^E_(SRC_SCHEMA|INT_MESSAGE)$/)]);
    expect(fixture.systems.srm.requests).toHaveLength(reads);
  });

  test.each(['9'.repeat(3000), '4711\n', '\0', ' ', '', '\u2028', 'é'])(
    'and holds an invalid cart number (%#) writes no ledger key with it',
    async (number) => {
      const items = (await fixture.wholeTable()).length;
      await expectRefused(JSON.stringify({ ...envelope(newCart()), cart: { number, guid: null } }), 'E_INT_MESSAGE');
      // Two orders of the neighbours, and the verdict.
      expect(await fixture.wholeTable()).toHaveLength(items + 3);
    },
  );

  test('and has duplicate keys is read by the last of each, which is validated', async () => {
    const cart = newCart();
    const body = JSON.stringify(envelope(cart));
    await expectRefused(`${body.slice(0, -1)},"client":"200"}`, 'E_INT_MESSAGE');
    await expectRefused(`${body.slice(0, -1)},"source":${JSON.stringify(newCart())}}`, 'E_INT_MESSAGE');
    expect(fixture.ordersOf(cart)).toEqual([]);
  });

  test('is told apart from a cart whose parts add up to the same externalId', async () => {
    const strict = await startVms();
    const [one, other] = [newCart(), newCart()];
    const [number, vendor] = ['77', '100234'];
    const withVendor = (row: Row, VendorId: string, ObjectId: string): Row => ({
      ...row,
      ObjectId,
      Items: { results: itemsOf(row).map((item) => ({ ...item, VendorId })) },
    });
    const first = withVendor(one, `8-${vendor}`, number);
    const second = withVendor(other, vendor, `${number}-8`);
    const worker = await fixture.worker({ VMS_BASE_URL: strict.baseUrl, VMS_TOKEN_URL: strict.tokenUrl });
    const settled = [];
    for (const cart of [first, second]) {
      await worker.send(envelope(cart));
      settled.push((await worker.deliver()).failed.length);
    }
    // Each cart ends as an order of its own content or as a dead letter; never as the other's order.
    const orders = strict.orders();
    for (const { order } of orders) expect([one['Guid'], other['Guid']].map(hex)).toContain(order.sourceDocument.guid);
    expect(orders.length + settled.reduce((sum, failed) => sum + failed, 0)).toBe(2);
    await strict.close();
  });
});

const hex = (guid: unknown): string => textOf(guid).replaceAll('-', '');

describe('an excessive cart', () => {
  test('of 10,000 lines is refused as too large within seconds, and the reason stays short', async () => {
    const cart = newCart();
    const [item = {}] = itemsOf(cart);
    const small = { ...item, Accounting: { results: [] }, Partners: null, Texts: null, Description: 'x' };
    const bare = Object.fromEntries(Object.entries(small).filter(([, value]) => value !== null && value !== ''));
    const lines = Array.from({ length: 10_000 }, (_, index) =>
      index < 900 ? { ...bare, Guid: '', NumberInt: String(index) } : { NumberInt: String(index), Guid: '' },
    );
    const body = JSON.stringify(envelope({ ...cart, Items: { results: lines } }));
    expect(body.length).toBeLessThan(SQS_LIMIT_BYTES);

    const { isFailed, faults, cpuMs, output } = await between(body);

    expect(isFailed).toBe(true);
    // Before any rule is applied to a line.
    expect(faults.map(({ code }) => code)).toEqual(['E_TGT_TOO_LARGE']);
    expect(output.every((line) => line.length < 20_000)).toBe(true);
    expect(cpuMs).toBeLessThan(6000);
  });

  test.each<[string, string]>([
    ['an exponent', '1e999999999'],
    ['a negative exponent', '1e-999999999'],
    ['100,000 digits', '9'.repeat(100_000)],
    ['100,000 decimals', `0.${'3'.repeat(100_000)}`],
    ['minus zero', '-0'],
  ])('with %s as a quantity is refused at once', async (_what, digits) => {
    const cart = newCart();
    const source = JSON.stringify(cart).replace(/"(Quantity)":"[^"]*"/, `"$1":${digits}`);
    const body = JSON.stringify({ ...envelope(cart), source: 0 }).replace('"source":0', () => `"source":${source}`);

    const { isFailed, faults, cpuMs } = await between(body);

    expect(isFailed).toBe(true);
    expect(faults.length).toBeGreaterThan(0);
    expect(Buffer.byteLength(JSON.stringify(faults))).toBeLessThan(20_000);
    expect(cpuMs).toBeLessThan(5000);
  });

  test('with lone surrogates, NUL and control characters in its texts is ordered without them', async () => {
    const cart = newCart({ Description: 'A\ud800B\0C\u001b[31mD\u009b' });
    const { isFailed } = await between(writeCartMessage(envelope(cart)));
    expect(isFailed).toBe(false);
    const title = fixture.ordersOf(cart)[0]?.order.title ?? '';
    expect(title.isWellFormed()).toBe(true);
    expect([title.includes('\0'), title.includes('\u001b')]).toEqual([false, false]);
  });
});
