/** Writes the numbers of a cart's orders back to the cart in SRM: all of them, whatever order the event is about. */
import type { CartKey } from '../../shared/ledger-keys.ts';
import type { Log } from '../../shared/log.ts';
import type { ReturnedMessage } from '../../shared/message-visibility.ts';
import type { Trace } from '../../shared/traces.ts';
import type { RecordedNumbers, RecordNumbers } from './number-record.ts';
import type { SrmNumbers, WriteResult } from './srm-numbers.ts';

/** One receive of an event: an order of the cart was created. */
export interface NumberMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  /** 1 for the first receive. */
  readonly receive: number;
  /** Undefined where the body is no event of an order. */
  readonly cart: (CartKey & { readonly number: string }) | undefined;
}

export interface NumberDependencies {
  readonly srm: SrmNumbers;
  /** What the ledger holds of a cart. */
  readonly tracesOf: (cart: CartKey) => Promise<readonly Trace[]>;
  readonly recorded: (cart: CartKey) => Promise<RecordedNumbers | undefined>;
  readonly record: RecordNumbers;
  readonly log: Log;
  readonly now: () => number;
  readonly newId: () => string;
  /** Whether there is time for one more cart. */
  readonly timeLeft: () => boolean;
}

/**
 * One after another: not more carts at once are written to SRM than invocations run. Where SRM is unhealthy, the other
 * messages wait, too.
 */
export async function writeOrderNumbers(
  messages: readonly NumberMessage[],
  dependencies: NumberDependencies,
): Promise<readonly ReturnedMessage[]> {
  const returned: ReturnedMessage[] = [];
  let isHealthy = true;
  for (const message of messages) {
    const { messageId, receiptHandle, receive } = message;
    const returnAfter = (visibleAfterSeconds: number) =>
      void returned.push({ messageId, receiptHandle, visibleAfterSeconds });
    const retry = retryDelaySeconds(receive);
    if (!isHealthy || !dependencies.timeLeft()) {
      returnAfter(retry);
      continue;
    }
    const result = await writeNumbersOf(message, dependencies);
    if (result.kind === 'written') continue;
    if (result.kind === 'refused') {
      // The remaining receives end at the record; then SQS itself moves the message, and it can be redriven.
      returnAfter(0);
      continue;
    }
    isHealthy = result.isAboutCart;
    returnAfter(Math.max(retry, Math.ceil((result.afterMs ?? 0) / 1000)));
  }
  return returned;
}

async function writeNumbersOf(message: NumberMessage, dependencies: NumberDependencies): Promise<WriteResult> {
  const { srm, tracesOf, recorded, now, newId } = dependencies;
  const { messageId, receive, cart } = message;
  const log = dependencies.log.with({ messageId, attempt: receive, ...(cart && { cartNumber: cart.number }) });
  if (cart === undefined) {
    log.error('order-numbers.message-unreadable');
    return { kind: 'refused', reason: 'the message is no event of an order' };
  }
  const correlationId = newId();
  const before = await recorded(cart);
  let traces = await tracesOf(cart);
  if (receive > 1 && before?.refusedMessages.includes(messageId) === true) {
    return { kind: 'refused', reason: 'SRM refused it at an earlier receive' };
  }
  // Only at the first receive: an earlier one may have sent a value that reaches SRM after the one on record.
  if (receive === 1 && before?.state === 'WRITTEN' && before.numbers === numbersOf(traces)) {
    log.info('order-numbers.known', { orderNumber: before.numbers });
    return { kind: 'written' };
  }
  const record = ({ kind }: WriteResult, numbers: string, reason?: string) => {
    const refusedMessages = refusedAfter(before, kind, messageId);
    const why = reason === undefined ? {} : { reason };
    return dependencies.record(cart, { state: STATES[kind], numbers, refusedMessages, ...why }, now());
  };
  for (;;) {
    const numbers = numbersOf(traces);
    // A crash after the write leaves the message on the queue: the value is written a second time.
    const result = await srm.write(cart.number, numbers, correlationId);
    if (result.kind === 'written') {
      traces = await tracesOf(cart);
      // Another order may have been created while this value was on its way, and its own write may have been faster. So
      // each write is followed by another look at the ledger: the last write then has all numbers.
      if (numbersOf(traces) !== numbers) continue;
      await record(result, numbers);
      log.info('order-numbers.written', { orderNumber: numbers, correlationId });
      return result;
    }
    const { reason } = result;
    await record(result, numbers, reason);
    if (result.kind === 'refused') log.error('order-numbers.refused', { reason, correlationId });
    else log.warn('order-numbers.postponed', { reason, correlationId });
    return result;
  }
}

const STATES = { written: 'WRITTEN', refused: 'REFUSED', postponed: 'POSTPONED' } as const;

function refusedAfter(
  before: RecordedNumbers | undefined,
  kind: WriteResult['kind'],
  messageId: string,
): readonly string[] {
  const earlier = before?.refusedMessages ?? [];
  // What SRM takes now, it may take of the others, too.
  if (kind === 'written') return [];
  return kind === 'refused' ? [...earlier, messageId] : earlier;
}

/** As people know the orders: the number, or the id where 11VMS gave no number. */
const numbersOf = (traces: readonly Trace[]): string =>
  traces
    .flatMap((trace) => (trace.kind === 'order' && trace.state === 'CREATED' ? [trace] : []))
    .map(({ orderNumber, orderId, externalId }) => orderNumber ?? orderId ?? externalId)
    .toSorted()
    .join(', ');

const LONGEST_DELAY_SECONDS = 6 * 3600;

/** A minute, doubled with each receive, six hours at most: with 12 receives, about a day. */
export const retryDelaySeconds = (receive: number): number => Math.min(60 * 2 ** (receive - 1), LONGEST_DELAY_SECONDS);
