/** `npm run outages`: simulates an outage of every kind, and prints what became of the carts. */
import { markdownTable } from 'markdown-table';
import { commandLine, UsageError } from '../../../infra/command-line.ts';
import { type OutageResult, simulateOutage } from './outage.ts';
import { HARMLESS_OUTAGE, OUTAGE_KINDS, type OutageKind, UNCLEAR_OUTAGE } from './virtual-vms.ts';

const HELP = `npm run outages -- [options]

Simulates an outage of 11VMS of every kind in virtual time, over the real use cases of worker and supervisor.

  --hours N       how long the outage lasts (6)
  --carts N       carts a day (1000)
  --seed S        the seed of arrivals and jitter (1)
  --kind TEXT     only the kinds that contain the text
  --help          this text

Exits 1 when an order is missing or doubled, a dead letter is left, or nobody was paged. Where only creates fail, and
look-ups are healthy, the first two carts may be dead letters: they look like carts that 11VMS cannot process.
`;

interface Simulated {
  readonly kind: OutageKind;
  readonly result: OutageResult;
}

const { parse, wholeNumber, refusal } = commandLine('npm run outages');

async function main(args: readonly string[]): Promise<number> {
  const values = parse(args, {
    hours: { type: 'string' },
    carts: { type: 'string' },
    seed: { type: 'string' },
    kind: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const plan = {
    outageHours: wholeNumber('--hours', values.hours ?? '6', 1, 24),
    cartsADay: wholeNumber('--carts', values.carts ?? '1000', 1, 100_000),
    seed: wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 31),
  };
  const { kind: wanted = '' } = values;
  const kinds = OUTAGE_KINDS.filter((kind) => kind.includes(wanted));
  if (kinds.length === 0) throw refusal(`No kind contains "${wanted}"; there are: ${OUTAGE_KINDS.join('; ')}.`);
  const results: Simulated[] = [];
  for (const kind of kinds) {
    process.stderr.write(`${kind} ...\n`);
    results.push({ kind, result: await simulateOutage({ ...plan, kind }) });
  }
  process.stdout.write(`${markdownTable([HEAD, ...results.map(rowOf)])}\n`);
  return results.every(isGood) ? 0 : 1;
}

const HEAD = [
  'outage',
  'carts',
  'without one order',
  'dead letters',
  'left on queue',
  'requeued',
  'calls in outage',
  'paused after min',
  'paged after min',
  'last order after min',
];

const rowOf = ({ kind, result }: Simulated): string[] => [
  kind,
  String(result.carts),
  String(result.wrong.length),
  String(result.deadLetters.length),
  String(result.leftOnQueue),
  String(result.requeued),
  String(result.callsInOutage),
  String(result.minutesToThePause ?? '-'),
  result.page === undefined ? '-' : `${result.page.afterMinutes}, ${result.page.alarm}`,
  String(result.minutesToTheLastOrder),
];

function isGood({ kind, result }: Simulated): boolean {
  const { wrong, deadLetters, leftOnQueue, page } = result;
  const [few, isPaged] = [kind === UNCLEAR_OUTAGE ? 2 : 0, page !== undefined || kind === HARMLESS_OUTAGE];
  return wrong.length <= few && deadLetters.length === wrong.length && leftOnQueue === 0 && isPaged;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
