/**
 * What is written down: no text of a cart and no word of an answer, one JSON line for one log line, with the fields
 * that the code put there, and in the ledger never more than fits.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { chunks } from '../../../shared/lanes.ts';
import { sourceRow } from '../../../shared/reading/source-row.ts';
import { QUOTED_FIELDS } from '../../../functions/create-purchase-orders/translation/source-quotes.ts';
import fc from '../../properties.ts';
import {
  always,
  answer,
  envelope,
  isCreate,
  isLookUp,
  newCart,
  openWorkerFixture,
  type Row,
  withItems,
  type WorkerFixture,
} from '../create/worker-fixture.ts';
import { noTimeToRetry, thisSecond, useFixture } from '../extract/extractor-fixture.ts';

/** The fields of shared/log.ts, and those that Powertools adds. */
// biome-ignore format: lists of names
const FIELDS = new Set([
  'action', 'by', 'subject', 'summary', 'cartNumber', 'cartGuid', 'messageId', 'runId', 'correlationId', 'externalId', 'orderId',
  'orderNumber', 'event', 'outcome', 'codes', 'reason', 'reasons', 'attempt', 'waitingSince', 'requeues',
  'retryInSeconds', 'status',
  'transactionId', 'changedFrom', 'changedTo', 'watermark', 'pages', 'rows', 'queued', 'expected',
  'skewSeconds', 'droppedLines', 'errorName', 'stack', 'level', 'message', 'timestamp', 'service',
  'sampling_rate', 'xray_trace_id', 'cold_start', 'function_arn', 'function_memory_size',
  'function_name', 'function_request_id', 'correlation_id',
]);
/** Characters that control a terminal or break a line. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;

/** Log lines and metrics: each must be one JSON object, and a log line holds no field that the code does not know. */
function checkLines(lines: readonly string[]): void {
  for (const line of lines) {
    const fields: unknown = JSON.parse(line);
    const names = Object.keys(Object(fields));
    const isMetrics = names.includes('_aws');
    expect(isMetrics ? [] : names.filter((name) => !FIELDS.has(name))).toEqual([]);
    expect(line).not.toMatch(UNPRINTABLE);
    expect(line.length).toBeLessThan(20_000);
  }
}

/** Codes, amounts, dates and identifiers: a fault shows those that have the form of one. Every other text is private. */
// biome-ignore format: lists of names
const CODES = new Set([
  'Guid', 'ObjectId', 'PostingDate', 'ChangedAt', 'ApprovedAt', 'Status', 'TotalValue', 'CoCode', 'ProcOrg',
  'ProcGroup', 'PmntTrms', 'NumberInt', 'ProductType', 'OrderedProd', 'CategoryId', 'Quantity', 'Unit', 'Price', 'PriceUnit',
  'Value', 'Currency', 'TaxCode', 'TaxValue', 'DelivDate', 'StartDate', 'EndDate', 'VendorId', 'CtrId', 'CtrItem',
  'BeObjectId', 'AccCat', 'DistrPerc', 'GLAcct', 'CostCtr', 'ProfitCtr', 'CoArea', 'WbsElem', 'Country', 'OrderNo', 'Asset',
  'SubNumber', 'Network', 'Activity', 'Limit', 'ExpValue',
]);

test('no field is quoted that is not a code, an amount, a date or an identifier, and each of these is', () => {
  expect([...QUOTED_FIELDS].toSorted()).toEqual([...CODES].toSorted());
});

/** A place in a cart that holds a text, or could: `write` puts another one there. */
interface TextField {
  readonly path: string;
  write(cart: Row, text: string): void;
}

function textFields(row: unknown, isWanted: (key: string) => boolean, way: readonly string[] = []): TextField[] {
  return Object.entries(Object(row)).flatMap(([key, value]): TextField[] => {
    const path = [...way, key];
    if (typeof value === 'object' && value !== null) return textFields(value, isWanted, path);
    if (!isWanted(key) || (typeof value !== 'string' && value !== null)) return [];
    const write = (cart: Row, text: string): void => {
      const holder = way.reduce((at: object, step) => Object(Reflect.get(at, step)), cart);
      Reflect.set(holder, key, text);
    };
    return [{ path: path.join('.'), write }];
  });
}

const isPrivate = (key: string): boolean => !CODES.has(key);

/** Texts that break a log which is built by hand. */
const NASTY = [
  '\n{"level":"INFO","message":"Order created","outcome":"created"}\n',
  '\r\n',
  '\u2028\u2029\u0085',
  '\u001b[2J\u001b[31m\u009b2K',
  '\0END 00000000-0000-0000-0000-000000000000\n',
  '","outcome":"skipped","x":"',
  '${jndi:ldap://127.0.0.1/x}',
  '\u202e\ud800',
  '%s%n%x',
  '',
];
const nasty = fc.tuple(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(0, 0, 300),
);

/** As the extractor names the cart by what it reads of the row. */
function envelopeAsRead(source: Row) {
  const { number, guid } = sourceRow({ source });
  const message = envelope(source);
  return { ...message, correlationId: 'c', cart: { number: number ?? null, guid: guid ?? null } };
}

let canaries = 0;
/** A unique text that no code would write, between harmful characters. */
function canary([harm, noise, length]: readonly [string, string, number]): string {
  canaries += 1;
  return `${harm}KANARI${canaries}${noise}${'KANARI'.repeat(length)}${harm}`;
}

describe('the worker', () => {
  let fixture: WorkerFixture;
  beforeAll(async () => {
    fixture = await openWorkerFixture();
  });
  beforeEach(() => {
    fixture.calm();
    fixture.takeOutput();
  });
  afterAll(() => fixture.close());

  async function deliver(...carts: Row[]) {
    // A busy machine reads an answer of 4 MB in more than the second that tests have by default.
    const worker = await fixture.worker({ VMS_TIMEOUT_MS: '10000' });
    const ids = await worker.send(...carts.map((cart) => envelope(cart)));
    const { failed } = await worker.deliver();
    return { ids, failed, output: fixture.takeOutput() };
  }

  /** In batches, as Lambda takes them. */
  async function deliverAll(carts: readonly Row[]): Promise<string[]> {
    for (const batch of chunks(carts, 10)) {
      // With a queue of its own: a dead letter comes back at once.
      const worker = await fixture.worker();
      await worker.send(...batch.map((cart) => envelopeAsRead(cart)));
      await worker.deliver();
    }
    // So many dead letters pause consumption.
    await fixture.closeBreaker();
    return fixture.takeOutput();
  }

  test('writes no text of a cart, whatever the text is and whatever happens to the cart', async () => {
    const fields = textFields(newCart(), isPrivate);
    expect(fields.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'Description',
        'RequesterEmail',
        'ApprovedBy',
        'Items.results.0.Partners.results.0.Name',
      ]),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(fields, { minLength: 1 }),
        fc.array(nasty, { minLength: 5 }),
        async (some, texts) => {
          const carts = [
            newCart(),
            withItems(newCart(), (item) => ({ ...item, Quantity: '-1', Unit: 'none' })),
            newCart({ Description: 'echo' }),
            newCart({ Items: 5 }),
          ];
          for (const cart of carts) {
            for (const [index, field] of some.entries()) {
              field.write(cart, canary(texts[index % texts.length] ?? ['', '', 0]));
            }
          }
          // 11VMS repeats what it received, in every place that it has.
          fixture.proxies.vms.intercept((call, forward) => {
            if (!isCreate(call) || !call.body.includes('echo')) return forward();
            const errors = [{ code: call.body, pointer: call.body, detail: call.body }];
            return answer(422, { code: call.body, title: call.body, errors })(call, forward);
          });

          const { output } = await deliver(...carts);

          checkLines(output);
          expect(output.join('\n')).not.toContain('KANARI');
        },
      ),
      { numRuns: 25 },
    );
    expect(JSON.stringify(await fixture.wholeTable())).not.toContain('KANARI');
  });

  test('writes no name, e-mail, phone or address of the people of a cart that fails in every way', async () => {
    const people = ['Kanari Person', 'kanari@example.test', '+32 2 555 KANARI', 'Kanaristraat 1', 'KANARIUSER'];
    const [name, email, phone, street, user] = people;
    const partner = { PartnerFct: '00000027', Name: name, Street: street, Email: email, Tel: phone, Country: 'XX' };
    const cart = newCart({
      RequesterId: `${user}TOOLONG`,
      RequesterName: name,
      RequesterEmail: `${email}${'x'.repeat(300)}`,
      ApprovedBy: `${user}TOOLONG`,
      ApproverEmail: `${email}${'x'.repeat(300)}`,
      CreatedBy: user,
      ChangedBy: user,
      Partners: {
        results: [{ ...partner, Street: `${street}${'x'.repeat(100)}`, HouseNo: `KANARI${'x'.repeat(20)}` }],
      },
    });
    const { ids, failed, output } = await deliver(
      withItems(cart, (item) => ({ ...item, Partners: { results: [partner] }, Quantity: '-1' })),
    );

    expect(failed).toEqual(ids);
    expect((await fixture.verdictOf(ids[0] ?? ''))?.length).toBeGreaterThan(3);
    expect(output.join('\n')).not.toMatch(/kanari/i);
    expect(JSON.stringify(await fixture.wholeTable())).not.toMatch(/kanari/i);
  });

  test('keeps no name, e-mail address or street that stands in the wrong field, whatever the field is, and for no longer than a message lives', async () => {
    const names = ['Annemarie Vandenbroucke', 'a.vandenbroucke@example.test', 'VANDENBROUCKE', 'Vandenbrouckelaan 12'];
    // Once for each name of a field: the lines of the sample have them all.
    const fields = new Map(textFields(newCart(), () => true).map((field) => [field.path.split('.').at(-1), field]));
    expect(fields.size).toBeGreaterThan(70);
    const carts = [...fields.values()].flatMap((field, index) =>
      [0, 1].map((next) => {
        const cart = newCart();
        field.write(cart, names[(index + next) % names.length] ?? '');
        return cart;
      }),
    );
    // As long as the number of a supplier, which stands in the name of an order for ever.
    carts.push(withItems(newCart(), (item) => ({ ...item, VendorId: 'VANDENBROU' })));
    const output = await deliverAll(carts);

    const ended = (event: string): number => output.filter((line) => line.includes(`"${event}"`)).length;
    expect(ended('cart.dead-lettered')).toBeGreaterThan(30);
    expect(ended('cart.dead-lettered') + ended('order.created') + ended('cart.skipped')).toBe(carts.length);
    expect(output.join('\n')).not.toMatch(/vandenbrou|annemarie/i);
    const items = await fixture.wholeTable();
    expect(JSON.stringify(items)).not.toMatch(/vandenbrou|annemarie/i);
    const kept = items.filter(({ expiresAt }) => expiresAt === undefined).map(({ sk }) => String(sk).split('#')[0]);
    // Without its order a cart that is approved again would be ordered twice (shared/lifetimes.ts).
    expect(new Set(kept)).toEqual(new Set(['ORDER']));
  });

  test('writes a cart number without the characters that control a terminal or break a line', async () => {
    const cart = newCart({ ObjectId: '4\u2028\u009b\u202e7' });
    const worker = await fixture.worker();
    const message = envelope(cart);
    const [id] = await worker.send({ ...message, cart: { ...message.cart, number: null }, correlationId: 'c' });
    expect((await worker.deliver()).failed).toEqual([id]);
    const output = fixture.takeOutput();
    checkLines(output);
    expect(output.join('\n')).toContain(
      'E_FIELD_FORMAT: not a cart number: at most 20 digits, such as 1000004711, also with up to 4 letters in a row, or a prefix in capitals and five digits or more, such as ORDER00012 at $.ObjectId',
    );
  });

  test('never logs an event, even where an environment variable of Powertools requests it', async () => {
    process.env['POWERTOOLS_LOGGER_LOG_EVENT'] = 'true';
    try {
      const { output } = await deliver(newCart({ Description: 'KANARI' }));
      expect(output.length).toBeGreaterThan(0);
      expect(output.join('\n')).not.toContain('KANARI');
    } finally {
      Reflect.deleteProperty(process.env, 'POWERTOOLS_LOGGER_LOG_EVENT');
    }
  });

  describe('of an answer of 11VMS', () => {
    test('with 4 MB of errors keeps a hundred, and every code', async () => {
      const errors = Array.from({ length: 60_000 }, (_, index) => ({
        code: `CODE_${index}`,
        pointer: '/lines/0/tax/code',
      }));
      fixture.proxies.vms.intercept(always(isCreate, answer(422, { code: 'VALIDATION', errors })));
      const { ids, failed, output } = await deliver(newCart());

      expect(failed).toEqual(ids);
      expect((await fixture.verdictOf(ids[0] ?? ''))?.length).toBe(101);
      checkLines(output);
      for (const item of await fixture.wholeTable()) expect(JSON.stringify(item).length).toBeLessThan(100_000);
    });

    test.each([
      ['/lines/0/tax/code', true],
      ['lines[0].accounting[1].costCentre', true],
      ['/requester/email', true],
      ['/requester/Jean.Dupont', false],
      ['/lines/0/jean.dupont', false],
      ['/Dupont', false],
      ['/title/../../dupont', false],
      ['/lines/0/constructor', false],
      ['/lines/32478123456', false],
      ['/'.repeat(100_000), false],
      ['/title\n{"level":"INFO"}', false],
    ])('keeps a pointer only where it points into the order (%#)', async (pointer, isKept) => {
      fixture.proxies.vms.intercept(always(isCreate, answer(422, { errors: [{ code: 'A', pointer }] })));
      const { ids, output } = await deliver(newCart());
      const [fault] = (await fixture.verdictOf(ids[0] ?? '')) ?? [];
      expect(fault).toMatchObject({ code: 'E_TGT_VALIDATION', message: '11VMS answered 422 A' });
      expect(fault?.field).toBe(isKept ? pointer : undefined);
      checkLines(output);
    });

    const bad: [string, unknown][] = [
      ['with line breaks', 'po_1\n{"level":"INFO"}'],
      ['of 100 KB', 'p'.repeat(100_000)],
      ['with escapes of a terminal', 'po_1\u001b[2J'],
      ['with a line separator', 'po_1\u2028x'],
      ['with a NUL', 'po_1\0END '],
      ['that is a list', ['po_1']],
    ];
    test.each(bad)('with an id %s accepts no id: the order is looked up, not posted again', async (_what, id) => {
      const cart = newCart();
      fixture.proxies.vms.intercept((call, forward) => {
        if (isCreate(call)) return answer(201, { id, number: 'PO-1' })(call, forward);
        return isLookUp(call) ? answer(200, { items: [] })(call, forward) : forward();
      });
      const { ids, failed, output } = await deliver(cart);
      expect(failed).toEqual(ids);
      expect(fixture.callsFor(cart)).toEqual(['create', 'lookup']);
      expect(await fixture.orderRow(cart)).toMatchObject({
        state: 'UNKNOWN',
        faults: [{ code: 'E_TGT_DISGUISED_ERROR' }],
      });
      checkLines(output);
      for (const item of await fixture.ledgerOf(cart)) expect(JSON.stringify(item).length).toBeLessThan(5000);
    });

    test.each(bad)('with an order number %s accepts the order without its number', async (_what, number) => {
      const cart = newCart();
      fixture.proxies.vms.intercept(always(isCreate, answer(201, { id: 'po_1', number })));
      const { failed, output } = await deliver(cart);
      expect(failed).toEqual([]);
      expect(await fixture.orderRow(cart)).toMatchObject({ state: 'CREATED', orderId: 'po_1' });
      expect((await fixture.orderRow(cart))?.orderNumber).toBeUndefined();
      checkLines(output);
    });

    test('to a look-up accepts none of these ids and numbers either', async () => {
      const cart = newCart();
      fixture.proxies.vms.intercept((call, forward) => {
        if (isCreate(call)) return answer(500, 'no')(call, forward);
        const items = [
          { id: 'p'.repeat(100_000), number: '\u001b[2J', externalId: `SRM7-100-${String(cart['ObjectId'])}` },
        ];
        return isLookUp(call) ? answer(200, { items })(call, forward) : forward();
      });
      const { ids, failed, output } = await deliver(cart);
      expect(failed).toEqual(ids);
      checkLines(output);
      for (const item of await fixture.ledgerOf(cart)) expect(JSON.stringify(item).length).toBeLessThan(5000);
    });
  });

  test('keeps no more of any attack than an item of some kilobytes', async () => {
    const long = 'x'.repeat(30_000);
    const before = (await fixture.wholeTable()).length;
    await deliver(
      newCart({ CoCode: long, Currency: long, Status: 'I1129' }),
      newCart({ Status: long }),
      newCart({ ObjectId: long.slice(0, 50) }),
      withItems(newCart(), (item) => ({ ...item, VendorId: long, Unit: long, TaxCode: long })),
    );
    const after = await fixture.wholeTable();
    expect(after.length).toBeGreaterThan(before);
    for (const item of after) expect(JSON.stringify(item)).not.toMatch(/x{201}/);
    for (const item of after) expect(JSON.stringify(item).length).toBeLessThan(100_000);
  });
});

describe('the extractor', () => {
  const fixture = useFixture();

  test('writes no text of the rows that it queues, nor of the errors that SRM answers', async () => {
    const row = newCart({ ChangedAt: `/Date(${thisSecond() - 60_000})/` });
    for (const field of textFields(row, isPrivate)) field.write(row, canary(['\n{"level":"INFO"}\u2028', '', 0]));
    const service = await fixture.serve((_, response) => {
      const isFirst = service.requests.length === 1;
      const page = {
        d: { results: [row, { Guid: 'KANARI', ObjectId: 'kanari@example.KANARI' }], __next: 'ShoppingCartSet?KANARI' },
      };
      const error = {
        error: { code: 'KANARI\nKANARI', message: { value: 'KANARI' }, innererror: { transactionid: 'KANARI\0' } },
      };
      response
        .writeHead(isFirst ? 200 : 500, { 'content-type': 'application/json', 'x-kanari': 'KANARI' })
        .end(JSON.stringify(isFirst ? page : error));
    });
    const extractor = await fixture.open({ variables: { SRM_BASE_URL: service.url } });

    await expect(extractor.run({ remaining: noTimeToRetry })).rejects.toThrow(/SRM answered 500$/);

    const shown = fixture.shown();
    expect(shown.join('\n')).toContain('Page queued');
    expect(shown.join('\n')).not.toContain('KANARI');
    expect(await extractor.guids()).toHaveLength(2);
  });

  test('never logs its event', async () => {
    process.env['POWERTOOLS_LOGGER_LOG_EVENT'] = 'true';
    try {
      const extractor = await fixture.open();
      // Lambda returns the error of a refused event to its sender; our own log must stay clean.
      await extractor.run({ event: { changedFrom: 'KANARI', changedTo: 'KANARI' } }).catch(() => undefined);
      expect(fixture.shown().join('\n')).not.toContain('KANARI');
    } finally {
      Reflect.deleteProperty(process.env, 'POWERTOOLS_LOGGER_LOG_EVENT');
    }
  });
});
