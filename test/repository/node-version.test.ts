/** A Node that cannot run the code prints a sentence instead of `Unknown file extension ".ts"`. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import * as z from 'zod';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'node-version-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));
const manifest = z
  .object({ scripts: z.record(z.string(), z.string()), engines: z.record(z.string(), z.string()) })
  .parse(read('package.json'));

/** Runs the guard in a process that pretends to be another version of Node. */
function guarded(version: string) {
  const disguise = join(directory, 'disguise.cjs');
  const versions = JSON.stringify({ ...process.versions, node: version });
  writeFileSync(disguise, `Object.defineProperty(process, 'versions', { value: ${versions} });`);
  const args = ['-r', disguise, '-r', './infra/check-node.cjs', '-e', "console.log('the code ran')"];
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
}

test.each(['4.9.1', '20.20.2', '22.18.0', '26.0.0'])(
  'Node %s ends with the needed version, and how to get it',
  (version) => {
    const { status, stdout, stderr } = guarded(version);

    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain(`This project needs Node 24, but ${process.execPath} is Node ${version}.`);
    expect(stderr).toContain('`nvm install`');
  },
);

test.each(['24.0.0', '24.21.0'])('Node %s runs the code', (version) => {
  expect(guarded(version)).toMatchObject({ status: 0, stdout: 'the code ran\n', stderr: '' });
});

test('every command that starts node is guarded', () => {
  const { app } = z.object({ app: z.string() }).parse(read('cdk.json'));
  const commands = [...Object.values(manifest.scripts), app].filter((command) => /\bnode /.test(command));

  expect(commands.length).toBeGreaterThan(8);
  for (const command of commands) expect(command).toMatch(/^node -r \.\/infra\/check-node\.cjs /);
});

test('the needed Node is the one of nvm and of the functions', () => {
  const [major] = manifest.engines['node']?.split('.') ?? [];

  expect(readFileSync(join(root, '.nvmrc'), 'utf8').trim()).toBe(major);
  expect(readFileSync(join(root, 'infra/constructs/interface-function.ts'), 'utf8')).toContain(`NODEJS_${major}_X`);
});
