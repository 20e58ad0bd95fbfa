/**
 * The carts that are queued and not ended. No index lists them: its entry would be written and deleted for each cart, two
 * more writes where a cart has six. So SQS says how many there are, and a scan of the ledger, bounded by what the person
 * allows, says which. A scan costs by what it reads, so that one that looks at all items of a cart costs no more than one
 * that looks at its queued versions alone.
 */
import { reportPause } from '../../functions/supervise-consumption/pause-report.ts';
import { inLanes } from '../../shared/lanes.ts';
import { type Standing, standingOf } from '../../shared/standing.ts';
import { instantText, sentenceOf } from '../../shared/standing-sentence.ts';
import { type Trace, tracesOf } from '../../shared/traces.ts';
import type { Answer } from './answer.ts';
import {
  cartOf,
  CARTS_AT_ONCE,
  type KnownCart,
  type Progress,
  readSurroundings,
  standingOfPartition,
} from './known-cart.ts';
import { heldBy, type OpenedLedger, type QueueCounts } from './open-ledger.ts';
import { asTable, plural } from './tables.ts';

const MEGABYTE = 1024 ** 2;
/** On demand, eventually consistent, eu-west-1: 0.141 USD for a million units of 8 KB. */
const USD_PER_MEGABYTE = (0.141 / 1_000_000) * 128;

/** How many carts wait, and why; its sentences say so, and how far SRM is read. */
export async function readWaitingQueue(ledger: OpenedLedger, nowMs: number) {
  const [counts, context, sizeInBytes] = await Promise.all([
    ledger.queueCounts(),
    readSurroundings(ledger, nowMs),
    ledger.sizeInBytes(),
  ]);
  const count = heldBy(counts);
  const queue = `${plural(count, 'message')} on the queue, about one for each cart that waits: ${countsText(counts)}`;
  const read =
    context.watermarkMs === undefined ? 'SRM was never read' : `SRM is read up to ${instantText(context.watermarkMs)}`;
  const isPaused = context.breaker.state !== 'CLOSED';
  const consumption = isPaused
    ? reportPause({ item: context.breaker, waiting: { count }, trial: undefined, nowMs })
    : { state: 'CLOSED', summary: 'Consumption is running.' };
  return { counts, context, sizeInBytes, consumption, sentences: [queue, consumption.summary ?? '', read] };
}

export async function waitingCarts(
  scanMegabytes: number | undefined,
  ledger: OpenedLedger,
  nowMs: number,
  progress: Progress,
): Promise<Answer> {
  const { counts, context, sizeInBytes: size, consumption, sentences } = await readWaitingQueue(ledger, nowMs);
  const head = `${sentences.join('\n')}\n`;
  const data = { queue: counts, consumption, watermarkMs: context.watermarkMs };
  if (scanMegabytes === undefined)
    return { text: `${head}\n${howToName(size)}\n`, data: { ...data, ledgerBytes: size } };

  const { candidates, megabytes, isWhole } = await scan(ledger, scanMegabytes, nowMs, progress);
  let done = 0;
  // Asked again, consistently: a scan may see an older state.
  const asked = await inLanes(candidates, CARTS_AT_ONCE, async ({ pk, name }) => {
    const standing = await standingOfPartition(pk, ledger.table, nowMs);
    progress.at(++done, candidates.length);
    const sinceMs = waitsSinceMs(standing, nowMs);
    const cart = { cart: name, standing, sentence: sentenceOf(standing, context) };
    return sinceMs === undefined ? [] : [{ cart, sinceMs }];
  });
  const carts = asked
    .flat()
    .sort((one, other) => one.sinceMs - other.sinceMs)
    .map(({ cart }) => cart);
  const part = isWhole
    ? 'the whole ledger was read'
    : `only a part of the ledger was read, ${partText(megabytes, size)}: there may be more`;
  const rows = carts.map(({ cart, standing, sentence }) => ({ cart, standing: standing.word, why: sentence }));
  return {
    text: `${head}\n${plural(carts.length, 'waiting cart')} in the ledger; ${part}\n${rows.length === 0 ? '' : `\n${asTable(rows)}`}`,
    data: { ...data, scannedMegabytes: megabytes, isWhole, carts },
  };
}

const countsText = ({ ready, inFlight, delayed }: QueueCounts): string =>
  `${ready} ready, ${inFlight} received or to be tried again, ${delayed} delayed (SQS counts approximately)`;

export function howToName(size: number | undefined): string {
  const cost = (megabytes: number): string => {
    const usd = (megabytes * USD_PER_MEGABYTE).toFixed(2);
    return `${megabytes} MB, ${usd === '0.00' ? 'less than 0.01' : `about ${usd}`} USD`;
  };
  const whole =
    size === undefined
      ? 'its size cannot be asked for (dynamodb:DescribeTable)'
      : `at most ${cost(Math.ceil(size / MEGABYTE) + 1)}`;
  return `Which carts: --waiting --scan MB reads so much of the ledger. The whole ledger: ${whole}.`;
}

const partText = (megabytes: number, size: number | undefined): string =>
  size === undefined || size === 0 ? `${megabytes} MB` : `${megabytes} of ${Math.ceil(size / MEGABYTE)} MB`;

/** The carts that wait, as far as the scan sees; it ends after so many pages of a megabyte. */
async function scan(ledger: OpenedLedger, maximumMegabytes: number, nowMs: number, progress: Progress) {
  // Both partitions of a cart, which the scan meets far from each other.
  const known = new Map<string, { readonly cart: KnownCart; readonly traces: Trace[] }>();
  let megabytes = 0;
  let isWhole = false;
  for await (const page of ledger.pages()) {
    megabytes++;
    progress.at(megabytes, undefined);
    for (const item of page.items) {
      const cart = cartOf(item['pk']);
      if (cart === undefined) continue;
      const traces = known.get(cart.pk)?.traces ?? [];
      traces.push(...tracesOf([item]));
      known.set(cart.pk, { cart, traces });
    }
    isWhole = page.isLast;
    if (megabytes === maximumMegabytes) break;
  }
  const candidates = [...known.values()]
    .filter(({ traces }) => waitsSinceMs(standingOf(traces, { nowMs }), nowMs) !== undefined)
    .map(({ cart }) => cart);
  return { candidates, megabytes, isWhole };
}

/** Undefined for a cart that does not wait. One that is being tried waits the shortest. */
function waitsSinceMs(standing: Standing, nowMs: number): number | undefined {
  switch (standing.word) {
    case 'partly-ordered':
      return waitsSinceMs(standing.rest, nowMs);
    case 'waiting':
      return standing.sinceMs;
    case 'retrying':
      return standing.triedAtMs;
    case 'in-progress':
      return nowMs;
    default:
      return undefined;
  }
}
