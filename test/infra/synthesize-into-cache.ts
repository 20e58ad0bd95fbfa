/** `node <this file> <name>...`: synthesizes environments of the tests, so that later calls find them in the cache. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Environment, loadEnvironment, parseEnvironment } from '../../infra/environments.ts';
import { synthesizeOnce } from '../../infra/synthesis-cache.ts';
import { EVERYTHING_ENVIRONMENT, NOTIFIED_ENVIRONMENT, OWN_ENVIRONMENT } from './synthesis.ts';

const LOCAL_RUN = 'local run';

function environmentOf(name: string): Environment {
  switch (name) {
    case 'own':
      return parseEnvironment(OWN_ENVIRONMENT, name);
    case 'everything':
      return parseEnvironment(EVERYTHING_ENVIRONMENT, name);
    case 'notified':
      return parseEnvironment(NOTIFIED_ENVIRONMENT, name);
    case LOCAL_RUN:
      return loadEnvironment('local');
    default:
      return loadEnvironment(name);
  }
}

const directory = mkdtempSync(join(tmpdir(), 'synthesize-ahead-'));
for (const name of process.argv.slice(2)) {
  await synthesizeOnce(environmentOf(name), join(directory, name), name === LOCAL_RUN ? {} : { isChecked: true });
}
rmSync(directory, { recursive: true, force: true });
