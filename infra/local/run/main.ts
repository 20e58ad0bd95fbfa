/** What `npm start` runs. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import { UsageError } from '../../command-line.ts';
import { type Environment, loadWithWarnings } from '../../environments.ts';
import { HELP, type LocalRunOptions, parseOptions, refusal } from './options.ts';
import { createReport } from './report.ts';

class EnvironmentRefused extends Error {}

process.exitCode = await main(process.argv.slice(2));

/** 0 when every approved cart is accounted for, 1 otherwise. */
async function main(args: readonly string[]): Promise<number> {
  const nowMs = Date.now();
  const interrupted = new AbortController();
  let interruptedAtMs = Number.POSITIVE_INFINITY;
  const interrupt = (): void => {
    // npm passes on the Ctrl-C that the terminal has sent to both.
    if (interrupted.signal.aborted && Date.now() - interruptedAtMs > 500) process.exit(130);
    interruptedAtMs = Math.min(interruptedAtMs, Date.now());
    interrupted.abort();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const options = parseOptions(args, nowMs);
    if (options === undefined) {
      process.stdout.write(HELP);
      return 0;
    }
    return (await start(options, nowMs, interrupted.signal)) ? 0 : 1;
  } catch (error) {
    process.stderr.write(`\n${describe(error)}\n`);
    return 1;
  }
}

/** Validates all input before it loads the emulators and the CDK, which takes most of a short run. */
async function start(options: LocalRunOptions, nowMs: number, signal: AbortSignal): Promise<boolean> {
  const base = environmentOf(options);
  if (options.ordersDirectory !== undefined) makeDirectory(options.ordersDirectory);
  const report = createReport(options.json);
  report.title(`PROC-SRM7-11VMS-PURCHASE-ORDER-V1, environment ${base.name}, on this machine`);
  const { startSystems } = await import('./systems.ts');
  const systems = await startSystems(base, options, nowMs);
  try {
    const { runLocally } = await import('./local-run.ts');
    return await runLocally({ options, systems, report, startedMs: nowMs, signal });
  } finally {
    await systems.close();
  }
}

/** Before the run: that it cannot be written must not be found at the end. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw refusal(
      `--orders ${path} is no directory that can be written: ${error instanceof Error ? error.message : ''}.`,
    );
  }
}

function environmentOf(options: LocalRunOptions): Environment {
  try {
    return loadWithWarnings(options.environmentFile ?? 'local', (warning) => {
      process.stderr.write(`note: ${warning}\n`);
    });
  } catch (error) {
    throw new EnvironmentRefused(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** One sentence for an error that the user can repair. A stack trace for a defect. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const expected = error instanceof UsageError || error instanceof EnvironmentRefused;
  return expected ? error.message : (error.stack ?? error.message);
}
