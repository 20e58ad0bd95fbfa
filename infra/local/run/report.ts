/** The output of a run: text for a person, and with --json one line for a program. */
import { printable, printableJson } from '../../../shared/printable-text.ts';
import type { Accounts, Summary } from './accounting.ts';
import type { Progress } from './run-log.ts';

export interface FinalReport {
  readonly summary: Summary;
  readonly accounts: Accounts;
  /** externalIds of orders that 11VMS holds more than once. */
  readonly doubled: readonly string[];
  /** Why the run is not complete; undefined when it is. */
  readonly failure: string | undefined;
  readonly logPath: string;
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
      if (progress !== undefined && !live) showProgress();
      end();
      people.write(summaryText(report));
      if (json) process.stdout.write(`${printableJson(report.summary)}\n`);
    },
  };
}

const progressText = ({ queued, orders, skipped, retries, deadLettered, refused, requeued }: Progress): string =>
  [
    `${queued} queued`,
    `${orders} orders`,
    `${skipped} skipped`,
    `${retries} retries`,
    `${deadLettered} dead-lettered`,
    ...(refused > 0 ? [`${refused} refused by 11VMS or SRM`] : []),
    ...(requeued > 0 ? [`${requeued} requeued`] : []),
  ].join(' · ');

function summaryText({ summary, accounts, doubled, failure, logPath }: FinalReport): string {
  const row = (name: string, value: string | number, note = ''): string =>
    `  ${name.padEnd(22)}${String(value).padStart(7)}${note === '' ? '' : `   ${note}`}`;
  const lines = [
    '',
    failure === undefined ? 'Summary: every approved cart is accounted for' : `Summary: NOT COMPLETE, ${failure}`,
    row('carts approved', summary.approved),
    row('carts queued', summary.queued),
    row('orders created', summary.created, orderedFrom(accounts)),
    row('carts skipped', summary.skipped, countedReasons(accounts.skippedFor)),
    row('carts dead-lettered', summary.deadLettered.length),
    row('retries', summary.retries),
    row('carts unaccounted for', summary.unaccounted),
    row('seconds', summary.seconds),
  ];
  if (summary.deadLettered.length > 0) {
    lines.push('', 'Dead letters');
    for (const { cartNumber, guid, codes, reason } of summary.deadLettered) {
      lines.push(`  ${cartNumber ?? guid ?? '(no number)'}  ${codes.join(', ')}`, `      ${reason}`);
    }
  }
  if (accounts.unaccounted.length > 0) {
    lines.push('', `Not accounted for: ${shortList(accounts.unaccounted)}`);
  }
  if (doubled.length > 0) lines.push('', `DOUBLED in 11VMS: ${shortList(doubled)}`);
  lines.push(
    '',
    'More information',
    `  log            ${logPath}`,
    '                 one JSON line for each step: search it for a cart number, a message id or an order number',
    '  dead letters   README.md, "What happens to a cart that fails"; --json gives their bodies',
    '',
  );
  // Numbers and reasons hold text of SRM, which must not control the terminal.
  return `${lines.map((line) => printable(line, MAXIMUM_LINE)).join('\n')}\n`;
}

const orderedFrom = ({ orderedCarts, partialCarts }: Accounts): string =>
  `from ${orderedCarts} carts${partialCarts === 0 ? '' : `, ${partialCarts} of them also have a dead letter`}`;

function countedReasons(reasons: readonly string[]): string {
  const counts = Map.groupBy(reasons, (reason) => reason);
  return [...counts].map(([reason, same]) => `${same.length} x ${reason}`).join('; ');
}

const SHOWN = 20;
const shortList = (names: readonly string[]): string =>
  names.length <= SHOWN ? names.join(', ') : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`;
