/**
 * The `aws` command of an operator, for a shell of a test: a program on its PATH that passes its command line to this
 * process, where the running local stack answers. It knows exactly the calls of the runbook: any other parameter or
 * `--query` is refused.
 */
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { join, resolve } from 'node:path';
import { json } from 'node:stream/consumers';
import { DeleteItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import {
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  QueueAttributeName,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import type { LogLine } from '../../../infra/local/aws/execution-environment.ts';
import type { LocalStack } from '../../../infra/local/aws/local-stack.ts';

/** What the AWS account holds. */
export interface OperatedAccount {
  readonly stackName: string;
  readonly stack: LocalStack;
  readonly outputs: Readonly<Record<string, string>>;
  /** What the functions wrote, and when. */
  readonly logs: readonly { readonly line: LogLine; readonly atMs: number }[];
  /** Which function writes to a log group. */
  readonly logGroups: Readonly<Record<string, string>>;
}

export interface OperatorsAws {
  /** A directory for the PATH, with `aws` in it. */
  readonly path: string;
  close(): Promise<void>;
}

type Flags = Readonly<Record<string, unknown>>;
/** Where the command was typed, and its one word that belongs to no flag: a file to write to. */
interface Place {
  readonly directory: string;
  readonly file: string;
}
type Operation = (flags: Flags, place: Place) => Promise<unknown>;

const callSchema = z.object({ directory: z.string(), words: z.array(z.string()) });

/** Several words after a flag are a list; a flag without a word is true. */
function parse(words: readonly string[], directory: string): { flags: Record<string, unknown>; file: string } {
  const flags: Record<string, unknown> = {};
  let file = '';
  let name = '';
  let values: string[] = [];
  for (const word of [...words, '--']) {
    if (word.startsWith('--')) {
      if (name !== '') flags[name] = values.length > 1 ? values : (values[0] ?? true);
      [name, values] = [word, []];
    } else if (values.length === 1 && name !== '--attribute-names') file = word;
    else values.push(word.startsWith('file://') ? readFileSync(resolve(directory, word.slice(7)), 'utf8') : word);
  }
  return { flags, file };
}

const jsonText = z.string().transform((value): unknown => JSON.parse(value));
const queryFlags = z.strictObject({
  '--table-name': z.string(),
  '--consistent-read': z.literal(true).optional(),
  '--index-name': z.string().optional(),
  '--key-condition-expression': z.string(),
  '--expression-attribute-values': jsonText.pipe(z.record(z.string(), z.strictObject({ S: z.string() }))),
});
const itemFlags = z.strictObject({
  '--table-name': z.string(),
  '--key': jsonText.pipe(z.record(z.string(), z.strictObject({ S: z.string() }))),
});
const updateFlags = itemFlags.extend({
  '--update-expression': z.string(),
  '--condition-expression': z.string(),
});
const secretFlags = z.strictObject({ '--secret-id': z.string(), '--secret-string': z.string() });
const attribute = z.enum(QueueAttributeName);
const attributeFlags = z.strictObject({
  '--queue-url': z.string(),
  '--attribute-names': z.union([attribute.transform((name) => [name]), z.array(attribute)]),
});
const moveFlags = z.strictObject({
  '--source-arn': z.string(),
  '--max-number-of-messages-per-second': z.literal('10').transform(Number).exactOptional(),
});
const stackFlags = z.strictObject({ '--stack-name': z.string() });
const invokeFlags = z.strictObject({
  '--function-name': z.string(),
  '--payload': jsonText,
  '--cli-binary-format': z.literal('raw-in-base64-out'),
  '--cli-read-timeout': z.string(),
});
const filterFlags = z.strictObject({
  '--log-group-name': z.string(),
  '--start-time': z.string().regex(/^(0|\d{13})$/),
  '--filter-pattern': z.string().regex(/^".+"$/),
});

/** As whom AWS knows the operator. */
export const OPERATOR = 'arn:aws:sts::111122223333:assumed-role/Operator/a-person';

const outputs = z.object({ Outputs: z.record(z.string(), z.string()) });
const queueArn = z.object({ Attributes: z.object({ QueueArn: z.string() }) });

function select(answer: unknown, query: unknown): unknown {
  if (query === undefined) return answer;
  const text = z.string().parse(query);
  if (text === 'Stacks[0].Outputs') {
    return Object.entries(outputs.parse(answer).Outputs).map(([OutputKey, OutputValue]) => ({
      OutputKey,
      OutputValue,
    }));
  }
  if (text === 'Arn') return OPERATOR;
  if (text === 'Attributes.QueueArn') return queueArn.parse(answer).Attributes.QueueArn;
  if (text === 'events[].message') return answer;
  throw new Error(`--query ${text} is not known here`);
}

/** Listens on 127.0.0.1; the program is written into the directory. */
export async function startOperatorsAws(home: string, account: OperatedAccount): Promise<OperatorsAws> {
  const operations = operationsOf(account);

  async function answer(request: IncomingMessage): Promise<{ status: number; text: string }> {
    const { directory, words } = callSchema.parse(await json(request));
    const [service = '', operation = '', ...others] = words;
    try {
      const run = operations[`${service} ${operation}`];
      if (run === undefined) throw new Error(`${service} ${operation} is not known here`);
      const { flags, file } = parse(others, directory);
      const { '--query': query, '--output': output, ...own } = flags;
      const selected = select(await run(own, { directory, file }), query);
      return {
        status: 200,
        text: typeof selected === 'string' && output === 'text' ? selected : JSON.stringify(selected),
      };
    } catch (error) {
      return { status: 400, text: `An error occurred: ${error instanceof Error ? error.message : String(error)}` };
    }
  }

  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, text }) => response.writeHead(status).end(text),
      () => request.socket.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const path = join(home, 'bin');
  mkdirSync(path);
  writeFileSync(
    join(path, 'aws'),
    `#!${process.execPath}
    const typed = (word) => (word === 'file:///dev/stdin' ? require('node:fs').readFileSync(0, 'utf8') : word);
    const body = JSON.stringify({ directory: process.cwd(), words: process.argv.slice(2).map(typed) });
    require('node:http').request({ host: '127.0.0.1', port: ${port}, method: 'POST' }, (response) => {
      process.exitCode = response.statusCode === 200 ? 0 : 254;
      response.pipe(process.exitCode === 0 ? process.stdout : process.stderr);
    }).end(body);`,
  );
  chmodSync(join(path, 'aws'), 0o755);
  return {
    path,
    async close() {
      server.closeAllConnections();
      await new Promise((resolved) => {
        server.close(resolved);
      });
    },
  };
}

function operationsOf({ stackName, stack, outputs, logs, logGroups }: OperatedAccount): Record<string, Operation> {
  return {
    async 'cloudformation describe-stacks'(flags) {
      const { '--stack-name': name } = stackFlags.parse(flags);
      if (name !== stackName) throw new Error(`Stack with id ${name} does not exist`);
      return { Outputs: outputs };
    },
    async 'dynamodb query'(flags) {
      const given = queryFlags.parse(flags);
      const { Items } = await stack.clients.dynamodb.send(
        new QueryCommand({
          TableName: given['--table-name'],
          ConsistentRead: given['--consistent-read'],
          IndexName: given['--index-name'],
          KeyConditionExpression: given['--key-condition-expression'],
          ExpressionAttributeValues: given['--expression-attribute-values'],
        }),
      );
      return { Items };
    },
    async 'dynamodb delete-item'(flags) {
      const { '--table-name': TableName, '--key': Key } = itemFlags.parse(flags);
      await stack.clients.dynamodb.send(new DeleteItemCommand({ TableName, Key }));
      return {};
    },
    async 'dynamodb update-item'(flags) {
      const given = updateFlags.parse(flags);
      await stack.clients.dynamodb.send(
        new UpdateItemCommand({
          TableName: given['--table-name'],
          Key: given['--key'],
          UpdateExpression: given['--update-expression'],
          ConditionExpression: given['--condition-expression'],
        }),
      );
      return {};
    },
    async 'sts get-caller-identity'() {
      return { Arn: OPERATOR };
    },
    async 'secretsmanager put-secret-value'(flags) {
      const { '--secret-id': SecretId, '--secret-string': SecretString } = secretFlags.parse(flags);
      await stack.clients.secretsManager.send(new PutSecretValueCommand({ SecretId, SecretString }));
      return { Name: SecretId };
    },
    async 'sqs get-queue-attributes'(flags) {
      const { '--queue-url': QueueUrl, '--attribute-names': AttributeNames } = attributeFlags.parse(flags);
      const { Attributes } = await stack.clients.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
      return { Attributes };
    },
    async 'sqs start-message-move-task'(flags) {
      const { '--source-arn': SourceArn, '--max-number-of-messages-per-second': perSecond } = moveFlags.parse(flags);
      const { TaskHandle } = await stack.clients.sqs.send(
        new StartMessageMoveTaskCommand({ SourceArn, MaxNumberOfMessagesPerSecond: perSecond }),
      );
      return { TaskHandle };
    },
    async 'sqs list-message-move-tasks'(flags) {
      const { '--source-arn': SourceArn } = moveFlags.parse(flags);
      const { Results } = await stack.clients.sqs.send(new ListMessageMoveTasksCommand({ SourceArn }));
      return { Results };
    },
    async 'lambda invoke'(flags, { directory, file }) {
      const { '--function-name': name, '--payload': event } = invokeFlags.parse(flags);
      const target = stack.functions.find(({ description }) => description.name === name);
      if (target === undefined) throw new Error(`Function not found: ${name}`);
      const result = await target.invoke(event);
      const answer = result.kind === 'succeeded' ? result.payload : { errorMessage: result.reason };
      writeFileSync(resolve(directory, file), JSON.stringify(answer));
      return { StatusCode: 200 };
    },
    async 'logs filter-log-events'(flags) {
      const given = filterFlags.parse(flags);
      const writer = logGroups[given['--log-group-name']];
      if (writer === undefined) throw new Error(`The log group ${given['--log-group-name']} does not exist`);
      const term = given['--filter-pattern'].slice(1, -1);
      return logs
        .filter(
          ({ line, atMs }) =>
            line.functionName === writer && atMs >= Number(given['--start-time']) && line.text.includes(term),
        )
        .map(({ line }) => line.text);
    },
  };
}
