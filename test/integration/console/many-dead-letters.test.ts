/** Ten thousand open dead letters: a page reads a few pages of the index and the carts that it shows, and keeps nothing. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { cartPartition } from '../../../shared/ledger-keys.ts';
import { listed } from '../../../shared/lists.ts';
import { type RecordingProxy, type Reply, startRecordingProxy } from '../recording-proxy.ts';
import { type DeployedConsole, deployConsole, openTab, type Tab } from './deployed-console.ts';
import { sendRaw } from '../raw-http.ts';

const COUNT = 10_000;
const ROWS = 50;
const DAY_MS = 86_400_000;
/** Today, and each of the days for which SQS keeps a dead letter. */
const DAYS = 15;
const CODES = ['E_MAP_UOM', 'E_TGT_VALIDATION'] as const;
const RARE_CODE = 'E_SUPPLIER_MISSING';
const RARE = 200;

let deployed: DeployedConsole;
let proxy: RecordingProxy;
let tab: Tab;

beforeAll(async () => {
  deployed = await deployConsole();
  const { fixture } = deployed;
  const nowMs = Date.now();
  const items = Array.from({ length: COUNT }, (_, index) => {
    const code = index < RARE ? RARE_CODE : (CODES[index % CODES.length] ?? '');
    const atMs = nowMs - (index % (DAYS - 2)) * DAY_MS - index;
    return {
      pk: cartPartition({ client: '101', number: String(3_000_000_000 + index), guid: undefined }),
      sk: `VERDICT#message-${index}`,
      state: 'FINAL',
      changedAtMs: atMs,
      recordedAtMs: atMs,
      codes: [code],
      faults: [{ code, message: 'seeded' }],
      ...listed('DEAD-LETTERED', atMs),
    };
  });
  const batches = Array.from({ length: COUNT / 25 }, (_, index) => items.slice(index * 25, index * 25 + 25));
  const writeRest = async (): Promise<void> => {
    for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
      const requests = batch.map((item) => ({ PutRequest: { Item: marshall(item) } }));
      await fixture.clients.dynamodb.send(
        new BatchWriteItemCommand({ RequestItems: { [fixture.tableName]: requests } }),
      );
    }
  };
  await Promise.all(Array.from({ length: 4 }, writeRest));
  proxy = await startRecordingProxy(fixture.emulators.endpoints.dynamodb);
  // The emulator takes long to read a list: what it once answered is its answer again.
  const replies = new Map<string, Promise<Reply>>();
  proxy.intercept(({ body }, forward) => {
    const reply = replies.get(body) ?? forward();
    replies.set(body, reply);
    return reply;
  });
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = proxy.url;
  tab = await openTab(await deployed.serve({ mode: 'operate' }));
}, 120_000);
afterAll(async () => {
  await deployed.close();
  await proxy.close();
});

interface Looked {
  readonly body: string;
  /** Requests to the table's index, and to partitions of carts. */
  readonly ofIndex: number;
  readonly ofCarts: number;
}

async function look(path: string): Promise<Looked> {
  const before = proxy.calls.length;
  const answer = await sendRaw(tab.port, {
    path,
    headers: [
      ['Host', tab.host],
      ['Cookie', tab.cookie],
    ],
  });
  expect(answer?.status).toBe(200);
  const queries = proxy.calls.slice(before).filter(({ operation }) => operation === 'Query');
  const ofIndex = queries.filter(({ body }) => body.includes('"IndexName"')).length;
  return { body: answer?.body ?? '', ofIndex, ofCarts: queries.length - ofIndex };
}

/** The index is read a megabyte at a time: ten thousand entries take a few more requests than there are days. */
const MOST_OF_INDEX = 2 * DAYS;

describe('the worklist of ten thousand', () => {
  test.each([
    ['the first page', '/dead-letters', ROWS],
    ['the last page', `/dead-letters?page=${COUNT / ROWS}`, ROWS],
    ['those of one cause', '/dead-letters?code=E_MAP_UOM', ROWS],
  ])('reads for %s no cart that it does not show', async (_what, path, rows) => {
    const { body, ofIndex, ofCarts } = await look(path);

    expect(body.match(/name="id"/g)).toHaveLength(rows);
    expect(body).toMatch(/Page \d+ of \d+/);
    // A cart has two partitions.
    expect(ofCarts).toBeLessThanOrEqual(2 * ROWS);
    expect(ofIndex).toBeLessThanOrEqual(MOST_OF_INDEX);
    expect(body.length).toBeLessThan(200_000);
  });

  test('is a CSV of a cause, for which each of its carts is read once, and no other', async () => {
    const { body, ofIndex, ofCarts } = await look(`/dead-letters?as=csv&code=${RARE_CODE}`);

    expect(body.match(/message-\d+\r\n/g)).toHaveLength(RARE);
    // A cart has two partitions.
    expect({ ofCarts, isBounded: ofIndex <= MOST_OF_INDEX }).toEqual({ ofCarts: 2 * RARE, isBounded: true });
  });

  test('is counted on the page of the state by the index alone', async () => {
    const { body, ofIndex, ofCarts } = await look('/');

    expect(body).toContain('10,000 open dead letters');
    expect(ofCarts).toBeLessThanOrEqual(5);
    expect(ofIndex).toBeLessThanOrEqual(MOST_OF_INDEX);
  });

  test('keeps nothing of it in memory from one request to the next', async () => {
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    const used = async (requests: number): Promise<number> => {
      for (let index = 0; index < requests; index += 1) {
        await sendRaw(tab.port, {
          path: '/dead-letters',
          headers: [
            ['Host', tab.host],
            ['Cookie', tab.cookie],
          ],
        });
      }
      if (typeof collect === 'function') collect();
      return process.memoryUsage().heapUsed;
    };
    const REQUESTS = 10;
    const first = await used(3);
    const growth = (await used(REQUESTS)) - first;

    // The recorder of this test keeps each request: some kilobytes. A list of ten thousand takes megabytes.
    expect(growth / REQUESTS).toBeLessThan(300_000);
  });
});
