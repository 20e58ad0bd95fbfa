/** The command line of `npm run carts`. */
import { type FaultCode, isFaultCode } from '../../shared/failure.ts';
import type { CartKey } from '../../shared/ledger-keys.ts';
import { isDay } from '../calendar.ts';
import { commandLine } from '../command-line.ts';
import { cartKeyOf } from './cart-key.ts';
import { type ListedState, STATES } from './cart-states.ts';

export interface StateQuestion {
  readonly kind: 'state';
  readonly state: ListedState;
  /** Undefined: of the last 14 days. */
  readonly day: string | undefined;
  /** Of dead letters: those that have no other fault. Undefined: all. */
  readonly code: FaultCode | undefined;
}

export type Question =
  | ({ readonly kind: 'cart' } & Omit<CartKey, 'client'>)
  /** The orders of one day. */
  | { readonly kind: 'day'; readonly day: string }
  | StateQuestion
  /** `scanMegabytes`: how much of the ledger may be read to name the carts; undefined: only count them. */
  | { readonly kind: 'waiting'; readonly scanMegabytes: number | undefined };

export interface CartsOptions {
  /** An environment's name, or the path of its file. */
  readonly environment: string;
  readonly profile: string | undefined;
  /** Where there is no stack to ask for them. */
  readonly tableName: string | undefined;
  readonly queueUrl: string | undefined;
  readonly question: Question;
  readonly format: 'text' | 'json' | 'csv';
}

export const HELP = `npm run carts -- --env NAME|FILE QUESTION [options]

Says what became of the carts, by what the ledger holds of them. Changes nothing: it reads CloudFormation, DynamoDB and
the attributes of the queue. No content of a cart is shown. Days and times are in UTC.

Questions, one of:
  --cart NUMBER          one cart: its standing, and its times; leading zeros do not matter. Of a cart without a number,
                         the GUID as SRM writes it
  --day DAY              the orders created on a day, such as 2026-11-27, with their carts; also those that a later
                         attempt found in 11VMS
  --state STATE          dead-lettered, skipped or ordered: the carts of the last 14 days, or of --day, by reason and
                         owner. A dead letter counts while its cart stands so: not when it is ordered or tried again
  --code CODE            with --state dead-lettered: only the carts that were given up for this reason alone, such as
                         E_MAP_UOM: those that can pass once its cause is corrected
  --waiting              how many carts are queued, and why they wait
  --waiting --scan MB    and which: reads at most so many megabytes of the ledger (about 0.02 USD for 1000). No index
                         lists waiting carts: it would cost two more writes for each cart

  --env NAME|FILE        the environment: a name in infra/environments.ts, or the path of a JSON file
  --profile NAME         a profile of the AWS configuration (what the AWS SDK finds by itself)
  --table NAME           the ledger's table, and
  --queue URL            the cart queue: do not ask CloudFormation for them. With AWS_ENDPOINT_URL_DYNAMODB and
                         AWS_ENDPOINT_URL_SQS, emulators of your own answer
  --csv                  --day and --state as CSV (RFC 4180); a cell that a spreadsheet would calculate begins with '
  --json                 one JSON line
  --help                 this text

For --csv and --json: npm run --silent carts -- ... keeps npm's own banner out of them.
Lists come from an index that is some seconds behind. Exits 0 when the question is answered, 1 otherwise.
`;

const { parse, refusal, url, wholeNumber } = commandLine('npm run carts');

/** Undefined when help is asked for. @throws {UsageError} */
export function parseOptions(args: readonly string[]): CartsOptions | undefined {
  const {
    csv = false,
    json = false,
    ...values
  } = parse(args, {
    env: { type: 'string' },
    profile: { type: 'string' },
    table: { type: 'string' },
    queue: { type: 'string' },
    cart: { type: 'string' },
    day: { type: 'string' },
    state: { type: 'string' },
    code: { type: 'string' },
    waiting: { type: 'boolean' },
    scan: { type: 'string' },
    csv: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return undefined;
  if (values.env === undefined || values.env === '') {
    throw refusal('Which environment? Add --env NAME, or --env ./file.json.');
  }
  const question = questionOf(values);
  const isList = question.kind === 'day' || question.kind === 'state';
  if (csv && json) throw refusal('Give --csv or --json, not both.');
  if (csv && !isList) throw refusal('--csv is for lists: --day or --state.');
  if (values.code !== undefined && !(question.kind === 'state' && question.state === 'dead-lettered')) {
    throw refusal('--code is for --state dead-lettered.');
  }
  if (values.scan !== undefined && question.kind !== 'waiting') throw refusal('--scan is for --waiting.');
  return {
    environment: values.env,
    profile: values.profile,
    tableName: values.table,
    queueUrl: values.queue === undefined ? undefined : url('--queue', 'a URL', values.queue),
    question,
    format: csv ? 'csv' : json ? 'json' : 'text',
  };
}

interface QuestionValues {
  readonly cart?: string;
  readonly day?: string;
  readonly state?: string;
  readonly code?: string;
  readonly waiting?: boolean;
  readonly scan?: string;
}

function questionOf({ cart, day, state, code, waiting, scan }: QuestionValues): Question {
  const asked = [cart, state ?? day, waiting].filter((value) => value !== undefined);
  if (asked.length !== 1) {
    throw refusal(`${asked.length === 0 ? 'Which carts?' : 'Ask one question:'} --cart, --day, --state or --waiting.`);
  }
  if (cart !== undefined) return { kind: 'cart', ...cartKey(cart.trim()) };
  if (state !== undefined) {
    const known = STATES.find((one) => one === state);
    if (known === undefined) throw refusal(`--state takes ${STATES.join(', ')}, not "${state}".`);
    return { kind: 'state', state: known, day: day === undefined ? undefined : calendarDay(day), code: codeOf(code) };
  }
  if (day !== undefined) return { kind: 'day', day: calendarDay(day) };
  const scanMegabytes = scan === undefined ? undefined : wholeNumber('--scan', scan, 1, 10_000_000);
  return { kind: 'waiting', scanMegabytes };
}

function codeOf(text: string | undefined): FaultCode | undefined {
  const code = text?.trim().toUpperCase();
  if (code === undefined || isFaultCode(code)) return code;
  throw refusal(`--code takes a reason code of shared/contract/errors.md, such as E_MAP_UOM, not "${text}".`);
}

function cartKey(text: string): Omit<CartKey, 'client'> {
  const key = cartKeyOf(text);
  if (key !== undefined) return key;
  throw refusal(`--cart takes the number of a cart, such as 1010000123, not "${text}".`);
}

function calendarDay(text: string): string {
  if (isDay(text)) return text;
  throw refusal(`--day takes a day such as 2026-11-27, not "${text}".`);
}
