/** `npm run carts` after the real functions have run: what an operator learns of each cart, of a day, and of a state. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { CreateTableCommand, DeleteItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { answer } from '../../../infra/carts/answer.ts';
import type { Progress } from '../../../infra/carts/known-cart.ts';
import { HELP, parseOptions } from '../../../infra/carts/options.ts';
import { ENVIRONMENTS, loadEnvironment } from '../../../infra/environments.ts';
import { withinOneDay } from '../../within-one-day.ts';
import { type AwsSimulator, startAwsSimulator } from '../aws-simulator.ts';
import { openReadingConsole } from '../console/reading-console.ts';
import { newCart, type Row, sampleCart, textOf, withItems, withVendors } from '../create/worker-fixture.ts';
import { type Extractor, HOUR, MINUTE, thisSecond, useFixture } from '../extract/extractor-fixture.ts';
import { BY_HAND } from '../fixture.ts';
import { startRecordingProxy } from '../recording-proxy.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const STACK = 'proc-srm7-11vms-purchase-order-v1-dev';
const INACTIVE = '0000199999';
/** What the value map of the local environment makes of it. */
const closedSuppliers = new Set(['SUP-INACTIVE']);

const fixture = useFixture({ vms: { inactiveSuppliers: (code: string) => closedSuppliers.has(code) } });
const directory = mkdtempSync(join(tmpdir(), 'carts-'));
const variablesBefore = { ...process.env };
let aws: AwsSimulator;
let extractor: Extractor;
/** What the functions have written to their logs. */
let functionLines: readonly string[] = [];
await withinOneDay(30_000);
const startedMs = Date.now();
const changedMs = thisSecond() - 20 * MINUTE;
const today = (): string => new Date(startedMs).toISOString().slice(0, 10);

const cartWith = (changes: Row = {}): Row => newCart({ ChangedAt: `/Date(${changedMs})/`, ...changes });
const ofInactive = (row: Row): Row => withItems(row, (item) => ({ ...item, VendorId: INACTIVE }));
const carts = {
  ordered: cartWith(),
  found: cartWith(),
  skipped: cartWith({ VersionType: 'C' }),
  dead: ofInactive(cartWith()),
  alsoDead: withItems(cartWith(), (item, index) => ({ ...item, Unit: index === 0 ? 'XXX' : 'YYY' })),
  cured: ofInactive(cartWith()),
  partial: withVendors(cartWith(), '100234', INACTIVE),
  nameless: { ...cartWith(), ObjectId: null, Guid: null },
  alsoNameless: { ...cartWith({ ChangedAt: `/Date(${changedMs + MINUTE})/` }), ObjectId: null, Guid: null },
  waiting: cartWith(),
};
const numberOf = (cart: Row): string => textOf(cart['ObjectId']);
const newCartNumber = '1010000123';

const putItem = async (item: Record<string, unknown>) => {
  const { clients, tableName } = fixture.systems();
  await clients.dynamodb.send(new PutItemCommand({ TableName: tableName, Item: marshall(item) }));
};
const cartPartition = (cart: Row): string => `CART#${extractor.variables.SRM_CLIENT}#${numberOf(cart)}`;

beforeAll(async () => {
  extractor = await fixture.open({ variables: { FIRST_WATERMARK: new Date(changedMs - HOUR).toISOString() } });
  const { waiting, ...others } = carts;
  extractor.srm.addCarts(Object.values(others));
  await extractor.run();
  await fixture.deliver(extractor);
  // Replayed too early, it is given up a second time.
  await extractor.run({ event: { cart: numberOf(carts.dead), ...BY_HAND } });
  await fixture.deliver(extractor);
  closedSuppliers.clear();
  // The supplier is open again, and only one of its carts was replayed.
  await extractor.run({ event: { cart: numberOf(carts.cured), ...BY_HAND } });
  // An old backup of the ledger was restored: the order exists, and only 11VMS knows it.
  const { clients, tableName, emulators, queueUrl } = fixture.systems();
  const externalId = `SRM7-${extractor.variables.SRM_CLIENT}-${numberOf(carts.found)}-100234-EUR-BE10`;
  const Key = marshall({ pk: cartPartition(carts.found), sk: `ORDER#${externalId}` });
  await clients.dynamodb.send(
    new DeleteItemCommand({ TableName: tableName, Key, ConditionExpression: 'attribute_exists(pk)' }),
  );
  await extractor.run({ event: { cart: numberOf(carts.found), ...BY_HAND } });
  await fixture.deliver(extractor);
  closedSuppliers.add('SUP-INACTIVE');
  await putItem({
    pk: cartPartition(carts.ordered),
    sk: 'VERDICT#withdrawn-message',
    state: 'WITHDRAWN',
    changedAtMs: changedMs,
    recordedAtMs: Date.now(),
    faults: [{ code: 'E_TGT_UNAVAILABLE', message: 'withdrawn' }],
  });
  extractor.srm.addCarts([waiting]);
  await extractor.run({ variables: { SAFETY_SECONDS: '0', OVERLAP_SECONDS: '3600' } });

  functionLines = [...fixture.shown()];
  aws = await startAwsSimulator();
  Object.assign(process.env, aws.variables, {
    AWS_ENDPOINT_URL_SQS: emulators.endpoints.sqs,
    AWS_EC2_METADATA_DISABLED: 'true',
    HOME: directory,
  });
  const QueueUrl = new URL(new URL(extractor.variables.QUEUE_URL).pathname, queueUrl).href;
  aws.state.stack = { status: 'UPDATE_COMPLETE', outputs: { LedgerTableName: tableName, QueueUrl }, resources: [] };
  const dev = ENVIRONMENTS['dev'];
  writeFileSync(
    join(directory, 'dev.json'),
    JSON.stringify({
      ...dev,
      region: 'eu-west-1',
      owners: { mapping: { name: 'Catalogue', contact: '#catalogue' } },
      srm: { ...dev?.srm, client: extractor.variables.SRM_CLIENT },
    }),
  );
});
beforeEach(() => {
  aws.state.denied.clear();
});
afterAll(async () => {
  await aws?.close();
  for (const name of Object.keys(process.env))
    if (!(name in variablesBefore)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, variablesBefore);
  rmSync(directory, { recursive: true, force: true });
});

const environment = join(directory, 'dev.json');
const silent: Progress = { at: () => undefined };
/** Nothing of a cart but its number may be shown. */
const contents = ['RequesterName', 'RequesterEmail', 'ApproverName', 'Description', 'RequesterId']
  .map((name) => textOf(sampleCart()[name]))
  .filter((value) => value !== '');

async function ask(args: string, now: () => number = Date.now, progress = silent): Promise<string> {
  const options = parseOptions(['--env', environment, ...args.split(' ')]);
  if (options === undefined) throw new Error('help was asked for');
  const shown = await answer(options, { now, progress });
  expect(contents.length).toBeGreaterThan(1);
  for (const content of [...contents, 'withdrawn']) expect(shown).not.toContain(content);
  return shown;
}
const askCart = (cart: Row, now?: () => number) => ask(`--cart ${numberOf(cart)}`, now);
const askJson = async (args: string): Promise<unknown> => JSON.parse(await ask(`${args} --json`));
const SECOND = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`;

describe('--cart', () => {
  test('of an ordered cart says its order, and its times in order', async () => {
    const shown = await askCart(carts.ordered);

    expect(shown).toMatch(
      new RegExp(
        `^Cart ${numberOf(carts.ordered)} \\(SAP client 101\\): ordered\nOrdered: PO-\\S+ at ${SECOND}\\.\n\n` +
          `${SECOND}  changed in SRM\n${SECOND}  read and queued by run \\S+\n${SECOND}  first tried: SRM7-101-\\S+\n` +
          `${SECOND}  ordered: PO-\\S+ \\(SRM7-101-\\S+\\)\n$`,
      ),
    );
  });

  test('accepts leading zeros', async () => {
    expect(await ask(`--cart 000${numberOf(carts.ordered)}`)).toContain(': ordered\n');
  });

  test.each<[keyof typeof carts, RegExp]>([
    ['found', /: ordered\nOrdered: PO-[\s\S]*  queued again\n/],
    ['skipped', /: skipped\nNot to be ordered, by a rule, since .*\n\n[\s\S]*  skipped: /],
    [
      'dead',
      /: dead-lettered\nGiven up at \S+Z \(E_TGT_VALIDATION: .*\)\. .*: .* SQS keeps its dead letter until \S+Z\.\n[\s\S]*  given up: message /,
    ],
    [
      'alsoDead',
      /: dead-lettered\nGiven up at \S+Z \(E_MAP_\w+: .*\)\. Mapping owner \(Catalogue, #catalogue\): .*, deploy, then redrive\. SQS keeps/,
    ],
    [
      'cured',
      /: cured\nOrdered: PO-\S+ at \S+Z, after it was given up at \S+Z for E_TGT_VALIDATION\.\n[\s\S]*  given up: message [\s\S]*  ordered: PO-/,
    ],
    [
      'partial',
      /: partly-ordered\n1 of its 2 orders exists \(PO-\S+\)\. What is missing: given up at \S+Z \(E_TGT_VALIDATION/,
    ],
    [
      'waiting',
      /: waiting\nQueued since \S+Z, and not tried yet: it waits in line\.\n\n\S+  changed in SRM\n\S+  read and queued by run \S+\n$/,
    ],
  ])('of a cart that is %s says so', async (name, shown) => {
    expect(await askCart(carts[name])).toMatch(shown);
  });

  test('of a waiting cart says that consumption is paused, since when and why', async () => {
    const item = { pk: 'BREAKER#11VMS', sk: 'BREAKER', sinceMs: changedMs, reason: '11VMS is down' };
    try {
      await putItem({ ...item, state: 'FORCED_OPEN' });
      expect(await askCart(carts.waiting)).toMatch(
        /not tried yet: consumption is paused since \S+Z, until a person resumes it \(11VMS is down\)\.\n/,
      );
      await putItem({ ...item, state: 'OPEN' });
      expect(await askCart(carts.waiting)).toMatch(
        /paused since \S+Z, until a trial succeeds, the next one within two minutes \(11VMS is down\)\.\n/,
      );
      expect(await ask('--waiting')).toMatch(
        /\nConsumption is paused since .*\d\d:\d\d UTC: 11VMS is down\. 1 cart waits\. No probe yet\. No trial yet\. Next trial within two minutes\.\n/,
      );
    } finally {
      await putItem({ ...item, state: 'CLOSED' });
    }
  });

  test('of a number that no run has read says how far SRM is read, and what to do', async () => {
    const shown = await ask(`--cart ${newCartNumber}`);

    expect(shown).toMatch(
      /^Cart 1010000123 \(SAP client 101\): never-read\nNo run has read this cart; SRM is read up to \S+Z\.\n/,
    );
    expect(shown).toMatch(
      /\nCheck the number\. In SRM: .*\(I1129\), and when was it last changed\?\n- after \S+Z: the next run reads it\. .*"no-extraction"\)\.\n- before it, .*"Find a cart", step 3\)\.\n- before the first watermark: it is never read\.\n$/,
    );
  });

  test('--json says the same for a machine, with instants', async () => {
    expect(await askJson(`--cart ${numberOf(carts.dead)}`)).toMatchObject({
      environment: 'dev',
      sapClient: '101',
      cart: numberOf(carts.dead),
      standing: {
        word: 'dead-lettered',
        messageIds: [expect.any(String), expect.any(String)],
        since: expect.stringMatching(/Z$/),
      },
      sentence: expect.stringContaining('Given up at'),
      times: expect.arrayContaining([{ at: new Date(changedMs).toISOString(), what: 'changed in SRM' }]),
    });
  });
});

describe('--day', () => {
  const orderedCarts = ['ordered', 'found', 'cured', 'partial'] as const;

  test('lists the orders that were created on it with their carts, found ones included', async () => {
    const { vms } = fixture.systems();
    expect(vms.orders().filter(({ order }) => order.sourceDocument.number === numberOf(carts.found))).toHaveLength(1);
    const shown = await ask(`--day ${today()}`);

    expect(shown).toMatch(/^4 orders of 4 carts, created on \S+ \(UTC\)\n\nordered at +cart +order number +order id/);
    expect(
      shown
        .split('\n')
        .slice(3, -1)
        .map((line) => line.split(/ {2,}/)[1] ?? '')
        .sort(),
    ).toEqual(orderedCarts.map((name) => numberOf(carts[name])).sort());
    expect(await ask('--day 2020-02-29')).toBe('0 orders of 0 carts, created on 2020-02-29 (UTC)\n');
  });

  test('--csv is for a spreadsheet, and --json for a machine', async () => {
    const [head, ...lines] = (await ask(`--day ${today()} --csv`)).split('\r\n');

    expect(head).toBe('ordered at,cart,order number,order id,external id,cart changed at');
    expect(lines.filter((line) => line !== '')).toHaveLength(4);
    expect(lines[0]).toMatch(new RegExp(`^${SECOND},\\d{10},PO-[^,]+,[^,]+,SRM7-101-[^,]+,${SECOND}$`));
    expect(await askJson(`--day ${today()}`)).toMatchObject({
      day: today(),
      carts: 4,
      orders: expect.arrayContaining([
        expect.objectContaining({ cart: numberOf(carts.found), orderNumber: expect.stringMatching(/^PO-/) }),
      ]),
    });
  });
});

describe('--state', () => {
  test('dead-lettered groups what is open by reason and owner; what is cured since does not count', async () => {
    const shown = await ask('--state dead-lettered');

    expect(shown).toMatch(/^5 carts dead-lettered since \S+ \(UTC\) and not cured; since then otherwise: 1 cured\n/);
    const groups = shown.trimEnd().split('\n\n').slice(1);
    const groupOf = (code: string): string => groups.find((group) => group.startsWith(code)) ?? 'no group';
    expect(groups).toHaveLength(3);
    expect(groupOf('E_TGT_VALIDATION')).toMatch(
      /^E_TGT_VALIDATION: 2 carts, owner: .*\n  .*\n  cart +given up at +kept until +message id +why\n/,
    );
    const [dead, partial] = [numberOf(carts.dead), numberOf(carts.partial)];
    expect(
      groupOf('E_TGT_VALIDATION')
        .match(/^  \d{10} /gm)
        ?.sort(),
    ).toEqual([`  ${dead} `, `  ${partial} `]);
    // The owner of the map needs both values: a value that is not corrected fails again.
    expect(groupOf('E_MAP_')).toMatch(
      /^E_MAP_UOM: 1 cart, owner: mapping owner \(Catalogue, #catalogue\)\n.*\n  Values: "XXX" \(1 cart\), "YYY" \(1 cart\)\n/,
    );
    const [, one, other] =
      /^E_\w+: 2 carts, owner: SRM team\n.*\n.*\n  unidentified .* (\S{36})  .*\n  unidentified .* (\S{36})  /.exec(
        groupOf('E_SRC_'),
      ) ?? [];
    expect(new Set([one, other, undefined]).size).toBe(3);
    expect(shown).not.toContain(numberOf(carts.cured));
  });

  test('takes a day, and is CSV and JSON as well', async () => {
    expect(await ask('--state dead-lettered --day 2020-01-01')).toBe(
      '0 carts dead-lettered on 2020-01-01 (UTC) and not cured\n',
    );
    const [head, ...lines] = (await ask(`--state dead-lettered --day ${today()} --csv`)).trimEnd().split('\r\n');
    expect(head).toBe('cart,code,owner,given up at,kept until,message id,why,what to do');
    expect(lines).toHaveLength(5);
    expect(await askJson('--state dead-lettered')).toMatchObject({
      carts: 5,
      notCounted: { cured: 1 },
      groups: expect.arrayContaining([
        expect.objectContaining({
          code: 'E_TGT_VALIDATION',
          carts: expect.arrayContaining([
            expect.objectContaining({ cart: numberOf(carts.dead), keptUntil: expect.stringMatching(/Z$/) }),
          ]),
        }),
      ]),
    });
  });

  test('--code lists the carts that the correction of one cause lets pass: those without any other fault', async () => {
    const pk = `CART#${extractor.variables.SRM_CLIENT}#${newCartNumber}`;
    const sk = 'VERDICT#with-two-faults';
    const fault = (code: string) => ({ code, message: 'no' });
    await putItem({
      pk,
      sk,
      state: 'FINAL',
      changedAtMs: changedMs,
      recordedAtMs: startedMs,
      listedAs: `DEAD-LETTERED#${today()}`,
      listedAtMs: startedMs,
      faults: [fault('E_TGT_VALIDATION'), fault('E_MAP_TAX')],
    });
    try {
      const args = '--state dead-lettered --code E_TGT_VALIDATION';
      expect(await ask(args)).toMatch(
        /^2 carts dead-lettered since .*\nFor E_TGT_VALIDATION alone; 4 more for other reasons, or for more than this one\n\nE_TGT_VALIDATION: 2 carts, .*\n.*\n.*\n.*\n.*\n$/,
      );
      expect(await ask(`${args} --csv`)).not.toContain(newCartNumber);
      const cartsOf = z.object({ groups: z.array(z.object({ carts: z.array(z.object({ cart: z.string() })) })) });
      const [group] = cartsOf.parse(await askJson(args)).groups;
      expect(group?.carts.map(({ cart }) => cart).sort()).toEqual(
        [carts.dead, carts.partial].map((cart) => numberOf(cart)).sort(),
      );
    } finally {
      const { clients, tableName } = fixture.systems();
      await clients.dynamodb.send(new DeleteItemCommand({ TableName: tableName, Key: marshall({ pk, sk }) }));
    }
  });

  test('tells how many of the carts are asked', async () => {
    const told: (number | undefined)[][] = [];
    await ask('--state dead-lettered', Date.now, { at: (...done) => told.push(done) });

    expect(told).toEqual([1, 2, 3, 4, 5, 6].map((done) => [done, 6]));
  });

  test('looks back 14 days, and no further', async () => {
    const later = (days: number) => () => startedMs + days * 24 * HOUR;

    expect(await ask('--state dead-lettered', later(14))).toMatch(/^5 carts /);
    expect(await ask('--state dead-lettered', later(15))).toMatch(/^0 carts /);
  });

  test('skipped groups by rule', async () => {
    expect(await ask('--state skipped')).toMatch(
      new RegExp(
        `^1 cart skipped by a rule since \\S+ \\(UTC\\)\n\n1 cart: .+\n  cart +skipped at\n  ${numberOf(carts.skipped)}  ${SECOND}\n$`,
      ),
    );
  });

  test('ordered counts by day, and lists each order as CSV', async () => {
    expect(await ask('--state ordered')).toMatch(
      new RegExp(
        `^4 orders, created since \\S+ \\(UTC\\); --day shows those of one day\n\nday +orders +carts\n${today()}  4       4\n$`,
      ),
    );
    expect((await ask('--state ordered --csv')).trimEnd().split('\r\n')).toHaveLength(5);
  });
});

describe('--waiting', () => {
  test('counts by the queue, says how far SRM is read, and what it costs to name the carts', async () => {
    const shown = await ask('--waiting');

    expect(shown).toMatch(/^1 message on the queue, about one for each cart that waits: 1 ready, 0 received/);
    expect(shown).toMatch(
      /\nConsumption is running\.\nSRM is read up to \S+Z\n\nWhich carts: --waiting --scan MB .* at most \d+ MB, less than 0\.01 USD\.\n$/,
    );
  });

  test('--scan names them, by their standing and in the order of their waiting', async () => {
    const shown = await ask('--waiting --scan 10');

    expect(shown).toContain('\n1 waiting cart in the ledger; the whole ledger was read\n');
    expect(shown).toMatch(new RegExp(`\n${numberOf(carts.waiting)}  waiting   Queued since `));
    expect(await askJson('--waiting --scan 10')).toMatchObject({
      queue: { ready: 1, inFlight: 0, delayed: 0 },
      isWhole: true,
      scannedMegabytes: 1,
      carts: [{ cart: numberOf(carts.waiting), standing: { word: 'waiting' } }],
    });
  });

  test('--scan names the only cart of a ledger', async () => {
    const { clients, queueUrl } = fixture.systems();
    await clients.dynamodb.send(
      new CreateTableCommand({
        TableName: 'small',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    );
    const Item = marshall({
      pk: `QUEUED#101#${newCartNumber}`,
      sk: 'QUEUED#1#a',
      changedAtMs: 1,
      queuedAtMs: startedMs,
    });
    await clients.dynamodb.send(new PutItemCommand({ TableName: 'small', Item }));

    expect(await ask(`--waiting --scan 1 --table small --queue ${queueUrl}`)).toContain(`\n${newCartNumber}  waiting `);
  });

  test('--scan reads no more than it may, and says that there may be more', async () => {
    for (let index = 0; index < 8; index++) {
      await putItem({ pk: `CART#101#300000000${index}`, sk: 'SKIP', reason: 'x'.repeat(300_000), recordedAtMs: 1 });
    }

    expect(await ask('--waiting --scan 1')).toMatch(
      /; only a part of the ledger was read, 1 (of \d+ )?MB: there may be more\n/,
    );
    expect(await askJson('--waiting --scan 10')).toMatchObject({ isWhole: true, scannedMegabytes: 3 });
  });
});

describe('a question that cannot be answered says what is wrong, where, and what to do', () => {
  const refusal = (args: string, file = environment) => {
    const options = parseOptions(['--env', file, ...args.split(' ')]);
    if (options === undefined) throw new Error('help was asked for');
    return answer(options, { now: Date.now, progress: { at: () => undefined } }).then(
      () => undefined,
      (error: unknown) => error,
    );
  };

  test('for an unknown environment', async () => {
    expect(await refusal('--waiting', 'prd')).toMatchObject({
      message: expect.stringMatching(/^Unknown environment "prd"\. Known: dev, test, prod/),
      advice: expect.stringContaining('--env'),
    });
  });

  test('without a stack in this region', async () => {
    const { stack } = aws.state;
    aws.state.stack = undefined;
    try {
      expect(await refusal('--waiting')).toMatchObject({
        message: `stack ${STACK} is not deployed in account 123456789012, region eu-west-1`,
        advice: expect.stringContaining('region'),
      });
    } finally {
      aws.state.stack = stack;
    }
  });

  test('without rights on CloudFormation, on the ledger, or on the queue', async () => {
    aws.state.denied.add('DescribeStacks');
    expect(await refusal('--waiting')).toMatchObject({
      message: 'CloudFormation: AWS refuses (AccessDenied: aws:DescribeStacks)',
      advice: expect.stringContaining('cloudformation:DescribeStacks'),
    });
    aws.state.denied.clear();
    const { endpoints } = fixture.systems().emulators;
    for (const [name, endpoint, what] of [
      ['DYNAMODB', endpoints.dynamodb, /^table ledger: AWS refuses \(AccessDeniedException: dynamodb:Query\)$/],
      ['SQS', endpoints.sqs, /^the cart queue: AWS refuses \(AccessDenied\w*: sqs:GetQueueAttributes\)$/],
    ] as const) {
      const proxy = await startRecordingProxy(endpoint);
      proxy.intercept(({ operation }, forward) =>
        /^(Query|GetQueueAttributes)$/.test(operation)
          ? Promise.resolve({
              status: 400,
              headers: { 'content-type': 'application/x-amz-json-1.0' },
              body: JSON.stringify({
                __type: 'AccessDeniedException',
                message: `User: x is not authorized to perform: ${name.toLowerCase()}:${operation} on resource: * hunter2`,
              }),
            })
          : forward(),
      );
      process.env[`AWS_ENDPOINT_URL_${name}`] = proxy.url;
      try {
        const question = name === 'SQS' ? `--waiting --queue ${proxy.url}/queue --table ledger` : '--state skipped';
        expect(await refusal(question)).toMatchObject({
          message: expect.stringMatching(what),
          advice: expect.stringMatching(/^ask for the rights to read: /),
        });
      } finally {
        process.env[`AWS_ENDPOINT_URL_${name}`] = endpoint;
        await proxy.close();
      }
    }
  });

  test('for a table that is not there, and a queue that was not named', async () => {
    expect(await refusal(`--cart ${newCartNumber} --table other`)).toMatchObject({
      message: 'table other does not exist here (ResourceNotFoundException)',
      advice: expect.stringContaining('--table'),
    });
    expect(await refusal('--waiting --table ledger')).toMatchObject({ message: 'the cart queue is not known' });
  });
});

test('with --table and --queue, emulators answer alone: neither STS nor CloudFormation is asked', async () => {
  const { tableName, queueUrl } = fixture.systems();
  const before = aws.operations.length;

  expect(await ask(`--cart ${numberOf(carts.ordered)} --table ${tableName}`)).toContain(': ordered\n');
  expect(await ask(`--waiting --table ${tableName} --queue ${queueUrl}`)).toMatch(/^0 messages/);
  expect(aws.operations).toHaveLength(before);
});

describe('npm run carts', () => {
  async function run(args: readonly string[]) {
    const child = spawn(process.execPath, ['infra/carts/main.ts', ...args], {
      cwd: root,
      env: process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    });
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { stdout, stderr, status };
  }

  test('--help prints what it does, and exits 0', async () => {
    expect(await run(['--help'])).toEqual({ stdout: HELP, stderr: '', status: 0 });
  });

  test('with a mistake prints it, and exits 1', async () => {
    const { stdout, stderr, status } = await run(['--env', 'dev', '--cart']);

    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toMatch(/'--cart <value>' argument missing[\s\S]*See npm run carts -- --help\.\n$/);
  });

  test('without an answer prints what to do, and exits 1', async () => {
    aws.state.denied.add('DescribeStacks');

    const { stdout, stderr, status } = await run(['--env', environment, '--waiting']);

    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
    expect(stderr).toMatch(/^\nCloudFormation: AWS refuses \(.*\)\n  -> ask for the rights to read: .*\n$/);
  });

  test('with an answer prints it alone, and exits 0', async () => {
    const { stdout, stderr, status } = await run(['--env', environment, '--cart', numberOf(carts.cured), '--json']);

    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ standing: { word: 'cured' } });
  });
});

describe('the pages of the console', () => {
  let get: ReturnType<typeof openReadingConsole>;
  beforeAll(() => {
    const { clients, tableName, queueUrl } = fixture.systems();
    const logPath = join(directory, 'functions.log');
    writeFileSync(logPath, functionLines.join('\n'));
    get = openReadingConsole({
      clients,
      tableName,
      queueUrl,
      environment: loadEnvironment(environment),
      logPath,
      now: Date.now,
    });
  });
  const read = async (path: string) => {
    const shown = await get(path);
    for (const content of [...contents, 'withdrawn']) expect(shown.markup).not.toContain(content);
    return shown;
  };
  const pageOf = (cart: Row) => read(`/carts/101/${numberOf(cart)}`);

  test.each<keyof typeof carts>(['ordered', 'found', 'skipped', 'dead', 'alsoDead', 'cured', 'partial', 'waiting'])(
    'tell of the cart that is %s what the command tells, and nothing else of it',
    async (name) => {
      const [head = '', sentence = ''] = (await askCart(carts[name])).split('\n');
      const { text, response } = await pageOf(carts[name]);

      expect(response.status).toBe(200);
      expect(text.toLowerCase()).toContain(`standing ${head.split(': ')[1] ?? '?'}`);
      // The hour of a retry is the only part that moves.
      expect(text).toContain(sentence);
    },
  );

  test('tell the attempts of a cart from its log, and what the ledger knows once', async () => {
    const { text } = await pageOf(carts.found);

    expect(functionLines.length).toBeGreaterThan(10);
    expect(text).toMatch(/Log lines up to/);
    expect(text.match(/ ordered: PO-/g)).toHaveLength(1);
    expect(text).not.toContain('Order created (');
  });

  test.each([
    '/carts',
    '/carts?state=dead-lettered',
    '/carts?state=skipped',
    '/carts?state=waiting',
    '/carts?as=csv',
    '/carts?state=dead-lettered&as=csv',
    '/carts?state=skipped&as=csv',
    `/audit?day=${new Date().toISOString().slice(0, 10)}`,
    '/find?q=100234',
    '/operations',
  ])('show nothing of a cart but its identifiers, codes and faults: %s', async (path) => {
    expect((await read(path)).response.status).toBe(200);
  });
});
