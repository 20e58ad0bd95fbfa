/**
 * Jest's global setup: synthesizes what a whole run needs, in two processes of their own. Inside Jest's workers each
 * synthesis takes three times as long, and two files that need the same one would both make it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Of equal weight. The local run is not checked, all others are (synthesize-into-cache.ts). */
const SHARES = [
  ['local run', 'dev', 'own', 'local'],
  ['prod', 'test', 'notified', 'everything'],
];

/** Of Jest's own configuration, what is read here. */
interface JestConfiguration {
  readonly testPathPatterns: { readonly patterns: readonly string[] };
}

export default async function synthesizeAhead({ testPathPatterns }: JestConfiguration): Promise<void> {
  // A run of single files synthesizes what they ask for.
  if (testPathPatterns.patterns.length > 0) return;
  // A synthesis that fails here fails again, with its reason, in the test that needs it.
  await Promise.all(
    SHARES.map(async (share) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'synthesize-into-cache.ts'), ...share], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      await once(child, 'exit');
    }),
  );
}
