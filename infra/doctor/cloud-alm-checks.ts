/** Checks SAP Cloud ALM: sends it the metrics of now in its development mode, and shows what it understood. */
import { createCloudAlm } from '../../functions/report-to-cloud-alm/cloud-alm.ts';
import { cloudAlmSecret, openCloudAlm } from '../../functions/report-to-cloud-alm/cloud-alm-client.ts';
import { readInterfaceState } from '../../functions/report-to-cloud-alm/cloudwatch-state.ts';
import { ratedMetrics } from '../../functions/report-to-cloud-alm/health-metrics.ts';
import { type ConnectionSecret, readConnectionSecret, SecretUnusable } from '../../shared/connection-secret.ts';
import { InterfaceError } from '../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';
import { METRIC_NAMESPACE } from '../../shared/metric-names.ts';
import { printable } from '../../shared/printable-text.ts';
import { type Environment, stackName } from '../environments.ts';
import { fail, type Finding, ok } from './finding.ts';
import { type DeployedContext, output } from './stack-context.ts';

type Settings = NonNullable<Environment['cloudAlm']>;

const MOST_SHOWN = 10_000;

export const checkCloudAlm =
  ({ apiUrl, tokenUrl, secretName, serviceId }: Settings) =>
  async (context: DeployedContext): Promise<readonly Finding[]> => {
    const { cloudwatch, secrets, environment, now } = context;
    const state = await readInterfaceState(
      cloudwatch,
      {
        environment: environment.name,
        namespace: METRIC_NAMESPACE,
        queue: queueName(output(context, 'QueueUrl')),
        deadLetterQueue: queueName(output(context, 'DeadLetterQueueUrl')),
        alarmPrefix: `${stackName(environment)}-`,
      },
      now(),
    );
    try {
      // Read here, so that it can be taken out of what is shown.
      const secret = await readConnectionSecret(secrets, cloudAlmSecret(secretName));
      const http = openCloudAlm({ apiUrl, tokenUrl, secretName, readSecret: () => Promise.resolve(secret), now });
      const answer = await createCloudAlm(http, serviceId, now).push(ratedMetrics(state), { isDevelopment: true });
      return [
        ok(
          `Cloud ALM takes the metrics of ${serviceId}, and keeps none of this test; it understood: ${shown(answer, secret)}`,
        ),
      ];
    } catch (error) {
      if (error instanceof SecretUnusable) return [fail(`Cloud ALM: ${error.problem}`, error.fix)];
      if (!(error instanceof InterfaceError)) throw error;
      const { code, message } = error.fault;
      return [fail(message, FAULT_CATALOGUE[code].action)];
    }
  };

const queueName = (url: string): string => url.split('/').at(-1) ?? '';

/** Without what the answer may repeat of the call: the client, and a token, which is a JWT or follows `Bearer`. */
function shown(answer: string, { clientId, clientSecret }: ConnectionSecret): string {
  const safe = [clientSecret, clientId]
    .reduce((text, secret) => text.replaceAll(secret, '***'), answer)
    .replace(/Bearer\s+[^\s",}]+|\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g, '***');
  return safe.trim() === '' ? 'it did not say what' : printable(safe, MOST_SHOWN);
}
