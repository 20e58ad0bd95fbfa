/** The workbench through the console's front door: what a person who looks at a cart is shown, and what is refused. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { createHandler as createRedriver } from '../../../functions/redrive-dead-letters/handler.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import { operationsOfMonth } from '../../../shared/operations-of-month.ts';
import { idempotencyKey } from '../../../functions/create-purchase-orders/translation/order-content.ts';
import { translateCart } from '../../../functions/create-purchase-orders/translation/translate-cart.ts';
import { createVmsOrders } from '../../../functions/create-purchase-orders/delivery/vms-orders.ts';
import { localWorker, settingsOfWorker, UnreadableSettings } from '../../../infra/console/deployed-settings.ts';
import { createDeadLetterLook } from '../../../infra/console/dead-letter-look.ts';
import { createOrderLookUp } from '../../../infra/console/order-look-up.ts';
import type { Mode } from '../../../infra/console/page.ts';
import { InvocationFailed, type Sources } from '../../../infra/console/sources.ts';
import { openSystem } from '../../../infra/doctor/system-client.ts';
import { type Environment, loadEnvironment } from '../../../infra/environments.ts';
import {
  cartOf,
  cartWith,
  contractWire,
  itemWith,
  labour,
  material,
  ordersOf,
  type Row,
  sampleCart,
  settingsWith,
  translate,
} from '../../unit/translation/sample-carts.ts';
import { type Fixture, lambdaContext, openFixture } from '../fixture.ts';
import { openClient, type SentPage, sourcesOf, unescaped } from './console-client.ts';

const NOW_MS = Date.parse('2026-11-20T12:00:00Z');

let fixture: Fixture;
let environment: Environment;
let sources: Sources;

beforeAll(async () => {
  fixture = await openFixture();
  const { clients, vms, workerVariables } = fixture;
  const local = loadEnvironment('local');
  environment = {
    ...local,
    vms: { ...local.vms, baseUrl: vms.baseUrl, tokenUrl: vms.tokenUrl, secretName: '11vms' },
  };
  const worker = localWorker({ variables: workerVariables, codeDirectory: workerVariables.LAMBDA_TASK_ROOT });
  sources = sourcesOf(fixture, environment, {
    deployedSettings: async () => settingsOfWorker(worker),
    lookUpOrder: createOrderLookUp(async () => worker, clients.secretsManager),
  });
});
afterAll(() => fixture.close());

interface Changes {
  readonly mode?: Mode;
  readonly own?: Partial<Sources>;
}

/** Sends the form of the workbench as a browser does. */
const send = (
  fields: Readonly<Record<string, string | File>>,
  { mode = 'read-only', own = {} }: Changes = {},
): Promise<SentPage> => openClient({ ...sources, ...own }, { mode, nowMs: NOW_MS }).post('/workbench', fields);

const sendCart = (cart: unknown, fields: Readonly<Record<string, string>> = {}, options: Changes = {}) =>
  send({ text: JSON.stringify(cart), ...fields }, options);

describe('a cart', () => {
  test('is shown as source, mapping rows and order; a sample, a pasted row, a page, a message and a file are the same', async () => {
    const sample = readFileSync('shared/contract/samples/srm7-shopping-carts.json', 'utf8');
    const source = sampleCart;
    const message = {
      schemaVersion: 1,
      client: '100',
      cart: { number: '1000004711', guid: null },
      runId: 'run-1',
      correlationId: 'a-correlation',
      source,
    };
    const [bySample, ...others] = await Promise.all([
      send({ sample: 'srm7-shopping-carts.json' }),
      sendCart(source),
      send({ text: sample }),
      sendCart(message),
      send({ file: new File([sample], 'carts.json') }),
    ]);
    expect(bySample.status).toBe(200);
    expect(bySample.text).toContain('Order SRM7-100-1000004711-100234-EUR-BE10: 41031.25 EUR');
    expect(bySample.text).toMatch(/VendorId \| 0000100234\n/);
    expect(bySample.text).toMatch(/18 \| LOOKUP supplier\n/);
    expect(bySample.text).toMatch(/supplier\.code Items\[0\]\.VendorId \| SUP-00871 \| 18\n/);
    for (const { text } of others) expect(text).toBe(bySample.text);
  });

  test('has a link from each field of its order to the mapping row, and to what it is read from', async () => {
    const { markup } = await sendCart(sampleCart);
    const ids = new Map(
      [...markup.matchAll(/<tr id="([^"]+)" data-marks="([^"]*)"/g)].map(([, id = '', marks = '']) => [
        id,
        marks.split(' '),
      ]),
    );
    expect(ids.size).toBe([...markup.matchAll(/<tr id="/g)].length);
    const targets = [...ids.keys()].filter((id) => id.startsWith('o0t'));
    expect(targets.length).toBeGreaterThan(80);
    for (const id of targets) {
      const row = new RegExp(`<tr id="${id}"[\\s\\S]*?</tr>`).exec(markup)?.[0] ?? '';
      const links = [...row.matchAll(/href="#([^"]+)"/g)].map(([, to = '']) => to);
      const [mark = ''] = ids.get(id) ?? [];
      expect(links.filter((to) => to.startsWith('o0m'))).toHaveLength(1);
      // What a link leads to carries the mark of the field, by which the script finds it.
      for (const to of links) expect(ids.get(to)).toContain(mark);
      const marked = [...ids].filter(([other, marks]) => other !== id && marks.includes(mark)).map(([other]) => other);
      expect(marked.toSorted()).toEqual([...new Set(links)].toSorted());
    }
  });

  test('is masked, until the person asks for it', async () => {
    const personal = ['Jean Dupont', 'j.dupont@example.test', 'Data platform mission', 'Data engineer', 'MMARTIN'];
    const masked = await sendCart(sampleCart);
    for (const value of personal) expect(masked.text).not.toContain(value);
    expect(masked.text).toMatch(/requester\.name RequesterName \| ••• \| 23\n/);
    expect(masked.text).not.toContain('canonical JSON');
    const open = await sendCart(sampleCart, { unmasked: 'yes' });
    for (const value of personal) expect(open.text).toContain(value);
    const [order] = ordersOf(translate(sampleCart));
    expect(open.text).toContain(`"externalId": "${order?.externalId ?? ''}"`);
  });

  test('has all its faults, each with a link to its place in the cart and in the order', async () => {
    const cart = cartOf([labour({ Unit: 'XXX' }), material({ VendorId: '0000100777', Quantity: 'many' })]);
    const { markup, text } = await sendCart(cart);
    expect(text.match(/^(Fault|Warning|No order|Order) [^\n]*/gm)).toMatchInlineSnapshot(`
[
  "No order SRM7-100-1000004711-100234-EUR-BE10",
  "Fault E_MAP_UOM: the value map translation.valueMaps.unit has no entry "XXX"; the value is XXX; line 1; at Items[0].Unit, for lines[0].unitOfMeasure. mapping owner: Add the unit to translation.valueMaps.unit in infra/environments.ts, or in the environment's own file, deploy, then redrive.",
  "No order SRM7-100-1000004711-100777-EUR-BE10",
  "Fault E_ADDRESS_MISSING: a material line has no ship-to address; line 2; at Items[1].Partners, for deliveryAddress. buyer: Add the ship-to address in SRM and have the cart approved again.",
  "Fault E_FIELD_FORMAT: not a decimal of at most 13 digits before the point and 10 after it, such as 39000.00; the value is many; line 2; at Items[1].Quantity, for lines[0].quantity. SRM team: Correct the field in SRM or its extraction, then replay the cart.",
]
`);
    for (const [code, path] of [
      ['E_MAP_UOM', 'Items[0].Unit'],
      ['E_FIELD_FORMAT', 'Items[1].Quantity'],
    ] as const) {
      const item = new RegExp(`<li class="fault"><b>Fault ${code}</b>[\\s\\S]*?</li>`).exec(markup)?.[0] ?? '';
      const [inCart, inOrder] = [...item.matchAll(/href="#([^"]+)"/g)].map(([, to = '']) => to);
      expect(item).toContain(`>${path}</a>`);
      for (const id of [inCart, inOrder])
        expect(markup).toMatch(new RegExp(`<tr id="${id ?? ''}"[^>]* class="fault"[\\s\\S]{0,400}${code}`));
    }
  });

  test('of which no order can be made has its faults at their places, too', async () => {
    const { markup, text } = await sendCart(cartWith({ Status: '' }, { 1: { Quantity: {} } }));
    expect(text).toContain('no order: the cart has faults');
    expect(text).toMatch(/\nStatus \| empty E_SRC_SCHEMA\n/);
    expect(markup).toMatch(/at <a href="#cs\d+">Status<\/a>/);
    expect(
      (await send({ text: '{ "d": { "results": [ { "ObjectId": "1", "Guid": 5, "Items": [ } ] } }' })).text,
    ).toContain('Fault E_SRC_SCHEMA');
  });

  test('that is skipped says why, and which lines are not ordered', async () => {
    const { text } = await sendCart(cartWith({ DelInd: 'X' }));
    expect(text).toContain('skipped: the cart is deleted');
    expect((await sendCart(sampleCart)).text).toContain('line 4 (•••): the line is deleted');
  });

  test('is one of several: the first with a fault is shown, or the one that is asked for', async () => {
    const page = { d: { results: [sampleCart, itemWith(0, { Unit: 'XXX' }), cartWith({ DelInd: 'X' })] } };
    const { text, markup } = await sendCart(page);
    expect(text).toContain('1000004711 | 1 order prevented by faults | E_MAP_UOM | this one');
    expect(markup).toContain('name="shown" value="1"');
    expect((await sendCart(page, { cart: '2', shown: '1' })).text).toContain(
      'skipped: the cart is deleted | | this one',
    );
    expect((await sendCart(page, { shown: '2' })).markup).toContain('name="shown" value="2"');
  });
});

describe('hostile content', () => {
  const SCRIPT = '<script>alert(1)</script>';

  test('is shown escaped, in each of its places', async () => {
    const cart = cartWith(
      { Description: SCRIPT, ObjectId: '"><img src=x>', [SCRIPT]: SCRIPT },
      { 0: { Description: `\u202E${SCRIPT}`, Unit: SCRIPT } },
    );
    const { markup, text } = await sendCart(cart, { unmasked: 'yes' });
    expect(text).toContain(SCRIPT);
    expect(markup).not.toContain(SCRIPT);
    expect(markup).not.toContain('<img');
    // The direction of the page's own text does not change.
    expect(markup.replace(/<textarea[\s\S]*?<\/textarea>/, '')).not.toContain('\u202E');
  });

  test('does not leave the text area, in which it stands to the letter', async () => {
    const text = JSON.stringify(cartWith({ Description: `</textarea>${SCRIPT}\u202E` }), undefined, 2);
    const { markup } = await send({ text: text.replaceAll('\n', '\r\n') });
    const area = /<textarea[^>]*>\n([\s\S]*?)<\/textarea>/.exec(markup)?.[1] ?? '';
    expect(unescaped(area)).toBe(text);
  });

  test.each<[string, Readonly<Record<string, string | File>>, RegExp]>([
    ['nothing', {}, /Nothing was given/],
    [
      'what is not JSON',
      { text: '{ "a": }' },
      /The text is not JSON at line 1, column 8: a value is missing before it/,
    ],
    ['HTML', { text: '<!doctype html><html>' }, /The text is HTML, and not JSON/],
    ['JSON without a cart', { text: '{ "a": 1 }' }, /The text holds no cart: it is an object with 1 field/],
    ['a file that is not UTF-8', { file: new File([new Uint8Array([0x7b, 0xff])], 'a.json') }, /The file is not UTF-8/],
    ['a text of 5 MB', { text: 'x'.repeat(5 * 1024 * 1024) }, /The text has 5\.0 MB, and the workbench takes 4/],
    ['a file of 5 MB', { file: new File(['x'.repeat(5 * 1024 * 1024)], 'a.json') }, /The file has 5\.0 MB/],
  ])('%s is refused in words', async (_, fields, words) => {
    const { status, text } = await send(fields);
    expect(status).toBe(400);
    expect(text).toMatch(words);
  });

  test('a text that cannot be used is not lost', async () => {
    expect((await send({ text: '{ "a": }' })).markup).toMatch(/<textarea[^>]*>\n\{ &quot;a&quot;: \}<\/textarea>/);
  });
});

describe('a value that is tried', () => {
  const cart = cartOf([labour({ Unit: 'XXX' }), material({ Unit: 'ST' })]);

  test('makes the cart what the worker would make of it with that entry', async () => {
    const before = await sendCart(cart);
    expect(before.text).toContain('unit | XXX | no entry | lines[0].unitOfMeasure |');
    const after = await sendCart(cart, { 'try unit XXX': 'DAY', unmasked: 'yes' });
    expect(after.text).toContain('Tried: unit XXX → DAY');
    expect(after.text).toContain('deployed: 1 order prevented by faults; the trial: 1 order');
    expect(after.text).toContain('"unit": {\n"XXX": "DAY"');
    const { translation } = environment;
    const settings = settingsWith({
      ...translation,
      valueMaps: { ...translation.valueMaps, unit: { ...translation.valueMaps.unit, XXX: 'DAY' } },
    });
    const [order] = ordersOf(translateCart(cart, { client: '100', settings, wire: contractWire, today: '2026-11-20' }));
    const [body = ''] = /\{\n"approver"[\s\S]*?\n\}(?=\n(?!["}\]]))/.exec(after.text) ?? [];
    expect(JSON.parse(body)).toEqual(order);
  });

  test('that a deployment would refuse is refused, and changes nothing', async () => {
    const { text } = await sendCart(cart, { 'try unit XXX': 'MUCH TOO LONG' });
    expect(text).toContain(
      'A deployment would refuse this, so that it is not used below: translation.valueMaps.unit.XXX',
    );
    expect(text).toContain('1 order prevented by faults');
  });

  test('for another cart changes nothing, and is not shown', async () => {
    expect((await sendCart(cart, { 'try unit YYY': 'EA' })).text).not.toContain('Tried:');
  });

  test('may be needed before another one is known', async () => {
    const unknown = cartWith({ Status: 'I9999' }, { 0: { Unit: 'XXX' } });
    expect((await sendCart(unknown)).text).toContain('status | I9999 | no entry | whether it is ordered |');
    const status = { 'try status I9999': 'approved' };
    expect((await sendCart(unknown, status)).text).toContain('unit | XXX | no entry');
    const both = await sendCart(unknown, { ...status, 'try unit XXX': 'DAY' });
    expect(both.text).toContain('the trial: 1 order');
    expect(both.text).toContain('"extend": {\n"status": true\n}');
  });
});

describe('the settings', () => {
  test('are those that are deployed, and the names of those that differ in the checkout are told', async () => {
    const same = await sendCart(sampleCart);
    expect(same.text).toContain('The entry of this checkout has the same.');
    const { translation } = environment;
    const changed = {
      ...environment,
      translation: {
        ...translation,
        allowZeroPrice: true,
        valueMaps: { ...translation.valueMaps, supplier: { mode: 'identity' as const, codes: { '100234': 'S-1' } } },
      },
    };
    const { text } = await sendCart(sampleCart, {}, { own: { environment: changed } });
    expect(text).toContain(
      'The entry of this checkout differs in 3 of them: translation.allowZeroPrice, translation.valueMaps.supplier.codes.100234, translation.valueMaps.supplier.codes.199999.',
    );
    expect(text).toContain('supplier.code Items[0].VendorId | SUP-00871 | 18');
    expect(text).toContain('supplier.code | SUP-00871 | S-1 | 18');
  });

  test('that cannot be read are told, and the checkout takes their place', async () => {
    const own = {
      deployedSettings: async () => {
        throw new UnreadableSettings('its bundle has no translation-settings.json that this version can read');
      },
    };
    const { text } = await sendCart(sampleCart, {}, { own });
    expect(text).toContain(
      'The settings of the deployed worker cannot be read: its bundle has no translation-settings.json',
    );
    expect(text).toContain('Order SRM7-100-1000004711-100234-EUR-BE10');
  });
});

describe('what 11VMS holds', () => {
  const compare = { act: 'compare 0' };

  async function createOrder(cart: Row): Promise<void> {
    const [translated] = translate(cart).kind === 'orders' ? ordersOf(translate(cart)) : [];
    if (translated === undefined) throw new Error('no order');
    const body = JSON.stringify(translated);
    const { clientId, clientSecret } = fixture.vms;
    const http = openSystem(environment, 'vms', {
      readSecret: async () => ({ clientId, clientSecret }),
      now: Date.now,
    });
    const created = await createVmsOrders(http, Date.now, environment.vms).create(
      { externalId: translated.externalId, body, idempotencyKey: idempotencyKey(translated, body), correlationId: 'c' },
      Date.now() + 5000,
    );
    expect(created.kind).toBe('created');
  }

  test('is asked for only by a person who may operate', async () => {
    const asked = fixture.vms.requests.length;
    const { text, markup } = await sendCart(sampleCart, compare);
    expect(text).toContain('start the console with --operate');
    expect(markup).not.toContain('value="compare');
    expect(fixture.vms.requests).toHaveLength(asked);
  });

  test('is compared field by field, each with its mapping row', async () => {
    const missing = await sendCart(sampleCart, compare, { mode: 'operate' });
    expect(missing.text).toContain('11VMS holds no order SRM7-100-1000004711-100234-EUR-BE10.');
    await createOrder(sampleCart);
    const same = await sendCart(sampleCart, compare, { mode: 'operate' });
    expect(same.text).toMatch(/11VMS holds order \S+, with the same content: \d+ fields are equal, 0 are not\./);
    const other = itemWith(1, { TaxCode: 'V1', PartnerProd: '', Description: 'Other gloves' });
    // Nothing records who looks at what 11VMS holds: it stays masked, whatever is shown of the cart itself.
    const unmasked = { ...compare, unmasked: 'yes' };
    const changed = await sendCart({ ...other, ApprovedBy: 'OTHER' }, unmasked, { mode: 'operate' });
    expect(changed.text).toContain('with other content');
    expect(
      changed.text
        .slice(changed.text.indexOf('Fields that are not equal'))
        .split('\n')
        .filter((line) => / \| (differs|only)/.test(line)),
    ).toMatchInlineSnapshot(`
[
  "approver.externalId | ••• | ••• | differs | 24",
  "lines[1].description | ••• | ••• | differs | 38",
  "lines[1].tax.code | V1 | V0 | differs | 51",
  "sourceDocument.approvedBy | ••• | ••• | differs (does not count: SRM moves it with every status) | 7",
  "lines[1].supplierPartNumber | none | ••• | only in 11VMS | 42",
]
`);
  });
});

describe('a dead letter', () => {
  const byHand = { reason: 'ticket 4711' };

  /** The queue of the fixture, with a redriver whose records a test can read. */
  async function lettersOf(bodies: readonly string[]) {
    const { clients, deadLetterUrl, deadLetterName, emulators } = fixture;
    const ids: string[] = [];
    for (const body of bodies) {
      const { MessageId = '' } = await clients.sqs.send(
        new SendMessageCommand({ QueueUrl: deadLetterUrl, MessageBody: body, MessageAttributes: fixture.signed(body) }),
      );
      ids.push(MessageId);
    }
    const redriver = createRedriver({ ...fixture.workerVariables, ...redriverVariables() });
    const own = {
      deadLetter: createDeadLetterLook({
        functions: {
          invoke: (_, event) =>
            redriver(event, lambdaContext()).catch((error: unknown) => {
              throw new InvocationFailed(error instanceof Error ? error.message : String(error));
            }),
        },
        sqs: clients.sqs,
        deadLetterQueueUrl: deadLetterUrl,
        now: Date.now,
      }),
    };
    return { ids, own, inspect: () => emulators.inspectQueue(deadLetterName) };
  }

  const redriverVariables = () => ({
    DEAD_LETTER_QUEUE_URL: fixture.deadLetterUrl,
    DEAD_LETTER_QUEUE_ARN: 'arn:aws:sqs:eu-west-1:000000000000:carts-dead',
    WORKER_FUNCTION: 'worker',
    WORKER_TIMEOUT_SECONDS: '60',
    MAX_RECEIVE_COUNT: '4',
  });

  const bodyOf = (source: unknown): string =>
    JSON.stringify({
      schemaVersion: 1,
      runId: 'run-1',
      correlationId: 'c',
      client: '100',
      cart: { number: '1000004711', guid: null },
      source,
    });

  test('is opened masked, stays where it is, and leaves who looked and why', async () => {
    const { ids, own, inspect } = await lettersOf([bodyOf(sampleCart), bodyOf(itemWith(0, { Unit: 'XXX' })), 'other']);
    const fields = { message: ids[1] ?? '' };
    const { text, markup, status } = await send({ ...fields, ...byHand }, { mode: 'operate', own });
    expect(status).toBe(200);
    expect(text).toContain('unit | XXX | no entry');
    expect(markup).not.toContain('Jean Dupont');
    expect(markup).toContain(`name="message" value="${ids[1] ?? ''}"`);
    const { ready, inFlight } = await inspect();
    expect([ready.length, inFlight.length]).toEqual([3, 0]);
    const table = createLedgerTable(fixture.clients.dynamodb, fixture.tableName);
    const operations = await operationsOfMonth(table, new Date().toISOString().slice(0, 7));
    expect(operations).toMatchObject([
      { action: 'look', reason: 'ticket 4711', by: 'arn:aws:sts::0:me', messageIds: [ids[1]] },
    ]);
    // A further question about it is the same look.
    const tried = await send({ ...fields, 'try unit XXX': 'DAY' }, { mode: 'operate', own });
    expect(tried.text).toContain('the trial: 1 order');
    expect(await operationsOfMonth(table, new Date().toISOString().slice(0, 7))).toHaveLength(1);
  });

  test.each<[string, Mode, Readonly<Record<string, string>>, RegExp]>([
    ['without the mode', 'read-only', byHand, /start the console with --operate/],
    ['without a reason', 'operate', {}, /must say why/],
    [
      'that is not there',
      'operate',
      { ...byHand, message: '11111111-2222-3333-4444-555555555555' },
      /No message of this id/,
    ],
    ['whose id is none', 'operate', { ...byHand, message: '"><script>' }, /looks like 1111/],
  ])('%s is not opened', async (_, mode, fields, words) => {
    const { ids, own } = await lettersOf([bodyOf(sampleCart)]);
    const { text, markup } = await send({ message: ids[0] ?? '', ...fields }, { mode, own });
    expect(text).toMatch(words);
    expect(markup).not.toContain('1000004711');
    expect(markup).not.toContain('<script>');
  });
});
