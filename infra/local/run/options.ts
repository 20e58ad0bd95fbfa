/** The command line of the local run. */
import { commandLine, type DisturbanceLevel } from '../../command-line.ts';
import { LOOPBACK_HOSTS } from '../../setting-forms.ts';

export interface LocalRunOptions {
  readonly carts: number;
  readonly seed: number;
  readonly inputFile: string | undefined;
  readonly disturbances: DisturbanceLevel;
  /** Where reading starts. Undefined means the default. */
  readonly sinceMs: number | undefined;
  /** `env`: the SRM of the environment. */
  readonly srmUrl: string | undefined;
  /** `env`: the 11VMS of the environment. */
  readonly vmsUrl: string | undefined;
  readonly environmentFile: string | undefined;
  readonly watch: boolean;
  /** Whether the operators' console shows the run. */
  readonly console: boolean;
  /** Whether the dead letters are redriven at the end. */
  readonly redrive: boolean;
  readonly reconcile: boolean;
  /** Nothing leaves this machine but the reading of SRM: the 11VMS simulator takes the orders. */
  readonly dryRun: boolean;
  /** Where each order is written as a file. */
  readonly ordersDirectory: string | undefined;
  readonly json: boolean;
}

export const HELP = `npm start -- [options]

Runs the interface on this machine: the synthesized stack on embedded emulators of SQS, DynamoDB and Secrets Manager,
the bundled functions as deployed, and simulators of SRM 7 and 11VMS. It needs no account, no Docker and no option.

  --carts N             how many carts to generate (200)
  --seed N              the seed of the generated carts and of the disturbances (1)
  --input FILE          reads the carts from an OData page as SRM sends it, instead of generating them
  --disturbances LEVEL  none, typical or harsh: how often the simulators fail (typical)
  --since WHEN          where reading starts: an instant (2026-11-20T14:00:00Z) or a duration (90m, 24h, 7d)
                        (24h ago, or the oldest cart of --input)
  --srm URL             reads from this SRM instead of the simulator ("env": the one of --env); client from
                        SRM_CLIENT_ID and SRM_CLIENT_SECRET
  --vms URL             creates orders in this 11VMS instead of the simulator ("env": the one of --env); client from
                        VMS_CLIENT_ID and VMS_CLIENT_SECRET; refused for invented carts: give --srm or --input as well
  --send-invented-carts lets --vms take generated carts all the same, for an 11VMS that is there for tests
  --env FILE            an environment file, or dev, test or prod, instead of "local": generated carts take the codes of
                        its value maps; the simulators replace its two systems, without TLS and with retries after 1 s,
                        unless --srm or --vms is given
  --dry-run             shows what would be ordered, and sends nothing: the 11VMS simulator takes the orders, without
                        disturbances; many dead letters pause nothing, so that it finds them all
  --orders DIR          writes each order that the 11VMS simulator took as a file of this directory, with the names of
                        vms.fields and vms.decimalsAs
  --redrive             moves the dead letters back to the queue at the end, as the SQS console does
  --watch               keeps running on the schedule until Ctrl-C
  --console             keeps running, and opens the operators' console over the run: the terminal shows its link
  --reconcile           runs the daily reconciliation once the queue is empty, for carts older than an hour
  --json                the summary as one JSON line on stdout, all else on stderr (npm start --silent -- --json
                        keeps npm's own banner off stdout)
  --help                this text

Tokens for --srm and --vms come from the tokenUrl of --env; without --env, from <origin>/oauth/token. Where --env says
apiKeyHeader, the key of the gateway comes from SRM_API_KEY. Where it says mutualTls or privateCa, the PEM texts come
from SRM_CLIENT_CERTIFICATE and SRM_CLIENT_KEY, or SRM_CERTIFICATE_AUTHORITY. All of them are the same with VMS:
SRM_CLIENT_KEY="$(cat key.pem)" npm start -- ...

Exits 0 when every approved cart is accounted for, 1 otherwise.
`;

export const { parse, wholeNumber, disturbanceLevel, refusal, url } = commandLine('npm start');

/** `--srm env`, `--vms env` */
export const OF_ENVIRONMENT = 'env';

/** Undefined for --help. @throws {UsageError} */
export function parseOptions(args: readonly string[], nowMs: number): LocalRunOptions | undefined {
  const values = parse(args, {
    carts: { type: 'string' },
    seed: { type: 'string' },
    input: { type: 'string' },
    disturbances: { type: 'string' },
    since: { type: 'string' },
    srm: { type: 'string' },
    vms: { type: 'string' },
    'send-invented-carts': { type: 'boolean' },
    env: { type: 'string' },
    watch: { type: 'boolean' },
    console: { type: 'boolean' },
    redrive: { type: 'boolean' },
    reconcile: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    orders: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) return undefined;
  const options = {
    carts: wholeNumber('--carts', values.carts ?? '200', 1, 1_000_000),
    seed: wholeNumber('--seed', values.seed ?? '1', 0, 2 ** 32 - 1),
    inputFile: values.input,
    disturbances: disturbanceLevel(values.disturbances ?? (values['dry-run'] === true ? 'none' : 'typical')),
    sinceMs: values.since === undefined ? undefined : instantOrDuration(values.since, nowMs),
    srmUrl: systemUrl('--srm', values.srm),
    vmsUrl: systemUrl('--vms', values.vms),
    environmentFile: values.env,
    watch: values.watch ?? values.console ?? false,
    console: values.console ?? false,
    redrive: values.redrive ?? false,
    reconcile: values.reconcile ?? false,
    dryRun: values['dry-run'] ?? false,
    ordersDirectory: values.orders,
    json: values.json ?? false,
  };
  for (const [option, system, url] of [
    ['--srm', 'SRM', options.srmUrl],
    ['--vms', '11VMS', options.vmsUrl],
  ] as const) {
    if (url === OF_ENVIRONMENT && options.environmentFile === undefined)
      throw refusal(`${option} env is the ${system} of an environment: name it with --env FILE.`);
  }
  if (options.vmsUrl !== undefined && options.dryRun) throw refusal('--dry-run sends nothing: leave --vms out.');
  if (options.vmsUrl !== undefined && options.ordersDirectory !== undefined)
    throw refusal('--orders writes what the 11VMS simulator takes: leave --vms out.');
  if (values['send-invented-carts'] !== true) refuseInventedCarts(options);
  return options;
}

/** Each would become an order that a supplier may deliver. */
function refuseInventedCarts({ vmsUrl, srmUrl, inputFile, carts }: LocalRunOptions): void {
  if (vmsUrl === undefined || srmUrl !== undefined || inputFile !== undefined) return;
  if (vmsUrl !== OF_ENVIRONMENT && LOOPBACK_HOSTS.includes(new URL(vmsUrl).hostname)) return;
  throw refusal(
    `--vms ${vmsUrl} would get ${carts} invented carts as orders. Give real carts with --srm or --input; or add ` +
      '--send-invented-carts if this 11VMS is there for tests.',
  );
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function instantOrDuration(text: string, nowMs: number): number {
  const ms = durationAgoMs(text, nowMs) ?? (/^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN);
  if (ms > nowMs) throw refusal(`--since ${text} lies in the future. Give an earlier time.`);
  if (ms >= 0) return ms;
  throw refusal(`--since takes an instant (2026-11-20T14:00:00Z) or a duration (90m, 24h, 7d), not "${text}".`);
}

function durationAgoMs(text: string, nowMs: number): number | undefined {
  const duration = /^(\d{1,6})([smhd])$/.exec(text);
  return duration === null ? undefined : nowMs - Number(duration[1]) * (UNIT_MS[duration[2] ?? ''] ?? 0);
}

const systemUrl = (option: string, text: string | undefined): string | undefined =>
  text === undefined || text === OF_ENVIRONMENT ? text : url(option, '"env" for the one of --env, or a URL', text);
