/**
 * One table of DynamoDB in memory, for the calls of this project. The embedded emulator parses an expression again at each
 * call, for milliseconds, which would flatter every comparison with a floor. test/unit/benchmark-table.test.ts compares both.
 */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { conditionOf, type Item, updateOf } from './expressions.ts';
import { itemBytes } from './item-size.ts';

export interface TableAnswer {
  readonly status: 200 | 400;
  readonly body: object;
}

/** The client sends and reads this type of the SDK as JSON; the table's items hold no binary values. */
const item = z.record(
  z.string(),
  z.custom<AttributeValue>((value) => typeof value === 'object'),
);
const expressions = {
  ConditionExpression: z.string().optional(),
  ExpressionAttributeNames: z.record(z.string(), z.string()).default({}),
  ExpressionAttributeValues: item.default({}),
};
const put = z.object({ Item: item, ReturnValues: z.string().optional(), ...expressions });
const keyed = z.object({ Key: item });
const update = z.object({
  Key: item,
  UpdateExpression: z.string(),
  ReturnValues: z.string().optional(),
  ReturnValuesOnConditionCheckFailure: z.string().optional(),
  ...expressions,
});
const query = z.object({ KeyConditionExpression: z.string(), ...expressions });
const batchGet = z.object({ RequestItems: z.record(z.string(), z.object({ Keys: z.array(item) })) });
const batchWrite = z.object({
  RequestItems: z.record(z.string(), z.array(z.object({ PutRequest: z.object({ Item: item }) }))),
});

const WRITE_UNIT_BYTES = 1024;
const READ_UNIT_BYTES = 4096;
const units = (bytes: number, each: number): number => Math.max(1, Math.ceil(bytes / each));
const written = (...versions: readonly (Item | undefined)[]): number =>
  units(Math.max(...versions.map((version) => itemBytes(version ?? {}))), WRITE_UNIT_BYTES);
const capacity = (CapacityUnits: number): object => ({ ConsumedCapacity: { TableName: 'table', CapacityUnits } });

const REFUSED = 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException';
const INVALID = 'com.amazon.coral.validate#ValidationException';

export function createTable(): (operation: string, input: unknown) => TableAnswer {
  /** By partition key, then by sort key. */
  const partitions = new Map<string, Map<string, Item>>();
  const partitionOf = (key: Item): Map<string, Item> => {
    const pk = key['pk']?.S ?? '';
    const partition = partitions.get(pk) ?? new Map<string, Item>();
    partitions.set(pk, partition);
    return partition;
  };
  const sortOf = (key: Item): string => key['sk']?.S ?? '';
  const find = (key: Item): Item | undefined => partitionOf(key).get(sortOf(key));
  const store = (stored: Item): void => {
    partitionOf(stored).set(sortOf(stored), stored);
  };

  const operations: Readonly<Record<string, (input: unknown) => object>> = {
    CreateTable: () => ({ TableDescription: { TableStatus: 'ACTIVE' } }),
    DescribeTable: () => ({ Table: { TableStatus: 'ACTIVE' } }),
    GetItem(input) {
      const found = find(keyed.parse(input).Key);
      return { Item: found, ...capacity(units(itemBytes(found ?? {}), READ_UNIT_BYTES)) };
    },
    PutItem(input) {
      const request = put.parse(input);
      const before = find(request.Item);
      check(request, before);
      store(request.Item);
      return {
        ...(request.ReturnValues === 'ALL_OLD' ? { Attributes: before } : {}),
        ...capacity(written(before, request.Item)),
      };
    },
    UpdateItem(input) {
      const request = update.parse(input);
      const before = find(request.Key);
      check(request, before);
      const changes = updateOf(request.UpdateExpression)(scopeOf(request, before));
      const after = Object.fromEntries(
        Object.entries({ ...before, ...request.Key, ...changes }).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, value] as const],
        ),
      );
      store(after);
      const returned = { ALL_NEW: after, ALL_OLD: before }[request.ReturnValues ?? 'NONE'];
      return { Attributes: returned, ...capacity(written(before, after)) };
    },
    DeleteItem(input) {
      const { Key } = keyed.parse(input);
      const before = find(Key);
      partitionOf(Key).delete(sortOf(Key));
      return capacity(written(before));
    },
    Query(input) {
      const request = query.parse(input);
      const isWanted = conditionOf(request.KeyConditionExpression);
      const partition = [...partitionOf({ pk: request.ExpressionAttributeValues[':pk'] ?? { S: '' } })];
      const Items = partition
        .toSorted(([one], [other]) => (one < other ? -1 : 1))
        .flatMap(([, stored]) => (isWanted(scopeOf(request, stored)) ? [stored] : []));
      const bytes = Items.reduce((sum, stored) => sum + itemBytes(stored), 0);
      return { Items, Count: Items.length, ...capacity(units(bytes, READ_UNIT_BYTES)) };
    },
    Scan: () => ({ Items: [...partitions.values()].flatMap((partition) => [...partition.values()]) }),
    BatchGetItem(input) {
      const found = Object.entries(batchGet.parse(input).RequestItems).map(([table, { Keys }]) => {
        return { table, asked: Keys.length, items: Keys.map(find).filter((one) => one !== undefined) };
      });
      // Each key counts as an item of its own, read eventually consistently.
      const ConsumedCapacity = found.map(({ asked }) => ({ CapacityUnits: asked / 2 }));
      const Responses = Object.fromEntries(found.map(({ table, items }) => [table, items]));
      return { Responses, UnprocessedKeys: {}, ConsumedCapacity };
    },
    BatchWriteItem(input) {
      const items = Object.values(batchWrite.parse(input).RequestItems).flatMap((requests) =>
        requests.map(({ PutRequest }) => PutRequest.Item),
      );
      const ConsumedCapacity = [{ CapacityUnits: items.reduce((sum, one) => sum + written(find(one), one), 0) }];
      for (const one of items) store(one);
      return { UnprocessedItems: {}, ConsumedCapacity };
    },
  };

  return (operation, input) => {
    try {
      const answer = operations[operation];
      if (answer === undefined) throw new Error(`${operation} is not supported`);
      return { status: 200, body: answer(input) };
    } catch (error) {
      if (error instanceof Refused)
        return { status: 400, body: { __type: REFUSED, message: 'refused', Item: error.item } };
      return {
        status: 400,
        body: { __type: INVALID, message: error instanceof Error ? error.message : String(error) },
      };
    }
  };
}

class Refused extends Error {
  readonly item: Item | undefined;
  constructor(stored: Item | undefined) {
    super('the condition does not hold');
    this.item = stored;
  }
}

type Expressions = Pick<z.infer<typeof put>, keyof typeof expressions>;

const scopeOf = ({ ExpressionAttributeNames, ExpressionAttributeValues }: Expressions, stored: Item = {}) => ({
  item: stored,
  names: ExpressionAttributeNames,
  values: ExpressionAttributeValues,
});

/** @throws {Refused} when the condition does not hold, and as DynamoDB does, when a name or a value is not used. */
function check(
  request: Expressions &
    Partial<Pick<z.infer<typeof update>, 'UpdateExpression' | 'ReturnValuesOnConditionCheckFailure'>>,
  stored: Item | undefined,
): void {
  const { ConditionExpression = '', UpdateExpression = '' } = request;
  const used = new Set(`${UpdateExpression} ${ConditionExpression}`.match(/[:#]\w+/g));
  const given = [...Object.keys(request.ExpressionAttributeNames), ...Object.keys(request.ExpressionAttributeValues)];
  const unused = given.filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`${unused.join(', ')} stand in no expression`);
  if (ConditionExpression === '' || conditionOf(ConditionExpression)(scopeOf(request, stored))) return;
  throw new Refused(request.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' ? stored : undefined);
}
