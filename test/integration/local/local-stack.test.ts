import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { loadEnvironment } from '../../../infra/environments.ts';
import { type LocalStack, only, startLocalStack } from '../../../infra/local/local-stack.ts';
import { synthesize } from '../../../infra/synthesize.ts';

const unexpected = (error: unknown): never => {
  throw error;
};

describe('the stack of the local environment', () => {
  const requested: (string | undefined)[] = [];
  const srm = createServer((request, response) => {
    requested.push(request.url);
    response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"invalid_client"}');
  });
  const local = loadEnvironment('local');
  let environment = local;
  const outdir = mkdtempSync(join(tmpdir(), 'local-stack-'));
  let stack: LocalStack;
  beforeAll(async () => {
    srm.listen(0, '127.0.0.1');
    await once(srm, 'listening');
    const address = srm.address();
    const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    environment = { ...local, srm: { ...local.srm, baseUrl: url, tokenUrl: `${url}/oauth/token` } };
    const { directory, artifact } = await synthesize(environment, outdir);
    const credentials = JSON.stringify({ clientId: 'id', clientSecret: 'secret' });
    stack = await startLocalStack({
      assembly: directory,
      artifact,
      secrets: { [environment.srm.secretName]: credentials, [environment.vms.secretName]: credentials },
      onError: unexpected,
    });
  }, 120_000);
  afterAll(async () => {
    await stack?.close();
    srm.closeAllConnections();
    srm.close();
    rmSync(outdir, { recursive: true, force: true });
  });

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

  test('its functions are told of each other and of the emulators by name', () => {
    const { queue, target } = only(stack.mappings, 'mapping');
    const schedule = only(stack.schedulesOf('extract-approved-carts'), 'schedule');
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

  test('its extractor, bundled as deployed, reads its secret from the emulator and calls SRM when the schedule fires', async () => {
    const result = await only(stack.schedulesOf('extract-approved-carts'), 'schedule').fire(new Date());

    expect(requested[0]).toBe('/oauth/token');
    expect(result.kind).toBe('failed');
  });

  test('its worker, bundled as deployed, takes a batch', async () => {
    const result = await only(stack.mappings, 'mapping').target.invoke({ Records: [] });

    expect(result.kind).toBe('succeeded');
  });
});
