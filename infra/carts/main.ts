/** What `npm run carts` runs. */
import { runCommand } from '../command-line.ts';
import { type CartsOptions, HELP, parseOptions } from './options.ts';

/** A short answer needs no progress. */
const PROGRESS_EVERY = 500;

process.exitCode = await runCommand(() => parseOptions(process.argv.slice(2)), HELP, run);

/** Returns 0 when the question is answered, 1 otherwise. */
async function run(options: CartsOptions): Promise<number> {
  // The AWS clients take most of the time to load, and help does not need them.
  const [{ answer }, { Unanswerable }] = await Promise.all([import('./answer.ts'), import('./open-ledger.ts')]);
  const progress = {
    at(done: number, total: number | undefined) {
      if (done % PROGRESS_EVERY !== 0) return;
      process.stderr.write(total === undefined ? `${done} MB read\n` : `${done} of ${total} carts\n`);
    },
  };
  try {
    process.stdout.write(await answer(options, { now: Date.now, progress }));
    return 0;
  } catch (error) {
    if (!(error instanceof Unanswerable)) throw error;
    process.stderr.write(`\n${error.message}\n  -> ${error.advice}\n`);
    return 1;
  }
}
