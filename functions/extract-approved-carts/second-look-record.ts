/**
 * What the second look remembers, and what it must know beyond the carts: how far an unfinished look has come (one item
 * of the ledger's table), and whether carts are being consumed at all (the circuit breaker's item).
 */
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';

export interface SecondLookRecord {
  /** Where a look that was not finished goes on; undefined when the last one was. */
  reached(): Promise<number | undefined>;
  reach(reachedMs: number): Promise<void>;
  finish(): Promise<void>;
  /** True while the circuit breaker keeps carts waiting on the queue. */
  isConsumptionPaused(): Promise<boolean>;
}

const record = z.object({ reachedMs: z.number().optional() });
const breaker = z.object({ state: z.string().optional() });
const PAUSED = ['OPEN', 'FORCED_OPEN'];

export function createSecondLookRecord(client: DynamoDBClient, tableName: string, sapClient: string): SecondLookRecord {
  const key = { pk: `SECOND_LOOK#${sapClient}`, sk: 'SECOND_LOOK' };

  async function read(Key: Readonly<Record<string, string>>): Promise<unknown> {
    const { Item = {} } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: marshall(Key), ConsistentRead: true }),
    );
    return unmarshall(Item);
  }

  async function write(changes: z.infer<typeof record>): Promise<void> {
    await client.send(new PutItemCommand({ TableName: tableName, Item: marshall({ ...key, ...changes }) }));
  }

  return {
    reached: async () => record.parse(await read(key)).reachedMs,
    reach: (reachedMs) => write({ reachedMs }),
    finish: () => write({}),
    async isConsumptionPaused() {
      const { state = '' } = breaker.parse(await read({ pk: 'BREAKER#11VMS', sk: 'BREAKER' }));
      return PAUSED.includes(state);
    },
  };
}
