/** The interface's table: consistent reads and conditional writes of single items, as plain objects. */
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  PutCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { setTimeout } from 'node:timers/promises';
import * as z from 'zod';
import { chunks, inLanes } from './lanes.ts';

export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

export type Item = Readonly<Record<string, unknown>>;
type Update = Omit<UpdateCommandInput, 'TableName' | 'Key'>;

export type UpdateResult =
  /** `item` is what the update's `ReturnValues` asked for, if there is any. */
  | { readonly kind: 'written'; readonly item: Item | undefined }
  /**
   * The update's condition did not hold; nothing was written. `item` is the item as it was then, if the update's
   * `ReturnValuesOnConditionCheckFailure` asks for it, and if there is one. Some emulators never give it.
   */
  | { readonly kind: 'refused'; readonly item: Item | undefined };

export interface LedgerTable {
  getItem(key: ItemKey): Promise<Item | undefined>;
  /** Returns the item that was replaced. */
  putItem(item: ItemKey & Item): Promise<Item | undefined>;
  updateItem(key: ItemKey, update: Update): Promise<UpdateResult>;
  /** All items of a partition whose sort key begins with `sortPrefix`. */
  queryItems(pk: string, sortPrefix: string): Promise<readonly Item[]>;
  /** The keys of those items that exist. May miss an item that was written a moment ago, or that DynamoDB throttled. */
  existingKeys(keys: readonly ItemKey[]): Promise<readonly ItemKey[]>;
  /** Writes items with different keys, without a condition. Returns how many DynamoDB did not take after all tries. */
  putItems(items: readonly (ItemKey & Item)[]): Promise<number>;
}

/** The most keys of one BatchGetItem, and the most items of one BatchWriteItem. */
const KEYS_AT_ONCE = 100;
const ITEMS_AT_ONCE = 25;
const BATCHES_AT_ONCE = 10;
const TRIES = 4;
const FIRST_PAUSE_MS = 50;

const itemKey = z.object({ pk: z.string(), sk: z.string() });

export function createLedgerTable(client: DynamoDBClient, tableName: string): LedgerTable {
  const documents = DynamoDBDocumentClient.from(client);
  const table = { TableName: tableName };

  return {
    async getItem(key) {
      const { Item } = await documents.send(new GetCommand({ ...table, Key: key, ConsistentRead: true }));
      return Item;
    },
    async putItem(item) {
      const { Attributes } = await documents.send(new PutCommand({ ...table, Item: item, ReturnValues: 'ALL_OLD' }));
      return Attributes;
    },
    async updateItem(key, update) {
      try {
        const { Attributes } = await documents.send(new UpdateCommand({ ...table, Key: key, ...update }));
        return { kind: 'written', item: Attributes };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        // The document client translates answers, but no errors.
        return { kind: 'refused', item: error.Item && unmarshall(error.Item) };
      }
    },
    async queryItems(pk, sortPrefix) {
      const items: Item[] = [];
      const pages = paginateQuery(
        { client: documents },
        {
          ...table,
          // DynamoDB refuses an empty prefix.
          KeyConditionExpression: sortPrefix === '' ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :sortPrefix)',
          ExpressionAttributeValues: { ':pk': pk, ...(sortPrefix === '' ? {} : { ':sortPrefix': sortPrefix }) },
          ConsistentRead: true,
        },
      );
      for await (const { Items = [] } of pages) items.push(...Items);
      return items;
    },
    async existingKeys(keys) {
      const found = await inLanes(chunks(keys, KEYS_AT_ONCE), BATCHES_AT_ONCE, async (Keys) => {
        const request = { Keys, ProjectionExpression: 'pk, sk' };
        const { Responses } = await documents.send(new BatchGetCommand({ RequestItems: { [tableName]: request } }));
        return z.array(itemKey).parse(Responses?.[tableName] ?? []);
      });
      return found.flat();
    },
    async putItems(items) {
      const left = await inLanes(chunks(items, ITEMS_AT_ONCE), BATCHES_AT_ONCE, async (batch) => {
        let requests: readonly object[] = batch.map((Item) => ({ PutRequest: { Item } }));
        for (let tried = 0; tried < TRIES && requests.length > 0; tried++) {
          if (tried > 0) await setTimeout(FIRST_PAUSE_MS * 2 ** (tried - 1));
          const RequestItems = { [tableName]: [...requests] };
          const { UnprocessedItems } = await documents.send(new BatchWriteCommand({ RequestItems }));
          requests = UnprocessedItems?.[tableName] ?? [];
        }
        return requests.length;
      });
      return left.reduce((sum, count) => sum + count, 0);
    },
  };
}
