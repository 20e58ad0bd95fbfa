/** Wrong input of `npm start`: exit 1, a message that names the mistake, and nothing is started. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENVIRONMENTS } from '../../../infra/environments.ts';
import { HELP } from '../../../infra/local/run/options.ts';
import { npmStart, type Run } from './npm-start.ts';

const directory = mkdtempSync(join(tmpdir(), 'refusals-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Run> =>
  npmStart(directory, args, variables);

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const badEntry = file('bad-entry.json', JSON.stringify({ ...ENVIRONMENTS['dev'], extraction: { schedule: 'hourly' } }));
const notJson = file('not-json.json', '{ "d": { "results": [ Private Person');
const noPage = file('no-page.json', '{ "carts": [] }');
const xml = file('carts.xml', '<?xml version="1.0"?>\n<feed><title>Private Person</title></feed>');
const v4 = file('v4.json', '{ "@odata.context": "$metadata#ShoppingCartSet", "value": [] }');
const environment = file('environment.json', JSON.stringify(ENVIRONMENTS['dev']));

const { dev } = ENVIRONMENTS;
const withTls = file(
  'with-tls.json',
  JSON.stringify({ ...dev, srm: { ...dev?.srm, mutualTls: true, privateCa: true } }),
);

interface Refusal {
  readonly args: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly message: string;
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'an unknown option': { args: ['--crats', '5'], message: "Unknown option '--crats'" },
  'a bad --since': {
    args: ['--since', 'yesterday'],
    message:
      '--since takes an instant (2026-11-20T14:00:00Z) or a duration (90m, 24h, 7d), not "yesterday".\n' +
      'See npm start -- --help.',
  },
  'a bad --carts': {
    args: ['--carts', 'many'],
    message: '--carts takes a whole number from 1 to 1000000, not "many".\nSee npm start -- --help.',
  },
  '--srm with half a client': {
    args: ['--srm', 'https://srm.example.com'],
    variables: { SRM_CLIENT_ID: 'id', VMS_CLIENT_ID: 'id', VMS_CLIENT_SECRET: 'hunter2' },
    message: '--srm needs the OAuth2 client: set SRM_CLIENT_ID and SRM_CLIENT_SECRET.',
  },
  '--vms without a client': {
    args: ['--vms', 'https://vms.example.com', '--input', 'nosuch.json'],
    message: '--vms needs the OAuth2 client: set VMS_CLIENT_ID and VMS_CLIENT_SECRET.',
  },
  'invented carts for an 11VMS that may be real': {
    args: ['--vms', 'https://vms.example.com'],
    variables: { VMS_CLIENT_ID: 'id', VMS_CLIENT_SECRET: 'hunter2' },
    message:
      '--vms https://vms.example.com would get 200 invented carts as orders. Give real carts with --srm or --input; ' +
      'or add --send-invented-carts if this 11VMS is there for tests.\nSee npm start -- --help.',
  },
  'a URL that the environment entry could not hold': {
    args: ['--srm', 'https://srm.example.com/sap/opu/odata/SAP/ZCARTS_SRV'],
    variables: { SRM_CLIENT_ID: 'id', SRM_CLIENT_SECRET: 'hunter2' },
    message:
      '--srm https://srm.example.com/sap/opu/odata/SAP/ZCARTS_SRV cannot stand in the environment entry: srm.baseUrl must ' +
      'end before the path of the service',
  },
  '--srm without the certificates that the environment asks for': {
    args: ['--srm', 'https://srm.example.com', '--env', withTls],
    variables: { SRM_CLIENT_ID: 'id', SRM_CLIENT_SECRET: 'hunter2', SRM_CLIENT_KEY: 'Private Person' },
    message:
      '--srm needs more than the OAuth2 client for this environment: SRM_CLIENT_CERTIFICATE is missing; it must be a certificate in ' +
      'PEM; SRM_CLIENT_KEY is no private key in PEM without a passphrase; SRM_CERTIFICATE_AUTHORITY is missing; it ' +
      'must be a certificate in PEM.',
  },
  'an unknown environment': {
    args: ['--env', 'staging'],
    message: 'Unknown environment "staging". Known: dev, test, prod, local; or give the path of a JSON file.',
  },
  'an environment file that is not there': {
    args: ['--env', './nosuch.json'],
    message: 'Environment file ./nosuch.json cannot be read: ENOENT',
  },
  'an environment file with a bad field': {
    args: ['--env', badEntry],
    message: `Environment file ${badEntry} is not a valid environment:\n✖ "hourly" is no schedule of EventBridge Scheduler`,
  },
  'an --orders that is a file': {
    args: ['--orders', notJson],
    message: `--orders ${notJson} is no directory that can be written: EEXIST`,
  },
  'an --input that is not there': {
    args: ['--input', 'nosuch.json'],
    message: '--input nosuch.json cannot be read: ENOENT',
  },
  'an --input that is a directory': {
    args: ['--input', directory],
    message: `--input ${directory} cannot be read: EISDIR`,
  },
  'an --input that is not JSON': {
    args: ['--input', notJson],
    message: `--input ${notJson} is not JSON at line 1, column 23: a text stands in double quotes.`,
  },
  'an --input that is XML': {
    args: ['--input', xml],
    message: `--input ${xml} is XML, and not JSON: ask SRM for $format=json.`,
  },
  'an --input of OData V4': {
    args: ['--input', v4],
    message: `--input ${v4} is an answer of OData V4: SRM 7 answers in OData V2, with the carts at d.results.`,
  },
  'an --input that is an environment': {
    args: ['--input', environment],
    message: `--input ${environment} is an environment, not carts: it is for --env.`,
  },
  'an --input that is no OData page': {
    args: ['--input', noPage],
    message: `--input ${noPage} is not an OData page: it has no list at d.results, and no cart at d.`,
  },
};

describe('npm start', () => {
  let help: Run;
  const refused = new Map<string, Run>();
  beforeAll(async () => {
    await Promise.all([
      run(['--help']).then((ended) => (help = ended)),
      ...Object.entries(REFUSALS).map(async ([what, { args, variables }]) => {
        refused.set(what, await run([...args, '--json'], variables));
      }),
    ]);
  }, 180_000);

  test('--help prints the options on stdout, and exits 0', () => {
    expect(help).toEqual({ stdout: HELP, stderr: '', status: 0 });
  });

  test.each(Object.entries(REFUSALS))('refuses %s with a message on stderr, and exits 1', (what, { message }) => {
    const { stdout, stderr, status } = refused.get(what) ?? {};

    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at .*:\d+|Private Person|hunter2|synthesized/m);
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
  });
});
