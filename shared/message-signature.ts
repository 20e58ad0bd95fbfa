/**
 * The right to order. What queues a cart signs the body of its message with the key of the stack, and the worker orders
 * nothing that is not signed so. Copies keep body and signature byte for byte: a requeued one, a redriven one, and one that
 * SQS itself moved.
 * The keys: message-key.ts.
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { attributeText } from './message-attribute.ts';

export interface SignedBody {
  readonly body: string;
  /** Undefined where the message has none that can be read. */
  readonly signature: string | undefined;
}

/** The signature of a body. */
export type Sign = (body: string) => string;
/** @throws {InterfaceError} E_INT_KEY when it cannot be said, because the key cannot be read. */
export type IsSigned = (message: SignedBody) => Promise<boolean>;

const ATTRIBUTE = 'signature';

export const signatureAttribute = (signature: string) => ({
  [ATTRIBUTE]: { DataType: 'String', StringValue: signature },
});

/** What SQS counts of it, of 1 MiB for a message and for a batch: name, type and value. */
export const SIGNATURE_BYTES = ATTRIBUTE.length + 'String'.length + 'v1:'.length + 43;

const signedAttributes = z.object({ [ATTRIBUTE]: attributeText });

/** Of the attributes of a received message, in either form of AWS. */
export const readSignature = (messageAttributes: unknown): string | undefined =>
  signedAttributes.safeParse(messageAttributes).data?.[ATTRIBUTE];

/** A version of the form and the environment stand before the body: no other use of the key can give the same text. */
export function signatureOf(body: string, key: KeyObject, environment: string): string {
  const mac = createHmac('sha256', key).update(`purchase-order cart v1\n${environment}\n`).update(body);
  return `v1:${mac.digest('base64url')}`;
}

/** Takes the same time, wherever the first difference is. */
export function isSignatureOf(signature: string, body: string, key: KeyObject, environment: string): boolean {
  const [given, expected] = [Buffer.from(signature), Buffer.from(signatureOf(body, key, environment))];
  return given.length === expected.length && timingSafeEqual(given, expected);
}
