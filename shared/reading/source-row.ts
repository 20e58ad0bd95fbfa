/** One row of SRM: what it says of itself, even where it cannot be read whole. Pure. */
import { asJsonObject, tryParseJson } from '../exact-json.ts';
import { cartNumberOf, edmInstantMs, identifierText, textOf } from '../sap-values.ts';
import type { PageRow } from './split-page.ts';

/** One row as SRM sent it, and the fields that queueing needs; a field that cannot be read is undefined. */
export interface SourceRow {
  readonly source: unknown;
  readonly number: string | undefined;
  readonly guid: string | undefined;
  readonly changedAtMs: number | undefined;
  /** Where its page stops being JSON; the source is then the text of the row. */
  readonly faultOffset?: number;
}

/** What a row says of itself. */
export function sourceRow({ source, faultOffset }: PageRow): SourceRow {
  const row = typeof source === 'string' && faultOffset !== undefined ? readableFields(source) : asJsonObject(source);
  return {
    source,
    number: cartNumberOf(row),
    guid: identifierText(textOf(row?.['Guid'])),
    changedAtMs: edmInstantMs(row?.['ChangedAt']),
    ...(faultOffset === undefined ? {} : { faultOffset }),
  };
}

/** What a row that is no JSON says of itself before its items, which have a Guid, too. */
export function readableFields(text: string): Record<string, unknown> {
  const header = text.split('"Items"', 1)[0] ?? '';
  const fields = header.matchAll(/"(ObjectId|Guid|ChangedAt)"\s*:\s*("[^"]*"|\d+)/g);
  return Object.fromEntries([...fields].map(([, name, value = '']) => [name, tryParseJson(value)]));
}
