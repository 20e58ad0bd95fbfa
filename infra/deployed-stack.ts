/** Reads the deployed stack of an environment from CloudFormation. */
import {
  CloudFormationClient,
  DescribeStacksCommand,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';

export interface StackResource {
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string;
}

export interface DeployedStack {
  readonly status: string;
  /** Against deletion. */
  readonly isProtected: boolean;
  readonly outputs: Readonly<Record<string, string>>;
  readonly resources: readonly StackResource[];
}

/** The stack as it is deployed; undefined where there is none. @throws the SDK's error when CloudFormation gives no answer. */
export async function readDeployedStack(
  client: CloudFormationClient,
  stackName: string,
): Promise<DeployedStack | undefined> {
  const described = await client.send(new DescribeStacksCommand({ StackName: stackName })).catch((error: unknown) => {
    // CloudFormation has no distinct error for a stack that does not exist.
    if (error instanceof Error && error.name === 'ValidationError' && /does not exist/.test(error.message)) return {};
    throw error;
  });
  const stack = 'Stacks' in described ? described.Stacks?.[0] : undefined;
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
    outputs: Object.fromEntries(
      (stack.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    ),
    resources,
  };
}

/** Did its creation fail, so that nothing of it runs? CDK deletes such a stack before it creates it again. */
export const isCreationFailure = ({ status }: DeployedStack): boolean => /^ROLLBACK_(COMPLETE|FAILED)$/.test(status);

/** What lets CDK delete a stack whose creation failed. */
export const unprotectCommand = (stackName: string, region: string): string =>
  `aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name ${stackName} --region ${region}`;
