/** What `npm run carts` runs. */
import { UsageError } from '../command-line.ts';
import { type CartsOptions, HELP, parseOptions } from './options.ts';

/** A short answer needs no progress. */
const PROGRESS_EVERY = 500;

process.exitCode = await main(process.argv.slice(2));

/** Returns 0 when the question is answered, 1 otherwise. */
async function main(args: readonly string[]): Promise<number> {
  let options: CartsOptions | undefined;
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    return 1;
  }
  if (options === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
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
