/** The message between both functions: one cart, its source row untouched, in a versioned envelope (rule 4). */
import * as z from 'zod';
import { asJsonObject, parseExactJson } from './exact-json.ts';
import type { CartKey } from './ledger-keys.ts';
import { cartGuid, cartNumber, IDENTIFIER } from './sap-values.ts';

/** An identifier ends up in keys of the ledger and in logs, so that its size is bounded. */
const identifier = z.string().regex(IDENTIFIER);

/** A message that a person wrote may keep the number's leading zeros. */
const numberOrNull = (number: string | null): string | null => cartNumber(number) ?? null;
const guidOrNull = identifier.nullable().transform((guid) => cartGuid(guid) ?? null);

const envelope = {
  schemaVersion: z.literal(1),
  /** The extraction run that read the cart. */
  runId: identifier,
  correlationId: z.string().regex(/^[\x21-\x7e]{1,200}$/),
  /** `sap-client`: with the number, the cart's identity. */
  client: z.string().regex(/^\d{3}$/),
  /** As read from the row; null where the row has none that can be read. */
  cart: z.strictObject({ number: identifier.nullable().transform(numberOrNull), guid: guidOrNull }),
  /** Why it was queued outside the ordinary runs: the ledger did not account for it, or an operator replays it. */
  origin: z.enum(['reconciliation', 'replay']).exactOptional(),
};

const rowMessage = z.strictObject({ ...envelope, source: z.unknown().nonoptional() });
/** Claim Check: a cart over SQS's limit travels as its key; one without a key becomes a dead letter. */
const claimMessage = z.strictObject({ ...envelope, claim: z.strictObject({ guid: guidOrNull }) });
export type CartMessage = z.infer<typeof rowMessage> | z.infer<typeof claimMessage>;

/** The largest message, and the largest batch, that SQS takes: 1 MiB. */
export const SQS_LIMIT_BYTES = 1_048_576;
/** The largest body. SQS counts the attributes of a message, too: its signature, and those of a requeued copy, some 200 bytes. */
export const BODY_LIMIT_BYTES = SQS_LIMIT_BYTES - 1024;

/**
 * JSON for SQS. SQS refuses U+FFFE and U+FFFF, and some compatible queues fail on characters beyond the basic plane:
 * such characters are written as JSON escapes, which mean the same.
 */
export function writeCartMessage(message: CartMessage): string {
  const json = JSON.stringify(message);
  // A text with as many bytes as characters is ASCII, and counting is far faster than searching.
  if (Buffer.byteLength(json) === json.length) return json;
  return json.replace(/[\ud800-\udfff\ufffe\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

/**
 * Parses a message body; numbers in the source row keep their digits.
 * @throws {UnreadableMessage} which says where the message breaks its schema, without quoting it.
 */
export function readCartMessage(body: string): CartMessage {
  let json: unknown;
  try {
    json = parseExactJson(body);
  } catch (error) {
    throw new UnreadableMessage(error instanceof Error ? error.message : 'not JSON');
  }
  // Chosen by its key, so that the error names the wrong field and not the union.
  const isClaim = asJsonObject(json)?.['claim'] !== undefined;
  const parsed = (isClaim ? claimMessage : rowMessage).safeParse(json);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map((issue) => `$${issue.path.map((key) => `.${String(key)}`).join('')}`);
  throw new UnreadableMessage(`breaks the schema of cart messages at ${places.join(', ')}`);
}

export class UnreadableMessage extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'UnreadableMessage';
  }
}

/** The message, or why it cannot be read. */
export function tryReadCartMessage(body: string): CartMessage | UnreadableMessage {
  try {
    return readCartMessage(body);
  } catch (error) {
    if (error instanceof UnreadableMessage) return error;
    throw error;
  }
}

/** Under which the ledger files a message that names no cart, or none that can be believed. */
export const noCart = (sapClient: string): CartKey => ({ client: sapClient, number: undefined });

/** The cart under which the ledger files a message. */
export const cartOfMessage = (message: CartMessage | UnreadableMessage, sapClient: string): CartKey =>
  message instanceof UnreadableMessage
    ? noCart(sapClient)
    : { client: message.client, number: message.cart.number ?? undefined, guid: message.cart.guid ?? undefined };
