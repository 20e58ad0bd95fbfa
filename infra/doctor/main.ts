/** What `npm run doctor` runs. */
import { runCommand } from '../command-line.ts';
import type { Finding } from './finding.ts';
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
  const findings = await find(options);
  process.stdout.write(options.json ? asJson(options.environment, findings) : asText(findings));
  return hasFailure(findings) ? 1 : 0;
}

/** The AWS clients take most of the time to load, and help does not need them. */
async function find(options: DoctorOptions): Promise<readonly Finding[]> {
  const now = Date.now;
  if (options.page) {
    const { sendTestPage } = await import('./test-page.ts');
    return sendTestPage({ ...options, now });
  }
  const [{ examine }, { expectStack }] = await Promise.all([import('./doctor.ts'), import('./expected-stack.ts')]);
  return examine(options, { now, timeoutMs: CHECK_TIMEOUT_MS, nodeVersion: process.versions.node, expectStack });
}
