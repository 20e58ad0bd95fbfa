/**
 * Gives the body of a dead letter to a person who may see it. The redriver first keeps who looks, and why: without that there
 * is no look. The message is hidden from other readers for seconds at most, and stays where it is.
 */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { createDeadLetterQueue } from '../../functions/redrive-dead-letters/dead-letter-queue.ts';
import { readDeadLetters } from '../../functions/redrive-dead-letters/read-dead-letters.ts';
import type { Log } from '../../shared/log.ts';
import type { ByHand } from '../../shared/operations.ts';
import { describeAwsError } from '../aws-account.ts';
import { Unanswerable } from '../carts/open-ledger.ts';
import type { Functions, Sources } from './sources.ts';

/** A longer time would make the alarm on dead letters flap. */
const HIDE_SECONDS = 20;
const PATIENCE_MS = 15_000;
/** One look lasts for several questions about the same dead letter. */
const REMEMBERED_MS = 15 * 60_000;
const MOST_REMEMBERED = 5;

export interface LookOptions {
  readonly functions: Functions;
  readonly sqs: SQSClient;
  readonly deadLetterQueueUrl: string;
  readonly now: () => number;
}

export function createDeadLetterLook({ functions, sqs, deadLetterQueueUrl, now }: LookOptions): Sources['deadLetter'] {
  const deadLetters = createDeadLetterQueue(sqs, deadLetterQueueUrl);
  let remembered: readonly { readonly messageId: string; readonly body: string; readonly untilMs: number }[] = [];

  async function read(wanted: string): Promise<string | undefined> {
    let found: string | undefined;
    await readDeadLetters(
      { hideSeconds: HIDE_SECONDS, untilMs: now() + PATIENCE_MS, isEnough: () => found !== undefined },
      async (letters) => {
        found ??= letters.find(({ messageId }) => messageId === wanted)?.body;
        return [];
      },
      { deadLetters, log: NO_LOG, now },
    );
    return found;
  }

  return async (messageId, byHand: ByHand) => {
    remembered = remembered.filter(({ untilMs }) => untilMs > now());
    const known = remembered.find((one) => one.messageId === messageId);
    if (known !== undefined) return known.body;
    await functions.invoke('redriver', { look: { messageId, ...byHand } });
    const body = await read(messageId).catch((error: unknown) => {
      throw new Unanswerable(
        `the dead-letter queue cannot be read (${describeAwsError(error)})`,
        'this needs the content policy of the stack, and a role that operation.contentRoles of the entry names',
      );
    });
    if (body !== undefined) {
      remembered = [{ messageId, body, untilMs: now() + REMEMBERED_MS }, ...remembered].slice(0, MOST_REMEMBERED);
    }
    return body;
  };
}

/** What could not be released becomes visible by itself. */
const NO_LOG: Log = { info: () => undefined, warn: () => undefined, error: () => undefined, with: () => NO_LOG };
