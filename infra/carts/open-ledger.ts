/** Finds the ledger of an environment, and reads it. Every error says what is wrong, where, and what to do. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, paginateScan, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { type Item, createLedgerTable, type LedgerTable } from '../../shared/ledger-table.ts';
import { LISTED_INDEX, type List, listOfDay } from '../../shared/lists.ts';
import {
  AccountUnusable,
  type AwsAccount,
  clientSettings,
  describeAwsError,
  isSessionRefused,
  LOG_IN,
  openAccount,
} from '../aws-account.ts';
import { type DeployedStack, readDeployedStack } from '../deployed-stack.ts';
import { type Environment, loadEnvironment, stackName } from '../environments.ts';
import type { CartsOptions } from './options.ts';

/** The question cannot be answered. The message says what is wrong and where, `advice` what to do. */
export class Unanswerable extends Error {
  readonly advice: string;

  constructor(what: string, advice: string) {
    super(what);
    this.name = 'Unanswerable';
    this.advice = advice;
  }
}

const listedItem = z.object({
  pk: z.string(),
  sk: z.string(),
  listedAtMs: z.number(),
  changedAtMs: z.number().optional(),
  orderId: z.string().optional(),
  orderNumber: z.string().optional(),
  reason: z.string().default(''),
  codes: z.array(z.string()).default([]),
  /** Of a dead letter: when SQS took its message. */
  sentAtMs: z.number().optional(),
});
export type ListedItem = Readonly<z.infer<typeof listedItem>>;
const listPosition = listedItem.pick({ listedAtMs: true, pk: true, sk: true });

const queueCounts = z.object({
  ApproximateNumberOfMessages: z.coerce.number(),
  ApproximateNumberOfMessagesNotVisible: z.coerce.number(),
  ApproximateNumberOfMessagesDelayed: z.coerce.number(),
});

/** Messages, as SQS counts them: approximately. */
export interface QueueCounts {
  readonly ready: number;
  readonly inFlight: number;
  readonly delayed: number;
}

/** How many messages the queue holds. */
export const heldBy = ({ ready, inFlight, delayed }: QueueCounts): number => ready + inFlight + delayed;

/** An item of a list, by the keys of the index and of the table. A list can go on after it. */
export type ListPosition = Pick<ListedItem, 'listedAtMs' | 'pk' | 'sk'>;

export interface ListPart {
  readonly after?: ListPosition | undefined;
  /** The most items; undefined: as many as DynamoDB reads at once, which is a megabyte. */
  readonly limit?: number;
  readonly newestFirst?: boolean;
  readonly filter?: ListFilter | undefined;
}

/** DynamoDB looks at each item, and answers with those that match. */
export interface ListFilter {
  /**
   * In DynamoDB's language, written in the code: what a person typed is one of its values. It names no key of the table:
   * DynamoDB's guide lets a filter use no key attribute.
   */
  readonly expression: string;
  readonly values: Readonly<Record<`:${string}`, string>>;
}

export interface ListPartRead {
  readonly items: readonly ListedItem[];
  /** Undefined at the end of the list. */
  readonly next: ListPosition | undefined;
  /** How many items DynamoDB has looked at. */
  readonly lookedAt: number;
}

/** @throws the SDK's error. */
export async function queueCountsOf(sqs: SQSClient, queueUrl: string): Promise<QueueCounts> {
  const AttributeNames = queueCounts.keyof().options;
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames }));
  const counts = queueCounts.parse(Attributes);
  return {
    ready: counts.ApproximateNumberOfMessages,
    inFlight: counts.ApproximateNumberOfMessagesNotVisible,
    delayed: counts.ApproximateNumberOfMessagesDelayed,
  };
}

export interface OpenedLedger {
  readonly environment: Environment;
  readonly table: LedgerTable;
  /** A part of a list of one day, by one request. */
  listedPart(list: List, day: string, part: ListPart): Promise<ListPartRead>;
  /** What a list of one day (in UTC) holds, oldest first. */
  listed(list: List, day: string): Promise<readonly ListedItem[]>;
  /** All items in pages of a megabyte. */
  pages(): AsyncIterable<{ readonly items: readonly Item[]; readonly isLast: boolean }>;
  /** As DynamoDB last counted it, some hours ago at most; undefined without the right to ask. */
  sizeInBytes(): Promise<number | undefined>;
  queueCounts(): Promise<QueueCounts>;
  close(): void;
}

/** @throws {Unanswerable} */
export async function openLedger(options: CartsOptions): Promise<OpenedLedger> {
  const environment = environmentOf(options.environment);
  const place =
    options.tableName === undefined
      ? await deployedPlace(environment, options)
      : {
          tableName: options.tableName,
          queueUrl: options.queueUrl,
          settings: environment.region === undefined ? {} : { region: environment.region },
        };
  const settings = { ...clientSettings(options), ...place.settings };
  return ledgerAt(
    environment,
    { tableName: place.tableName, queueUrl: options.queueUrl ?? place.queueUrl },
    { dynamodb: new DynamoDBClient(settings), sqs: new SQSClient(settings) },
  );
}

/** @param clients `close` destroys them. */
export function ledgerAt(
  environment: Environment,
  { tableName, queueUrl }: { readonly tableName: string; readonly queueUrl: string | undefined },
  { dynamodb, sqs }: { readonly dynamodb: DynamoDBClient; readonly sqs: SQSClient },
): OpenedLedger {
  const documents = DynamoDBDocumentClient.from(dynamodb);
  const table = createLedgerTable(dynamodb, tableName);
  const ofTable = explained(`table ${tableName}`, 'dynamodb:GetItem, Query and Scan on the table and its index');

  const listedPart: OpenedLedger['listedPart'] = (list, day, { after, limit, newestFirst = false, filter }) =>
    ofTable(async () => {
      const listedAs = listOfDay(list, day);
      const {
        Items = [],
        LastEvaluatedKey,
        ScannedCount = Items.length,
      } = await documents.send(
        new QueryCommand({
          TableName: tableName,
          IndexName: LISTED_INDEX,
          KeyConditionExpression: 'listedAs = :list',
          ExpressionAttributeValues: { ...filter?.values, ':list': listedAs },
          ...(filter === undefined ? {} : { FilterExpression: filter.expression }),
          ScanIndexForward: !newestFirst,
          ...(after === undefined
            ? {}
            : { ExclusiveStartKey: { listedAs, listedAtMs: after.listedAtMs, pk: after.pk, sk: after.sk } }),
          ...(limit === undefined ? {} : { Limit: limit }),
        }),
      );
      return {
        items: z.array(listedItem).parse(Items),
        next: LastEvaluatedKey === undefined ? undefined : listPosition.parse(LastEvaluatedKey),
        lookedAt: ScannedCount,
      };
    });

  return {
    environment,
    table: {
      ...table,
      getItem: (key) => ofTable(() => table.getItem(key)),
      queryItems: (pk, sortPrefix) => ofTable(() => table.queryItems(pk, sortPrefix)),
    },
    listedPart,
    async listed(list, day) {
      const items: ListedItem[] = [];
      let after: ListPosition | undefined;
      do {
        const part = await listedPart(list, day, { after });
        items.push(...part.items);
        after = part.next;
      } while (after !== undefined);
      return items;
    },
    async *pages() {
      const pages = paginateScan({ client: documents }, { TableName: tableName })[Symbol.asyncIterator]();
      for (;;) {
        const page = await ofTable(() => pages.next());
        if (page.done === true) return;
        const { Items = [], LastEvaluatedKey } = page.value;
        yield { items: Items, isLast: LastEvaluatedKey === undefined };
      }
    },
    async sizeInBytes() {
      const described = await dynamodb.send(new DescribeTableCommand({ TableName: tableName })).catch(() => undefined);
      return described?.Table?.TableSizeBytes;
    },
    async queueCounts() {
      if (queueUrl === undefined) {
        throw new Unanswerable('the cart queue is not known', 'give its URL: --queue URL');
      }
      return explained('the cart queue', 'sqs:GetQueueAttributes')(() => queueCountsOf(sqs, queueUrl));
    },
    close() {
      dynamodb.destroy();
      sqs.destroy();
    },
  };
}

/** @throws {Unanswerable} */
export function environmentOf(nameOrFile: string): Environment {
  try {
    return loadEnvironment(nameOrFile);
  } catch (error) {
    throw new Unanswerable(error instanceof Error ? error.message : String(error), 'correct --env, or the entry');
  }
}

/** The stack of an environment where the operator's session leads. @throws {Unanswerable} */
export async function openDeployedStack(
  environment: Environment,
  options: Pick<CartsOptions, 'profile'>,
): Promise<{ readonly account: AwsAccount; readonly stack: DeployedStack }> {
  const account = await openAccount(environment, options).catch((error: unknown) => {
    throw error instanceof AccountUnusable ? new Unanswerable(error.message, error.advice) : error;
  });
  const name = stackName(environment);
  const cloudformation = new CloudFormationClient({ ...clientSettings(options), region: account.region });
  try {
    const stack = await explained(
      'CloudFormation',
      'cloudformation:DescribeStacks and ListStackResources',
    )(() => readDeployedStack(cloudformation, name));
    if (stack === undefined) throw new Unanswerable(notDeployed(name, account), elsewhere(environment));
    return { account, stack };
  } finally {
    cloudformation.destroy();
  }
}

async function deployedPlace(environment: Environment, options: CartsOptions) {
  const { account, stack } = await openDeployedStack(environment, options);
  const { LedgerTableName: tableName, QueueUrl: queueUrl } = stack.outputs;
  if (tableName === undefined) {
    throw new Unanswerable(
      `stack ${stackName(environment)} is ${stack.status} and has no output LedgerTableName`,
      `npm run doctor -- --env ${options.environment} says what is wrong with it`,
    );
  }
  return { tableName, queueUrl, settings: { region: account.region } };
}

const notDeployed = (name: string, { account, region }: AwsAccount): string =>
  `stack ${name} is not deployed in account ${account}, region ${region}`;

const elsewhere = ({ region }: Environment): string =>
  region === undefined
    ? 'if it is in another region, set AWS_REGION to it; if in another account, choose a --profile'
    : 'correct "region" in the environment entry; if it is in another account, choose a --profile';

/** Turns an error of AWS into one that says what to do. */
const explained =
  (what: string, rights: string) =>
  async <Result>(ask: () => Promise<Result>): Promise<Result> => {
    try {
      return await ask();
    } catch (error) {
      const reason = describeAwsError(error);
      if (isSessionRefused(error)) throw new Unanswerable(`${what}: AWS refuses the session (${reason})`, LOG_IN);
      if (/AccessDenied|NotAuthorized/.test(reason)) {
        throw new Unanswerable(`${what}: AWS refuses (${reason})`, `ask for the rights to read: ${rights}`);
      }
      if (/ResourceNotFound|NonExistentQueue|QueueDoesNotExist/.test(reason)) {
        throw new Unanswerable(
          `${what} does not exist here (${reason})`,
          'check the region, --table and --queue; npm run doctor says what is missing',
        );
      }
      if (error instanceof z.ZodError) throw error;
      throw new Unanswerable(`${what}: no answer (${reason})`, 'check the network and the region, and try again');
    }
  };
