/**
 * The key that signs what is queued (message-signature.ts): a secret of the stack, which is shown to no person. Its stages
 * are those of Secrets Manager. AWSCURRENT signs; AWSPREVIOUS is still believed, since messages of it may wait on the queue and in the
 * dead-letter queue.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { InterfaceError } from './failure.ts';
import { within } from './within.ts';
import { type IsSigned, isSignatureOf, type Sign, signatureOf } from './message-signature.ts';

export interface MessageKeyOptions {
  readonly secrets: SecretsManagerClient;
  /** The ARN of the key's secret. */
  readonly secretId: string;
  /** The environment's name. It is part of what is signed. */
  readonly environment: string;
  readonly now: () => number;
}

/** The key that the variables of a function name. */
export const messageKeyOf = (
  variables: { readonly MESSAGE_KEY: string; readonly INTERFACE_ENVIRONMENT: string },
  secrets: SecretsManagerClient,
  now: () => number,
) => ({ secrets, secretId: variables.MESSAGE_KEY, environment: variables.INTERFACE_ENVIRONMENT, now });

interface Keys {
  readonly current: KeyObject;
  /** Undefined, too, where it was not needed yet. */
  readonly previous?: KeyObject | undefined;
}

/** How long keys sign, and are believed, before they are read again. */
const KEPT_MS = 60_000;
/** How long a caller waits for fresh keys where there are others. */
const PATIENCE_MS = 1000;

/** The keys, as they were a minute ago at most, and those that are there for as long as Secrets Manager does not answer. */
function keepKeys(options: MessageKeyOptions) {
  let kept: { readonly keys: Keys; readonly readAtMs: number } | undefined;
  let reading: Promise<Keys> | undefined;

  async function keep(read: Promise<Keys>): Promise<Keys> {
    const readAtMs = options.now();
    const keys = await read;
    kept = { keys, readAtMs };
    return keys;
  }

  /** Most messages are signed with the current key: the previous one is read when it is needed. */
  function readFirst(): Promise<Keys> {
    reading ??= keep(readCurrent(options).then((current) => ({ current }))).finally(() => {
      reading = undefined;
    });
    return reading;
  }

  return {
    readFirst,
    /** In this order: a rotation in between leaves out no key that was believed before it. */
    readAll: (): Promise<Keys> =>
      keep(
        readCurrent(options).then(async (current) => ({ current, previous: await readStage('AWSPREVIOUS', options) })),
      ),
    async fresh(): Promise<Keys> {
      const old = kept;
      if (old === undefined) return readFirst();
      if (options.now() - old.readAtMs < KEPT_MS) return old.keys;
      return within(PATIENCE_MS, readFirst(), notInTime).catch(() => {
        if (kept === old) kept = { ...old, readAtMs: options.now() };
        return old.keys;
      });
    },
  };
}

/**
 * Gives what signs with the current key, as it was a minute ago at most: a signer that kept its key for hours would sign
 * with one that two rotations have made void.
 * The promise rejects with an {InterfaceError} E_INT_KEY when there is no key.
 */
export function createMessageSigner(options: MessageKeyOptions): () => Promise<Sign> {
  const keys = keepKeys(options);
  return async () => {
    const { current } = await keys.fresh();
    return (body) => signatureOf(body, current, options.environment);
  };
}

export interface SignatureChecker {
  /** Reads the key ahead of the first message, which reads it again after a failure. */
  warmUp(): void;
  /**
   * For the messages of one invocation. Before it finds one not signed, it reads the keys again, which may have been
   * rotated; but once only, so that forged messages cause no calls without end. It waits for no key longer than until then.
   */
  forInvocation(untilMs: number): IsSigned;
}

/**
 * A key that rotations have made void is believed for a minute more, and as long as Secrets Manager does not answer: else no
 * cart would be ordered while it is down.
 */
export function createSignatureChecker(options: MessageKeyOptions): SignatureChecker {
  const keys = keepKeys(options);
  let warmingUp: Promise<unknown> | undefined;
  return {
    warmUp() {
      const end = (): void => {
        warmingUp = undefined;
      };
      warmingUp = keys.readFirst().then(end, end);
    },
    forInvocation(untilMs) {
      const inTime = <Result>(work: Promise<Result>): Promise<Result> =>
        within(untilMs - options.now(), work, notInTime);
      let again: Promise<Keys> | undefined;
      return async ({ body, signature }) => {
        if (signature === undefined) return false;
        const isBy = ({ current, previous = current }: Keys): boolean =>
          [current, previous].some((key) => isSignatureOf(signature, body, key, options.environment));
        if (warmingUp !== undefined) await inTime(warmingUp);
        if (isBy(await inTime(keys.fresh()))) return true;
        again ??= keys.readAll();
        return isBy(await inTime(again));
      };
    },
  };
}

const NOT_GIVEN = "Secrets Manager did not give the key of the queue's messages";
const SHORTEST_KEY = 32;

async function readCurrent(options: MessageKeyOptions): Promise<KeyObject> {
  const key = await readStage('AWSCURRENT', options);
  if (key !== undefined) return key;
  throw keyFault(
    `the secret ${options.secretId} holds no key of ${SHORTEST_KEY} characters or more: infra/runbook.md, "Rotate the message key"`,
  );
}

/** Undefined where the stage has no value, or none that is a key. */
async function readStage(
  VersionStage: 'AWSCURRENT' | 'AWSPREVIOUS',
  { secrets, secretId }: MessageKeyOptions,
): Promise<KeyObject | undefined> {
  const value = await secrets
    .send(new GetSecretValueCommand({ SecretId: secretId, VersionStage }))
    .catch((error: unknown) => {
      const name = error instanceof Error ? error.name : 'unknown error';
      if (name === 'ResourceNotFoundException') return undefined;
      throw keyFault(`${NOT_GIVEN} (${name})`);
    });
  // A key that was piped in ends in a line break.
  const text = value?.SecretString?.trim() ?? '';
  return text.length < SHORTEST_KEY ? undefined : createSecretKey(Buffer.from(text));
}

const notInTime = (): InterfaceError => keyFault(`${NOT_GIVEN} in time`);

const keyFault = (message: string): InterfaceError => new InterfaceError('transient', { code: 'E_INT_KEY', message });
