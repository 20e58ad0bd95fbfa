/** `npm run env`: the real command with real files, and what it writes in a real run. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from '@jest/globals';
import { environmentSettings } from '../../../infra/docs/environments.ts';
import { Interrupted, NotWritten, writeNewEntry } from '../../../infra/env/new-entry.ts';
import { ENVIRONMENTS, loadEnvironment } from '../../../infra/environments.ts';
import { npmStart, ROOT, type Run, summaryOf } from '../local-run/npm-start.ts';

const directory = mkdtempSync(join(tmpdir(), 'env-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function env(...args: readonly string[]): Promise<Run> {
  const child = spawn(join(ROOT, 'node_modules', '.bin', 'node'), ['infra/env/main.ts', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 50_000,
  });
  const ended = new Promise<number | null>((done, reject) => {
    child.once('error', reject).once('close', done);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, status };
}

const { dev } = ENVIRONMENTS;
const REQUIRED = [
  'srm.baseUrl=https://srm.acme.example',
  'vms.baseUrl=https://apim.acme.example/11VMSProxy_V2',
  'srm.client=100',
  'translation.valueMaps.businessUnit=BE10=BU-BE-BRU, FR20=BU-FR-PAR',
];
const set = (settings: readonly string[]): string[] => settings.flatMap((setting) => ['--set', setting]);

/** Empty where the environment is valid. */
function refusalOf(path: string): string {
  try {
    loadEnvironment(path);
    return '';
  } catch (error) {
    return String(error);
  }
}

describe('npm run env -- check', () => {
  test('of a valid environment says so, by its name or its file', async () => {
    const path = file('good.jsonc', `// mine\n${JSON.stringify({ ...dev, name: 'mine' })}`);

    expect(await env('check', 'prod')).toEqual({
      stdout: 'Environment prod (infra/environments.ts) is valid\n',
      stderr: '',
      status: 0,
    });
    expect(await env('check', path, '--json')).toEqual({
      stdout: '{"isValid":true,"mistakes":[],"warnings":[]}\n',
      stderr: '',
      status: 0,
    });
  });

  test('tells every mistake of the entry and of its CSV files at once, as a synthesis words them', async () => {
    file('units.csv', 'source;target\nBE10;\n');
    const translation = { valueMaps: { businessUnit: { codes: { file: 'units.csv' } } } };
    const path = file('bad.json', { ...dev, logLevel: 'LOUD', srm: { ...dev?.srm, client: 100 }, translation });

    const { stdout, stderr, status } = await env('check', path);
    const json = await env('check', path, '--json');

    expect({ stdout, status, ofJson: json.status }).toEqual({ stdout: '', status: 1, ofJson: 1 });
    expect(() => loadEnvironment(path)).toThrow(stderr.trim());
    expect(JSON.parse(json.stdout)).toEqual({
      isValid: false,
      mistakes: expect.arrayContaining([
        {
          field: 'translation.valueMaps.businessUnit.codes.file',
          message: 'units.csv, row 2: target is empty: fill the cell, or delete the row',
        },
        { field: 'logLevel', message: 'must be one of DEBUG, INFO, WARN, ERROR' },
        { field: 'srm.client', message: 'must be a text in double quotes, not a number' },
      ]),
      warnings: [],
    });
  });

  test('of a file that cannot be read says why', async () => {
    const missing = join(directory, 'nosuch.json');
    const [told, json] = [await env('check', missing), await env('check', missing, '--json')];

    expect(told.stderr).toContain(`Environment file ${missing} cannot be read: `);
    expect(JSON.parse(json.stdout)).toMatchObject({ isValid: false, mistakes: [{ field: '' }] });
    expect([told.status, json.status]).toEqual([1, 1]);
  });

  test.each([
    [[], 'What shall it do? check NAME|FILE, or new NAME.'],
    [['chekc', 'dev'], 'What shall it do?'],
    [['check'], 'Which environment?'],
    [['check', 'dev', 'prod'], 'One environment at a time: "prod" is too much.'],
    [['new', 'acme', '--set', 'srm.client'], '--set takes FIELD=VALUE, not "srm.client".'],
    [['new', 'acme', '--json'], '--json goes with check.'],
  ])('%j is refused in words', async (args, message) => {
    const { stderr, status } = await env(...args);

    expect(stderr).toContain(message);
    expect(stderr).toContain('See npm run env -- --help.');
    expect(status).toBe(1);
  });
});

describe('npm run env -- new', () => {
  test('with options writes an entry that runs without another edit, and overwrites nothing', async () => {
    const path = join(directory, 'acme.jsonc');

    const { stdout, status } = await env('new', 'acme', '--file', path, ...set([...REQUIRED, 'delivery.batchSize=5']));

    expect(status).toBe(0);
    expect(stdout).toContain('taken: srm.tokenUrl = https://srm.acme.example/oauth/token');
    for (const next of [
      'npm start -- --env FILE',
      'npm run doctor -- --env FILE --contract',
      'npm start -- --env FILE --srm env --dry-run',
    ])
      expect(stdout).toContain(`  ${next.replace('FILE', path)}  `);
    expect(loadEnvironment(path)).toMatchObject({
      name: 'acme',
      srm: { client: '100', secretName: 'acme/srm', tokenUrl: 'https://srm.acme.example/oauth/token' },
      delivery: { batchSize: 5 },
      translation: { valueMaps: { businessUnit: { BE10: 'BU-BE-BRU', FR20: 'BU-FR-PAR' } } },
    });
    const [, schema = ''] = /"\$schema": "([^"]+)"/.exec(readFileSync(path, 'utf8')) ?? [];
    expect(resolve(directory, schema)).toBe(join(ROOT, 'infra', 'environments.schema.json'));

    const before = readFileSync(path, 'utf8');
    const again = await env('new', 'other', '--file', path, ...set(REQUIRED));
    expect(again.stderr).toContain(`${path} exists, and is not overwritten`);
    expect([again.status, readFileSync(path, 'utf8')]).toEqual([1, before]);

    const run = await npmStart(directory, ['--json', '--carts', '10', '--disturbances', 'none', '--env', path]);
    expect(run.stderr + String(run.status)).toMatch(/0$/);
    expect(summaryOf(run)).toMatchObject({ unaccounted: 0, failure: null });
  }, 300_000);

  test('without a terminal names every setting that is missing, and writes nothing', async () => {
    const path = join(directory, 'none.jsonc');

    const { stderr, status } = await env('new', 'acme', '--file', path, '--set', 'srm.client=100');

    expect(stderr.match(/--set \S+=/g)).toEqual([
      '--set srm.baseUrl=',
      '--set srm.tokenUrl=',
      '--set vms.baseUrl=',
      '--set vms.tokenUrl=',
      '--set translation.valueMaps.businessUnit=',
    ]);
    expect([status, existsSync(path)]).toEqual([1, false]);
  });

  test.each([
    [['srm.client=1'], 'must be a sap-client, three digits in quotes, such as "100"\n  → at srm.client'],
    [['srm.clinet=100'], 'The setting srm.clinet is unknown; did you mean srm.client?'],
    [['delivery.batchSize=many'], 'must be a number without quotes, not a text\n  → at delivery.batchSize'],
    [['translation.valueMaps.supplier=suppliers.csv'], 'suppliers.csv cannot be read: ENOENT'],
    [['vms.secretName=acme/srm', ...REQUIRED], 'must be another secret than srm.secretName'],
  ])('with the wrong setting %j says what is wrong, and writes nothing', async (settings, message) => {
    const path = join(directory, 'wrong.jsonc');

    const { stderr, status } = await env('new', 'acme', '--file', path, ...set(settings));

    expect(stderr).toContain(message);
    expect([status, existsSync(path)]).toEqual([1, false]);
  });

  /** As on a terminal, with the user's answers in turn. */
  async function newWith(path: string, answers: readonly string[]) {
    const [said, asked]: [string[], string[]] = [[], []];
    const left = [...answers];
    const surroundings = {
      say: (line: string) => said.push(line),
      ask(question: string): Promise<string> {
        asked.push(question);
        const answer = left.shift();
        return answer === undefined ? Promise.reject(new Interrupted()) : Promise.resolve(answer);
      },
      now: () => Date.parse('2026-12-01T08:00:42.123Z'),
    };
    await writeNewEntry({ action: 'new', name: 'acme', file: path, given: new Map() }, surroundings);
    return { said: said.join('\n'), asked };
  }
  const ANSWERS = [
    'https://srm.acme.example',
    '',
    '',
    '100',
    'https://apim.acme.example/p',
    '',
    '',
    '',
    '',
    'units.csv',
  ];

  test('on a terminal asks for what is required, again after a wrong answer, and suggests what most want', async () => {
    file('units.csv', 'source,target\nBE10,BU-1\n');
    const path = join(directory, 'asked.jsonc');

    const { said, asked } = await newWith(path, ['srm.acme.example', ...ANSWERS]);

    expect(asked).toHaveLength(11);
    expect(asked).toContain('(https://srm.acme.example/oauth/token) > ');
    expect(said).toContain('must be a whole URL, such as https://srm.example.com');
    expect(loadEnvironment(path)).toMatchObject({
      extraction: { schedule: 'rate(5 minutes)', firstWatermark: '2026-12-01T08:00:00Z' },
      translation: { valueMaps: { businessUnit: { BE10: 'BU-1' } } },
    });
  });

  test('that is interrupted leaves no file', async () => {
    const path = join(directory, 'interrupted.jsonc');

    await expect(newWith(path, ANSWERS.slice(0, 5))).rejects.toThrow(NotWritten);
    expect(existsSync(path)).toBe(false);
  });

  test('shows every setting, and each comment with one can be taken away alone', async () => {
    const path = join(directory, 'all.jsonc');
    file('units.csv', 'source,target\nBE10,BU-1\n');
    await newWith(path, ANSWERS);
    const lines = readFileSync(path, 'utf8').split('\n');
    const names = environmentSettings().map((setting) => setting.path.split('.').at(-1));
    expect(names.filter((name) => !lines.some((line) => line.includes(`"${name}": `)))).toEqual([]);

    const taken = lines.flatMap((line, index) => {
      const [, indent, setting] = /^( *)\/\/ (".+": (?!its default).+,)$/.exec(line) ?? [];
      return setting === undefined ? [] : [lines.with(index, `${indent ?? ''}${setting}`).join('\n')];
    });
    expect(taken.length).toBeGreaterThan(50);
    for (const content of taken) {
      // A value that the setting must have may be missing, but it is JSON.
      const refusal = refusalOf(file('taken.jsonc', content));
      expect(refusal).not.toContain('is not JSON');
    }
  });
});
