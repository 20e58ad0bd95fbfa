/** Is there a key that signs the messages on the cart queue? Its value is not read. */
import { DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { restoreSecretCommand } from '../../shared/secret-command.ts';
import { fail, type Finding, ok } from './finding.ts';
import { type DeployedContext, output } from './stack-context.ts';

const IMPACT = 'no cart can be queued or ordered';

export async function checkMessageKey(context: DeployedContext): Promise<readonly Finding[]> {
  const SecretId = output(context, 'MessageKeyArn');
  const { VersionIdsToStages: versions = {}, DeletedDate } = await context.secrets.send(
    new DescribeSecretCommand({ SecretId }),
  );
  if (DeletedDate !== undefined) {
    return [fail(`message key: its secret is being deleted, and ${IMPACT}`, restoreSecretCommand(SecretId))];
  }
  const stages = Object.values(versions).flat();
  if (!stages.includes('AWSCURRENT')) {
    return [
      fail(
        `message key: its secret holds none, and ${IMPACT}`,
        'write one: infra/runbook.md, "Rotate the message key", step 2',
      ),
    ];
  }
  const previous = stages.includes('AWSPREVIOUS') ? ', and the previous one is still believed' : '';
  return [ok(`message key: there is one${previous}`)];
}
