/** What `npm run doctor` runs. */
import { runCommand } from '../command-line.ts';
import { type DoctorOptions, HELP, parseOptions } from './options.ts';
import { asJson, asText, hasFailure } from './report.ts';

/** Longer than the timeout of any call and its one retry. */
const CHECK_TIMEOUT_MS = 30_000;

process.exitCode = await runCommand(() => parseOptions(process.argv.slice(2)), HELP, run);

/** Returns 1 when a check fails. */
async function run(options: DoctorOptions): Promise<number> {
  if (options.contract !== undefined) {
    const { checkContract } = await import('./contract/check-contract.ts');
    return checkContract(options, options.contract);
  }
  // The AWS clients take most of the time to load, and help does not need them.
  const { examine } = await import('./doctor.ts');
  const findings = await examine(options, {
    now: Date.now,
    timeoutMs: CHECK_TIMEOUT_MS,
    nodeVersion: process.versions.node,
  });
  process.stdout.write(options.json ? asJson(options.environment, findings) : asText(findings));
  return hasFailure(findings) ? 1 : 0;
}
