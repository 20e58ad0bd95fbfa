/** Bundles a function as it is deployed: one CommonJS file, the SDK inside, and the translation's settings beside it. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { TRANSLATION_SETTINGS_FILE } from '../shared/translation-settings.ts';
import type { Environment } from './environments.ts';

const root = join(import.meta.dirname, '..');

export const FUNCTION_FOLDERS = ['extract-approved-carts', 'create-purchase-orders'] as const;
type FunctionFolder = (typeof FUNCTION_FOLDERS)[number];

/** Where each function's bundle lies. */
export type Bundles = Readonly<Record<FunctionFolder, string>>;

/** Bundles both functions into `.build/<environment>/`. @throws {Error} esbuild's, with file and line. */
export async function bundleFunctions(environment: Environment): Promise<Bundles> {
  const target = join(root, '.build', environment.name);
  const paths = await Promise.all(
    FUNCTION_FOLDERS.map(async (folder) => [folder, await bundleFunction(folder, join(target, folder))] as const),
  );
  const bundles = Object.fromEntries(paths) as Record<FunctionFolder, string>;
  writeFileSync(
    join(bundles['create-purchase-orders'], TRANSLATION_SETTINGS_FILE),
    JSON.stringify(environment.translation),
  );
  return bundles;
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
