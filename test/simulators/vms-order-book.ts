import { isDeepStrictEqual } from 'node:util';
import type { PurchaseOrder } from './vms-order-schema.ts';

export interface StoredOrder {
  readonly id: string;
  readonly number: string;
  readonly status: 'CREATED';
  readonly version: 1;
  readonly createdAt: Date;
  readonly idempotencyKey: string;
  readonly correlationId: string;
  readonly order: PurchaseOrder;
}

/** The current state of an Idempotency-Key. */
export type KeyState =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'in-progress' }
  | { readonly kind: 'replay'; readonly stored: StoredOrder }
  | { readonly kind: 'reused' };

/** The orders of 11VMS with their Idempotency-Keys. */
export interface OrderBook {
  keyState(key: string, body: unknown): KeyState;
  /** Marks a key as in progress until it is released or its order is added. */
  reserve(key: string): void;
  release(key: string): void;
  /** The order that prevents another one with this externalId. */
  uniqueConflict(externalId: string): StoredOrder | undefined;
  add(order: PurchaseOrder, from: { readonly key: string; readonly correlationId: string }): StoredOrder;
  /** All orders with this externalId. There is more than one only when uniqueness is not enforced. */
  byExternalId(externalId: string): readonly StoredOrder[];
  all(): readonly StoredOrder[];
}

export interface OrderBookOptions {
  readonly clock: () => Date;
  readonly ignoreIdempotencyKeys: boolean;
  readonly enforceUniqueness: boolean;
}

export function openOrderBook({ clock, ignoreIdempotencyKeys, enforceUniqueness }: OrderBookOptions): OrderBook {
  const orders: StoredOrder[] = [];
  const ordersByExternalId = new Map<string, StoredOrder[]>();
  const orderByKey = new Map<string, StoredOrder>();
  const keysInProgress = new Set<string>();

  return {
    all: () => [...orders],
    byExternalId: (externalId) => ordersByExternalId.get(externalId) ?? [],
    keyState(key, body) {
      if (ignoreIdempotencyKeys) {
        return { kind: 'unknown' };
      }
      if (keysInProgress.has(key)) {
        return { kind: 'in-progress' };
      }
      const stored = orderByKey.get(key);
      if (stored === undefined) {
        return { kind: 'unknown' };
      }
      return isDeepStrictEqual(stored.order, body) ? { kind: 'replay', stored } : { kind: 'reused' };
    },
    reserve: (key) => void keysInProgress.add(key),
    release: (key) => void keysInProgress.delete(key),
    uniqueConflict: (externalId) => (enforceUniqueness ? ordersByExternalId.get(externalId)?.[0] : undefined),
    add(order, { key, correlationId }) {
      const createdAt = clock();
      const stored: StoredOrder = {
        id: orderId(orders.length + 1),
        number: `PO-${createdAt.getUTCFullYear()}-${String(orders.length + 1).padStart(6, '0')}`,
        status: 'CREATED',
        version: 1,
        createdAt,
        idempotencyKey: key,
        correlationId,
        order,
      };
      orders.push(stored);
      const same = ordersByExternalId.get(order.externalId);
      if (same === undefined) {
        ordersByExternalId.set(order.externalId, [stored]);
      } else {
        same.push(stored);
      }
      orderByKey.set(key, stored);
      keysInProgress.delete(key);
      return stored;
    },
  };
}

/** Ids in the form of the sample, in ascending order. */
function orderId(position: number): string {
  return `po_${position.toString(32).toUpperCase().padStart(10, '0')}`;
}
