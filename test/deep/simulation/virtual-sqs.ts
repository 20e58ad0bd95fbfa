/** A queue in virtual time with the rules of SQS: visibility, delays, receive counts and redrive policy. */
import type { CartMessages, QueueMessage } from '../../../functions/create-purchase-orders/cart-messages.ts';
import type { VirtualTime } from './virtual-time.ts';

interface Stored {
  readonly id: string;
  readonly body: string;
  readonly waiting: QueueMessage['waiting'];
  visibleAtMs: number;
  receives: number;
}

export interface VirtualQueue extends CartMessages {
  readonly deadLetters: readonly Stored[];
  readonly size: () => number;
  send(body: string, delaySeconds?: number): void;
  receive(maximum: number): QueueMessage[];
}

export interface QueueOptions {
  readonly time: VirtualTime;
  readonly random: () => number;
  readonly visibilityTimeoutMs: number;
  readonly maxReceiveCount: number;
  /** The share of receives that a second receiver gets too, because SQS delivers at least once. */
  readonly doubledShare: number;
}

export function createVirtualQueue({ time, random, ...options }: QueueOptions): VirtualQueue {
  const messages = new Map<string, Stored>();
  const deadLetters: Stored[] = [];
  const doubled: QueueMessage[] = [];
  let ids = 0;

  function receive(maximum: number): QueueMessage[] {
    const received = doubled.splice(0, maximum);
    const visible = [...messages.values()].filter(({ visibleAtMs }) => visibleAtMs <= time.now());
    while (received.length < maximum) {
      // A standard queue has no order.
      const [message] = visible.splice(Math.floor(random() * visible.length), 1);
      if (message === undefined) break;
      if (message.receives >= options.maxReceiveCount) {
        messages.delete(message.id);
        deadLetters.push(message);
        continue;
      }
      message.receives += 1;
      message.visibleAtMs = time.now() + options.visibilityTimeoutMs;
      const { id: messageId, body, receives: attempt, waiting } = message;
      const one = { messageId, receiptHandle: `${messageId} ${attempt}`, body, signature: undefined, attempt, waiting };
      received.push(one);
      if (random() < options.doubledShare) doubled.push(one);
    }
    return received;
  }

  function send(body: string, delaySeconds = 0, waited = { sinceMs: time.now(), requeues: 0 }): void {
    const id = `m-${++ids}`;
    const waiting = { ...waited, sentAtMs: time.now() };
    messages.set(id, { id, body, waiting, visibleAtMs: time.now() + delaySeconds * 1000, receives: 0 });
  }

  return {
    deadLetters,
    size: () => messages.size,
    send,
    receive,
    async setVisibility(returned) {
      for (const { messageId, receiptHandle, visibleAfterSeconds } of returned) {
        const message = messages.get(messageId);
        // Only the handle of the latest receive is valid.
        if (message !== undefined && receiptHandle === `${messageId} ${message.receives}`)
          message.visibleAtMs = time.now() + visibleAfterSeconds * 1000;
      }
    },
    async requeue({ body, waiting: { sinceMs, requeues } }, delaySeconds) {
      send(body, delaySeconds, { sinceMs, requeues: requeues + 1 });
    },
    receiveOne: () => Promise.resolve(receive(1)[0]),
    isEmpty: () => Promise.resolve(messages.size === 0),
    async remove({ messageId }) {
      messages.delete(messageId);
    },
  };
}
