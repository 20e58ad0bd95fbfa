/** What one dead letter is, for an operator: ids, times, reason and owner; nothing of its content. */
import { cartOfMessage, noCart, tryReadCartMessage, UnreadableMessage } from '../../shared/cart-message.ts';
import { FAULTS, type FaultOwner, findingForLog } from '../../shared/failure.ts';
import type { CartKey } from '../../shared/ledger-keys.ts';
import { rowChangedAtMs, suppliersOf } from '../../shared/sap-values.ts';
import { DEAD_LETTER_LIFETIME_MS } from '../../shared/standing.ts';
import type { DeadLetter } from './dead-letter-queue.ts';
import { type Selection, WITHOUT_CODE } from './redrive-event.ts';
import type { LetterRecord, RedriveRecord } from './redrive-record.ts';

export interface DescribedLetter {
  readonly messageId: string;
  readonly cart: CartKey;
  /** The run that queued it. */
  readonly runId: string | undefined;
  /** The suppliers of its lines, without leading zeros. */
  readonly suppliers: readonly string[];
  readonly changedAtMs: number | undefined;
  readonly sentAtMs: number | undefined;
  readonly record: LetterRecord;
}

export interface DescribingDependencies {
  readonly record: Pick<RedriveRecord, 'read'>;
  /** `sap-client`: a message that cannot be read is filed under it. */
  readonly sapClient: string;
}

/** @throws the SDK's error when the ledger does not answer. */
export async function describeLetter(
  { messageId, body, sentAtMs }: DeadLetter,
  { record, sapClient }: DescribingDependencies,
): Promise<DescribedLetter> {
  const message = tryReadCartMessage(body);
  const cart = cartOfMessage(message, sapClient);
  const recorded = await record.read({ cart, messageId });
  if (recorded.faults.length === 0) {
    // The worker alone can check the signature. What it finds of a message that is not signed stands under no cart.
    const nameless = { messageId, cart: noCart(sapClient) };
    const unsigned = await record.read(nameless);
    if (unsigned.faults.length > 0)
      return { ...nameless, runId: undefined, suppliers: [], changedAtMs: undefined, sentAtMs, record: unsigned };
  }
  const source = message instanceof UnreadableMessage || !('source' in message) ? undefined : message.source;
  return {
    messageId,
    cart,
    runId: message instanceof UnreadableMessage ? undefined : message.runId,
    suppliers: suppliersOf(source),
    changedAtMs: recorded.changedAtMs ?? rowChangedAtMs(source),
    sentAtMs,
    record: recorded,
  };
}

/** Sorted: the same codes are the same cause. */
export const codesOf = ({ record }: DescribedLetter): string[] =>
  [...new Set(record.faults.map(({ code }) => code))].sort();

const ownersOf = ({ record }: DescribedLetter): FaultOwner[] => [
  ...new Set(record.faults.map(({ code }) => FAULTS[code].owner)),
];

export function isSelected(letter: DescribedLetter, selection: Selection): boolean {
  const { messageIds, code, supplier, run, cart, owner } = selection;
  return (
    (messageIds === undefined || messageIds.includes(letter.messageId)) &&
    (code === undefined || (codesOf(letter).join(' ') || WITHOUT_CODE) === code) &&
    (supplier === undefined || letter.suppliers.includes(supplier)) &&
    (run === undefined || letter.runId === run) &&
    (cart === undefined || cart === letter.cart.number || cart === letter.cart.guid) &&
    (owner === undefined || ownersOf(letter).includes(owner))
  );
}

const SHOWN_REASONS = 3;

/** As an answer shows it. */
export interface ShownLetter {
  readonly messageId: string;
  readonly cartNumber?: string;
  readonly cartGuid?: string;
  readonly runId?: string;
  readonly suppliers: readonly string[];
  /** RFC 3339, as all times here. */
  readonly queuedAt?: string;
  readonly deadSince?: string;
  readonly deletedAt?: string;
  readonly codes: readonly string[];
  readonly reason: string;
  readonly owners: readonly FaultOwner[];
  /** A person has put it back on the queue, or closed it; what is left of it is still here. */
  readonly settled?: 'redriven' | 'closed';
}

export function showLetter(letter: DescribedLetter): ShownLetter {
  const { messageId, cart, runId, suppliers, sentAtMs, record } = letter;
  const settled = record.isClosed ? 'closed' : isSent(record) ? 'redriven' : undefined;
  return {
    messageId,
    ...(cart.number === undefined ? {} : { cartNumber: cart.number }),
    ...(cart.guid === undefined ? {} : { cartGuid: cart.guid }),
    ...(runId === undefined ? {} : { runId }),
    suppliers,
    ...(sentAtMs === undefined
      ? {}
      : { queuedAt: instant(sentAtMs), deletedAt: instant(sentAtMs + DEAD_LETTER_LIFETIME_MS) }),
    ...(record.givenUpAtMs === undefined ? {} : { deadSince: instant(record.givenUpAtMs) }),
    codes: codesOf(letter),
    reason: reasonOf(record),
    owners: ownersOf(letter),
    ...(settled === undefined ? {} : { settled }),
  };
}

export const isSent = ({ redrive }: LetterRecord): boolean => redrive === 'SENT' || redrive === 'DONE';

/** Without the values of the cart, which the log does not have either. */
function reasonOf({ faults }: LetterRecord): string {
  const texts = [...new Set(faults.map(findingForLog))];
  if (texts.length === 0) return 'no verdict is recorded: no attempt ended; read the log of the worker';
  const more = texts.length > SHOWN_REASONS ? [`and ${texts.length - SHOWN_REASONS} more`] : [];
  return [...texts.slice(0, SHOWN_REASONS), ...more].join('; ');
}

export const instant = (ms: number): string => new Date(ms).toISOString();
