/** What the reconciliation remembers: how far an unfinished look has come, in one item of the ledger's table. */
import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';

export interface ReconciliationRecord {
  /** Where a look that was not finished goes on; undefined when the last one was. */
  reached(): Promise<number | undefined>;
  reach(reachedMs: number): Promise<void>;
  finish(): Promise<void>;
}

const record = z.object({ reachedMs: z.number().optional() });

export function createReconciliationRecord(
  client: DynamoDBClient,
  tableName: string,
  sapClient: string,
): ReconciliationRecord {
  const key = { pk: `RECONCILIATION#${sapClient}`, sk: 'RECONCILIATION' };

  async function write(changes: z.infer<typeof record>): Promise<void> {
    await client.send(new PutItemCommand({ TableName: tableName, Item: marshall({ ...key, ...changes }) }));
  }

  return {
    async reached() {
      const { Item = {} } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: marshall(key), ConsistentRead: true }),
      );
      return record.parse(unmarshall(Item)).reachedMs;
    },
    reach: (reachedMs) => write({ reachedMs }),
    finish: () => write({}),
  };
}
