/**
 * `npm run snapshots`: writes the snapshots of test/infra/snapshots.test.ts. Read the difference before you commit it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENVIRONMENTS } from '../../infra/environments.ts';
import { entryOf, EVERYTHING, snapshotFile, snapshotOf, WHOLE } from './normalized-stack.ts';
import { synthesizeStack } from './synthesis.ts';

const directory = mkdtempSync(join(tmpdir(), 'snapshots-'));
try {
  const whole = await synthesizeStack(WHOLE, join(directory, WHOLE));
  for (const name of [...Object.keys(ENVIRONMENTS), EVERYTHING]) {
    const synthesis = name === WHOLE ? whole : await synthesizeStack(entryOf(name, directory), join(directory, name));
    writeFileSync(snapshotFile(name), snapshotOf(synthesis, whole));
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
