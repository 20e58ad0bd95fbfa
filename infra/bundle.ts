/** Bundles a function as it is deployed: one CommonJS file, the SDK inside, and the translation's settings beside it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build, type BuildOptions, type Metafile } from 'esbuild';
import * as z from 'zod';
import { TRANSLATION_SETTINGS_FILE } from '../shared/environment.ts';
import type { Environment } from './environments.ts';
import { LEAN_BANNER, leanBundle } from './lean-bundle.ts';

const root = join(import.meta.dirname, '..');
const sourceMap = z.looseObject({ sources: z.array(z.string()) });

export type FunctionFolder =
  | 'extract-approved-carts'
  | 'create-purchase-orders'
  | 'supervise-consumption'
  | 'reconcile-carts';

/** Where each function's bundle lies. */
export type Bundles = Readonly<Record<FunctionFolder, string>>;

/** Told what is in a bundle, for those who look into it. */
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
  const [extractor, worker, supervisor, reconciler] = await Promise.all([
    bundle('extract-approved-carts'),
    bundle('create-purchase-orders'),
    bundle('supervise-consumption'),
    bundle('reconcile-carts'),
  ]);
  writeFileSync(join(worker, TRANSLATION_SETTINGS_FILE), JSON.stringify(environment.translation));
  return {
    'extract-approved-carts': extractor,
    'create-purchase-orders': worker,
    'supervise-consumption': supervisor,
    'reconcile-carts': reconciler,
  };
}

/** How anything is bundled that shall be as deployed; for one build, since the plugin keeps what it has met. */
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
    // Stack traces by line, at no cost in start time: the map is read only when an error is printed.
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
  });
  nameSourcesFromRoot(join(outdir, 'main.cjs.map'));
  return metafile;
}

/**
 * esbuild names sources as seen from the bundle: those of a bundle outside the project would tell where the project lies
 * on this machine, and the same code would be another asset. Stack traces read better from the root, too.
 */
function nameSourcesFromRoot(mapFile: string): void {
  const map = sourceMap.parse(JSON.parse(readFileSync(mapFile, 'utf8')));
  const fromRoot = (source: string): string =>
    // What was left out has no file, but a name.
    source.startsWith('left-out:') ? source : relative(root, resolve(dirname(mapFile), source)).replaceAll('\\', '/');
  writeFileSync(mapFile, JSON.stringify({ ...map, sources: map.sources.map(fromRoot) }));
}
