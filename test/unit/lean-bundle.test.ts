/** What the bundles change inside the SDK's way to SQS: a message still arrives to the letter. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import fc from 'fast-check';
import { bundling } from '../../infra/bundle.ts';

interface Sdk {
  readonly SQSClient: typeof SQSClient;
  readonly SendMessageBatchCommand: typeof SendMessageBatchCommand;
}

const directory = mkdtempSync(join(tmpdir(), 'lean-bundle-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let sdk: Sdk;
beforeAll(async () => {
  const outfile = join(directory, 'sdk.cjs');
  await build({
    ...bundling(),
    // DynamoDB's client, since a replacement that is met nowhere fails the build.
    stdin: {
      contents: "export * from '@aws-sdk/client-sqs'; export { DynamoDBClient } from '@aws-sdk/client-dynamodb';",
      resolveDir: import.meta.dirname,
    },
    outfile,
  });
  // oxlint-disable-next-line no-unsafe-type-assertion -- what was just bundled
  sdk = createRequire(import.meta.url)(outfile) as Sdk;
});

/** The bodies of a batch as they leave for SQS. */
async function sent(bodies: readonly string[]): Promise<unknown> {
  let request: { body?: unknown } | undefined;
  const client = new sdk.SQSClient({
    region: 'eu-west-1',
    endpoint: 'http://127.0.0.1:9',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
    requestHandler: {
      handle: (sent: object) => {
        request = sent;
        return Promise.reject(new Error('nothing is sent'));
      },
    },
  });
  const Entries = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
  const command = new sdk.SendMessageBatchCommand({ QueueUrl: 'http://127.0.0.1:9/0/q', Entries });
  await expect(client.send(command)).rejects.toThrow('nothing is sent');
  const { body } = request ?? {};
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : '';
  return JSON.parse(text).Entries.map((entry: { MessageBody: string }) => entry.MessageBody);
}

test('whatever a text holds, however long it is', async () => {
  const unit = fc.oneof(
    fc.constantFrom('"', '\\', '\n', '\u0000', '\u007f', '\u2028', 'é', '星', '🧪', '\ud800', '\udc00', '\uffff'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit, maxLength: 6000 }), { minLength: 1, maxLength: 10 }),
      async (bodies) => {
        expect(await sent(bodies)).toEqual(bodies);
      },
    ),
  );
});

test('the texts on both sides of the length from which they are written at once', async () => {
  const bodies = [63, 64, 65, 66, 100_000].map((length) => `"${'🧪'.repeat(length)}`.slice(0, length));
  expect(await sent(bodies)).toEqual(bodies);
});
