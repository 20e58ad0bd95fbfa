/** What the role of the diff of a pull request may do: it runs code before its review. */
import { type Environment, stackName } from '../environments.ts';
import { deploymentSecrets, runtimeSecrets } from '../platforms/runtime-secrets.ts';

/**
 * The stack and its template, and whether the secrets exist. No message of a queue, no item of the ledger, no value of a secret;
 * nor the roles of the CDK bootstrap, whose lookup role may read all of them.
 */
export async function diffPolicy(environment: Environment) {
  const { account = '*', region } = environment;
  // The CDK takes seconds to load.
  const { RegionInfo } = await import('aws-cdk-lib/region-info');
  const partition = (region === undefined ? undefined : RegionInfo.get(region).partition) ?? 'aws';
  const arn = (service: string, resource: string, where = region ?? '*'): string =>
    `arn:${partition}:${service}:${where}:${account}:${resource}`;
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['cloudformation:DescribeStacks', 'cloudformation:GetTemplate', 'cloudformation:ListStackResources'],
        // In every region: where this one holds no stack, another may.
        Resource: arn('cloudformation', `stack/${stackName(environment)}/*`, '*'),
      },
      {
        Effect: 'Allow',
        Action: ['secretsmanager:DescribeSecret'],
        // Secrets Manager adds a hyphen and six characters to each name.
        Resource: [...runtimeSecrets(environment), ...deploymentSecrets(environment)].map(({ secretName }) =>
          arn('secretsmanager', `secret:${secretName}-??????`),
        ),
      },
    ],
  };
}
