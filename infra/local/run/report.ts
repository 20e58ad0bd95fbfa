/** The output of a run: text for a person, and with --json one line for a program. */
import { printable, printableJson } from '../../../shared/printable-text.ts';
import { WARNING_CATALOGUE } from '../../../shared/failure.ts';
import { type Accounts, CART_ENDS, type CartEnd } from './accounting.ts';
import { faultLines, type OwnerText } from './fault-groups.ts';
import type { CartWarnings, Progress } from './run-log.ts';
import { counted, shortList } from './words.ts';

/** An order that the 11VMS simulator took. */
export interface TakenOrder {
  readonly externalId: string;
  readonly currency: string;
  readonly supplier: { readonly code: string };
  readonly lines: readonly object[];
  readonly totals: { readonly netAmount: string };
}

export interface FinalReport {
  readonly approved: number;
  readonly queued: number;
  readonly accounts: Accounts;
  readonly warnings: readonly CartWarnings[];
  readonly retries: number;
  readonly seconds: number;
  /** Why consumption is paused; undefined when it is not. */
  readonly pause: string | undefined;
  /** externalIds of orders that 11VMS holds more than once. */
  readonly doubled: readonly string[];
  /** Why the run is not complete; undefined when it is. */
  readonly failure: string | undefined;
  readonly logPath: string;
  /** What would be ordered; undefined when this is no dry run. */
  readonly wouldBe: readonly TakenOrder[] | undefined;
  readonly ownerText: OwnerText;
}

export interface Report {
  title(text: string): void;
  stage(name: string, text: string): void;
  warn(text: string): void;
  /** Shows the progress until `end`: live on a terminal, otherwise in a line now and then. */
  follow(progress: Progress): void;
  summary(report: FinalReport): void;
  /** Stops the progress, and with it the timer that keeps the process alive. */
  end(): void;
}

const LIVE_INTERVAL_MS = 250;
const LINE_INTERVAL_MS = 5000;
const WIDTH = 14;
const MAXIMUM_LINE = 4000;

export function createReport(json: boolean): Report {
  const people = json ? process.stderr : process.stdout;
  const live = people.isTTY;
  let progress: Progress | undefined;
  let timer: NodeJS.Timeout | undefined;

  const clearLive = (): void => {
    if (live && progress !== undefined) people.write('\r\u001b[2K');
  };
  const line = (text: string): void => {
    clearLive();
    people.write(`${text}\n`);
    if (live) showProgress();
  };
  function showProgress(): void {
    if (progress === undefined) return;
    const text = `  ${'moving'.padEnd(WIDTH)}${progressText(progress)}`;
    people.write(live ? `\r\u001b[2K${text}` : `${text}\n`);
  }
  function end(): void {
    clearInterval(timer);
    clearLive();
    progress = undefined;
  }

  return {
    title: (text) => line(text),
    stage: (name, text) => line(`  ${name.padEnd(WIDTH)}${text}`),
    warn: (text) => line(`  ${'!'.padEnd(WIDTH)}${text}`),
    follow(followed) {
      progress = followed;
      timer = setInterval(showProgress, live ? LIVE_INTERVAL_MS : LINE_INTERVAL_MS);
      timer.unref();
    },
    end,
    summary(report) {
      end();
      people.write(summaryText(report));
      if (json) process.stdout.write(`${printableJson(summaryJson(report))}\n`);
    },
  };
}

function progressText({ queued, orders, skipped, retries, faulty, refused, requeued, waiting }: Progress): string {
  return [
    `${queued} queued`,
    `${orders.size} orders`,
    `${skipped.size} skipped`,
    `${faulty.size} faulty`,
    ...(retries > 0 ? [`${retries} retries`] : []),
    ...(refused > 0 ? [`${refused} refused by 11VMS or SRM`] : []),
    ...(requeued > 0 ? [`${requeued} requeued`] : []),
    ...(waiting === undefined ? [] : [`${waiting} wait: consumption is paused`]),
  ].join(' · ');
}

/** Every approved cart is in exactly one of these rows. */
const CART_ROWS: Readonly<Record<CartEnd, string>> = {
  createdInFull: 'created in full',
  createdInPart: 'created in part',
  skipped: 'skipped',
  deadLettered: 'dead-lettered',
  waiting: 'waiting',
  unaccounted: 'not accounted for',
};

function summaryText(report: FinalReport): string {
  const { approved, queued, accounts, warnings, retries, pause, doubled, failure, logPath, wouldBe, ownerText } =
    report;
  const { carts, orders, deadLettered, condemned, skips } = accounts;
  const notes: Partial<Record<CartEnd, string>> = {
    createdInPart: 'another of their orders, or a later change, is a dead letter',
    skipped: countedReasons(skips.map(({ reason }) => reason)),
    deadLettered: 'no order',
    waiting: `on the queue${pause === undefined ? '' : `, because consumption is paused: ${pause}`}`,
    unaccounted: shortList(carts.unaccounted, SHOWN),
  };
  const row = (count: number, name: string, note = ''): string =>
    `  ${String(count).padStart(7)}  ${note === '' ? name : `${name.padEnd(18)} ${note}`}`;
  const lines = [
    '',
    failure === undefined ? 'Summary: every approved cart is accounted for' : `Summary: NOT COMPLETE, ${failure}`,
    row(approved, `carts approved, ${queued} queued, of which`),
    ...CART_ENDS.map((end) => row(carts[end].length, CART_ROWS[end], carts[end].length === 0 ? '' : notes[end])),
    row(
      orders.length,
      `orders created${wouldBe === undefined ? '' : ' in the simulator'}, with ${retries} retries, in ${report.seconds} s`,
    ),
  ];
  if (wouldBe !== undefined) lines.push('', 'Dry run: these orders would be sent', ...orderLines(wouldBe));
  if (deadLettered.length > 0) {
    lines.push('', `Dead letters: ${counted(deadLettered.length, 'cart')}`, ...faultLines(deadLettered, ownerText));
  }
  if (condemned.length > 0) {
    lines.push(
      '',
      `Dead letters to be, still on the queue: ${counted(condemned.length, 'cart')}`,
      ...faultLines(condemned, ownerText),
    );
  }
  if (warnings.length > 0) lines.push('', 'Warnings: ordered all the same', ...warningLines(warnings));
  if (doubled.length > 0) lines.push('', `DOUBLED in 11VMS: ${shortList(doubled, SHOWN)}`);
  lines.push(
    '',
    'More information',
    `  log            ${logPath}`,
    '                 stays until you delete it. One JSON line for each step: search it for a cart, a message or an order',
    '  each cart      --json: orders with their numbers, skips, dead letters with all faults and their bodies',
    '  what to do     README.md, "What happens to a cart that fails"; shared/contract/errors.md',
    '',
  );
  // Numbers and reasons hold text of SRM, which must not control the terminal.
  return `${lines.map((line) => printable(line, MAXIMUM_LINE)).join('\n')}\n`;
}

function orderLines(orders: readonly TakenOrder[]): string[] {
  const byId = orders.toSorted((a, b) => (a.externalId < b.externalId ? -1 : 1));
  const shown = byId.slice(0, SHOWN).map(({ externalId, supplier, lines, totals, currency }) => ({
    externalId,
    amount: `${totals.netAmount} ${currency}`,
    rest: `${counted(lines.length, 'line')}, supplier ${supplier.code}`,
  }));
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));
  const [ids, amounts] = [widest(shown.map((one) => one.externalId)), widest(shown.map(({ amount }) => amount))];
  return [
    ...shown.map((one) => `  ${one.externalId.padEnd(ids)}  ${one.amount.padStart(amounts)}  ${one.rest}`),
    ...(orders.length > SHOWN ? [`  and ${orders.length - SHOWN} more: --orders DIR writes each as a file`] : []),
  ];
}

/** For a program: `created` counts orders; the other counts are of carts. */
function summaryJson({ approved, queued, accounts, warnings, retries, seconds, ...report }: FinalReport): object {
  const { carts, orders, skips, deadLettered, condemned } = accounts;
  return {
    approved,
    queued,
    dryRun: report.wouldBe !== undefined,
    created: orders.length,
    createdInFull: carts.createdInFull.length,
    createdInPart: carts.createdInPart.length,
    skipped: carts.skipped.length,
    deadLettered,
    retries,
    waiting: carts.waiting.length,
    unaccounted: carts.unaccounted.length,
    seconds,
    failure: report.failure ?? null,
    pause: report.pause ?? null,
    orders,
    skips,
    condemned,
    waitingCarts: carts.waiting,
    unaccountedCarts: carts.unaccounted,
    doubled: report.doubled,
    warnings,
    log: report.logPath,
  };
}

function warningLines(warnings: readonly CartWarnings[]): string[] {
  const byCode = Map.groupBy(
    warnings.flatMap(({ codes }) => codes),
    (code) => code,
  );
  return [...byCode]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([code, carts]) => {
      const meaning = Object.entries(WARNING_CATALOGUE).find(([known]) => known === code)?.[1] ?? '';
      return `  ${counted(carts.length, 'cart').padEnd(10)} ${code}${meaning === '' ? '' : `: ${meaning}`}`;
    });
}

function countedReasons(reasons: readonly string[]): string {
  const counts = Map.groupBy(reasons, (reason) => reason);
  return [...counts].map(([reason, same]) => `${same.length} x ${reason}`).join('; ');
}

const SHOWN = 20;
