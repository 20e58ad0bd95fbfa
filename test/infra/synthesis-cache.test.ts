/** An assembly is reused only if nothing that it is made of has changed. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { loadEnvironment } from '../../infra/environments.ts';
import { assemblyKey, synthesizeOnce } from '../../infra/synthesis-cache.ts';

const directory = mkdtempSync(join(tmpdir(), 'synthesis-cache-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const environment = loadEnvironment('local');

describe('the key of an assembly', () => {
  const files = [
    'cdk.json',
    'functions/worker/main.ts',
    'infra/constructs/alarms.ts',
    'node_modules/.package-lock.json',
    'package-lock.json',
    'package.json',
    'shared/ledger.ts',
    'tsconfig.json',
  ];
  const project = join(directory, 'project');
  for (const file of files) {
    mkdirSync(dirname(join(project, file)), { recursive: true });
    writeFileSync(join(project, file), 'one');
  }
  const before = assemblyKey(environment, {}, project);

  function keyAfter(change: (root: string) => void): string {
    const changed = mkdtempSync(join(directory, 'changed-'));
    cpSync(project, changed, { recursive: true });
    change(changed);
    return assemblyKey(environment, {}, changed);
  }

  test('is the same for the same files, wherever they lie', () => {
    expect(keyAfter(() => undefined)).toBe(before);
    expect(keyAfter((root) => writeFileSync(join(root, 'README.md'), 'two'))).toBe(before);
  });

  test.each(files)('changes with %s', (file) => {
    expect(keyAfter((root) => writeFileSync(join(root, file), 'two'))).not.toBe(before);
    expect(keyAfter((root) => rmSync(join(root, file)))).not.toBe(before);
  });

  test('changes with a new file, and with the name of a file', () => {
    expect(keyAfter((root) => writeFileSync(join(root, 'shared', 'new.ts'), ''))).not.toBe(before);
    expect(
      keyAfter((root) => renameSync(join(root, 'shared', 'ledger.ts'), join(root, 'shared', 'other.ts'))),
    ).not.toBe(before);
  });

  test('changes with the environment, and with the checks', () => {
    expect(assemblyKey({ ...environment, logLevel: 'DEBUG' }, {}, project)).not.toBe(before);
    expect(assemblyKey(environment, { isChecked: true }, project)).not.toBe(before);
  });
});

test('a reused assembly has the same files, and is a copy', async () => {
  const contentOf = (root: string) =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort()
      .map((path) => [path.slice(root.length), readFileSync(path, 'utf8')]);
  const [first, second] = [join(directory, 'first'), join(directory, 'second')];
  const synthesized = await synthesizeOnce(environment, first);
  const content = contentOf(first);
  writeFileSync(join(first, 'manifest.json'), 'changed by its owner');

  expect(await synthesizeOnce(environment, second)).toEqual({ ...synthesized, directory: second });
  expect(contentOf(second)).toEqual(content);
}, 180_000);
