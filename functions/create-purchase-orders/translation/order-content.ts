/** An order's content: its canonical body and the key of that body; its hash, and its differences to another, by value. */
import { createHash } from 'node:crypto';
import { parse as parseUuid, v5 as uuidV5 } from 'uuid';
import { numberText } from '../../../shared/exact-json.ts';
import { normalOrder } from './normal-order.ts';
import type { PurchaseOrder } from './purchase-order.ts';

/** UUIDv5(URL, `urn:interface:PROC-SRM7-11VMS-PURCHASE-ORDER-V1`) (target-11vms.md, "Operations"). */
const KEY_NAMESPACE = parseUuid('abd5b202-d749-5970-b137-3d07fd2a6ecc');

/**
 * An order as canonical JSON (RFC 8785): the body that is sent and measured. An order holds texts, whole numbers
 * and booleans, which JSON.stringify writes canonically; only its members must be put in order. Decimals that are written
 * as numbers keep their digits, which RFC 8785 would not.
 */
export const canonicalBody = (order: object): string => JSON.stringify(sorted(order));

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || numberText(value) !== undefined) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const members: Record<string, unknown> = {};
  for (const name of Object.keys(value).sort()) members[name] = sorted(Reflect.get(value, name));
  return members;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The same for two orders exactly when they have no {@link differences}. */
export const contentHash = (order: PurchaseOrder): string =>
  sha256(JSON.stringify(normalOrder(withoutApproval(order))));

/** The same key for every attempt at an order; another key for corrected content (mapping row 65). */
export const idempotencyKey = ({ externalId, externalRevision }: PurchaseOrder, canonicalBody: string): string =>
  uuidV5(Buffer.from(`${externalId}|r${externalRevision}|${sha256(canonicalBody)}`), KEY_NAMESPACE);

/**
 * The fields in which two orders differ, as JSON pointers. The approval and the time of the last change do not count:
 * SRM moves ChangedAt with every status.
 */
export function differences(left: PurchaseOrder, right: PurchaseOrder): string[] {
  return differencesAt(normalOrder(withoutApproval(left)), normalOrder(withoutApproval(right)), '');
}

const withoutApproval = ({ sourceDocument, ...order }: PurchaseOrder): object => ({
  ...order,
  sourceDocument: { guid: sourceDocument.guid, number: sourceDocument.number },
});

function differencesAt(left: unknown, right: unknown, pointer: string): string[] {
  if (Object.is(left, right)) return [];
  if (!isContainer(left) || !isContainer(right)) return [pointer];
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  const [a, b] = [new Map(Object.entries(left)), new Map(Object.entries(right))];
  return [...names].flatMap((name) => differencesAt(a.get(name), b.get(name), `${pointer}/${name}`));
}

const isContainer = (value: unknown): value is object => typeof value === 'object' && value !== null;
