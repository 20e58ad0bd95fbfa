/** The interface's table: consistent reads and conditional writes of single items, as plain objects. */
import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DynamoDBDocumentClient,
  GetCommand,
  paginateQuery,
  PutCommand,
  type QueryCommandInput,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';

export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

type Item = Readonly<Record<string, unknown>>;
type Update = Omit<UpdateCommandInput, 'TableName' | 'Key'>;
type Projection = Pick<QueryCommandInput, 'ProjectionExpression' | 'ExpressionAttributeNames'>;

export type UpdateResult =
  /** `item` is what the update's `ReturnValues` asked for, if there is any. */
  | { readonly kind: 'written'; readonly item: Item | undefined }
  /** The update's condition did not hold; nothing was written. */
  | { readonly kind: 'refused' };

export interface LedgerTable {
  getItem(key: ItemKey): Promise<Item | undefined>;
  /** Returns the item that was replaced. */
  putItem(item: ItemKey & Item): Promise<Item | undefined>;
  updateItem(key: ItemKey, update: Update): Promise<UpdateResult>;
  /** All items of a partition whose sort key begins with `sortPrefix`. */
  queryItems(pk: string, sortPrefix: string, projection?: Projection): Promise<readonly Item[]>;
}

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
        if (error instanceof ConditionalCheckFailedException) return { kind: 'refused' };
        throw error;
      }
    },
    async queryItems(pk, sortPrefix, projection) {
      const items: Item[] = [];
      const pages = paginateQuery(
        { client: documents },
        {
          ...table,
          ...projection,
          // DynamoDB refuses an empty prefix.
          KeyConditionExpression: sortPrefix === '' ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :sortPrefix)',
          ExpressionAttributeValues: { ':pk': pk, ...(sortPrefix === '' ? {} : { ':sortPrefix': sortPrefix }) },
          ConsistentRead: true,
        },
      );
      for await (const { Items = [] } of pages) items.push(...Items);
      return items;
    },
  };
}
