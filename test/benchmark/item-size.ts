/** The size of an item as DynamoDB counts it: names, values, and a few bytes for each list and map. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';

export function itemBytes(item: Readonly<Record<string, AttributeValue>>): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0);
}

const COLLECTION_BYTES = 3;

function valueBytes(value: AttributeValue): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  // One byte for two digits, and one for sign and exponent.
  if (value.N !== undefined) return Math.ceil(value.N.replace(/[-.]/g, '').length / 2) + 1;
  if (value.L !== undefined) return value.L.reduce((sum, item) => sum + 1 + valueBytes(item), COLLECTION_BYTES);
  if (value.M !== undefined) return itemBytes(value.M) + Object.keys(value.M).length + COLLECTION_BYTES;
  if (value.BOOL !== undefined || value.NULL !== undefined) return 1;
  if (value.SS !== undefined) return value.SS.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  throw new Error(`Attributes of type ${Object.keys(value).join()} are not supported: the ledger has none`);
}
