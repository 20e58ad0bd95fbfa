/** Checks the way of the logs to Splunk and Elastic: the secrets, and the subscriptions of the log groups. */
import { DescribeSubscriptionFiltersCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { asJsonObject, tryParseJson } from '../../shared/exact-json.ts';
import { writeSecretCommand } from '../../shared/secret-command.ts';
import type { Environment } from '../environments.ts';
import { type RuntimeSecret, runtimeSecrets, secretText } from '../platforms/runtime-secrets.ts';
import { fail, type Finding, ok } from './finding.ts';
import { deployCommand, type DeployedContext } from './stack-context.ts';

type Settings = NonNullable<Environment['logForwarding']>;

export const checkLogForwarding =
  ({ splunk, elastic }: Settings) =>
  async (context: DeployedContext): Promise<readonly Finding[]> => {
    const secrets = runtimeSecrets(context.environment).filter(({ block }) => block.startsWith('logForwarding.'));
    const [held, subscribed] = await Promise.all([
      Promise.all(secrets.map((secret) => secretFinding(secret, context.secrets))),
      subscriptionFinding(context, splunk !== undefined && elastic !== undefined),
    ]);
    return [...held, subscribed];
  };

/** Whether Firehose finds what it looks for. The value is never shown. */
async function secretFinding(secret: RuntimeSecret, secrets: SecretsManagerClient): Promise<Finding> {
  const { secretName: name, members } = secret;
  const answer = await secrets.send(new GetSecretValueCommand({ SecretId: name })).catch((error: unknown) => {
    // A secret without a value is not found, either.
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  });
  const content = asJsonObject(tryParseJson(answer?.SecretString ?? '')) ?? {};
  const missing = members.filter((member) => typeof content[member] !== 'string' || content[member] === '');
  const quoted = members.map((member) => `"${member}"`).join(', ');
  if (missing.length === 0) return ok(`log forwarding: the secret ${name} holds ${quoted}`);
  return fail(
    `log forwarding: the secret ${name} holds no ${quoted}: Firehose can deliver nothing`,
    `${writeSecretCommand(name)}, which reads ${secretText(secret)} from standard input; no deployment is needed`,
  );
}

const reference = z.object({ Ref: z.string() }).transform(({ Ref }) => Ref);
const subscription = z.object({
  LogGroupName: reference,
  DestinationArn: z
    .object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) })
    .transform((arn) => arn['Fn::GetAtt'][0]),
  FilterPattern: z.string(),
});

/** Does every log group send its lines where the entry says? */
async function subscriptionFinding(context: DeployedContext, isFull: boolean): Promise<Finding> {
  const { expected, stack, logs } = context;
  const physicalId = (logicalId: string): string =>
    stack.resources.find((resource) => resource.logicalId === logicalId)?.physicalId ?? logicalId;
  const wanted = expected.resources
    .filter(({ type }) => type === 'AWS::Logs::SubscriptionFilter')
    .map(({ properties }) => {
      const { LogGroupName, DestinationArn, FilterPattern: pattern } = subscription.parse(properties);
      return { group: physicalId(LogGroupName), stream: physicalId(DestinationArn), pattern };
    });
  const groups = [...new Set(wanted.map(({ group }) => group))];
  const deployed = new Map(
    await Promise.all(
      groups.map(async (group) => {
        const answer = await logs.send(new DescribeSubscriptionFiltersCommand({ logGroupName: group }));
        return [group, answer.subscriptionFilters ?? []] as const;
      }),
    ),
  );
  const missing = wanted.filter(
    ({ group, stream, pattern }) =>
      !(deployed.get(group) ?? []).some(
        ({ destinationArn = '', filterPattern }) =>
          destinationArn.endsWith(`:deliverystream/${stream}`) && filterPattern === pattern,
      ),
  );
  if (missing.length > 0) {
    const places = missing.map(({ group, stream }) => `${group} to ${stream}`);
    return fail(
      `log forwarding: subscriptions are missing or changed: ${places.join('; ')}`,
      `find out who removed them; ${deployCommand(context)}`,
    );
  }
  const full = isFull ? '; a log group takes two, so that no other can be added' : '';
  return ok(`log forwarding: all ${wanted.length} subscriptions of ${groups.length} log groups are there${full}`);
}
