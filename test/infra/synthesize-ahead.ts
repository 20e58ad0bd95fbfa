/**
 * Jest's global setup: synthesizes what a whole run needs, in two processes of their own. Inside Jest's workers each
 * synthesis takes three times as long, and two files that need the same one would both make it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Config } from '@jest/types';

/** Of equal weight. The local run is not checked, all others are (synthesize-into-cache.ts). */
const SHARES = [
  ['local run', 'dev', 'own', 'local'],
  ['prod', 'test', 'notified'],
];

export default async function synthesizeAhead({ testPathPatterns }: Config.GlobalConfig): Promise<void> {
  // A run of single files synthesizes what they ask for.
  if (testPathPatterns.patterns.length > 0) return;
  await Promise.all(
    SHARES.map(async (share) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'synthesize-into-cache.ts'), ...share], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      await once(child, 'exit');
    }),
  );
}
