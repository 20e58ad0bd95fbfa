/** Processes received messages: all of a batch at once, each on its own. */
import type { BreakerRecord } from '../../shared/circuit-breaker.ts';
import { errorFields, type Log } from '../../shared/log.ts';
import type { ReturnedMessage } from '../../shared/message-visibility.ts';
import type { CartMessages, QueueMessage } from './cart-messages.ts';
import { type Outcome, type RetryPolicy, settle } from './outcome.ts';
import { type MessageDependencies, processMessage } from './process-message.ts';

export interface BatchDependencies extends MessageDependencies {
  readonly breaker: Pick<BreakerRecord, 'read' | 'open'>;
  readonly messages: CartMessages;
  readonly policy: RetryPolicy;
  /** 0 to 1, uniformly. */
  readonly random: () => number;
}

interface ProcessedMessage {
  readonly message: QueueMessage;
  readonly outcome: Outcome;
  /** Undefined: the message is done, and to be deleted. */
  readonly returned: ReturnedMessage | undefined;
}

/** While consumption is paused, no message is tried: the event source mapping delivers until it is disabled. */
export async function processBatch(
  received: readonly QueueMessage[],
  dependencies: BatchDependencies,
): Promise<readonly ProcessedMessage[]> {
  const pausedBecause = await readPause(dependencies);
  return processReceived(received, { ...dependencies, pausedBecause });
}

async function readPause({ breaker, log }: { breaker: Pick<BreakerRecord, 'read'>; log: Log }) {
  try {
    const { state, reason } = await breaker.read();
    return state === 'CLOSED' ? undefined : reason;
  } catch (error) {
    // Each cart is then tried: without the ledger nothing is posted, and with it every order is guarded.
    log.warn('consumption.state-unknown', errorFields(error));
    return undefined;
  }
}

/** The visibility of the messages that are not done is set last: it survives the return of the function. */
export async function processReceived(
  received: readonly QueueMessage[],
  dependencies: BatchDependencies,
): Promise<readonly ProcessedMessage[]> {
  const { messages, policy, random, log } = dependencies;
  const processed = await Promise.all(
    received.map(async (message) => {
      const outcome = await processMessage(message, dependencies);
      const settlement = settle(outcome, message.attempt, policy, random());
      const returned = settlement.kind === 'delete' ? undefined : { ...message, ...settlement };
      return { message, outcome, returned };
    }),
  );
  await messages.setVisibility(
    processed.flatMap(({ returned }) => (returned === undefined ? [] : [returned])),
    log,
  );
  return processed;
}
