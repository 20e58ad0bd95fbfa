/** The cart that a partition of the ledger is about, and its standing. */
import { type BreakerItem, createBreakerRecord } from '../../shared/circuit-breaker.ts';
import { PARTITIONS } from '../../shared/ledger-keys.ts';
import type { Item, LedgerTable } from '../../shared/ledger-table.ts';
import { type Standing, standingOf } from '../../shared/standing.ts';
import type { SentenceContext } from '../../shared/standing-sentence.ts';
import { cartItems, readTraces, tracesOf } from '../../shared/traces.ts';
import { createWatermark } from '../../shared/watermark.ts';
import { ownerText } from '../owners.ts';
import { cartKeyOf } from './cart-key.ts';
import type { OpenedLedger } from './open-ledger.ts';

/** A cart by its partition in the ledger. */
export interface KnownCart {
  readonly pk: string;
  /** Its number; where it has none, its GUID; `unidentified` where it has neither. */
  readonly name: string;
}

/** Undefined for an item that is not about a cart. One that a run queued names the partition of its cart. */
export function cartOf(pk: unknown): KnownCart | undefined {
  if (typeof pk !== 'string') return undefined;
  const [, client, identity] = /^(?:CART|QUEUED)#([^#]*)#(.*)$/s.exec(pk) ?? [];
  if (client === undefined || identity === undefined) return undefined;
  return {
    pk: `${PARTITIONS.cart}${client}#${identity}`,
    name: identity === '-' ? UNIDENTIFIED : identity.replace(/^-/, ''),
  };
}

/** All carts with neither number nor GUID share one partition. */
export const UNIDENTIFIED = 'unidentified';

/** The standing of the cart in this partition. */
export const standingOfPartition = async (
  pk: string,
  table: Pick<LedgerTable, 'queryItems'>,
  nowMs: number,
): Promise<Standing> => standingOfItems(await cartItems(table, pk), nowMs);

export const standingOfItems = (items: readonly Item[], nowMs: number): Standing =>
  standingOf(tracesOf(items), { nowMs });

export const CARTS_AT_ONCE = 20;

/** Tells a person who waits how far a long list is. */
export interface Progress {
  /** `total` undefined: not known. */
  at(done: number, total: number | undefined): void;
}

/** What the carts' sentences need to know beside the carts. */
export async function readSurroundings(
  { table, environment }: Pick<OpenedLedger, 'environment' | 'table'>,
  nowMs: number,
): Promise<SentenceContext & { readonly breaker: BreakerItem }> {
  const [breaker, { watermarkMs }] = await Promise.all([
    createBreakerRecord(table).read(),
    createWatermark(table, environment.srm.client).read(),
  ]);
  return { nowMs, breaker, watermarkMs, ownerText: (owner) => ownerText(environment, owner) };
}

/** The standing of a cart by its name; undefined for a name that no cart has. */
export async function standingOfCart(
  name: string,
  { environment, table }: Pick<OpenedLedger, 'environment' | 'table'>,
  nowMs: number,
): Promise<Standing | undefined> {
  const key = name === UNIDENTIFIED ? undefined : cartKeyOf(name);
  if (key === undefined) return undefined;
  return standingOf(await readTraces(table, { client: environment.srm.client, ...key }), { nowMs });
}
