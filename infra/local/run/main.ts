/** What `npm start` runs. */
import { UsageError } from '../../command-line.ts';
import { HELP, parseOptions } from './options.ts';
import { createReport } from './report.ts';
import { RunFailed, runLocally } from './local-run.ts';

process.exitCode = await main(process.argv.slice(2));

/** 0 when every approved cart is accounted for, 1 otherwise. */
async function main(args: readonly string[]): Promise<number> {
  const nowMs = Date.now();
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const options = parseOptions(args, nowMs);
    if (options === undefined) {
      process.stdout.write(HELP);
      return 0;
    }
    return (await runLocally(options, createReport(options.json), nowMs, interrupted.signal)) ? 0 : 1;
  } catch (error) {
    process.stderr.write(`\n${describe(error)}\n`);
    return 1;
  }
}

/** One sentence for an error that the user can repair. A stack trace for a defect. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error instanceof UsageError || error instanceof RunFailed;
  return expected ? error.message : (error.stack ?? error.message);
}
