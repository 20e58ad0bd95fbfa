/** The workflows and the bots' settings: what they run exists, and they have no more rights than they need. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { parseOptions } from '../../infra/deploy/options.ts';
import { ENVIRONMENTS } from '../../infra/environments.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const names = z.record(z.string(), z.string());
const manifest = z
  .object({
    scripts: names,
    dependencies: names,
    devDependencies: names,
    optionalDependencies: names,
    overrides: names,
  })
  .parse(JSON.parse(read('package.json')));
const installed = {
  ...manifest.dependencies,
  ...manifest.devDependencies,
  ...manifest.optionalDependencies,
  ...manifest.overrides,
};

const folder = '.github/workflows';
const workflows = readdirSync(join(root, folder))
  .sort()
  .map((name) => ({ name, text: read(`${folder}/${name}`) }));
/** A key's values in all workflows, one a line. */
const valuesOf = (key: string): string[] =>
  workflows.flatMap(({ text }) =>
    [...text.matchAll(new RegExp(`^\\s*(?:- )?${key}: (.+)$`, 'gm'))].map(([, value = '']) => value),
  );
const CLOUD = Object.keys(ENVIRONMENTS).filter((name) => name !== 'local');

describe('the workflows', () => {
  test('are those that infra/deploying.md names', () => {
    const called = ['deploy-environment.yml'];
    const [, chapter = ''] = read('infra/deploying.md').split('\n## Continuous integration\n');
    const named = [...chapter.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name = '']) => `${name}.yml`);

    expect([...named, ...called].sort()).toEqual(workflows.map(({ name }) => name));
  });

  test('run commands that exist', () => {
    const commands = [...new Set(valuesOf('run'))].sort();

    expect(commands).toEqual([
      'npm ci',
      'npm run check',
      'npm run deploy -- --env "$ENVIRONMENT" --diff',
      'npm run deploy -- --env "$ENVIRONMENT" --yes',
      'npm run test:deep',
      'npm test',
      'npx cdk synth --quiet --context "env=$ENVIRONMENT"',
    ]);
    for (const command of commands) {
      const [, tool = '', first = '', second = ''] = /^(npm|npx) (\S+)(?: (\S+))?/.exec(command) ?? [];
      const bin = join(root, 'node_modules', '.bin', first);
      const known =
        tool === 'npx'
          ? existsSync(bin)
          : first === 'ci' || Object.hasOwn(manifest.scripts, first === 'run' ? second : first);
      expect({ command, known }).toEqual({ command, known: true });
    }
  });

  test('deploy with options that the command takes', () => {
    const commands = valuesOf('run').flatMap((command) => /^npm run deploy -- (.+)$/.exec(command)?.[1] ?? []);

    const options = commands.map((args) => parseOptions(args.replace('"$ENVIRONMENT"', 'dev').split(' ')));
    expect(options).toMatchObject([
      { environment: 'dev', action: 'deploy', yes: true },
      { environment: 'dev', action: 'diff', yes: false },
    ]);
  });

  test('install packages before any credentials exist', () => {
    for (const { name, text } of workflows.filter(({ text }) => text.includes('configure-aws-credentials@'))) {
      expect({ name, order: text.indexOf('run: npm ci') < text.indexOf('configure-aws-credentials@') }).toEqual({
        name,
        order: true,
      });
    }
  });

  test('synthesize and deploy every environment of the cloud', () => {
    expect(valuesOf('environment')).toContain(`[${CLOUD.join(', ')}]`);
    const deployed = workflows.find(({ name }) => name === 'deploy.yml')?.text ?? '';
    expect([...deployed.matchAll(/^ {6}environment: (\S+)$/gm)].map(([, name]) => name)).toEqual(CLOUD);
    for (const name of CLOUD) expect(deployed).toContain(`'[]'), '${name}')`);
  });

  test('use actions by commit, with the version beside it, and Node.js by .nvmrc', () => {
    const used = valuesOf('uses');

    expect(used.length).toBeGreaterThan(8);
    const loose = used.filter(
      (action) => !/^(\.\/\.github\/workflows\/|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/.test(action),
    );
    expect(loose).toEqual([]);
    expect(used.filter((action) => action.startsWith('.')).filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect([...new Set(valuesOf('node-version-file'))]).toEqual(['.nvmrc']);
    expect(workflows.filter(({ text }) => text.includes('node-version:'))).toEqual([]);
  });

  test('may read the repository and no more; only jobs that need AWS get an identity for it', () => {
    for (const { name, text } of workflows) {
      expect({ name, rights: /^permissions:\n {2}contents: read\n\S/m.test(text) }).toEqual({ name, rights: true });
    }
    const rights = workflows.flatMap(({ name, text }) =>
      [...text.matchAll(/([\w-]+): write/g)].map(([, right = '']) => `${name} ${right}`),
    );
    expect(rights).toEqual([
      'deploy-environment.yml id-token',
      'deploy.yml id-token',
      'deploy.yml id-token',
      'deploy.yml id-token',
      'diff.yml id-token',
    ]);
    const everything = workflows.map(({ text }) => text).join('\n');
    // No stored key, no pull request of a stranger with our rights, nothing of an event's text in a shell.
    expect(everything).not.toMatch(/secrets\.|pull_request_target|aws-access-key-id|write-all/);
    expect(valuesOf('run').filter((command) => command.includes('${{'))).toEqual([]);
    expect(
      workflows.filter(
        ({ text }) => text.includes('actions/checkout@') && !text.includes('persist-credentials: false'),
      ),
    ).toEqual([]);
  });
});

describe('.ci/run', () => {
  const clone = mkdtempSync(join(tmpdir(), 'ci-'));
  afterAll(() => rmSync(clone, { recursive: true, force: true }));
  cpSync(join(root, '.ci'), join(clone, '.ci'), { recursive: true });
  writeFileSync(
    join(clone, 'npm'),
    '#!/usr/bin/env bash\n' +
      'case "$*" in ci*) ;; "run check") exit "$CHECK" ;; test) echo "$FAST"; exit "$FAST_EXIT" ;;\n' +
      '"run test:deep") echo "$DEEP"; exit "$DEEP_EXIT" ;; *) exit 99 ;; esac\n',
    { mode: 0o755 },
  );
  const good = {
    CHECK: '0',
    FAST: 'Tests:  7 passed, 7 total',
    FAST_EXIT: '0',
    DEEP: 'Tests:  3 passed',
    DEEP_EXIT: '0',
  };

  test.each<[string, Partial<typeof good>, string]>([
    ['both runs pass', {}, '10 passed, 0 failed'],
    ['a check fails', { CHECK: '1' }, '10 passed, 1 failed'],
    ['tests fail', { FAST: 'Tests:  2 failed, 1 skipped, 5 passed, 8 total', FAST_EXIT: '1' }, '8 passed, 2 failed'],
    ['deep tests fail', { DEEP: 'Tests:  1 failed, 2 passed, 3 total', DEEP_EXIT: '1' }, '9 passed, 1 failed'],
    ['a suite cannot be loaded', { FAST_EXIT: '1' }, '10 passed, 1 failed'],
    ['a run counts nothing', { DEEP: '' }, '7 passed, 1 failed'],
    [
      'the output has colours',
      { DEEP: '\u001b[1mTests: \u001b[22m  \u001b[32m4 passed\u001b[39m' },
      '11 passed, 0 failed',
    ],
  ])('counts the tests of both runs in its last line: %s', (_what, changes, last) => {
    const path = [clone, process.env['PATH']].join(delimiter);
    const { stdout, status } = spawnSync('bash', [join(clone, '.ci', 'run')], {
      env: { ...good, ...changes, PATH: path },
      encoding: 'utf8',
    });

    expect(stdout.trimEnd().split('\n').at(-1)).toBe(last);
    expect(status === 0).toBe(last.endsWith(' 0 failed'));
  });
});

describe('Node.js', () => {
  test('has one version: in .nvmrc, Lambda, types, and the one that npm ci brings', () => {
    const major = read('.nvmrc').trim();

    expect(read('infra/constructs/interface-function.ts')).toContain(`Runtime.NODEJS_${major}_X`);
    const versions = Object.entries(installed).filter(
      ([name]) => name === '@types/node' || /^node-(darwin|linux|win)-/.test(name),
    );
    expect(versions).toHaveLength(5);
    expect(versions.filter(([, version]) => !version.startsWith(`${major}.`))).toEqual([]);
  });
});

describe('Renovate', () => {
  const rules = z
    .object({
      packageRules: z.array(
        z.object({
          description: z.string(),
          matchPackageNames: z.array(z.string()).min(1),
          groupName: z.string().optional(),
          allowedVersions: z.string().optional(),
          dependencyDashboardApproval: z.boolean().optional(),
        }),
      ),
    })
    .parse(JSON.parse(read('.renovaterc.json'))).packageRules;
  const held = rules.flatMap(({ matchPackageNames, allowedVersions, dependencyDashboardApproval: asks }) =>
    matchPackageNames.map((name) => [name, allowedVersions ?? (asks === true ? 'asks' : undefined)] as const),
  );

  test('holds back the updates that would break the project', () => {
    const heldBack = Object.fromEntries(held.filter(([, how]) => how !== undefined));
    expect(heldBack).toMatchObject({ 'aws-cdk': '<3', 'unrs-resolver': '1.12.2', typescript: 'asks', node: '<25' });
    expect(heldBack['unrs-resolver']).toBe(manifest.overrides['unrs-resolver']);
  });

  test('names packages that package.json has', () => {
    const known = [...Object.keys(installed), 'node'];
    const strangers = held
      .map(([name]) => name)
      .filter(
        (name) => !known.some((one) => one === name || (name.endsWith('/**') && one.startsWith(name.slice(0, -2)))),
      );

    expect(strangers).toEqual([]);
  });

  test('finds every version pinned exactly', () => {
    expect(Object.entries(installed).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});

describe('CODEOWNERS', () => {
  test('names paths that exist', () => {
    const places = read('.github/CODEOWNERS')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(/\s+/)[0] ?? '');

    expect(places[0]).toBe('*');
    expect(places.slice(1).filter((place) => !existsSync(join(root, place)))).toEqual([]);
  });
});
