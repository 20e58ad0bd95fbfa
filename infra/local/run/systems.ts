/** SRM and 11VMS of a local run: a simulator, or the system that the user names. */
import { randomUUID } from 'node:crypto';
import type { ExtractorVariables, WorkerVariables } from '../../../shared/environment.ts';
import { asJsonObject, numberText, parseExactJson } from '../../../shared/exact-json.ts';
import { cartNumberOf, edmInstantMs, stripZeros } from '../../../shared/sap-values.ts';
import { namesOfService } from '../../../shared/reading/field-names.ts';
import { inactiveVendor } from '../../../test/simulators/cart-vocabulary.ts';
import { generateCarts } from '../../../test/simulators/carts.ts';
import type { SimulatorOptions } from '../../../test/simulators/simulator.ts';
import { type Srm7Options, type Srm7Simulator, startSrm7 } from '../../../test/simulators/srm7.ts';
import { startVms, type VmsSimulator } from '../../../test/simulators/vms.ts';
import { cartsOfPage } from '../../carts-of-page.ts';
import { type Environment, environmentSchema } from '../../environments.ts';
import { givenSecret, VariablesIncomplete } from '../../given-secret.ts';
import { parseHandwritten, readJsonText } from '../../json-file.ts';
import { checkSettings, placeOf } from '../../setting-mistakes.ts';
import { type LocalRunOptions, OF_ENVIRONMENT, refusal } from './options.ts';
import { ownCodesOf } from './own-codes.ts';
import { counted } from './words.ts';

/** What identifies a cart. A malformed row may lack either. */
export interface CartIdentity {
  readonly number: string | undefined;
  readonly guid: string | undefined;
}

export interface Systems {
  /** What is synthesized. It is the same in every run, so that the assembly can be reused. */
  readonly environment: Environment;
  /** The variables of the functions that differ from run to run. */
  readonly variables: Readonly<Record<string, string>>;
  /** Secret strings by secret name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The carts that the interface must read from the SRM simulator. Undefined with --srm: only SRM knows them. */
  readonly approved: readonly CartIdentity[] | undefined;
  readonly vms: VmsSimulator | undefined;
  readonly descriptions: readonly string[];
  /** What the user should know of the carts before they move. */
  readonly notes: readonly string[];
  /** True where the clock of the SRM simulator is not that of this machine. */
  readonly isClockSet: boolean;
  close(): Promise<void>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Starts the simulators that are needed, and sets both URLs in the environment. @throws {UsageError} */
export async function startSystems(base: Environment, options: LocalRunOptions, nowMs: number): Promise<Systems> {
  refuseWhatTheEntryMayNotHold(base, options);
  const srmSecret = options.srmUrl === undefined ? undefined : secretFromVariables('SRM', '--srm', base.srm);
  const vmsSecret = options.vmsUrl === undefined ? undefined : secretFromVariables('VMS', '--vms', base.vms);
  const { rows, notes } = options.srmUrl === undefined ? cartsFor(base, options, nowMs) : { rows: [], notes: [] };
  const oldestMs = rows.reduce((oldest, { changedAtMs }) => Math.min(oldest, changedAtMs), Number.POSITIVE_INFINITY);
  const sinceMs = options.sinceMs ?? (options.inputFile !== undefined && rows.length > 0 ? oldestMs : nowMs - DAY_MS);

  const srm = srmSecret === undefined ? await startSourceSimulator(base, rows, options, nowMs) : undefined;
  const vms = vmsSecret === undefined ? await startTargetSimulator(base, options) : undefined;
  const srmEnd = srm === undefined ? externalEnd(options.srmUrl, '', base.srm, options) : simulatedEnd(srm, srm.url);
  const vmsEnd =
    vms === undefined
      ? externalEnd(options.vmsUrl, '/11VMSProxy_V2', base.vms, options)
      : simulatedEnd(vms, vms.baseUrl);
  return {
    environment: {
      ...base,
      account: base.account ?? '000000000000',
      region: base.region ?? 'eu-west-1',
      srm: { ...base.srm, createSecret: true, kmsKeyArn: undefined },
      vms: { ...base.vms, createSecret: true, kmsKeyArn: undefined },
      // Nothing is told to the platforms around the interface.
      logForwarding: undefined,
      cloudAlm: undefined,
    },
    variables: {
      SRM_BASE_URL: srmEnd.baseUrl,
      SRM_TOKEN_URL: srmEnd.tokenUrl,
      SRM_MUTUAL_TLS: String(srmEnd.mutualTls),
      SRM_PRIVATE_CA: String(srmEnd.privateCa),
      SRM_PROXY_URL: srmEnd.proxyUrl,
      VMS_BASE_URL: vmsEnd.baseUrl,
      VMS_TOKEN_URL: vmsEnd.tokenUrl,
      VMS_MUTUAL_TLS: String(vmsEnd.mutualTls),
      VMS_PRIVATE_CA: String(vmsEnd.privateCa),
      VMS_PROXY_URL: vmsEnd.proxyUrl,
      FIRST_WATERMARK: new Date(sinceMs).toISOString(),
      // The simulator fails often: a wait of half a minute each time would make a run last for minutes.
      ...(vms === undefined ? {} : { RETRY_BASE_SECONDS: '1' }),
      // A pause would hide the faults of the carts behind it.
      ...(options.dryRun ? { PAUSE_FOR_DEAD_LETTERS: 'false' } : {}),
    } satisfies Partial<ExtractorVariables & WorkerVariables>,
    secrets: {
      [base.srm.secretName]: srmSecret ?? secretString(srm),
      [base.vms.secretName]: vmsSecret ?? secretString(vms),
    },
    approved: srm === undefined ? undefined : rows.filter(({ changedAtMs }) => changedAtMs >= sinceMs),
    vms,
    descriptions: [
      srm === undefined
        ? `SRM 7 at ${srmEnd.baseUrl}`
        : `SRM 7 simulator at ${srm.url}, ${counted(rows.length, 'cart')}`,
      vms === undefined ? `11VMS at ${vmsEnd.baseUrl}` : `11VMS simulator at ${vms.baseUrl}`,
      ...(options.dryRun ? ['dry run: the simulator takes the orders, and nothing is sent'] : []),
    ],
    notes,
    isClockSet: srm !== undefined && options.inputFile !== undefined,
    close: async () => {
      await Promise.all([srm?.close(), vms?.close()]);
    },
  };
}

/** A URL of the command line stands in for that of the entry: the whole entry is checked with it. @throws {UsageError} */
function refuseWhatTheEntryMayNotHold(base: Environment, { srmUrl, vmsUrl }: LocalRunOptions): void {
  const given = { '--srm': ['srm', srmUrl], '--vms': ['vms', vmsUrl] } as const;
  for (const [option, [system, url]] of Object.entries(given)) {
    if (url === undefined || url === OF_ENVIRONMENT) continue;
    const checked = checkSettings(environmentSchema, { ...base, [system]: { ...base[system], baseUrl: url } });
    if ('settings' in checked) continue;
    const messages = checked.mistakes.map((mistake) => `${placeOf(mistake)} ${mistake.message}`).join('; ');
    throw refusal(`${option} ${url} cannot stand in the environment entry: ${messages}.`);
  }
}

type Connection = Environment['srm'] | Environment['vms'];

interface End {
  readonly baseUrl: string;
  readonly tokenUrl: string;
  readonly mutualTls: boolean;
  readonly privateCa: boolean;
  readonly proxyUrl: string;
}

const simulatedEnd = ({ tokenUrl }: Srm7Simulator | VmsSimulator, baseUrl: string): End => ({
  baseUrl,
  tokenUrl,
  mutualTls: false,
  privateCa: false,
  proxyUrl: '',
});

/** Adds the path of the contract to a URL on the command line without a path. The token URL of "local" is that of a simulator. */
function externalEnd(
  given: string | undefined,
  contractPath: string,
  { baseUrl, tokenUrl, mutualTls, privateCa, proxyUrl = '' }: Connection,
  { environmentFile }: LocalRunOptions,
): End {
  const isOfEnvironment = given === undefined || given === OF_ENVIRONMENT;
  const { origin, pathname } = new URL(isOfEnvironment ? baseUrl : given);
  return {
    baseUrl: isOfEnvironment ? baseUrl : pathname === '/' ? origin + contractPath : given,
    tokenUrl: environmentFile === undefined ? `${origin}/oauth/token` : tokenUrl,
    mutualTls,
    privateCa,
    proxyUrl,
  };
}

const secretString = (simulator: Srm7Simulator | VmsSimulator | undefined): string =>
  JSON.stringify({
    clientId: simulator?.clientId,
    clientSecret: simulator?.clientSecret,
    apiKey: simulator?.apiKey,
  });

/** The secret of a system that the user names. @throws {UsageError} */
function secretFromVariables(system: 'SRM' | 'VMS', option: string, connection: Connection): string {
  try {
    return givenSecret(system, connection);
  } catch (error) {
    throw error instanceof VariablesIncomplete ? refusal(`${option}${error.message}`) : error;
  }
}

interface SourceCart extends CartIdentity {
  readonly row: Readonly<Record<string, unknown>> | string;
  readonly changedAtMs: number;
}

interface Carts {
  readonly rows: readonly SourceCart[];
  readonly notes: readonly string[];
}

function cartsFor(base: Environment, options: LocalRunOptions, nowMs: number): Carts {
  if (options.inputFile !== undefined) return cartsOfFile(options.inputFile, base.srm, nowMs);
  const to = new Date(nowMs - base.extraction.safetySeconds * 1000 - 1000);
  const from = new Date(Math.max(options.sinceMs ?? 0, nowMs - DAY_MS));
  const { carts: count, seed } = options;
  const { vendors, currencies, translate } = ownCodesOf(base);
  const generated = generateCarts({ count, seed, from, to, client: base.srm.client, vendors, currencies });
  const { changedAtProperty } = base.srm;
  const rows = generated.flatMap(({ row, number, guid }): SourceCart[] => {
    const changedAtMs = edmInstantMs(row[changedAtProperty]);
    return changedAtMs === undefined ? [] : [{ row: translate(row), number, guid, changedAtMs }];
  });
  const left = generated.length - rows.length;
  return {
    rows,
    notes: left === 0 ? [] : [`${counted(left, 'cart')} without ${changedAtProperty}: SRM lists no such cart`],
  };
}

/** Accepts malformed carts: the interface must find them. @throws {UsageError} that names the file and the mistake. */
function cartsOfFile(path: string, srm: Environment['srm'], nowMs: number): Carts {
  const page = readPage(path);
  const names = namesOfService(srm);
  const results = cartsOfPage(page, names);
  if (typeof results === 'string') throw refusal(`--input ${path} ${results}.`);
  const carts = results.map((source: unknown) => {
    const row = asJsonObject(names.toSap(source, ''));
    const text = (name: string): string | undefined => {
      const value = row?.[name];
      return typeof value === 'string' && value !== '' ? value : numberText(value);
    };
    const instantMs = edmInstantMs(row?.[srm.changedAtProperty]);
    return {
      row: row ?? JSON.stringify(source),
      number: cartNumberOf(row),
      guid: text('Guid'),
      changedAtMs: instantMs !== undefined && isPlausible(instantMs, nowMs) ? instantMs : undefined,
    };
  });
  const newestMs = carts.reduce((newest, { changedAtMs = 0 }) => Math.max(newest, changedAtMs), 0);
  // SRM sent also the rows without a usable timestamp: they get the time of the newest row.
  const placeMs = newestMs === 0 ? nowMs - HOUR_MS : newestMs;
  const rows = newestOfEach(carts.map((cart) => ({ ...cart, changedAtMs: cart.changedAtMs ?? placeMs })));
  return { rows, notes: notesOn(path, page, results.length, rows.length) };
}

/** What a page says of itself: an empty one, or one of several, is read without a fault, and is seldom what was meant. */
function notesOn(path: string, page: unknown, results: number, distinct: number): string[] {
  const d = asJsonObject(asJsonObject(page)?.['d']);
  const total = Number(numberText(d?.['__count']) ?? d?.['__count']);
  const isLarger = total > results;
  const isCut = d?.['__next'] !== undefined || isLarger;
  const whole = isLarger ? `${results} of ${total} carts (__count)` : counted(results, 'cart');
  return [
    ...(results === 0 && !isCut ? [`${path} is an empty page: it holds no cart`] : []),
    ...(isCut ? [`${path} is one page of several: it holds ${whole}. The others are not in this run`] : []),
    ...(distinct < results
      ? [`${path} holds ${counted(results - distinct, 'row')} of a cart that comes again; the newest is taken`]
      : []),
  ];
}

function readPage(path: string): unknown {
  try {
    const text = readJsonText(path);
    try {
      return parseExactJson(text);
    } catch (error) {
      // It says where the mistake is.
      parseHandwritten(text);
      throw error;
    }
  } catch (error) {
    throw refusal(`--input ${path} ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** SAP writes 1970 or 9999 for "never". With such a time the interface would read all the days in between. */
const isPlausible = (ms: number, nowMs: number): boolean => ms >= Date.UTC(2000) && ms <= nowMs + 366 * DAY_MS;

/** SRM lists a cart once, in its newest state. Rows without number or GUID are kept one by one. */
function newestOfEach(carts: readonly SourceCart[]): SourceCart[] {
  const newest = new Map<string | SourceCart, SourceCart>();
  for (const cart of carts) {
    const isNamed = cart.number !== undefined && cart.guid !== undefined;
    const key = isNamed ? `${cart.number} ${cart.guid}` : cart;
    const known = newest.get(key);
    if (known === undefined || known.changedAtMs <= cart.changedAtMs) newest.set(key, cart);
  }
  return [...newest.values()];
}

/** What the settings of a connection say of both systems. */
const simulatedConnection = (connection: Connection): SimulatorOptions => ({
  // Random: in a dry run a simulator holds real carts, and its token opens them.
  clientSecret: randomUUID(),
  clientCheck: connection.clientAuthentication,
  tokenParameters: connection.tokenParameters,
  headers: connection.headers,
  ...(connection.apiKeyHeader === undefined
    ? {}
    : { apiKey: { header: connection.apiKeyHeader, value: 'the key of a simulated gateway' } }),
});

/** The SRM that the settings describe, as its simulator. */
export const simulatedSrm = (srm: Environment['srm']): Srm7Options => ({
  ...simulatedConnection(srm),
  client: srm.client,
  servicePath: srm.servicePath,
  entitySet: srm.entitySet,
  keyProperty: srm.keyProperty,
  fields: srm.fields,
  changedAtProperty: srm.changedAtProperty,
  paging: srm.paging,
});

async function startSourceSimulator(
  base: Environment,
  rows: readonly SourceCart[],
  options: LocalRunOptions,
  nowMs: number,
): Promise<Srm7Simulator> {
  const offsetMs = options.inputFile === undefined ? 0 : clockOffsetMs(rows, base.extraction.safetySeconds, nowMs);
  const srm = await startSrm7({
    ...simulatedSrm(base.srm),
    disturbances: options.disturbances,
    seed: options.seed,
    clock: () => new Date(Date.now() + offsetMs),
  });
  const [status] = base.srm.statuses;
  const seen = new Set<string | undefined>([undefined]);
  for (const [index, { row, guid, changedAtMs }] of rows.entries()) {
    // Every row of the file is served, even one with another status or with the GUID of another row.
    const place = seen.has(guid) ? { guid: `${guid ?? 'row'}-${index}` } : {};
    const sent = options.inputFile === undefined ? {} : { status: status ?? '' };
    srm.addCarts([row], { changedAt: new Date(changedAtMs), ...place, ...sent });
    seen.add(guid);
  }
  return srm;
}

/**
 * Sets SRM's clock just behind the newest cart of the file. The interface follows SRM's clock when the clocks differ by
 * more than a minute, and so does not read the months since the file was written.
 */
function clockOffsetMs(rows: readonly SourceCart[], safetySeconds: number, nowMs: number): number {
  const newestMs = rows.reduce((newest, { changedAtMs }) => Math.max(newest, changedAtMs), 0);
  const offsetMs = newestMs + (safetySeconds + 1) * 1000 - nowMs;
  return offsetMs > 0 ? Math.max(offsetMs, 1.5 * MINUTE_MS) : offsetMs;
}

const startTargetSimulator = (base: Environment, options: LocalRunOptions): Promise<VmsSimulator> =>
  startVms({
    ...simulatedConnection(base.vms),
    collectionPath: base.vms.collectionPath,
    lookUpBy: base.vms.lookUpBy,
    foundAt: base.vms.foundAt,
    idAt: base.vms.idAt,
    numberAt: base.vms.numberAt,
    externalIdAt: base.vms.externalIdAt,
    decimalsAs: base.vms.decimalsAs,
    fields: base.vms.fields,
    disturbances: options.disturbances,
    seed: options.seed,
    // Carts of the user's name suppliers of the user's.
    inactiveSuppliers: options.inputFile === undefined && options.srmUrl === undefined ? [inactiveSupplier(base)] : [],
  });

/** What the value map makes of the supplier that the 11VMS simulator refuses. */
function inactiveSupplier({ translation }: Environment): string {
  const number = stripZeros(inactiveVendor.id);
  return translation.valueMaps.supplier.codes[number] ?? number;
}
