/** Carts for the benchmarks: the sample cart with five lines, each cart with its own number, GUID and time. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type MessageKey, signedBy } from '../signed-messages.ts';

const rowSchema = z.record(z.string(), z.unknown());
const sample = join(import.meta.dirname, '../../shared/contract/samples/srm7-shopping-carts.json');
const page = z
  .object({ d: z.object({ results: z.tuple([rowSchema], rowSchema) }) })
  .parse(JSON.parse(readFileSync(sample, 'utf8')));
const [cart] = page.d.results;
const items = z.object({ results: z.array(rowSchema) }).parse(cart['Items']).results;

const LINES = 5;
/** The third line of the sample: a service for 2000.00 that depends on no other line. */
const line = { ...items[2], ParentGuid: undefined };

const PLACES = { number: '__NUMBER__', guid: '__GUID__', changedAt: '__CHANGED__' } as const;
const template = JSON.stringify({
  ...cart,
  Guid: PLACES.guid,
  ObjectId: PLACES.number,
  ChangedAt: `/Date(${PLACES.changedAt}+0000)/`,
  TotalValue: '10000.000',
  Items: {
    results: Array.from({ length: LINES }, (_, index) => ({
      ...line,
      NumberInt: String(index + 1).padStart(10, '0'),
    })),
  },
}).split(new RegExp(`(${Object.values(PLACES).join('|')})`));

/** The first carts of an environment are not measured: they load, connect and compile the code. */
export const WARM_UP_CARTS = 100;

export const FIRST_CART_NUMBER = 3_000_000_000;
const cartNumber = (index: number): string => String(FIRST_CART_NUMBER + index);
const cartGuid = (index: number): string => `005056a5-09b3-1ee1-bee5-${String(index).padStart(12, '0')}`;

/** The JSON text of one source row. It is made without a JSON writer, because the services of a benchmark must be fast. */
export function cartText(index: number, changedAtMs: number): string {
  return template
    .map((part) => {
      if (part === PLACES.number) return cartNumber(index);
      if (part === PLACES.guid) return cartGuid(index);
      return part === PLACES.changedAt ? String(changedAtMs) : part;
    })
    .join('');
}

/** The queue message of a cart, as the extractor writes it. */
function cartMessageText(index: number): string {
  const names = `"cart":{"number":"${cartNumber(index)}","guid":"${cartGuid(index)}"}`;
  return `{"schemaVersion":1,"runId":"benchmark","correlationId":"benchmark/${index}","client":"100",${names},"source":${cartText(index, 1_795_185_125_000)}}`;
}

/** Of the benchmark's stack. */
export const MESSAGE_KEY: MessageKey = { key: 'benchmark'.repeat(8), environment: 'benchmark' };

/** A message of a batch, as the event source mapping hands it over. */
export interface BatchRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: { readonly ApproximateReceiveCount: string };
  readonly messageAttributes: ReturnType<typeof signedBy>;
}

/** Such messages, each on its first receive. */
export const sqsRecords = (first: number, count: number): BatchRecord[] =>
  Array.from({ length: count }, (_, index) => {
    const body = cartMessageText(first + index);
    return {
      messageId: `m-${first + index}`,
      receiptHandle: `r-${first + index}`,
      body,
      attributes: { ApproximateReceiveCount: '1' },
      messageAttributes: signedBy(MESSAGE_KEY, body),
    };
  });
