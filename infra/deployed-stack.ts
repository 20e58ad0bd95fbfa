/** Reads the deployed stack of an environment from CloudFormation. */
import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  paginateListStackResources,
  type Stack,
} from '@aws-sdk/client-cloudformation';

export interface StackResource {
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string;
}

/**
 * The mapping between the cart queue and the worker. An environment may have another one, of the numbers that go back to
 * SRM, which no breaker pauses.
 */
export const isWorkerMapping = ({ type, logicalId }: Pick<StackResource, 'type' | 'logicalId'>): boolean =>
  type === 'AWS::Lambda::EventSourceMapping' && logicalId.startsWith('Worker');

export interface DeployedStack {
  readonly status: string;
  /** Against deletion. */
  readonly isProtected: boolean;
  readonly createdMs: number;
  readonly outputs: Readonly<Record<string, string>>;
  readonly resources: readonly StackResource[];
}

/** Undefined where there is no such stack. */
async function describeStack(
  client: CloudFormationClient,
  stackName: string,
  abortSignal?: AbortSignal,
): Promise<Stack | undefined> {
  try {
    const { Stacks: stacks = [] } = await client.send(
      new DescribeStacksCommand({ StackName: stackName }),
      abortSignal === undefined ? {} : { abortSignal },
    );
    return stacks[0];
  } catch (error) {
    // CloudFormation has no distinct error for a stack that does not exist.
    if (error instanceof Error && error.name === 'ValidationError' && /does not exist/.test(error.message))
      return undefined;
    throw error;
  }
}

/** The stack as it is deployed; undefined where there is none. @throws the SDK's error when CloudFormation gives no answer. */
export async function readDeployedStack(
  client: CloudFormationClient,
  stackName: string,
): Promise<DeployedStack | undefined> {
  const stack = await describeStack(client, stackName);
  if (stack === undefined) return undefined;
  const resources: StackResource[] = [];
  for await (const page of paginateListStackResources({ client }, { StackName: stackName })) {
    for (const { LogicalResourceId, ResourceType, PhysicalResourceId, ResourceStatus } of page.StackResourceSummaries ??
      []) {
      if (PhysicalResourceId === undefined || ResourceStatus === 'DELETE_COMPLETE') continue;
      resources.push({ logicalId: LogicalResourceId ?? '', type: ResourceType ?? '', physicalId: PhysicalResourceId });
    }
  }
  return {
    status: stack.StackStatus ?? 'UNKNOWN',
    isProtected: stack.EnableTerminationProtection === true,
    createdMs: stack.CreationTime?.getTime() ?? 0,
    outputs: Object.fromEntries(
      (stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    ),
    resources,
  };
}

/** The text of the template that was deployed last. @throws the SDK's error. */
export async function readDeployedTemplate(client: CloudFormationClient, stackName: string): Promise<string> {
  const { TemplateBody: text = '' } = await client.send(
    new GetTemplateCommand({ StackName: stackName, TemplateStage: 'Original' }),
  );
  return text;
}

/** A region that is not enabled for the account may not answer at all. */
const REGION_TIMEOUT_MS = 5000;

/** The other regions of the partition that hold a stack of this name, and those that gave no answer. */
export async function regionsWithStack(
  stackName: string,
  region: string,
  clientOf: (region: string) => CloudFormationClient,
): Promise<{ readonly found: readonly string[]; readonly unanswered: readonly string[] }> {
  // The CDK takes seconds to load.
  const { RegionInfo } = await import('aws-cdk-lib/region-info');
  const { partition } = RegionInfo.get(region);
  const others = RegionInfo.regions.filter((one) => one.partition === partition && one.name !== region);
  const answers = await Promise.all(
    others.map(async ({ name }) => {
      const client = clientOf(name);
      try {
        const abortSignal = AbortSignal.timeout(REGION_TIMEOUT_MS);
        const stack = await describeStack(client, stackName, abortSignal);
        return { name, answer: stack === undefined ? 'absent' : 'found' };
      } catch {
        return { name, answer: 'unanswered' };
      } finally {
        client.destroy();
      }
    }),
  );
  const named = (wanted: string): string[] => answers.filter(({ answer }) => answer === wanted).map(({ name }) => name);
  return { found: named('found'), unanswered: named('unanswered') };
}

/** Did its creation fail, so that nothing of it runs? CDK deletes such a stack before it creates it again. */
export const isCreationFailure = ({ status }: DeployedStack): boolean => /^ROLLBACK_(COMPLETE|FAILED)$/.test(status);

/** What lets CDK delete a stack whose creation failed. */
export const unprotectCommand = (stackName: string, region: string): string =>
  `aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name ${stackName} --region ${region}`;
