/** Updates of the ledger's items, for use cases that do not load the SDK. */
import type { Item } from './ledger-table.ts';

/** An update that sets these attributes, without those that are undefined; `#name` and `:name` are theirs. */
export function settingAll(values: Item) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return {
    UpdateExpression: `SET ${given.map(([name]) => `#${name} = :${name}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(given.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(given.map(([name, value]) => [`:${name}`, value])),
  };
}
