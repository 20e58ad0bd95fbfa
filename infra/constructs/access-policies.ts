/**
 * What people may do, as managed policies to attach to permission sets. Each names its actions and resources:
 *
 * | policy   | for whom                    | what it allows                                                                    |
 * |----------|-----------------------------|-----------------------------------------------------------------------------------|
 * | viewer   | who looks                   | reading the ledger, the functions' logs and settings, alarms, metrics, queue sizes |
 * | operator | who acts                    | the same, and invoking the functions that act for a person                        |
 * | content  | beside one of the others    | the carts in the dead-letter queue, and 11VMS's secret for comparing an order     |
 *
 * None of them lets a person send to the cart queue, invoke the worker, or write to the ledger: the functions do, and keep who asked.
 */
import { Aws, Stack, Validations } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { CartChannel } from './cart-channel.ts';
import type { ConnectionSecret } from './connection-secret.ts';
import type { LedgerTable } from './ledger-table.ts';

export interface AccessPoliciesProps {
  readonly worker: LambdaFunction;
  /** The functions that act for a person, who says why. */
  readonly invoked: readonly LambdaFunction[];
  /** Functions of the optional blocks. A person never invokes them. */
  readonly optional: readonly LambdaFunction[];
  readonly ledger: LedgerTable;
  readonly channel: Pick<CartChannel, 'queue' | 'deadLetters'>;
  readonly failedInvocations: IQueue;
  readonly vmsSecret: ConnectionSecret;
}

export class AccessPolicies extends Construct {
  readonly viewer: ManagedPolicy;
  readonly operator: ManagedPolicy;
  readonly content: ManagedPolicy;

  constructor(scope: Construct, id: string, props: AccessPoliciesProps) {
    super(scope, id);
    const { invoked, channel, vmsSecret } = props;
    this.viewer = this.#policy('Viewer', this.#reading(props));
    this.operator = this.#policy('Operator', [
      ...this.#reading(props),
      allow(
        ['lambda:InvokeFunction'],
        invoked.map(({ functionArn }) => functionArn),
      ),
    ]);
    this.content = this.#policy('Content', [
      allow(['sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility'], [channel.deadLetters.queueArn]),
    ]);
    vmsSecret.grantRead(this.content);
    for (const policy of [this.viewer, this.operator]) {
      Validations.of(policy).acknowledge(
        {
          id: 'AwsSolutions-IAM5[Resource::*]',
          reason:
            'AWS lists alarms, metrics, dashboards, log groups, queries and event source mappings for a whole account.',
        },
        {
          id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/${Stack.of(this).stackName}/*]`,
          reason: 'The ARN of a stack ends in an id that each creation makes anew.',
        },
      );
    }
  }

  #reading({ worker, invoked, optional, ledger, channel, failedInvocations }: AccessPoliciesProps): PolicyStatement[] {
    const functions = [worker, ...invoked, ...optional];
    const { queue, deadLetters } = channel;
    return [
      allow(['cloudformation:DescribeStacks', 'cloudformation:ListStackResources'], [this.#anyCreationOfTheStack]),
      allow(
        // The last two: `npm run carts -- --waiting`, for which there is no index.
        ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:Scan', 'dynamodb:DescribeTable'],
        [ledger.table.tableArn],
      ),
      allow(['dynamodb:Query'], [ledger.listedIndexArn]),
      allow(
        ['logs:StartQuery', 'logs:FilterLogEvents'],
        functions.map(({ logGroup }) => logGroup.logGroupArn),
      ),
      allow(
        ['sqs:GetQueueAttributes'],
        [queue, deadLetters, failedInvocations].map(({ queueArn }) => queueArn),
      ),
      allow(['sqs:ListMessageMoveTasks'], [deadLetters.queueArn]),
      allow(
        ['lambda:GetFunctionConfiguration'],
        functions.map(({ functionArn }) => functionArn),
      ),
      // The value maps are in its bundle.
      allow(['lambda:GetFunction'], [worker.functionArn]),
      allow(
        [
          'cloudwatch:DescribeAlarms',
          'cloudwatch:GetMetricData',
          'lambda:ListEventSourceMappings',
          'logs:GetQueryResults',
          'logs:StopQuery',
        ],
        ['*'],
      ),
      // The pages of AWS where most headings of the runbook begin: dashboard, metrics, and Logs Insights with its saved queries.
      allow(
        [
          'cloudwatch:GetDashboard',
          'cloudwatch:ListDashboards',
          'cloudwatch:ListMetrics',
          'logs:DescribeLogGroups',
          'logs:DescribeQueryDefinitions',
        ],
        ['*'],
      ),
    ];
  }

  /** A stack is asked for by its name, and AWS ends its ARN in an id that each creation makes anew. */
  get #anyCreationOfTheStack(): string {
    return `arn:${Aws.PARTITION}:cloudformation:${Aws.REGION}:${Aws.ACCOUNT_ID}:stack/${Stack.of(this).stackName}/*`;
  }

  /** IAM Identity Center knows a policy by its name. A description would be fixed for ever: changing it replaces the policy. */
  #policy(role: string, statements: PolicyStatement[]): ManagedPolicy {
    const managedPolicyName = `${Stack.of(this).stackName}-${role.toLowerCase()}`;
    return new ManagedPolicy(this, role, { managedPolicyName, statements });
  }
}

const allow = (actions: string[], resources: string[]): PolicyStatement => new PolicyStatement({ actions, resources });
