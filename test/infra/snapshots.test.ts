/** No stack changes unseen: each environment's template is compared with its snapshot, which a person has read. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ENVIRONMENTS } from '../../infra/environments.ts';
import { entryOf, EVERYTHING, snapshotFile, snapshotOf, WHOLE } from './normalized-stack.ts';
import { type Synthesis, synthesizeStack } from './synthesis.ts';

const directory = mkdtempSync(join(tmpdir(), 'snapshots-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let whole: Synthesis;
beforeAll(async () => {
  whole = await synthesizeStack(WHOLE, join(directory, WHOLE));
}, 180_000);

const names = [...Object.keys(ENVIRONMENTS), EVERYTHING];

test.each(names)(
  'the stack of %s is the one of its snapshot; if it should change, run `npm run snapshots` and read the difference',
  async (name) => {
    const synthesis = name === WHOLE ? whole : await synthesizeStack(entryOf(name, directory), join(directory, name));

    expect(snapshotOf(synthesis, whole).split('\n')).toEqual(readFileSync(snapshotFile(name), 'utf8').split('\n'));
  },
  180_000,
);

test('there is one snapshot for each environment, and no other snapshot', () => {
  expect(readdirSync(dirname(snapshotFile('any'))).sort()).toEqual(names.map((name) => `${name}.json`).sort());
});

test('a snapshot does not change with the code of a function', () => {
  const snapshot = readFileSync(snapshotFile(WHOLE), 'utf8');

  expect(snapshot).toContain('"S3Key": "<asset>.zip"');
  expect(snapshot).not.toMatch(/[0-9a-f]{64}/);
});
