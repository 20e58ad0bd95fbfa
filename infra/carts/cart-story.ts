/** What the ledger holds of one cart: its standing in words, and its times. Command line and console tell the same. */
import { readNumberRecord, type RecordedNumbers } from '../../functions/write-order-numbers/number-record.ts';
import type { CartKey } from '../../shared/ledger-keys.ts';
import { type Standing, standingOf } from '../../shared/standing.ts';
import { instantText, reasonsOf, type SentenceContext, sentenceOf } from '../../shared/standing-sentence.ts';
import { readTraces, type Trace } from '../../shared/traces.ts';
import { readSurroundings } from './known-cart.ts';
import type { OpenedLedger } from './open-ledger.ts';

export type MomentKind =
  | 'changed'
  | 'queued'
  | 'tried'
  | 'ordered'
  | 'dead-lettered'
  | 'redriven'
  | 'closed'
  | 'skipped'
  | 'written-back';

export interface Moment {
  readonly atMs: number;
  readonly kind: MomentKind;
  readonly what: string;
  /** The message or the order that it is about. */
  readonly messageId?: string;
  readonly externalId?: string;
}

export interface CartStory {
  readonly key: Omit<CartKey, 'client'>;
  readonly name: string;
  readonly standing: Standing;
  readonly sentence: string;
  readonly moments: readonly Moment[];
  readonly traces: readonly Trace[];
  readonly context: Awaited<ReturnType<typeof readSurroundings>>;
}

export async function readCartStory(
  key: Omit<CartKey, 'client'>,
  ledger: Pick<OpenedLedger, 'environment' | 'table'>,
  nowMs: number,
): Promise<CartStory> {
  const { environment, table } = ledger;
  const cart = { client: environment.srm.client, ...key };
  const [traces, numbers, context] = await Promise.all([
    readTraces(table, cart),
    readNumberRecord(table, cart),
    readSurroundings(ledger, nowMs),
  ]);
  const standing = standingOf(traces, { nowMs });
  return {
    key,
    name: key.number ?? key.guid ?? '',
    standing,
    sentence: sentenceOf(standing, context),
    moments: momentsOf(traces, numbers),
    traces,
    context,
  };
}

/** What to do about a cart that no run has read. */
export function howToRead(
  { environment: { srm, extraction } }: Pick<OpenedLedger, 'environment'>,
  { watermarkMs }: SentenceContext,
): readonly string[] {
  const read = watermarkMs ?? Date.parse(extraction.firstWatermark);
  return [
    `Check the number. In SRM: is it approved, in a status that is read (${srm.statuses.join(', ')}), and when was it last changed?`,
    `after ${instantText(read)}: the next run reads it. Where that moment does not move on, runs fail (infra/runbook.md, "no-extraction").`,
    `before it, and since the first watermark (${extraction.firstWatermark}): have it queued (infra/runbook.md, "Find a cart", step 3).`,
    `before the first watermark: it is never read.`,
  ];
}

/** What happened to the cart, in order. */
function momentsOf(traces: readonly Trace[], numbers: RecordedNumbers | undefined): Moment[] {
  const versions = new Set(traces.filter(isVersionKnown).map(({ changedAtMs }) => changedAtMs));
  const changes = [...versions].map((atMs): Moment => ({ atMs, kind: 'changed', what: 'changed in SRM' }));
  const back: Moment[] =
    numbers === undefined ? [] : [{ atMs: numbers.recordedAtMs, kind: 'written-back', what: numbersText(numbers) }];
  const moments = [...changes, ...traces.flatMap(momentsOfTrace), ...back].filter(({ atMs }) => atMs > 0);
  return moments.sort((one, other) => one.atMs - other.atMs);
}

/** Where SRM's stamp could not be read, the time of the record takes its place. */
const isVersionKnown = (trace: Trace): boolean => trace.changedAtMs !== recordedMs(trace);

function recordedMs(trace: Trace): number {
  switch (trace.kind) {
    case 'queued':
      return trace.queuedAtMs;
    case 'order':
      return trace.claimedAtMs;
    case 'redrive':
      return trace.startedAtMs;
    case 'verdict':
    case 'skip':
    case 'closed':
      return trace.recordedAtMs;
  }
}

function numbersText({ state, numbers, reason }: RecordedNumbers): string {
  switch (state) {
    case 'WRITTEN':
      return `written back to SRM: ${numbers}`;
    case 'REFUSED':
      return `not written back to SRM: ${numbers}: ${reason}`;
    case 'POSTPONED':
      return `not yet written back to SRM: ${numbers}: ${reason}`;
  }
}

function momentsOfTrace(trace: Trace): Moment[] {
  switch (trace.kind) {
    case 'queued': {
      const { queuedAtMs, copiedAtMs, runId } = trace;
      const copy =
        copiedAtMs === undefined || copiedAtMs === queuedAtMs
          ? []
          : [{ atMs: copiedAtMs, kind: 'queued' as const, what: 'queued again' }];
      const what = `read and queued${copy.length === 0 ? ` by run ${runId}` : ''}`;
      return [{ atMs: queuedAtMs, kind: 'queued', what }, ...copy];
    }
    case 'order': {
      const { externalId, firstClaimedAtMs, claimedAtMs, createdAtMs, orderNumber, orderId, receive } = trace;
      const first: Moment = { atMs: firstClaimedAtMs, kind: 'tried', what: `first tried: ${externalId}`, externalId };
      const last: Moment = {
        atMs: claimedAtMs,
        kind: 'tried',
        what: `last tried: ${externalId}, by receive ${receive} of its message`,
        externalId,
      };
      if (createdAtMs === undefined) return claimedAtMs > firstClaimedAtMs ? [first, last] : [first];
      const what = `ordered: ${orderNumber ?? orderId ?? ''} (${externalId})`;
      return [first, { atMs: createdAtMs, kind: 'ordered', what, externalId }];
    }
    case 'verdict': {
      const { recordedAtMs: atMs, messageId, faults } = trace;
      return [{ atMs, kind: 'dead-lettered', what: `given up: message ${messageId}: ${reasonsOf(faults)}`, messageId }];
    }
    case 'skip':
      return [{ atMs: trace.recordedAtMs, kind: 'skipped', what: `skipped: ${trace.reason}` }];
    case 'redrive': {
      const { startedAtMs, sentAtMs: atMs = startedAtMs, messageId, newMessageId, by, reason } = trace;
      const act = newMessageId === undefined ? 'redrive begun' : `redriven as message ${newMessageId}`;
      return [{ atMs, kind: 'redriven', what: `${act}: message ${messageId}, by ${by}: ${reason}`, messageId }];
    }
    case 'closed': {
      const { recordedAtMs: atMs, messageId, by, reason } = trace;
      return [{ atMs, kind: 'closed', what: `closed by hand: message ${messageId}, by ${by}: ${reason}`, messageId }];
    }
  }
}
