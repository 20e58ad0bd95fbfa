/** Bundles a function as it is deployed: one CommonJS file, the SDK inside, and the translation's settings beside it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build, type BuildOptions, type Metafile } from 'esbuild';
import * as z from 'zod';
import { TRANSLATION_SETTINGS_FILE, VMS_FIELDS_FILE } from '../shared/environment.ts';
import { namesOf } from '../shared/names-of.ts';
import type { Environment } from './environments.ts';
import { LEAN_BANNER, leanBundle } from './lean-bundle.ts';

const root = join(import.meta.dirname, '..');
const sourceMap = z.looseObject({ sources: z.array(z.string()) });

/** Functions of an optional block of the environment. */
const OPTIONAL_FOLDERS = {
  'report-to-cloud-alm': ({ cloudAlm }: Environment) => cloudAlm !== undefined,
  'write-order-numbers': ({ orderNumbers }: Environment) => orderNumbers !== undefined,
} as const satisfies Record<string, (environment: Environment) => boolean>;

type RequiredFolder =
  | 'extract-approved-carts'
  | 'create-purchase-orders'
  | 'supervise-consumption'
  | 'reconcile-carts'
  | 'redrive-dead-letters';
type OptionalFolder = keyof typeof OPTIONAL_FOLDERS;
export type FunctionFolder = RequiredFolder | OptionalFolder;

/** Where each function's bundle lies. */
export type Bundles = Readonly<Record<RequiredFolder, string>> & Readonly<Partial<Record<OptionalFolder, string>>>;

/** Receives what a bundle contains. */
type OnBundled = (folder: FunctionFolder, contents: Metafile) => void;

/** Bundles all functions below a directory. @throws {Error} esbuild's, with file and line. */
export async function bundleFunctions(
  environment: Environment,
  target: string,
  onBundled?: OnBundled,
): Promise<Bundles> {
  const bundle = async (folder: FunctionFolder): Promise<string> => {
    const outdir = join(target, folder);
    const contents = await bundleFunction(folder, outdir);
    onBundled?.(folder, contents);
    return outdir;
  };
  const [extractor, worker, supervisor, reconciler, redriver] = await Promise.all([
    bundle('extract-approved-carts'),
    bundle('create-purchase-orders'),
    bundle('supervise-consumption'),
    bundle('reconcile-carts'),
    bundle('redrive-dead-letters'),
  ]);
  const optional = await Promise.all(
    namesOf(OPTIONAL_FOLDERS)
      .filter((folder) => OPTIONAL_FOLDERS[folder](environment))
      .map(async (folder) => [folder, await bundle(folder)] as const),
  );
  writeFileSync(join(worker, TRANSLATION_SETTINGS_FILE), JSON.stringify(environment.translation));
  writeFileSync(join(worker, VMS_FIELDS_FILE), JSON.stringify(environment.vms.fields));
  return {
    'extract-approved-carts': extractor,
    'create-purchase-orders': worker,
    'supervise-consumption': supervisor,
    'reconcile-carts': reconciler,
    'redrive-dead-letters': redriver,
    ...Object.fromEntries(optional),
  };
}

/** The options of a bundle as it is deployed. They are for one build: the plugin keeps state. */
export const bundling = () =>
  ({
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    // CommonJS starts faster: an ESM import of node:http loads undici. The SDK imports it dynamically, hence `supported`.
    format: 'cjs',
    supported: { 'dynamic-import': false },
    mainFields: ['module', 'main'],
    legalComments: 'none',
    logLevel: 'error',
    banner: { js: LEAN_BANNER },
    plugins: [leanBundle()],
  }) satisfies BuildOptions;

async function bundleFunction(folder: FunctionFolder, outdir: string): Promise<Metafile> {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  const { metafile } = await build({
    ...bundling(),
    entryPoints: [join(root, 'functions', folder, 'main.ts')],
    outdir,
    absWorkingDir: root,
    outExtension: { '.js': '.cjs' },
    // The map costs no start time: Node reads it only when an error is printed.
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
  });
  nameSourcesFromRoot(join(outdir, 'main.cjs.map'));
  return metafile;
}

/**
 * Names the sources relative to the root of the project. esbuild names them relative to the bundle, so that the same code
 * would be another asset in another directory.
 */
function nameSourcesFromRoot(mapFile: string): void {
  const map = sourceMap.parse(JSON.parse(readFileSync(mapFile, 'utf8')));
  const fromRoot = (source: string): string =>
    // A module that was left out has a name, but no file.
    source.startsWith('left-out:') ? source : relative(root, resolve(dirname(mapFile), source)).replaceAll('\\', '/');
  writeFileSync(mapFile, JSON.stringify({ ...map, sources: map.sources.map(fromRoot) }));
}
