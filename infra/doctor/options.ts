/** The command line of the doctor. */
import { commandLine } from '../command-line.ts';

export interface DoctorOptions {
  /** An environment's name, or the path of its file. */
  readonly environment: string;
  readonly profile: string | undefined;
  readonly json: boolean;
}

export const HELP = `npm run doctor -- --env NAME|FILE [options]

Checks a deployed environment and says what is wrong: what fails, what waits, and what is deployed otherwise than the
entry and this checkout say. Changes nothing: it reads AWS, fetches a token of each system, reads a list of one second
from SRM, and looks up an order in 11VMS that cannot exist. It calls both systems from this machine; the functions call
them from AWS. Whether 11VMS lets this client create cannot be asked without creating: the first order shows it.

  --env NAME|FILE   the environment: a name in infra/environments.ts, or the path of a JSON file
  --profile NAME    a profile of the AWS configuration (what the AWS SDK finds by itself)
  --json            all findings as one JSON line on stdout (npm run --silent doctor -- --json keeps npm's own banner off)
  --help            this text

Each line is ok, WARN or FAIL, with what to do. Exits 1 when there is a FAIL, 0 otherwise; "healthy" in --json is true only
when every line is ok. No secret and no token is shown.
`;

const { parse, refusal } = commandLine('npm run doctor');

/** Undefined when help is asked for. @throws {UsageError} */
export function parseOptions(args: readonly string[]): DoctorOptions | undefined {
  const values = parse(args, {
    env: { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return undefined;
  if (values.env === undefined || values.env === '') {
    throw refusal('Which environment? Add --env NAME, or --env ./file.json.');
  }
  return { environment: values.env, profile: values.profile, json: values.json ?? false };
}
