/** Is the dashboard of this checkout in Grafana, where the entry names one? */
import { describeAwsError } from '../aws-account.ts';
import { GrafanaFault, openGrafana } from '../platforms/grafana.ts';
import { fail, type Finding, ok, runCheck, warn } from './finding.ts';
import { deployCommand, type StackContext } from './stack-context.ts';

export async function checkGrafana(context: StackContext): Promise<readonly Finding[]> {
  const { grafana } = context.environment;
  if (grafana === undefined) return [];
  const { timeoutMs, now, secrets } = context;
  return runCheck(
    `Grafana at ${grafana.url}`,
    timeoutMs,
    async () => {
      const found = await openGrafana(grafana, secrets, { timeoutMs, now }).compare();
      if (found === 'same') return [ok(`Grafana at ${grafana.url} has the dashboard of this version`)];
      const what = found === 'absent' ? 'does not have the dashboard' : 'has the dashboard of another version';
      return [warn(`Grafana at ${grafana.url} ${what}`, `${deployCommand(context)}, which puts it there`)];
    },
    (error) =>
      error instanceof GrafanaFault
        ? fail(error.message, error.advice)
        : fail(`Grafana cannot be asked (${describeAwsError(error)})`, 'check grafana in the environment entry'),
  );
}
