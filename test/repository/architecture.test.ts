/**
 * The allowed imports (handler -> use case -> translation; handler -> adapters), read from the imports of every file.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';

const root = join(import.meta.dirname, '..', '..');

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** True for an import that is gone when types are stripped. */
  readonly typeOnly: boolean;
  /** The imported file, as a path from the root; undefined for packages. */
  readonly target: string | undefined;
}

interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Without comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

const files = new Map<string, SourceFile>(
  ['functions', 'infra', 'shared', 'test']
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
    )
    .filter((path) => path.endsWith('.ts'))
    .map((path) => [path, readSource(path)]),
);
const sources = [...files.values()];
const below = (...folders: readonly string[]): SourceFile[] =>
  sources.filter(({ path }) => folders.some((folder) => path.startsWith(`${folder}/`)));

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const code = withoutComments(text);
  return { path, text, code, imports: importsOf(path, code) };
}

/** Comments at a line's start or after a space: enough for what biome formats, and `https://` in a text stays. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/ .*$/gm, '$1');
}

/** Sentences, and JSON paths in a fault, show people a place: they may name what the code may not read. */
const withoutSentences = (code: string): string => code.replace(/(['`])(?:\$\.[^'`\n]*|[^'`\n]* [^'`\n]*)\1/g, "''");

function importsOf(from: string, code: string): Import[] {
  const statements = [...code.matchAll(/^(?:import|export)\s([\w\s{},*$]*?)\sfrom\s'([^']+)'/gm)];
  const bare = [...code.matchAll(/^import\s'([^']+)'|\bimport\('([^']+)'\)/gm)];
  return [
    ...statements.map(([, clause = '', specifier = '']) => toImport(from, specifier, isTypeOnly(clause))),
    ...bare.map(([, statement, call]) => toImport(from, statement ?? call ?? '', false)),
  ];
}

function isTypeOnly(clause: string): boolean {
  if (/^type\s/.test(clause)) return true;
  const names = /^\{([^}]*)\}$/
    .exec(clause.trim())?.[1]
    ?.split(',')
    .map((name) => name.trim());
  return names?.filter((name) => name !== '').every((name) => name.startsWith('type ')) ?? false;
}

function toImport(from: string, specifier: string, typeOnly: boolean): Import {
  const target = specifier.startsWith('.') ? relative(root, join(root, dirname(from), specifier)) : undefined;
  return { from, specifier, typeOnly, target };
}

/** Everything that is loaded with a file, as our own files and as packages; types only when asked. */
function loadedBy(path: string, types: 'with types' | 'without types', seen = new Set<string>()): Set<string> {
  for (const { target, specifier, typeOnly } of files.get(path)?.imports ?? []) {
    const loaded = target ?? specifier;
    if ((typeOnly && types === 'without types') || seen.has(loaded)) continue;
    seen.add(loaded);
    loadedBy(loaded, types, seen);
  }
  return seen;
}

const arrows = (imports: readonly Import[]): string[] =>
  imports.map(({ from, specifier }) => `${from} -> ${specifier}`);
const importsBelow = (...folders: readonly string[]): Import[] => below(...folders).flatMap(({ imports }) => imports);
/** Where a pattern stands in the code of some files: as `path: match`. */
const mentions = (among: readonly SourceFile[], pattern: RegExp): string[] =>
  among.flatMap(({ path, code }) => [...code.matchAll(pattern)].map(([match]) => `${path}: ${match}`));

const worker = 'functions/create-purchase-orders';
const extractor = 'functions/extract-approved-carts';
const supervisor = 'functions/supervise-consumption';
const reconciler = 'functions/reconcile-carts';
const redriver = 'functions/redrive-dead-letters';
const reporter = 'functions/report-to-cloud-alm';
const numberWriter = 'functions/write-order-numbers';
const useCasePaths = [
  `${extractor}/extract-approved-carts.ts`,
  `${extractor}/extraction-window.ts`,
  `${worker}/breaker/final-attempt.ts`,
  `${worker}/breaker/observe-orders.ts`,
  `${worker}/breaker/target-health.ts`,
  `${worker}/breaker/trial.ts`,
  `${worker}/breaker/trip-breaker.ts`,
  `${worker}/delivery/deliver-order.ts`,
  `${worker}/delivery/paced-orders.ts`,
  `${worker}/delivery/pacer.ts`,
  `${worker}/forecast.ts`,
  `${worker}/load-cart.ts`,
  `${worker}/outcome.ts`,
  `${worker}/process-batch.ts`,
  `${worker}/process-cart.ts`,
  `${worker}/process-message.ts`,
  `${worker}/report-outcome.ts`,
  `${worker}/verdict/verdict.ts`,
  `${supervisor}/supervise-consumption.ts`,
  `${reconciler}/reconcile-carts.ts`,
  `${redriver}/close-dead-letters.ts`,
  `${redriver}/describe-letter.ts`,
  `${redriver}/letter-batches.ts`,
  `${redriver}/list-dead-letters.ts`,
  `${redriver}/plan-redrive.ts`,
  `${redriver}/read-dead-letters.ts`,
  `${redriver}/redrive.ts`,
  `${redriver}/redrive-all.ts`,
  `${reporter}/report-to-cloud-alm.ts`,
  `${numberWriter}/write-order-numbers.ts`,
  'shared/reading/read-slice.ts',
  'shared/reading/slice.ts',
];
const useCases = useCasePaths.map((path) => files.get(path)).filter((file) => file !== undefined);
const translation = below(`${worker}/translation`);
/** The one file of the translation that hashes; a hash is as pure as the rest. */
const orderContent = `${worker}/translation/order-content.ts`;
const pure = [...useCases, ...translation].filter(({ path }) => path !== orderContent);
/** The CDK app and its parts; the local run and the commands that print documents are tools beside it. */
const stackPaths = ['infra/app.ts', ...loadedBy('infra/app.ts', 'with types')].filter((path) =>
  path.startsWith('infra/'),
);
const infraOfTheCloud = stackPaths.map((path) => files.get(path)).filter((file) => file !== undefined);

describe('the checks of this file', () => {
  test('find the files that they name', () => {
    expect(useCases.map(({ path }) => path)).toEqual(useCasePaths);
    expect(translation.length).toBeGreaterThan(5);
    expect(stackPaths).toEqual(
      expect.arrayContaining(['infra/purchase-order-stack.ts', 'infra/constructs/order-worker.ts']),
    );
    expect(infraOfTheCloud).toHaveLength(stackPaths.length);
    expect(below('shared').length).toBeGreaterThan(5);
  });

  test('read every kind of import', () => {
    const code = [
      "import axios, { AxiosError } from 'axios';",
      "import type { A } from './a.ts';",
      "import { type B, type C } from './b.ts';",
      "import {\n  type D,\n  e,\n} from '../e.ts';",
      "import * as z from 'zod';",
      "import './f.ts';",
      "export * from './g.ts';",
      "const h = await import('./h.ts');",
      "export const text = 'nothing from here';",
    ].join('\n');

    expect(
      importsOf('shared/x.ts', code).map(({ specifier, typeOnly, target }) => [specifier, typeOnly, target]),
    ).toEqual([
      ['axios', false, undefined],
      ['./a.ts', true, 'shared/a.ts'],
      ['./b.ts', true, 'shared/b.ts'],
      ['../e.ts', false, 'e.ts'],
      ['zod', false, undefined],
      ['./g.ts', false, 'shared/g.ts'],
      ['./f.ts', false, 'shared/f.ts'],
      ['./h.ts', false, 'shared/h.ts'],
    ]);
  });

  test('resolve every import of our own files inside the project', () => {
    const targets = sources
      .filter(({ path }) => path !== 'test/repository/architecture.test.ts')
      .flatMap(({ imports }) => imports)
      .filter(({ target }) => target !== undefined);

    expect(
      arrows(targets.filter(({ target = '' }) => !existsSync(join(root, target)) || target.startsWith('..'))),
    ).toEqual([]);
    expect(targets.length).toBeGreaterThan(100);
  });
});

describe('the functions', () => {
  test('do not import one another', () => {
    const across = importsBelow('functions').filter(
      ({ from, target }) => target?.startsWith('functions/') === true && target.split('/')[1] !== from.split('/')[1],
    );

    expect(arrows(across)).toEqual([]);
  });

  test('import only their own files and shared', () => {
    const others = importsBelow('functions').filter(
      ({ target }) => target !== undefined && !/^(functions|shared)\//.test(target),
    );

    expect(arrows(others)).toEqual([]);
  });

  test('have a handler that only main.ts imports, and a main.ts that no file imports', () => {
    const back = importsBelow('functions', 'shared', 'infra').filter(
      ({ from, target = '' }) =>
        /^functions\/.*\/main\.ts$/.test(target) ||
        (/^functions\/.*\/handler\.ts$/.test(target) && basename(from) !== 'main.ts'),
    );

    expect(arrows(back)).toEqual([]);
  });

  test('have adapters that import no use case, and a translation that imports neither', () => {
    const adapters = below('functions', 'shared').filter(({ path }) =>
      [
        'cart-queue.ts',
        'vms-orders.ts',
        'cart-messages.ts',
        'event-source.ts',
        'cart-sender.ts',
        'dead-letter-queue.ts',
        'move-tasks.ts',
        'plan-record.ts',
        'redrive-record.ts',
        'worker-forecast.ts',
        'cloud-alm.ts',
        'cloudwatch-state.ts',
      ].includes(basename(path)),
    );
    expect(adapters).toHaveLength(12);
    const upwards = [...adapters, ...translation]
      .flatMap(({ imports }) => imports)
      .filter(({ target = '' }) => useCasePaths.includes(target));
    expect(arrows(upwards)).toEqual([]);

    const outOfTranslation = translation
      .flatMap(({ imports }) => imports)
      .filter(
        ({ target }) =>
          target !== undefined && !/^(shared|functions\/create-purchase-orders\/translation)\//.test(target),
      );
    expect(arrows(outOfTranslation)).toEqual([]);
  });
});

describe('one cart', () => {
  test('is read in five files, each of which calls the next', () => {
    const chain = ['process-batch', 'process-message', 'process-cart', 'delivery/deliver-order', 'delivery/vms-orders'];
    const paths = chain.map((name) => `${worker}/${name}.ts`);
    const next = paths.slice(1).map((path, index) => [paths[index], path]);
    const missing = next.filter(
      ([from = '', to = '']) => files.get(from)?.imports.some(({ target }) => target === to) !== true,
    );

    expect(missing).toEqual([]);
  });
});

describe('use cases and translation', () => {
  test('import no package but zod and big.js, and none of node', () => {
    const packages = pure
      .flatMap(({ imports }) => imports)
      .filter(({ target, specifier }) => target === undefined && !['zod', 'big.js'].includes(specifier));

    expect(arrows(packages)).toEqual([]);
  });

  test('load neither axios nor the AWS SDK nor middy, not even through another file', () => {
    const heavy = [...useCases, ...translation].flatMap(({ path }) =>
      [...loadedBy(path, 'without types')]
        .filter((loaded) => /^(axios|@aws-sdk\/|@middy\/|node:(?!crypto$))/.test(loaded))
        .map((loaded) => `${path} loads ${loaded}`),
    );

    expect(heavy).toEqual([]);
  });

  test('read no clock, no random value and no environment: time and ids are arguments', () => {
    const surroundings =
      /\bprocess(?!-)\b|\bDate\.now\b|\bnew Date\(\s*\)|(?<!new )\bDate\(|\bperformance\.|\bMath\.random\b|\brandomUUID\b|\bcrypto\b|\bset(?:Timeout|Interval|Immediate)\b|\bfetch\(|\bconsole\./g;

    expect(mentions(pure, surroundings)).toEqual([]);
  });
});

describe('every function', () => {
  test('is a handler of shared/lambda-handler.ts, the only file that calls middy: its early time-out leaves work running', () => {
    const handlers = below('functions').filter(({ path }) => path.endsWith('/handler.ts'));
    const folders = readdirSync(join(root, 'functions'));

    expect(handlers).toHaveLength(folders.length);
    for (const { path, code } of handlers) {
      expect([path, code.match(/return createLambdaHandler\(/g)]).toEqual([path, ['return createLambdaHandler(']]);
    }
    expect(
      importsBelow('functions', 'shared')
        .filter(({ specifier }) => specifier.startsWith('@middy/'))
        .map(({ from }) => from),
    ).toEqual(['shared/lambda-handler.ts']);
  });
});

describe('messages', () => {
  test('are sent to the source queue alone, by three files: only SQS itself moves them to the dead-letter queue', () => {
    const code = below('functions', 'shared');
    expect(mentions(code, /\bnew SendMessage\w*\(\{ QueueUrl: \w+/g).sort()).toEqual([
      `${worker}/cart-messages.ts: new SendMessageCommand({ QueueUrl: queueUrl`,
      `${redriver}/cart-sender.ts: new SendMessageBatchCommand({ QueueUrl: queueUrl`,
      'shared/cart-queue.ts: new SendMessageBatchCommand({ QueueUrl: queueUrl',
    ]);
    expect(mentions(code, /\bnew SendMessage\w*\(/g)).toHaveLength(3);
    // The redriver alone knows the dead-letter queue, and gives it only to the adapters that read it. The reporter to
    // Cloud ALM knows its name, for a metric.
    expect(mentions(code, /\w+\(sqs, environment\.\w+_QUEUE_URL\b|\bDEAD_?LETTER\w*(?=:)/g).sort()).toEqual([
      `${redriver}/handler.ts: createDeadLetterQueue(sqs, environment.DEAD_LETTER_QUEUE_URL`,
      'shared/environment.ts: DEAD_LETTER_QUEUE_ARN',
      'shared/environment.ts: DEAD_LETTER_QUEUE_NAME',
      'shared/environment.ts: DEAD_LETTER_QUEUE_URL',
    ]);
  });
});

describe('shared', () => {
  test('imports no other part of the project', () => {
    const others = importsBelow('shared').filter(({ target }) => target !== undefined && !target.startsWith('shared/'));

    expect(arrows(others)).toEqual([]);
  });

  test('does not read the environment', () => {
    expect(mentions([...below('shared'), ...below('functions')], /\bprocess\.env\b/g).sort()).toEqual([
      `${worker}/main.ts: process.env`,
      `${extractor}/main.ts: process.env`,
      `${reconciler}/main.ts: process.env`,
      `${redriver}/main.ts: process.env`,
      `${reporter}/main.ts: process.env`,
      `${supervisor}/main.ts: process.env`,
      `${numberWriter}/main.ts: process.env`,
    ]);
  });
});

describe('infra', () => {
  /** The fields that a setting may rename. */
  const fieldsOfSettings = [`${worker}/translation/wire-order.ts`];

  test('imports from the code only the schemas of its environment, the settings of the translation, the catalogue of faults, names, and the fields that a setting renames', () => {
    const code = infraOfTheCloud
      .flatMap(({ imports }) => imports)
      .filter(({ target = '' }) => /^(functions|shared)\//.test(target));

    expect(code.length).toBeGreaterThan(3);
    const allowed = [
      'environment',
      'srm-service',
      'client-authentication',
      'translation-settings',
      // Who can fix a fault, for alarms and reports.
      'failure',
      'metric-names',
      'log-events',
      'lists',
      'names-of',
      // Which partitions a role may read and write.
      'ledger-keys',
      // What a pipe makes of an item of the ledger.
      'order-events',
    ].map((name) => `shared/${name}.ts`);
    expect(arrows(code.filter(({ target = '' }) => ![...allowed, ...fieldsOfSettings].includes(target)))).toEqual([]);
  });

  test('of the cloud imports nothing of the local run', () => {
    const local = infraOfTheCloud
      .flatMap(({ imports }) => imports)
      .filter(
        ({ target = '', specifier }) => target.startsWith('infra/local/') || /^(fauxqs|dynalite)/.test(specifier),
      );

    expect(arrows(local)).toEqual([]);
  });

  test('imports no function, not even locally, where the functions run bundled', () => {
    const imports = [...infraOfTheCloud, ...below('infra/local')].flatMap(({ imports }) => imports);

    const functions = imports.filter(({ target = '' }) => target.startsWith('functions/'));
    expect(arrows(functions.filter(({ target = '' }) => !fieldsOfSettings.includes(target)))).toEqual([]);
  });

  test('imports from test only the simulators, and those only for the local run', () => {
    const ofTest = importsBelow('infra').filter(({ target = '' }) => target.startsWith('test/'));
    const allowed = ofTest.filter(
      ({ from, target = '' }) => from.startsWith('infra/local/run/') && target.startsWith('test/simulators/'),
    );

    expect(arrows(ofTest)).toEqual(arrows(allowed));
    expect(allowed.length).toBeGreaterThan(0);
  });

  test('previews carts by the translation alone, and the engine of it knows neither file nor clock nor output', () => {
    const functions = importsBelow('infra/preview').filter(({ target = '' }) => target.startsWith('functions/'));
    const strangers = functions.filter(
      ({ target = '' }) => !target.startsWith(`${worker}/translation/`) && target !== `${worker}/load-cart.ts`,
    );
    expect(arrows(strangers)).toEqual([]);

    const commandPaths = ['main', 'options', 'preview', 'read-input'].map((name) => `infra/preview/${name}.ts`);
    const engine = below('infra/preview').filter(({ path }) => !commandPaths.includes(path));
    expect(engine.map(({ path }) => path)).toContain('infra/preview/preview-cart.ts');
    expect(
      arrows(
        engine
          .flatMap(({ imports }) => imports)
          .filter(({ target = 'a package' }) => commandPaths.includes(target) || !target.endsWith('.ts')),
      ),
    ).toEqual([]);
    expect(mentions(engine, /\bprocess\.\b|\bDate\.now\b|\bnew Date\(\s*\)|\bconsole\./g)).toEqual([]);
  });

  test('emulates AWS without the local run', () => {
    const upwards = importsBelow('infra/local/aws').filter(({ target = '' }) => target.startsWith('infra/local/run/'));

    expect(arrows(upwards)).toEqual([]);
  });
});

describe('the deployed code', () => {
  test('imports nothing from test', () => {
    const deployed = [...below('functions', 'shared'), ...infraOfTheCloud].flatMap(({ imports }) => imports);

    expect(arrows(deployed.filter(({ target = '' }) => target.startsWith('test/')))).toEqual([]);
  });

  test('imports no package that is for development only', () => {
    const { devDependencies } = readPackage();
    const development = Object.keys(devDependencies).filter((name) => !name.startsWith('@types/'));
    const imported = importsBelow('functions', 'shared').filter(
      ({ specifier, typeOnly }) =>
        !typeOnly && development.some((name) => specifier === name || specifier.startsWith(`${name}/`)),
    );

    expect(development).toContain('jest');
    expect(arrows(imported)).toEqual([]);
  });
});

describe('names', () => {
  test('of SAP fields stand only in the SRM adapter, its settings, and the translation', () => {
    const sample = readFileSync(join(root, 'shared/contract/samples/srm7-shopping-carts.json'), 'utf8');
    // Only those with two humps, and the GUID; `Status` or `Name` could belong to anything.
    const sapNames = [
      ...new Set([...sample.matchAll(/"([A-Z][a-zA-Z]*[a-z][A-Z][A-Za-z]*|Guid)":/g)].map(([, name]) => name)),
    ];
    expect(sapNames).toEqual(expect.arrayContaining(['ObjectId', 'VendorId', 'NumberInt', 'ChangedAt', 'Guid']));
    const strangers = [...below('functions', 'shared'), ...infraOfTheCloud].filter(
      ({ path }) =>
        !path.startsWith(`${worker}/translation/`) &&
        path !== 'infra/srm-settings.ts' &&
        !/^shared\/(srm-carts|srm-service|reading\/source-row|sap-values)\.ts$/.test(path),
    );

    const silent = strangers.map((file) => ({ ...file, code: withoutSentences(file.code) }));
    expect(mentions(silent, new RegExp(`\\b(${sapNames.join('|')})\\b`, 'g'))).toEqual([]);
  });

  test('of paths and headers stand only in the one adapter of their protocol', () => {
    const deployed = [...below('functions', 'shared'), ...infraOfTheCloud];
    const places = (pattern: RegExp): string[] => [
      ...new Set(deployed.filter(({ code }) => pattern.test(code)).map(({ path }) => path)),
    ];

    expect(places(/ZSRM_SC_EXTRACT_SRV/)).toEqual(['shared/srm-service.ts']);
    expect(places(/['"`]\/purchase-orders/)).toEqual(['infra/vms-settings.ts']);
    // The settings refuse it as a fixed header.
    expect(places(/Idempotency-Key/i)).toEqual([`${worker}/delivery/vms-orders.ts`, 'infra/connection-settings.ts']);
    // The class of CDK by which a connection of EventBridge authenticates.
    const isOfCdk = (place: string): boolean => place.startsWith('infra/constructs/');
    expect(places(/\bAuthorization\b/).filter((place) => !isOfCdk(place))).toEqual([
      'shared/client-authentication.ts',
      'shared/oauth-client.ts',
    ]);
  });

  test('of files are in kebab case, and say what is in them', () => {
    const vague = /^(utils?|common|helpers?|types?|misc|index|lib|constants)\.ts$/;
    const names = sources.map(({ path }) => path);

    expect(names.filter((path) => vague.test(basename(path)))).toEqual([]);
    expect(names.filter((path) => !/^[a-z0-9-]+(\.test|\.deep|\.d)?\.ts$/.test(basename(path)))).toEqual([]);
  });

  test('are exported where they are declared: there are no barrels', () => {
    expect(mentions(sources, /^export\s[^;'"(]*\sfrom\s'/gm)).toEqual([]);
  });
});

describe('the top level', () => {
  test('is what the user chose: eight names and hidden files', () => {
    const ignored = readFileSync(join(root, '.gitignore'), 'utf8')
      .split('\n')
      .map((line) => line.replace(/\/$/, ''));
    const names = readdirSync(root).filter(
      (name) => !name.startsWith('.') && !ignored.includes(name) && !name.endsWith('.log'),
    );

    expect(names.sort()).toEqual(
      expect.arrayContaining([
        'cdk.json',
        'functions',
        'infra',
        'package-lock.json',
        'package.json',
        'shared',
        'test',
        'tsconfig.json',
      ]),
    );
    const house = 'functions infra shared test cdk.json package.json tsconfig.json README.md package-lock.json'.split(
      ' ',
    );
    expect(names.filter((name) => !house.includes(name))).toEqual([]);
  });

  test('has a lockfile that names no registry, so that it installs from the configured one', () => {
    const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');

    expect(lock).not.toContain('"resolved"');
    expect(lock).not.toMatch(/https?:\/\/[^"]*\.tgz/);
  });

  test('has a checksum for every locked package, none of which is a link', () => {
    const packages = z
      .object({ packages: z.record(z.string(), z.looseObject({})) })
      .parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))).packages;
    // The project itself, and what lies in the archive of a package that has a checksum.
    const fetched = Object.entries(packages).filter(([path, { inBundle }]) => path !== '' && inBundle !== true);

    expect(fetched.length).toBeGreaterThan(400);
    const unchecked = fetched.filter(
      ([, { integrity, link }]) => link !== undefined || !/^sha512-[A-Za-z0-9+/]{86}==$/.test(String(integrity)),
    );
    expect(unchecked.map(([path]) => path)).toEqual([]);
  });

  test('pins every package to one version', () => {
    const { dependencies, devDependencies, optionalDependencies } = readPackage();
    const versions = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });

    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});

function readPackage() {
  const versions = z.record(z.string(), z.string());
  return z
    .object({ dependencies: versions, devDependencies: versions, optionalDependencies: versions })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
}
