/** Wiring only: environment -> adapters -> handler. */
import { Logger } from '@aws-lambda-powertools/logger';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AWS_CLIENT_SETTINGS } from '../../shared/aws-client-settings.ts';
import { readConnectionSecret } from '../../shared/connection-secret.ts';
import { cloudAlmReporterVariables, parseVariables } from '../../shared/environment.ts';
import { createLambdaHandler } from '../../shared/lambda-handler.ts';
import { createLog, createMetrics } from '../../shared/log.ts';
import { createCloudAlm } from './cloud-alm.ts';
import { cloudAlmSecret, openCloudAlm } from './cloud-alm-client.ts';
import { readInterfaceState } from './cloudwatch-state.ts';
import { type ReportResult, reportToCloudAlm } from './report-to-cloud-alm.ts';

export function createHandler(
  variables: Readonly<Record<string, string | undefined>>,
  { now = Date.now }: { readonly now?: () => number } = {},
) {
  const environment = parseVariables(cloudAlmReporterVariables, variables);
  const logger = new Logger();
  const cloudwatch = new CloudWatchClient(AWS_CLIENT_SETTINGS);
  const secrets = new SecretsManagerClient(AWS_CLIENT_SETTINGS);
  const { CLOUD_ALM_SECRET: secretName } = environment;
  const http = openCloudAlm({
    apiUrl: environment.CLOUD_ALM_API_URL,
    tokenUrl: environment.CLOUD_ALM_TOKEN_URL,
    secretName,
    readSecret: () => readConnectionSecret(secrets, cloudAlmSecret(secretName)),
    now,
  });
  const names = {
    environment: environment.INTERFACE_ENVIRONMENT,
    namespace: environment.POWERTOOLS_METRICS_NAMESPACE,
    queue: environment.QUEUE_NAME,
    deadLetterQueue: environment.DEAD_LETTER_QUEUE_NAME,
    alarmPrefix: environment.ALARM_PREFIX,
  };

  /** Its event is that of its schedule, or anything else that starts it: there is nothing to choose. */
  const report = (): Promise<ReportResult> =>
    reportToCloudAlm({
      readState: () => readInterfaceState(cloudwatch, names, now()),
      cloudAlm: createCloudAlm(http, environment.CLOUD_ALM_SERVICE_ID, now),
      log: createLog(logger),
    });

  return createLambdaHandler(logger, createMetrics(environment.INTERFACE_ENVIRONMENT), report);
}
