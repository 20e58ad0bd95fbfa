import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GetItemCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { loadEnvironment } from '../../../infra/environments.ts';
import { type LocalStack, only, startLocalStack } from '../../../infra/local/aws/local-stack.ts';
import { synthesizeOnce } from '../../../infra/synthesis-cache.ts';
import { writeCartMessage } from '../../../shared/cart-message.ts';
import { messageKeyOf, signedBy } from '../../signed-messages.ts';
import { startVms, type VmsSimulator } from '../../simulators/vms.ts';
import { envelope, newCart, type Row } from '../create/worker-fixture.ts';

const unexpected = (error: unknown): never => {
  throw error;
};

describe('the stack of the local environment', () => {
  const requested: (string | undefined)[] = [];
  const srm = createServer((request, response) => {
    requested.push(request.url);
    response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}');
  });
  const environment = loadEnvironment('local');
  const outdir = mkdtempSync(join(tmpdir(), 'local-stack-'));
  let stack: LocalStack;
  let vms: VmsSimulator;
  /** Suppliers that are closed in 11VMS. A test changes them. */
  const inactive = new Set<string>();
  beforeAll(async () => {
    srm.listen(0, '127.0.0.1');
    await once(srm, 'listening');
    const address = srm.address();
    const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    vms = await startVms({ inactiveSuppliers: (code) => inactive.has(code) });
    const { directory, artifact } = await synthesizeOnce(environment, outdir);
    const credentials = JSON.stringify({ clientId: 'id', clientSecret: 'secret' });
    const { clientId, clientSecret } = vms;
    stack = await startLocalStack({
      assembly: directory,
      artifact,
      variables: {
        SRM_BASE_URL: url,
        SRM_TOKEN_URL: `${url}/oauth/token`,
        VMS_BASE_URL: vms.baseUrl,
        VMS_TOKEN_URL: vms.tokenUrl,
      },
      secrets: {
        [environment.srm.secretName]: credentials,
        [environment.vms.secretName]: JSON.stringify({ clientId, clientSecret }),
      },
      onError: unexpected,
    });
  }, 120_000);
  afterAll(async () => {
    await stack?.close();
    await vms?.close();
    srm.closeAllConnections();
    srm.close();
    rmSync(outdir, { recursive: true, force: true });
  });

  const extraction = () => stack.scheduleOf('extract-approved-carts');

  test('is provisioned as it is synthesized', async () => {
    const { queue, target, poller } = only(stack.mappings, 'mapping');
    const { Attributes } = await stack.clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({ VisibilityTimeout: String(6 * environment.delivery.timeoutSeconds) });
    expect(JSON.parse(Attributes?.RedrivePolicy ?? '')).toMatchObject({ maxReceiveCount: 4 });
    expect(queue.deadLetters?.arn).toBe(queue.deadLetterArn);
    expect(poller.description).toMatchObject({
      batchSize: environment.delivery.batchSize,
      maximumConcurrency: environment.delivery.maximumConcurrency,
      reportsBatchItemFailures: true,
    });
    expect(target.description).toMatchObject({ timeoutMs: 30_000, memoryMegabytes: 1024, runtime: 'nodejs24.x' });
    const { TableNames } = await stack.clients.dynamodb.send(new ListTablesCommand());
    expect(TableNames).toEqual(stack.tables.map(({ name }) => name));
  });

  test('gives its functions the names of each other and of the emulators', () => {
    const { queue, target } = only(stack.mappings, 'mapping');
    const schedule = extraction();
    const table = only(stack.tables, 'table');
    for (const { description } of [schedule.target, target]) {
      expect(description.variables).toMatchObject({ QUEUE_URL: queue.url, TABLE_NAME: table.name });
    }
    expect(schedule.target).not.toBe(target);
    expect(schedule.description).toMatchObject({ expression: 'rate(1 minute)', timeZone: 'Europe/Brussels' });
    expect(stack.outputs).toMatchObject({
      QueueUrl: queue.url,
      DeadLetterQueueUrl: queue.deadLetters?.url,
      LedgerTableName: table.name,
    });
  });

  test('runs its extractor, bundled as deployed: it reads its secret from the emulator and calls SRM when the schedule fires', async () => {
    const result = await extraction().fire(new Date());

    expect(requested[0]).toBe('/oauth/token');
    expect(result.kind).toBe('failed');
  });

  test('runs its worker, bundled as deployed: it takes a batch', async () => {
    const result = await only(stack.mappings, 'mapping').target.invoke({ Records: [] });

    expect(result.kind).toBe('succeeded');
  });

  async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!(await isSo())) {
      if (Date.now() > deadline) throw new Error('what the test waits for did not happen within 30 s');
      await sleep(50);
    }
  }
  async function send(url: string, ...carts: readonly Row[]): Promise<void> {
    for (const cart of carts) {
      const MessageBody = writeCartMessage(envelope(cart));
      const MessageAttributes = signedBy(await messageKeyOf(stack), MessageBody);
      await stack.clients.sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody, MessageAttributes }));
    }
  }
  const ordersOf = (cart: Row) => vms.orders().filter(({ order }) => order.sourceDocument.number === cart['ObjectId']);
  const isCreate = ({ operation }: { operation: string }): boolean => operation === 'create';
  const postsOf = (cart: Row): number =>
    vms.requests.filter((one) => isCreate(one) && JSON.stringify(one).includes(String(cart['ObjectId']))).length;

  test('pauses its event source in an outage, tries one message once 11VMS is healthy, and creates every order', async () => {
    const { poller, queue } = only(stack.mappings, 'mapping');
    const supervision = stack.scheduleOf('supervise-consumption');
    const table = only(stack.tables, 'table').name;
    const Key = { pk: { S: 'BREAKER#11VMS' }, sk: { S: 'BREAKER' } };
    const isOpen = async (): Promise<boolean> => {
      const { Item } = await stack.clients.dynamodb.send(new GetItemCommand({ TableName: table, Key }));
      return Item?.['state']?.S === 'OPEN';
    };
    const supervise = async (): Promise<unknown> => {
      const result = await supervision.fire(new Date());
      return result.kind === 'succeeded' ? result.payload : result.reason;
    };
    const carts = Array.from({ length: 6 }, () => newCart());
    vms.setDisturbances(({ operation }) =>
      operation === 'token' ? { kind: 'none' } : { kind: 'status', status: 401 },
    );
    stack.startMappings();
    await send(queue.url, ...carts);
    await until(isOpen);

    expect(await supervise()).toMatchObject({ state: 'OPEN', reason: expect.stringMatching(/^E_TGT_AUTH/) });
    expect(poller.enabled).toBe(false);
    expect(vms.orders()).toEqual([]);

    vms.setDisturbances('none');
    // The first trial failed: the next one waits two seconds here, and a minute on AWS.
    await until(async () => {
      expect(await supervise()).toMatchObject({ state: expect.stringMatching(/OPEN|CLOSED/) });
      return poller.enabled;
    });
    // The order of the trial, and perhaps more.
    expect(vms.orders().length).toBeGreaterThan(0);
    await poller.settled();
    expect(carts.map((cart) => ordersOf(cart).length)).toEqual(carts.map(() => 1));
    expect(await queue.deadLetters?.inspect()).toEqual({ ready: [], delayed: [], inFlight: [] });
    await stack.stopMappings();
  });

  test('redrives dead letters as new messages: a rejected cart is tried again, a created order is never posted again', async () => {
    const { poller, queue } = only(stack.mappings, 'mapping');
    const { deadLetters } = queue;
    if (deadLetters === undefined) throw new Error('no dead-letter queue');
    const [rejected, created] = [newCart(), newCart()];
    stack.startMappings();
    await send(queue.url, created);
    await until(() => ordersOf(created).length === 1);
    inactive.add('SUP-00871');
    await send(queue.url, rejected);
    await until(async () => (await deadLetters.inspect()).ready.length === 1);
    expect(postsOf(rejected)).toBe(1);
    await stack.stopMappings();
    // The state after a crash between the order and the end of the final attempt.
    await send(deadLetters.url, created);
    const before = (await deadLetters.inspect()).ready;

    expect(await queue.redriveDeadLetters()).toBe(2);
    const { ready } = await queue.inspect();
    expect(ready.map(({ body }) => body).sort()).toEqual(before.map(({ body }) => body).sort());
    expect(ready.map(({ approximateReceiveCount }) => approximateReceiveCount)).toEqual([0, 0]);
    const old = before.map(({ messageId }) => messageId);
    expect(ready.filter(({ messageId }) => old.includes(messageId))).toEqual([]);
    expect((await deadLetters.inspect()).ready).toEqual([]);

    inactive.clear();
    stack.startMappings();
    await poller.settled();
    expect([ordersOf(rejected).length, postsOf(rejected)]).toEqual([1, 2]);
    expect([ordersOf(created).length, postsOf(created)]).toEqual([1, 1]);
    expect((await deadLetters.inspect()).ready).toEqual([]);
    await stack.stopMappings();
  });
});
