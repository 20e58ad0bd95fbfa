/**
 * Keeps assemblies in .build/assemblies, each under a hash of everything that it is made of. The local run and the tests
 * synthesize only what has changed.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { Environment } from './environments.ts';

const ROOT = join(import.meta.dirname, '..');
const CACHE = join(ROOT, '.build', 'assemblies');
const MAXIMUM_KEPT = 16;
/** Everything that a bundle or a template is made of. */
const SOURCES = ['functions', 'infra', 'shared', 'cdk.json', 'package.json', 'package-lock.json', 'tsconfig.json'];
/** npm lists here what is installed, which may differ from what package-lock.json asks for. */
const INSTALLED = join('node_modules', '.package-lock.json');

export interface Assembly {
  readonly directory: string;
  /** The stack's name in the assembly. */
  readonly artifact: string;
}

export interface SynthesisOptions {
  /** Whether a finding of cdk-nag fails the synthesis, as it does before a deployment. */
  readonly isChecked?: boolean;
}

/** Writes an assembly into a directory of the caller's. It is copied if the same was synthesized before. */
export async function synthesizeOnce(
  environment: Environment,
  outdir: string,
  options: SynthesisOptions = {},
): Promise<Assembly> {
  const key = assemblyKey(environment, options);
  if (!takeFrom(join(CACHE, key), outdir)) {
    // Loading the CDK takes a second.
    const { synthesize } = await import('./synthesize.ts');
    await synthesize(environment, outdir, options);
    // A source that was edited during the synthesis may or may not be part of it.
    if (assemblyKey(environment, options) === key) keep(outdir, join(CACHE, key));
  }
  return { directory: outdir, artifact: artifactOf(outdir) };
}

/** The same for two assemblies only if nothing that they are made of differs. */
export function assemblyKey(environment: Environment, options: SynthesisOptions, root = ROOT): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([process.version, environment, options, process.env['CDK_CONTEXT_JSON']]));
  for (const path of [...SOURCES, INSTALLED].flatMap((source) => filesOf(root, source)).toSorted()) {
    const content = readFileSync(join(root, path));
    hash.update(`\n${path} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

function filesOf(root: string, path: string): string[] {
  const stats = statSync(join(root, path), { throwIfNoEntry: false });
  if (stats === undefined) return [];
  if (!stats.isDirectory()) return [path];
  return readdirSync(join(root, path)).flatMap((name) => filesOf(root, join(path, name)));
}

/** False if there is no such entry, or if another process is removing it. */
function takeFrom(cached: string, outdir: string): boolean {
  if (!existsSync(cached)) return false;
  try {
    const now = new Date();
    utimesSync(cached, now, now);
    cpSync(cached, outdir, { recursive: true });
    return true;
  } catch {
    rmSync(outdir, { recursive: true, force: true });
    return false;
  }
}

/** A rename adds or removes an entry as a whole. A process that is killed here leaves no incomplete entry. */
function keep(directory: string, cached: string): void {
  try {
    mkdirSync(CACHE, { recursive: true });
    const copy = mkdtempSync(join(CACHE, 'new-'));
    cpSync(directory, copy, { recursive: true });
    renameSync(copy, cached);
  } catch {
    // Another process was faster, or the project is read-only. The caller has its assembly anyway.
  }
  removeOldest();
}

function removeOldest(): void {
  try {
    const entries = readdirSync(CACHE).map((name) => ({ name, usedMs: statSync(join(CACHE, name)).mtimeMs }));
    for (const { name } of entries.toSorted((a, b) => b.usedMs - a.usedMs).slice(MAXIMUM_KEPT)) {
      const removed = join(mkdtempSync(join(CACHE, 'old-')), name);
      renameSync(join(CACHE, name), removed);
      rmSync(join(removed, '..'), { recursive: true, force: true });
    }
  } catch {
    // Another process is removing the same entries.
  }
}

const manifestSchema = z.object({ artifacts: z.record(z.string(), z.object({ type: z.string() })) });

function artifactOf(directory: string): string {
  const { artifacts } = manifestSchema.parse(JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')));
  const stack = Object.entries(artifacts).find(([, { type }]) => type === 'aws:cloudformation:stack');
  if (stack === undefined) throw new Error(`${directory} holds no stack`);
  return stack[0];
}
