/** What `npm start` cannot use: exit 1, a message that names it, and nothing started. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ENVIRONMENTS } from '../../../infra/environments.ts';
import { HELP } from '../../../infra/local/options.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'refusals-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function run(args: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const child = spawn(join(root, 'node_modules', '.bin', 'node'), ['infra/local/main.ts', ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', HOME: directory, TMPDIR: directory, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A run that starts after all is a failure of the test, and must not outlive it.
    timeout: 15_000,
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, status };
}

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const badEntry = file('bad-entry.json', JSON.stringify({ ...ENVIRONMENTS['dev'], extraction: { schedule: 'hourly' } }));
const notJson = file('not-json.json', '{ "d": { "results": [ Private Person');
const noPage = file('no-page.json', '{ "value": [] }');
const SRM = ['--srm', 'https://srm.example.com'];

describe('npm start', () => {
  test('--help prints the options on stdout, and exits 0', async () => {
    expect(await run(['--help'])).toEqual({ stdout: HELP, stderr: '', status: 0 });
  });

  test.each<[string, readonly string[], string, Readonly<Record<string, string>>?]>([
    ['an unknown option', ['--crats', '5'], "Unknown option '--crats'"],
    ['an argument that is no option', ['page.json'], "Unexpected argument 'page.json'"],
    [
      'a bad --since',
      ['--since', 'yesterday'],
      '--since takes an instant (2026-11-20T14:00:00Z) or a duration (90m, 24h, 7d), not "yesterday".',
    ],
    ['a --since to come', ['--since', '2999-01-01'], '--since 2999-01-01 lies in the future'],
    ['a bad --carts', ['--carts', 'many'], '--carts takes a whole number from 1 to 1000000, not "many".'],
    ['a bad --faults', ['--faults', 'all'], '--faults takes none, typical or harsh, not "all".'],
    ['a bad --vms', ['--vms', 'vms.example.com'], '--vms takes an http or https URL, not "vms.example.com".'],
    ['--srm without a client', SRM, '--srm needs the OAuth2 client in SRM_CLIENT_ID and SRM_CLIENT_SECRET.'],
    ['--srm with half a client', SRM, '--srm needs the OAuth2 client', { SRM_CLIENT_ID: 'id' }],
    [
      '--srm with the client of 11VMS',
      SRM,
      '--srm needs the OAuth2 client',
      { VMS_CLIENT_ID: 'id', VMS_CLIENT_SECRET: 'x' },
    ],
    [
      '--vms without a client',
      ['--vms', 'https://vms.example.com'],
      '--vms needs the OAuth2 client in VMS_CLIENT_ID and VMS_CLIENT_SECRET.',
    ],
    [
      'an unknown environment',
      ['--env', 'staging'],
      'Unknown environment "staging". Known: dev, test, prod, local; or give the path of a JSON file.',
    ],
    [
      'an environment file that is not there',
      ['--env', './nosuch.json'],
      'Environment file ./nosuch.json cannot be read as JSON: ENOENT',
    ],
    [
      'an environment file that is not JSON',
      ['--env', notJson],
      `Environment file ${notJson} cannot be read as JSON: `,
    ],
    ['an environment file with bad fields', ['--env', badEntry], '→ at extraction.schedule'],
    ['an --input that is not there', ['--input', 'nosuch.json'], '--input nosuch.json cannot be read: ENOENT'],
    ['an --input that is a directory', ['--input', directory], `--input ${directory} cannot be read: EISDIR`],
    ['an --input that is not JSON', ['--input', notJson], `--input ${notJson} cannot be read: not JSON`],
    [
      'an --input that is no OData page',
      ['--input', noPage],
      `--input ${noPage} is not an OData page: it has no list at d.results.`,
    ],
  ])('refuses %s: it says what, on stderr, and exits 1', async (_what, args, message, variables) => {
    const { stdout, stderr, status } = await run([...args, '--json'], variables);

    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at .*:\d+|Private Person|synthesized/m);
    expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
  });
});
