/** One cart: its standing, and its times. */
import { type CartKey, cartPartition } from '../../shared/ledger-keys.ts';
import { printable } from '../../shared/printable-text.ts';
import { standingOf } from '../../shared/standing.ts';
import { instantText, reasonsOf, type SentenceContext, sentenceOf } from '../../shared/standing-sentence.ts';
import { type Trace, tracesOf } from '../../shared/traces.ts';
import type { Answer } from './answer.ts';
import { readSurroundings } from './known-cart.ts';
import type { OpenedLedger } from './open-ledger.ts';

interface Moment {
  readonly atMs: number;
  readonly what: string;
}

const MAXIMUM_LINE = 600;

export async function oneCart(key: Omit<CartKey, 'client'>, ledger: OpenedLedger, nowMs: number): Promise<Answer> {
  const { environment, table } = ledger;
  const [items, context] = await Promise.all([
    table.queryItems(cartPartition({ client: environment.srm.client, ...key }), ''),
    readSurroundings(ledger, nowMs),
  ]);
  const traces = tracesOf(items);
  const standing = standingOf(traces, { nowMs });
  const sentence = printable(sentenceOf(standing, context), 4 * MAXIMUM_LINE);
  const moments = momentsOf(traces);
  const name = key.number ?? key.guid ?? '';
  const advice = standing.word === 'never-read' ? `\n${howToRead(ledger, context)}\n` : '';
  const lines = moments.map(({ atMs, what }) => `${instantText(atMs)}  ${printable(what, MAXIMUM_LINE)}\n`);
  return {
    text: `Cart ${name} (SAP client ${environment.srm.client}): ${standing.word}\n${sentence}\n${advice}${lines.length === 0 ? '' : '\n'}${lines.join('')}`,
    data: { cart: name, standing, sentence, times: moments },
  };
}

function howToRead({ environment: { srm, extraction } }: OpenedLedger, { watermarkMs }: SentenceContext): string {
  const first = `Check the number. In SRM: is it approved, in a status that is read (${srm.statuses.join(', ')}), and when was it last changed?`;
  const read = watermarkMs ?? Date.parse(extraction.firstWatermark);
  return [
    first,
    `- after ${instantText(read)}: the next run reads it. Where that moment does not move on, runs fail (infra/runbook.md, "no-extraction").`,
    `- before it, and since the first watermark (${extraction.firstWatermark}): have it queued (infra/runbook.md, "Find a cart", step 3).`,
    `- before the first watermark: it is never read.`,
  ].join('\n');
}

/** What happened to the cart, in order. */
function momentsOf(traces: readonly Trace[]): Moment[] {
  const versions = new Set(traces.filter(isVersionKnown).map(({ changedAtMs }) => changedAtMs));
  const changes = [...versions].map((atMs) => ({ atMs, what: 'changed in SRM' }));
  const moments = [...changes, ...traces.flatMap(momentsOfTrace)].filter(({ atMs }) => atMs > 0);
  return moments.sort((one, other) => one.atMs - other.atMs);
}

/** Where SRM's stamp could not be read, the time of the record takes its place. */
const isVersionKnown = (trace: Trace): boolean => trace.changedAtMs !== recordedMs(trace);

function recordedMs(trace: Trace): number {
  if (trace.kind === 'queued') return trace.queuedAtMs;
  return trace.kind === 'order' ? trace.claimedAtMs : trace.recordedAtMs;
}

function momentsOfTrace(trace: Trace): Moment[] {
  switch (trace.kind) {
    case 'queued': {
      const { queuedAtMs, copiedAtMs, runId } = trace;
      const copy =
        copiedAtMs === undefined || copiedAtMs === queuedAtMs ? [] : [{ atMs: copiedAtMs, what: 'queued again' }];
      return [{ atMs: queuedAtMs, what: `read and queued${copy.length === 0 ? ` by run ${runId}` : ''}` }, ...copy];
    }
    case 'order': {
      const { externalId, firstClaimedAtMs, claimedAtMs, createdAtMs, orderNumber, orderId, receive } = trace;
      const first = { atMs: firstClaimedAtMs, what: `first tried: ${externalId}` };
      const last = { atMs: claimedAtMs, what: `last tried: ${externalId}, by receive ${receive} of its message` };
      if (createdAtMs === undefined) return claimedAtMs > firstClaimedAtMs ? [first, last] : [first];
      return [first, { atMs: createdAtMs, what: `ordered: ${orderNumber ?? orderId ?? ''} (${externalId})` }];
    }
    case 'verdict': {
      return [{ atMs: trace.recordedAtMs, what: `given up: message ${trace.messageId}: ${reasonsOf(trace.faults)}` }];
    }
    case 'skip':
      return [{ atMs: trace.recordedAtMs, what: `skipped: ${trace.reason}` }];
  }
}
