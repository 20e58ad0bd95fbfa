/** The workflows and the bots' settings: what they run exists, and they have no more rights than they need. */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
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
/** Every job, without the line of its name. */
const jobs = workflows.flatMap(({ name, text }) =>
  (text.split('\njobs:\n')[1] ?? '')
    .split(/^(?= {2}[\w-]+:$)/m)
    .map((job) => ({ name: `${name} ${/^ {2}([\w-]+):/.exec(job)?.[1]}`, text: job.slice(job.indexOf('\n') + 1) })),
);
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
      '.github/refuse-older-commit',
      'node -r ./infra/check-node.cjs infra/deploy/main.ts --env "$ENVIRONMENT" --assembly assembly --digest "$DIGEST" --yes',
      'node -r ./infra/check-node.cjs infra/deploy/main.ts --env "$ENVIRONMENT" --diff',
      'npm ci',
      'npm ci --omit=optional',
      'npm run check',
      'npm run deploy -- --env "$ENVIRONMENT" --build assembly',
      'npm run test:deep',
      'npm test',
      'npx cdk synth --quiet --context "env=$ENVIRONMENT"',
    ]);
    // As npm would start it.
    for (const command of commands.filter((command) => !command.startsWith(`${manifest.scripts['deploy']} `))) {
      if (command.startsWith('.')) {
        accessSync(join(root, command), constants.X_OK);
        continue;
      }
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
    const commands = valuesOf('run').flatMap(
      (command) => /(?:^npm run deploy --|infra\/deploy\/main\.ts) (.+)$/.exec(command)?.[1] ?? [],
    );

    const options = commands.map((args) =>
      parseOptions(args.replace('"$ENVIRONMENT"', 'dev').replace('"$DIGEST"', 'a'.repeat(64)).split(' ')),
    );
    expect(options).toMatchObject([
      { environment: 'dev', action: 'build', directory: 'assembly' },
      { environment: 'dev', action: 'deploy', yes: true, assembly: { directory: join(process.cwd(), 'assembly') } },
      { environment: 'dev', action: 'diff', yes: false },
    ]);
  });

  test('install packages before any credentials exist, and run no script of a package', () => {
    const withIdentity = jobs.filter(({ text }) => text.includes('configure-aws-credentials@'));
    expect(withIdentity.map(({ name }) => name)).toEqual(['deploy-environment.yml deploy', 'diff.yml diff']);
    for (const { name, text } of withIdentity) {
      expect({ name, order: /run: npm ci(?=\n| )[^]*configure-aws-credentials@/.test(text) }).toEqual({
        name,
        order: true,
      });
    }
    expect(read('.npmrc').split('\n')).toContain('ignore-scripts=true');
    expect(valuesOf('run').filter((command) => /--(no-)?ignore-scripts|npm (install|rebuild)/.test(command))).toEqual(
      [],
    );
    const lockfile = z
      .object({ packages: z.record(z.string(), z.object({ hasInstallScript: z.boolean().optional() })) })
      .parse(JSON.parse(read('package-lock.json')));
    const withScript = Object.entries(lockfile.packages).filter(
      ([, { hasInstallScript }]) => hasInstallScript === true,
    );

    // The whole suite and `npm start` were run without these scripts. Try another package before you add it here.
    expect(withScript.map(([path]) => path.replace('node_modules/', ''))).toEqual([
      '@parcel/watcher',
      'classic-level',
      'esbuild',
      'unrs-resolver',
    ]);
  });

  /** What a package wrote into a cache in another job would be unpacked beside the identity. */
  test('restore no cache where credentials will be', () => {
    const withIdentity = jobs.filter(
      ({ text }) => /id-token|configure-aws-credentials@/.test(text) && text.includes('steps:'),
    );
    expect(withIdentity.length).toBe(2);
    for (const { name, text } of withIdentity) {
      expect({ name, cache: /^\s+cache:|actions\/cache/m.test(text) }).toEqual({ name, cache: false });
      // setup-node would use one by itself as soon as package.json names a package manager.
      expect({ name, off: text.includes('          package-manager-cache: false\n') }).toEqual({ name, off: true });
    }
  });

  /** Other events run with the rights of main, on the code or the text of a stranger. */
  test('start by a push to main, by hand, on a pull request, and by nothing else', () => {
    const triggers = workflows.map(({ name, text }) => [name, /^on:\n((?: .*\n)+)/m.exec(text)?.[1]]);

    expect(Object.fromEntries(triggers)).toEqual({
      'check.yml': '  pull_request:\n  workflow_call:\n',
      'deploy-environment.yml':
        '  workflow_call:\n    inputs:\n      environment:\n        type: string\n        required: true\n',
      'deploy.yml': '  push:\n    branches: [main]\n  workflow_dispatch:\n',
      'diff.yml': '  pull_request:\n',
    });
    // A checkout of another commit than the one that started it; a key in quotes, which the other tests here would not see.
    for (const { name, text } of workflows) {
      expect({ name, other: text.match(/^\s+(?:ref|repository): .*$|^\s*(?:- )?["'][^"']*["']:/gm) }).toEqual({
        name,
        other: null,
      });
    }
  });

  test('run no program of a package by its name beside an identity, not even through npm', () => {
    const beside = jobs
      .filter(({ text }) => text.includes('configure-aws-credentials@'))
      .map(({ name, text }) => ({
        name,
        runs: [...text.slice(text.indexOf('configure-aws-credentials@')).matchAll(/^ +(?:- )?run: (\S+)/gm)].map(
          ([, run]) => run,
        ),
      }));

    expect(beside).toEqual([
      { name: 'deploy-environment.yml deploy', runs: ['node'] },
      { name: 'diff.yml diff', runs: ['node'] },
    ]);
  });

  test('build what they deploy in a job that may ask for no identity, and hand over its digest', () => {
    const [building = '', deploying = ''] = jobs
      .filter(({ name }) => name.startsWith('deploy-environment.yml '))
      .map(({ text }) => text);

    expect(building).toContain(' --build assembly');
    expect(building).not.toMatch(/id-token|configure-aws-credentials|environment: \$/);
    expect(building).toContain('      digest: ${{ steps.build.outputs.digest }}\n');
    expect(deploying).toMatch(/^ {4}needs: build$/m);
    expect(deploying).toContain('DIGEST: ${{ needs.build.outputs.digest }}');
    expect(deploying).not.toMatch(/--build|synth|npm run|npx/);
    for (const job of [building, deploying]) {
      expect(job).toMatch(/name: assembly-\$\{\{ inputs\.environment \}\}\n {10}path: assembly\n/);
    }
  });

  /** What a package does when it is loaded, it would do beside the identity. */
  test('load few packages into the script that deploys an assembly', async () => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: ['infra/deploy/main.ts'],
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      metafile: true,
      write: false,
      logLevel: 'silent',
    });
    const loaded = Object.values(metafile.inputs).flatMap(({ imports }) =>
      imports
        .filter(
          ({ external, kind, path }) => external === true && kind === 'import-statement' && !path.startsWith('node:'),
        )
        .map(({ path }) => /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path),
    );

    expect([...new Set(loaded)].filter((name) => !name.startsWith('@aws-sdk/')).sort()).toEqual([
      'axios',
      'croner',
      'csv-parse',
      'zod',
    ]);
  });

  test('deploy main and no other branch, whoever starts them', () => {
    const onlyMain = "if: github.ref == 'refs/heads/main'";
    const first = jobs
      .filter(({ name }) => /^deploy-environment\.yml |^deploy\.yml check$/.test(name))
      .map(({ name, text }) => ({ name, first: /^(?: {4}#.*\n)*( {4}.*)$/m.exec(text)?.[1]?.trim() }));

    expect(first).toEqual([
      { name: 'deploy-environment.yml build', first: onlyMain },
      { name: 'deploy-environment.yml deploy', first: onlyMain },
      { name: 'deploy.yml check', first: onlyMain },
    ]);
  });

  test('synthesize and deploy every environment of the cloud', () => {
    expect(valuesOf('environment')).toContain(`[${CLOUD.join(', ')}]`);
    const deployed = workflows.find(({ name }) => name === 'deploy.yml')?.text ?? '';
    expect([...deployed.matchAll(/^ {6}environment: (\S+)$/gm)].map(([, name]) => name)).toEqual(CLOUD);
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

/** The jobs of deploy.yml, in order, with what they need and when they run. */
const deployJobs = [
  ...read(`${folder}/deploy.yml`).matchAll(/^ {2}(\w+):\n {4}needs: \[(.+)\]\n {4}if: >-\n((?: {6}.+\n)+)/gm),
].map(([, name = '', needs = '', condition = '']) => ({
  name,
  needs: needs.split(', '),
  condition: condition.replaceAll(/\s+/g, ' ').trim(),
}));

type Result = 'success' | 'failure' | 'cancelled' | 'skipped';

/** Evaluates a condition as GitHub does. @throws {Error} for a term that this test does not know. */
function holds(condition: string, needs: Readonly<Record<string, Result>>, environments: readonly string[]): boolean {
  const inner = /^\$\{\{ (.+) \}\}$/.exec(condition)?.[1] ?? '';
  // Without one of these functions, GitHub also asks that no job before it was skipped.
  if (!/\b(always|cancelled|failure)\(\)/.test(inner)) throw new Error(`A skipped job would skip: ${condition}`);
  return inner.split(' && ').every((term) => {
    const [, not = '', positive = ''] = /^(!?)(.+)$/.exec(term) ?? [];
    const evaluate = (): boolean => {
      if (positive === 'cancelled()') return false;
      const [, job, wanted] = /^needs\.(\w+)\.result == '(\w+)'$/.exec(positive) ?? [];
      if (job !== undefined) return needs[job] === wanted;
      const [, any] = /^contains\(needs\.\*\.result, '(\w+)'\)$/.exec(positive) ?? [];
      if (any !== undefined) return Object.values(needs).some((result) => result === any);
      const [, name] = /^contains\(fromJSON\(vars\.DEPLOY_ENVIRONMENTS \|\| '\[\]'\), '(\w+)'\)$/.exec(positive) ?? [];
      if (name !== undefined) return environments.includes(name);
      throw new Error(`Unknown term: ${term}`);
    };
    return evaluate() !== (not === '!');
  });
}

/** Which environments a run of deploy.yml tries, when these jobs end badly. */
function tried(environments: readonly string[], bad: Readonly<Record<string, Result>> = {}): string[] {
  const results: Record<string, Result> = { check: bad['check'] ?? 'success' };
  for (const { name, needs, condition } of deployJobs) {
    const own = Object.fromEntries(needs.map((job) => [job, results[job] ?? 'skipped']));
    results[name] = holds(condition, own, environments) ? (bad[name] ?? 'success') : 'skipped';
  }
  return CLOUD.filter((name) => results[name] !== 'skipped');
}

describe('a deployment from main', () => {
  const subsets = Array.from({ length: 8 }, (_, bits) => CLOUD.filter((_name, index) => (bits >> index) % 2 === 1));

  test('has a job for each environment of the cloud', () => {
    expect(deployJobs.map(({ name }) => name)).toEqual(CLOUD);
  });

  test.each(subsets.map((environments) => [environments]))(
    'reaches each of %j, whichever are left out',
    (environments) => {
      expect(tried(environments)).toEqual(environments);
    },
  );

  test('deploys nothing when its check is passed over, as on another branch', () => {
    expect(tried(CLOUD, { check: 'skipped' })).toEqual([]);
  });

  test.each(['failure', 'cancelled'] as const)('ends with the first job whose result is %s', (result) => {
    for (const environments of subsets) {
      expect(tried(environments, { check: result })).toEqual([]);
      for (const [index, name] of environments.entries()) {
        expect(tried(environments, { [name]: result })).toEqual(environments.slice(0, index + 1));
      }
    }
  });
});

/** Deployments of one environment as GitHub lists them, newest first; commits are numbers, in their order on main. */
describe('a commit', () => {
  const directory = mkdtempSync(join(tmpdir(), 'older-commit-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  // gh applies the filter of --jq by itself; jq need not be installed here.
  writeFileSync(
    join(directory, 'gh'),
    `#!${process.execPath}
    const args = process.argv.slice(2);
    const deployments = JSON.parse(process.env.DEPLOYMENTS);
    if (args[1] === 'graphql') {
      if (!args.includes('environment=prod') || !args.includes('owner=acme') || !args.includes('name=orders')) process.exit(9);
      console.log(deployments.find(([, states]) => states.includes('SUCCESS'))?.[0] ?? '');
    } else {
      const [, deployed, own] = /^repos\\/acme\\/orders\\/compare\\/(\\d+)\\.\\.\\.(\\d+)$/.exec(args[1]);
      console.log(Number(own) < Number(deployed) ? 'behind' : own === deployed ? 'identical' : 'ahead');
    }`,
    { mode: 0o755 },
  );
  const deploying = (commit: number, deployments: unknown) =>
    spawnSync('bash', [join(root, '.github', 'refuse-older-commit')], {
      env: {
        PATH: [directory, process.env['PATH']].join(delimiter),
        GITHUB_REPOSITORY: 'acme/orders',
        GITHUB_SHA: String(commit),
        ENVIRONMENT: 'prod',
        DEPLOYMENTS: JSON.stringify(deployments),
      },
      encoding: 'utf8',
    });

  test.each([
    ['the first one', 1, []],
    ['newer than what runs', 3, [[2, ['SUCCESS']]]],
    ['the one that runs', 2, [[2, ['SUCCESS', 'IN_PROGRESS']]]],
    [
      'newer than what runs, where an even newer one failed',
      3,
      [
        [4, ['FAILURE']],
        [2, ['SUCCESS']],
      ],
    ],
    [
      'newer than what runs, where an even newer one waits for its approval',
      3,
      [
        [4, ['WAITING']],
        [2, ['INACTIVE', 'SUCCESS']],
      ],
    ],
  ] as const)('is deployed: %s', (_what, commit, deployments) => {
    expect(deploying(commit, deployments).status).toBe(0);
  });

  test.each([
    [
      'its approval came late',
      3,
      [
        [4, ['SUCCESS']],
        [3, ['IN_PROGRESS', 'WAITING']],
      ],
    ],
    [
      'its run is started again',
      3,
      [
        [3, ['IN_PROGRESS']],
        [4, ['SUCCESS']],
        [3, ['INACTIVE', 'SUCCESS']],
      ],
    ],
  ] as const)('that is older than what runs is refused: %s', (_what, commit, deployments) => {
    const { status, stdout } = deploying(commit, deployments);

    expect(status).toBe(1);
    expect(stdout).toBe(
      '::error::prod runs 4 already, which is newer than 3: nothing is deployed. To go back, revert on main.\n',
    );
  });

  test('is not deployed when GitHub gives no answer', () => {
    expect(deploying(3, 'no list').status).not.toBe(0);
  });

  test('is judged in the job that deploys, before it has any credentials of AWS', () => {
    const text = read(`${folder}/deploy-environment.yml`);

    expect(text.indexOf('run: .github/refuse-older-commit')).toBeGreaterThan(text.indexOf('environment: ${{ inputs'));
    expect(text.indexOf('run: .github/refuse-older-commit')).toBeLessThan(text.indexOf('configure-aws-credentials@'));
    expect(text).toContain('cancel-in-progress: false');
  });
});

describe('.ci/run', () => {
  const clone = mkdtempSync(join(tmpdir(), 'ci-'));
  afterAll(() => rmSync(clone, { recursive: true, force: true }));
  cpSync(join(root, '.ci'), join(clone, '.ci'), { recursive: true });
  writeFileSync(
    join(clone, 'npm'),
    '#!/usr/bin/env bash\n' +
      'case "$*" in ci*) ;; "run check") exit "$CHECK" ;;\n' +
      // Without a browser, a test of the console must fail here rather than be left out.
      'test) [ "$BROWSER_TESTS" = required ] || exit 98; echo "$FAST"; exit "$FAST_EXIT" ;;\n' +
      '"run test:deep") echo "$DEEP"; exit "$DEEP_EXIT" ;; *) exit 99 ;; esac\n',
    { mode: 0o755 },
  );
  // Otherwise it would be installed.
  writeFileSync(join(clone, 'chromium'), '#!/usr/bin/env bash\n', { mode: 0o755 });
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
