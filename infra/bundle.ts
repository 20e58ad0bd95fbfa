/** Bundles a function as it is deployed: one CommonJS file, the SDK inside, and the translation's settings beside it. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { TRANSLATION_SETTINGS_FILE } from '../shared/translation-settings.ts';
import type { Environment } from './environments.ts';

const root = join(import.meta.dirname, '..');

type FunctionFolder = 'extract-approved-carts' | 'create-purchase-orders';

/** Where each function's bundle lies. */
export type Bundles = Readonly<Record<FunctionFolder, string>>;

/** Bundles both functions below a directory. @throws {Error} esbuild's, with file and line. */
export async function bundleFunctions(environment: Environment, target: string): Promise<Bundles> {
  const bundle = (folder: FunctionFolder): Promise<string> => bundleFunction(folder, join(target, folder));
  const [extractor, worker] = await Promise.all([bundle('extract-approved-carts'), bundle('create-purchase-orders')]);
  writeFileSync(join(worker, TRANSLATION_SETTINGS_FILE), JSON.stringify(environment.translation));
  return { 'extract-approved-carts': extractor, 'create-purchase-orders': worker };
}

async function bundleFunction(folder: FunctionFolder, outdir: string): Promise<string> {
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  await build({
    entryPoints: [join(root, 'functions', folder, 'main.ts')],
    outdir,
    absWorkingDir: root,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    // CommonJS starts faster: an ESM import of node:http loads undici. The SDK imports it dynamically, hence `supported`.
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    supported: { 'dynamic-import': false },
    mainFields: ['module', 'main'],
    // Stack traces by line, at no cost in start time: the map is read only when an error is printed.
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'error',
  });
  return outdir;
}
