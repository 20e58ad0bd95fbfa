/** The invariants of a run, checked from outside: carts of SRM, orders of 11VMS, queues and ledger. */
import { asJsonObject } from '../../../shared/exact-json.ts';
import { isFaultCode } from '../../../shared/failure.ts';
import { SKIP_SORT } from '../../../shared/ledger-keys.ts';
import type { Item } from '../../../shared/ledger-table.ts';
import { stripZeros } from '../../../shared/sap-values.ts';
import { type Standing, standingOf } from '../../../shared/standing.ts';
import { tracesOf } from '../../../shared/traces.ts';
import { identityOf, ledgerItemsOf } from '../../../infra/local/run/accounting.ts';
import type { QueuedMessage } from '../../../infra/local/aws/emulators.ts';
import type { GeneratedCart } from '../../simulators/carts.ts';
import type { StoredOrder } from '../../simulators/vms-order-book.ts';

export interface Violation {
  readonly invariant: Invariant;
  readonly detail: string;
}

export type Invariant =
  | 'comes to rest'
  | 'nothing doubled'
  | 'nothing lost'
  | 'nothing invented'
  | 'every dead letter explained'
  | 'dead letters for cause'
  | 'ledger and 11VMS agree'
  | 'standing and 11VMS agree'
  | 'only SQS dead-letters';

/** One delivery of a message to the worker. `ended` is false for an invocation that crashed or timed out. */
export interface Delivery {
  readonly messageId: string;
  readonly receiveCount: number;
  readonly ended: boolean;
}

export interface Evidence {
  readonly carts: readonly GeneratedCart[];
  readonly orders: readonly StoredOrder[];
  readonly deadLetters: readonly QueuedMessage[];
  readonly leftOnQueue: number;
  /** The whole table of the ledger. */
  readonly items: readonly Item[];
  readonly restedAtMs: number;
  readonly deliveries: readonly Delivery[];
  /** Messages whose verdict could not be written because of a disturbance. */
  readonly disturbedVerdicts: ReadonlySet<string>;
  readonly sentToDeadLetters: number;
  /** maxReceiveCount of the template. */
  readonly maximumReceives: number;
}

/** Codes of good carts that are dead-lettered because disturbances used up their receives. */
const CAUSED_BY_DISTURBANCES: ReadonlySet<string> = new Set([
  'E_SRC_AUTH',
  'E_SRC_UNAVAILABLE',
  'E_SRC_THROTTLED',
  'E_TGT_AUTH',
  'E_TGT_ORDER_REFUSED',
  'E_TGT_THROTTLED',
  'E_TGT_UNAVAILABLE',
  'E_TGT_TIMEOUT_UNKNOWN',
  'E_TGT_DISGUISED_ERROR',
  'E_TGT_RESPONSE_SCHEMA',
  'E_INT_LEDGER',
  'E_INT_IN_PROGRESS',
  'E_INT_CRASHED',
]);

interface Judged {
  readonly messageId: string;
  readonly codes: readonly string[];
  /** Whether a disturbance is a reason of the dead letter. */
  readonly byDisturbances: boolean;
}

export interface Findings {
  readonly violations: readonly Violation[];
  /** How many dead letters have each code in their verdict. */
  readonly deadLetterCodes: ReadonlyMap<string, number>;
  /** The expected orders. A run that creates few of them proves little. */
  readonly promised: number;
}

/** The code of a dead letter without a verdict: its last attempt never ended. */
const NO_VERDICT = 'no verdict: the last attempt never ended';

export function judgeRun(evidence: Evidence): Findings {
  const violations: Violation[] = [];
  const report = (invariant: Invariant, detail: string): void => void violations.push({ invariant, detail });
  const ledger = ledgerItemsOf(evidence.items);
  const verdicts = new Map(
    ledger.flatMap(({ sk, faults }) =>
      sk.startsWith('VERDICT#') ? [[sk.slice('VERDICT#'.length), faults.map(({ code }) => code)] as const] : [],
    ),
  );
  const deadLetterCodes = new Map<string, number>();
  const deadByCart = new Map<string, Judged[]>();

  for (const { messageId, body } of evidence.deadLetters) {
    const codes = verdicts.get(messageId);
    if (codes === undefined && !mayLackVerdict(messageId, evidence)) {
      report('every dead letter explained', `message ${messageId} of cart ${nameOf(body)} has no verdict`);
    }
    for (const code of new Set(codes ?? [NO_VERDICT])) {
      deadLetterCodes.set(code, (deadLetterCodes.get(code) ?? 0) + 1);
      if (codes !== undefined && !isFaultCode(code)) report('every dead letter explained', `unknown code ${code}`);
    }
    const judged: Judged = {
      messageId,
      codes: codes ?? [],
      byDisturbances: codes === undefined || codes.some((code) => CAUSED_BY_DISTURBANCES.has(code)),
    };
    for (const key of keysOf(identityOf(body))) deadByCart.set(key, [...(deadByCart.get(key) ?? []), judged]);
  }

  const booked = new Map<string, StoredOrder[]>();
  for (const stored of evidence.orders) {
    const { externalId } = stored.order;
    booked.set(externalId, [...(booked.get(externalId) ?? []), stored]);
  }
  for (const [externalId, stored] of booked) {
    if (stored.length > 1) report('nothing doubled', `${externalId} is ${stored.length} times in 11VMS`);
  }

  const items = new Map(
    ledger.flatMap((item) => (item.sk.startsWith('ORDER#') ? [[item.sk.slice('ORDER#'.length), item] as const] : [])),
  );
  const skipped = new Set(
    ledger.filter(({ sk }) => sk.startsWith(SKIP_SORT)).map(({ pk }) => pk.replace(/^CART#\d+#/, '')),
  );
  const promised = new Set<string>();
  const standings = standingsOf(evidence);
  for (const cart of evidence.carts) {
    const dead = [...new Set(keysOf(cartIdentity(cart)).flatMap((key) => deadByCart.get(key) ?? []))];
    const isExcused = dead.some(({ byDisturbances }) => byDisturbances);
    const own: ReadonlySet<string> = new Set(cart.codes);
    for (const { messageId, codes } of dead) {
      const foreign = codes.filter((code) => !own.has(code) && !CAUSED_BY_DISTURBANCES.has(code));
      if (foreign.length === 0) continue;
      report(
        'dead letters for cause',
        `cart ${cart.number} (${cart.expected}), message ${messageId}: ${foreign.join()}`,
      );
    }
    if (cart.expected === 'dead-letter' && dead.length === 0) {
      report('nothing lost', `cart ${cart.number} has the flaw ${String(cart.flaw)} and is not a dead letter`);
    }
    if (cart.expected === 'skip' && !skipped.has(cart.number) && dead.length === 0) {
      report('nothing lost', `cart ${cart.number} was to be skipped, but has no record of it`);
    }
    const standing = standings(cart.number);
    const missing = cart.externalIds.filter((externalId) => !booked.has(externalId));
    const wanted = wantedStandings(cart, missing, dead.length);
    const mayBeUnknown = dead.some(({ messageId }) => !verdicts.has(messageId));
    if (!wanted.includes(standing.word) && !mayBeUnknown) {
      const detail = `${missing.length} of ${cart.externalIds.length} orders are missing, with ${dead.length} dead letters`;
      report('standing and 11VMS agree', `cart ${cart.number} (${cart.expected}) is ${standing.word}: ${detail}`);
    }
    for (const externalId of cart.externalIds) {
      promised.add(externalId);
      const item = items.get(externalId);
      const [order] = booked.get(externalId) ?? [];
      if (order === undefined && !isExcused)
        report('nothing lost', `${externalId} is neither in 11VMS nor a dead letter`);
      if (order === undefined && item?.state === 'CREATED') {
        report('ledger and 11VMS agree', `${externalId} is CREATED in the ledger and not in 11VMS`);
      }
      if (order !== undefined && item?.state !== 'CREATED' && !isExcused) {
        report('ledger and 11VMS agree', `${externalId} is in 11VMS, and ${item?.state ?? 'missing'} in the ledger`);
      }
      if (order !== undefined && item?.state === 'CREATED' && item.orderId !== order.id) {
        report('ledger and 11VMS agree', `${externalId} is ${order.id}, and ${String(item.orderId)} in the ledger`);
      }
    }
  }

  for (const externalId of booked.keys()) {
    if (!promised.has(externalId)) report('nothing invented', `no cart has ${externalId}`);
  }
  if (evidence.leftOnQueue > 0) report('comes to rest', `${evidence.leftOnQueue} messages are left on the queue`);
  if (evidence.sentToDeadLetters > 0) {
    report('only SQS dead-letters', `${evidence.sentToDeadLetters} messages were sent to the dead-letter queue`);
  }
  return { violations, deadLetterCodes, promised: promised.size };
}

/** Longer than any lease, so that no attempt is under way any more. */
const AFTER_REST_MS = 10 * 60_000;

function standingsOf({ items, restedAtMs }: Evidence): (cartNumber: string) => Standing {
  const byCart = Map.groupBy(items, ({ pk }) => String(pk).replace(/^(CART|QUEUED)#\d+#/, ''));
  return (cartNumber) => standingOf(tracesOf(byCart.get(cartNumber) ?? []), { nowMs: restedAtMs + AFTER_REST_MS });
}

/** What the ledger may say of a cart at rest, by what 11VMS and the dead-letter queue hold. */
function wantedStandings({ expected }: GeneratedCart, missing: readonly string[], dead: number): Standing['word'][] {
  if (expected === 'skip') return dead === 0 ? ['skipped'] : ['skipped', 'dead-lettered'];
  if (expected === 'dead-letter' || missing.length > 0) return ['dead-lettered', 'partly-ordered'];
  // A later version of the cart may be a dead letter beside its orders; so may a message that was given up too early.
  return dead === 0 ? ['ordered', 'cured'] : ['ordered', 'cured', 'dead-lettered', 'partly-ordered'];
}

/**
 * The last receive first writes a verdict. There is none only when its process ended before that, when no process got the
 * receive, or when the write failed.
 */
function mayLackVerdict(messageId: string, { deliveries, maximumReceives, disturbedVerdicts }: Evidence): boolean {
  if (disturbedVerdicts.has(messageId)) return true;
  const last = deliveries.filter(
    (delivery) => delivery.messageId === messageId && delivery.receiveCount >= maximumReceives,
  );
  return last.every(({ ended }) => !ended);
}

/** The keys of a cart: its number and its GUID, as far as they are known. */
function keysOf({ number, guid }: { number: string | undefined; guid: string | undefined }): string[] {
  return [
    ...(number === undefined ? [] : [`number ${stripZeros(number)}`]),
    ...(guid === undefined ? [] : [`guid ${guid}`]),
  ];
}

/** The number of the generator, and the GUID of the row, which may lack one. */
function cartIdentity({ row, number }: GeneratedCart): { number: string; guid: string | undefined } {
  const guid = asJsonObject(row)?.['Guid'];
  return { number, guid: typeof guid === 'string' ? guid : undefined };
}

const nameOf = (body: string): string => keysOf(identityOf(body)).join(', ') || 'without number and GUID';
