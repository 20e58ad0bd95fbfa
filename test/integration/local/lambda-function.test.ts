import { createServer } from 'node:http';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { LOCAL_CREDENTIALS } from '../../../infra/local/aws/aws-clients.ts';
import type { LogLine } from '../../../infra/local/aws/execution-environment.ts';
import { LambdaFunction } from '../../../infra/local/aws/lambda-function.ts';
import { loadTemplate } from '../../../infra/local/aws/template.ts';
import { ARTIFACT, writeAssembly } from './assembly.ts';

const endpoints = {
  sqs: 'http://127.0.0.1:1',
  dynamodb: 'http://127.0.0.1:2',
  secretsManager: 'http://127.0.0.1:3',
  lambda: 'http://127.0.0.1:4',
};
const open: LambdaFunction[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((lambda) => lambda.close()));
});

function lambda(
  source: string,
  overrides: { timeoutMs?: number; memoryMegabytes?: number; variables?: Record<string, string> } = {},
  onLogLine?: (line: LogLine) => void,
): LambdaFunction {
  const template = loadTemplate(writeAssembly({}, { code: source }), ARTIFACT);
  const created = new LambdaFunction(
    {
      logicalId: 'Code',
      name: 'tiny-Code',
      arn: 'arn:aws:lambda:eu-west-1:000000000000:function:tiny-Code',
      runtime: 'nodejs24.x',
      codeDirectory: template.assetDirectories.get('code.zip') ?? '',
      handler: 'main.handler',
      timeoutMs: 60_000,
      memoryMegabytes: 256,
      variables: {},
      ...overrides,
    },
    { region: 'eu-west-1', endpoints, ...(onLogLine === undefined ? {} : { onLogLine }) },
  );
  open.push(created);
  return created;
}

describe('a local Lambda', () => {
  test('has the variables of the template and of Lambda, and none of the host', async () => {
    process.env.HOST_CANARY = 'must not be seen';
    const result = await lambda('exports.handler = async () => process.env;', {
      variables: { TABLE_NAME: 'ledger', NODE_OPTIONS: '--enable-source-maps', AWS_REGION: 'forged' },
    }).invoke({});
    delete process.env.HOST_CANARY;

    if (result.kind !== 'succeeded') throw new Error(result.reason);
    expect(result.payload).toEqual({
      TABLE_NAME: 'ledger',
      NODE_OPTIONS: '--enable-source-maps',
      PATH: process.env.PATH,
      TZ: 'UTC',
      LANG: 'en_US.UTF-8',
      _HANDLER: 'main.handler',
      LAMBDA_TASK_ROOT: expect.stringContaining('asset.code'),
      AWS_REGION: 'eu-west-1',
      AWS_DEFAULT_REGION: 'eu-west-1',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_NAME: 'tiny-Code',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/tiny-Code',
      AWS_LAMBDA_LOG_STREAM_NAME: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\]/),
      AWS_ACCESS_KEY_ID: LOCAL_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: LOCAL_CREDENTIALS.secretAccessKey,
      AWS_SESSION_TOKEN: 'local',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_ENDPOINT_URL_LAMBDA: endpoints.lambda,
      AWS_ENDPOINT_URL_SQS: endpoints.sqs,
      AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager,
    });
  });

  test('gives the handler its event and context, and its result passes through JSON', async () => {
    const result = await lambda(
      `exports.handler = async (event, context) => ({
        event, when: new Date(0), lost: undefined, left: context.getRemainingTimeInMillis(), context });`,
    ).invoke({ a: 1, lost: undefined });

    expect(result).toMatchObject({
      kind: 'succeeded',
      payload: {
        event: { a: 1 },
        when: '1970-01-01T00:00:00.000Z',
        context: {
          awsRequestId: result.requestId,
          functionName: 'tiny-Code',
          invokedFunctionArn: 'arn:aws:lambda:eu-west-1:000000000000:function:tiny-Code',
          memoryLimitInMB: '256',
          callbackWaitsForEmptyEventLoop: true,
        },
      },
    });
    if (result.kind !== 'succeeded') throw new Error(result.reason);
    const { left } = Object(result.payload);
    expect(left).toBeGreaterThan(50_000);
    expect(left).toBeLessThanOrEqual(60_000);
  });

  test('is warm the second time, even after a handler that threw', async () => {
    const counting = lambda(
      'let n = 0; exports.handler = async () => { if (++n === 2) throw new TypeError("second"); return [process.pid, n]; };',
    );

    const first = await counting.invoke({});
    const second = await counting.invoke({});
    const third = await counting.invoke({});
    expect(second).toMatchObject({ kind: 'failed', errorType: 'TypeError', reason: 'TypeError: second' });
    if (first.kind !== 'succeeded' || third.kind !== 'succeeded') throw new Error('expected successes');
    const [pid] = Array.from(Object(first.payload));
    expect(third.payload).toEqual([pid, 3]);
  });

  test('runs in one process for each parallel invocation', async () => {
    // Each handler waits for the other: in one process neither would ever answer.
    let arrived = 0;
    const both = Promise.withResolvers<void>();
    const meeting = createServer((_request, response) => {
      arrived += 1;
      if (arrived === 2) both.resolve();
      void both.promise.then(() => response.end());
    }).listen(0, '127.0.0.1');
    await once(meeting, 'listening');
    const address = meeting.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const meet = lambda(
      `exports.handler = () => new Promise((resolve) =>
        require('node:http').get({ port: ${port}, host: '127.0.0.1' }, () => resolve(process.pid)));`,
    );

    const results = await Promise.all([meet.invoke({}), meet.invoke({})]);
    expect(results.map(({ kind }) => kind)).toEqual(['succeeded', 'succeeded']);
    expect(new Set(results.map((result) => (result.kind === 'succeeded' ? result.payload : undefined))).size).toBe(2);
    meeting.closeAllConnections();
    meeting.close();
  });

  test('is killed at its time-out, and starts again afterwards', async () => {
    const lines: LogLine[] = [];
    const stubborn = lambda(
      `process.on('SIGTERM', () => {});
       exports.handler = async ({ loop }) => { console.log(process.pid); if (loop) for (;;); return 'fresh'; };`,
      { timeoutMs: 2000 },
      (line) => lines.push(line),
    );

    expect(await stubborn.invoke({ loop: true })).toMatchObject({
      kind: 'timed-out',
      reason: expect.stringContaining('Task timed out after 2.00 seconds'),
    });
    expect(() => process.kill(Number(lines[0]?.text), 0)).toThrow('ESRCH');
    expect(await stubborn.invoke({})).toMatchObject({ kind: 'succeeded', payload: 'fresh' });
    expect(lines[1]?.text).not.toBe(lines[0]?.text);
  });

  test.each([
    ['exits', 'exports.handler = async () => process.exit(3);', 'exit status 3'],
    ['is killed', "exports.handler = async () => process.kill(process.pid, 'SIGKILL');", 'SIGKILL'],
    [
      'lets an error escape',
      'exports.handler = () => new Promise(() => setImmediate(() => { throw new Error(); }));',
      'exit status 1',
    ],
    ['throws at import', "throw new RangeError('no table');", 'RangeError: no table'],
    ['has no such handler', 'exports.other = 1;', 'main.handler is undefined or not exported'],
    ['takes a callback', 'exports.handler = (event, context, callback) => callback();', 'no callback handlers'],
  ])('reports a crash when it %s', async (_what, source, reason) => {
    expect(await lambda(source).invoke({})).toMatchObject({ kind: 'crashed', reason: expect.stringContaining(reason) });
  });

  test('crashes when it needs more memory than it has', async () => {
    const hungry = lambda(
      'exports.handler = async () => { const all = []; for (;;) all.push(new Array(1e5).fill(Math.random())); };',
      { memoryMegabytes: 32 },
    );

    expect(await hungry.invoke({})).toMatchObject({ kind: 'crashed' });
  });

  test('reports a failure when its result is no JSON', async () => {
    expect(await lambda('exports.handler = async () => 1n;').invoke({})).toMatchObject({ kind: 'failed' });
  });

  test('delivers all its output before the invocation ends, with its request id', async () => {
    const lines: LogLine[] = [];
    const talking = lambda(
      `console.log('loading');
       // Pipes are asynchronous on macOS and Windows, so there the result can overtake what was written.
       process.stdout._handle.setBlocking(false);
       exports.handler = async () => {
         for (let i = 0; i < 20000; i += 1) { console.log('out ' + i); console.error('err ' + i); }
         process.stdout.write('no end of line'); };`,
      {},
      (line) => lines.push(line),
    );

    const { requestId } = await talking.invoke({});
    expect(lines[0]).toEqual({ functionName: 'tiny-Code', stream: 'stdout', requestId: undefined, text: 'loading' });
    const own = lines.filter((line) => line.requestId === requestId);
    const numbered = (name: string): string[] => Array.from({ length: 20_000 }, (_, index) => `${name} ${index}`);
    expect(own.filter(({ stream }) => stream === 'stdout').map(({ text }) => text)).toEqual([
      ...numbered('out'),
      'no end of line',
    ]);
    expect(own.filter(({ stream }) => stream === 'stderr').map(({ text }) => text)).toEqual(numbered('err'));
  });

  test('ends running invocations when it is closed', async () => {
    const waiting = lambda(
      'exports.handler = () => new Promise(() => { setInterval(() => {}, 1000); console.log(1); });',
      {},
      () => waiting.close(),
    );

    expect(await waiting.invoke({})).toMatchObject({ kind: 'crashed', reason: expect.stringContaining('SIGKILL') });
    expect(await waiting.invoke({})).toMatchObject({ kind: 'crashed', reason: expect.stringContaining('closed') });
  });
});
