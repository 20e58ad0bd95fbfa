/** The command line of the console. */
import { commandLine } from '../command-line.ts';
import type { Mode } from './page.ts';

export interface ConsoleCommandOptions {
  /** An environment's name, or the path of its file. */
  readonly environment: string;
  readonly profile: string | undefined;
  readonly mode: Mode;
  readonly port: number;
  readonly idleMinutes: number;
}

export const HELP = `npm run console -- --env NAME|FILE [options]

Opens pages on this machine (127.0.0.1) that show the state of a deployed environment: what flows, what waits, which carts
were given up and why, and the story of each cart. It reads AWS with your own session, and shows what your role may read.
Without --operate it changes nothing. To try it without an account: npm start -- --console

  --env NAME|FILE   the environment: a name in infra/environments.ts, or the path of a JSON file
  --profile NAME    a profile of the AWS configuration (what the AWS SDK finds by itself)
  --operate         lets the pages act: redrive, close, pause, resume, replay and reconcile. Each act asks why, and is
                    recorded with your identity
  --port N          the port to listen on (a free one)
  --idle MINUTES    ends after so long without use (60)
  --help            this text

The terminal shows a link that opens the console in one tab of a browser; once it is used, another one appears. Names,
e-mail addresses and texts of carts are masked. Ctrl-C ends it.
`;

const { parse, refusal, wholeNumber } = commandLine('npm run console');

/** Undefined when help is asked for. @throws {UsageError} */
export function parseOptions(args: readonly string[]): ConsoleCommandOptions | undefined {
  const values = parse(args, {
    env: { type: 'string' },
    profile: { type: 'string' },
    operate: { type: 'boolean' },
    port: { type: 'string' },
    idle: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return undefined;
  if (values.env === undefined || values.env === '') {
    throw refusal('Which environment? Add --env NAME, or --env ./file.json.');
  }
  return {
    environment: values.env,
    profile: values.profile,
    mode: values.operate === true ? 'operate' : 'read-only',
    port: wholeNumber('--port', values.port ?? '0', 0, 65_535),
    idleMinutes: wholeNumber('--idle', values.idle ?? '60', 1, 1440),
  };
}
