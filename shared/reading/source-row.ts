/** One row of SRM: what it says of itself, even where it cannot be read whole. Pure. */
import { asJsonObject, tryParseJson } from '../exact-json.ts';
import { ASSUMED_SERVICE, type SrmService } from '../srm-service.ts';
import { cartGuid, cartNumberOf, edmInstantMs } from '../sap-values.ts';
import { type FieldNames, SAP_NAMES } from './field-names.ts';
import type { PageRow } from './split-page.ts';

/** One row as SRM sent it, in SAP's names, and the fields that queueing needs; a field that cannot be read is undefined. */
export interface SourceRow {
  readonly source: unknown;
  readonly number: string | undefined;
  readonly guid: string | undefined;
  readonly changedAtMs: number | undefined;
  /** Where it stands among the rows of its window, which SRM selects and orders by this time. */
  readonly positionMs: number | undefined;
  /** Where its page stops being JSON; the source is then the text of the row. */
  readonly faultOffset?: number;
}

/** How the rows of an SRM differ from SAP's. */
export interface RowForm {
  readonly names: FieldNames;
  readonly changedAtProperty: SrmService['changedAtProperty'];
}
const SAP_FORM: RowForm = { names: SAP_NAMES, changedAtProperty: ASSUMED_SERVICE.changedAtProperty };

/** What a row says of itself. A parsed one has SAP's names already. */
export function sourceRow({ source, faultOffset }: PageRow, { names, changedAtProperty } = SAP_FORM): SourceRow {
  const isText = typeof source === 'string' && faultOffset !== undefined;
  const row = isText ? readableFields(source, names) : asJsonObject(source);
  return {
    source,
    number: cartNumberOf(row),
    guid: cartGuid(row?.['Guid']),
    changedAtMs: edmInstantMs(row?.['ChangedAt']),
    positionMs: edmInstantMs(row?.[changedAtProperty]),
    ...(faultOffset === undefined ? {} : { faultOffset }),
  };
}

/** What a row that is no JSON says of itself before its items, which have a Guid, too. */
export function readableFields(text: string, names: FieldNames): Record<string, unknown> {
  const header = text.split(`"${names.ofCart('Items')}"`, 1)[0] ?? '';
  const sapNames = new Map(READABLE.map((name) => [names.ofCart(name), name]));
  const fields = header.matchAll(new RegExp(`"(${[...sapNames.keys()].join('|')})"\\s*:\\s*("[^"]*"|\\d+)`, 'g'));
  return Object.fromEntries([...fields].map(([, own = '', value = '']) => [sapNames.get(own), tryParseJson(value)]));
}
const READABLE = ['ObjectId', 'Guid', 'ChangedAt', 'ApprovedAt'];
