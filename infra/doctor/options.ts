/** The command line of the doctor. */
import { commandLine } from '../command-line.ts';

export interface DoctorOptions {
  /** An environment's name, or the path of its file. */
  readonly environment: string;
  readonly profile: string | undefined;
  readonly json: boolean;
  /** Undefined: the deployed environment is examined, and not the contract of its systems. */
  readonly contract: ContractOptions | undefined;
  /** A test incident is sent to PagerDuty, and nothing is examined. */
  readonly page: boolean;
}

export interface ContractOptions {
  /** How many days a page with carts is looked for. */
  readonly days: number;
  /** The externalId of the order that may be read from 11VMS. */
  readonly orderId: string | undefined;
}

export const HELP = `npm run doctor -- --env NAME|FILE [options]

Checks a deployed environment and says what is wrong: what fails, what waits, and what is deployed otherwise than the
entry and this checkout say. Changes nothing: it reads AWS, fetches a token of each system, reads a list of one second
from SRM, and looks up an order in 11VMS that cannot exist. It calls both systems from this machine; the functions call
them from AWS. Whether 11VMS lets this client create cannot be asked without creating: the first order shows it.

  --env NAME|FILE   the environment: a name in infra/environments.ts, or the path of a JSON file
  --profile NAME    a profile of the AWS configuration (what the AWS SDK finds by itself)
  --contract        holds what SRM really sends against what this interface expects, before anything is deployed: reads one
                    page of approved carts, and says property by property what is missing, unknown or written otherwise,
                    how pages are linked, and which setting fits. Names and forms are shown, and no value
  --order ID        with --contract: reads this order from 11VMS by its externalId, and does the same with it
  --days N          with --contract: how many days back a page with carts is looked for (14)
  --page            sends a test incident to PagerDuty with the key in the secret, and resolves it after 10 seconds. It is of
                    the severity info, and says that it is a test and by whom. Nothing else is checked
  --json            all findings as one JSON line on stdout (npm run --silent doctor -- --json keeps npm's own banner off)
  --help            this text

Each line is ok, WARN or FAIL, with what to do. Exits 1 when there is a FAIL, 0 otherwise; "healthy" in --json is true only
when every line is ok. No secret and no token is shown.

--contract needs no AWS account where SRM_CLIENT_ID and SRM_CLIENT_SECRET are set, and for --order VMS_CLIENT_ID and
VMS_CLIENT_SECRET (certificates: npm start -- --help); otherwise it reads the connection secrets. It exits 1 when
something cannot be read.
`;

const { parse, refusal, wholeNumber } = commandLine('npm run doctor');

/** Undefined when help is asked for. @throws {UsageError} */
export function parseOptions(args: readonly string[]): DoctorOptions | undefined {
  const values = parse(args, {
    env: { type: 'string' },
    profile: { type: 'string' },
    contract: { type: 'boolean' },
    order: { type: 'string' },
    days: { type: 'string' },
    page: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return undefined;
  if (values.env === undefined || values.env === '') {
    throw refusal('Which environment? Add --env NAME, or --env ./file.json.');
  }
  const { contract = false, order, days = '14', page = false } = values;
  if (contract && page) throw refusal('--contract and --page are two commands: give one of them.');
  if (!contract && (order !== undefined || values.days !== undefined))
    throw refusal('--order and --days are for --contract.');
  return {
    environment: values.env,
    profile: values.profile,
    json: values.json ?? false,
    page,
    contract: contract ? { days: wholeNumber('--days', days, 1, 366), orderId: order } : undefined,
  };
}
