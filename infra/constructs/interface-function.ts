/** What all functions share: runtime, role, network, logs, traces, and the queue for failed invocations. */
import { Duration, Token, Validations } from 'aws-cdk-lib';
import { Effect, type IRole, Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  CfnFunction,
  Code,
  Function as LambdaFunction,
  type RecursiveLoop,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type {
  BasicVariables,
  CommonVariables,
  SrmDifferences,
  SrmVariables,
  VmsDifferences,
} from '../../shared/environment.ts';
import { METRIC_NAMESPACE, SERVICE_NAMES } from '../../shared/metric-names.ts';
import type { Environment } from '../environments.ts';
import { FunctionLogs } from './function-logs.ts';

export interface InterfaceFunctionProps {
  readonly environment: Environment;
  readonly bundle: string;
  readonly service: keyof typeof SERVICE_NAMES;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly recursiveLoop?: RecursiveLoop;
  /** For a function that calls SRM or 11VMS. */
  readonly network?: Environment['network'];
  /** Gets the event of an asynchronous invocation that failed. Left out for a function whose next run does the same work. */
  readonly failedInvocations?: IQueue;
}

/** What Lambda does with the function's role for a function in a network. */
const NETWORK_INTERFACE_ACTIONS = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];

export class InterfaceFunction extends LambdaFunction {
  /** As `role`, which may be missing by its type. */
  readonly ownRole: IRole;

  constructor(scope: Construct, id: string, props: InterfaceFunctionProps) {
    const { environment, network, failedInvocations } = props;
    // Created before the function, which must not start without them. CDK's own role may write to every log group.
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    const logs = new FunctionLogs(scope, `${id}Logs`, { retentionDays: environment.operation.logRetentionDays });
    logs.grantWrite(role);
    if (network !== undefined) {
      role.addToPolicy(new PolicyStatement({ actions: NETWORK_INTERFACE_ACTIONS, resources: ['*'] }));
    }
    assertVariablesFit(props);
    super(scope, id, {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(props.bundle),
      handler: 'main.handler',
      description: props.description,
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: props.memoryMegabytes,
      environment: { ...props.variables, NODE_OPTIONS: '--enable-source-maps' },
      role,
      // In Lambda's text format, its default: its JSON format would wrap each line of ours, and EMF with it.
      logGroup: logs.group,
      tracing: Tracing.ACTIVE,
      // An asynchronous invocation that failed is not repeated: the next scheduled run reads the same window.
      retryAttempts: 0,
      // After this time the next scheduled run has taken its place.
      maxEventAge: Duration.minutes(5),
      ...(failedInvocations === undefined
        ? {}
        : {
            onFailure: {
              bind: () => {
                failedInvocations.grant(role, 'sqs:SendMessage');
                return { destination: failedInvocations.queueArn };
              },
            },
          }),
      ...(props.recursiveLoop === undefined ? {} : { recursiveLoop: props.recursiveLoop }),
    });
    this.ownRole = role;
    if (network !== undefined) this.#joinNetwork(network, role);
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'X-Ray has no resources to name. Lambda needs the actions on network interfaces for all of them; our own code is denied them.',
    });
  }

  #joinNetwork({ subnetIds, securityGroupIds }: NonNullable<Environment['network']>, role: Role): void {
    const resource = this.node.defaultChild;
    if (!(resource instanceof CfnFunction)) throw new Error('A function of CDK has a CfnFunction');
    resource.vpcConfig = { subnetIds, securityGroupIds };
    // Lambda needs these rights, our code does not (Lambda's guide, "Giving Lambda functions access to a VPC"). The
    // function does not wait for this policy, which names it.
    new Policy(this, 'NoNetworkInterfaces', {
      roles: [role],
      statements: [
        new PolicyStatement({
          effect: Effect.DENY,
          actions: NETWORK_INTERFACE_ACTIONS,
          resources: ['*'],
          conditions: { ArnEquals: { 'lambda:SourceFunctionArn': this.functionArn } },
        }),
      ],
    });
  }
}

/** Lambda's limit for all variables together, which it measures as JSON. */
const MOST_VARIABLE_BYTES = 4096;
/** For a name or an address that only the deployment knows. */
const UNKNOWN_TEXT = 'x'.repeat(160);
/** The settings behind the variables that a landscape can make long. */
const SOURCES: Readonly<Record<string, string>> = {
  SRM_DIFFERENCES: 'tokenParameters, headers, fields and expand of srm',
  VMS_DIFFERENCES: 'tokenParameters and headers of vms',
  SRM_INTERNAL_HOSTS: 'srm.internalHosts',
  SRM_STATUSES: 'srm.statuses',
};

/** @throws {Error} that names what can be shortened for variables which Lambda would refuse in the middle of a deployment. */
function assertVariablesFit({ service, variables }: InterfaceFunctionProps): void {
  const known = Object.entries(variables).map(([name, value]): [string, string] => [
    name,
    Token.isUnresolved(value) ? UNKNOWN_TEXT : value,
  ]);
  const bytesOf = (part: unknown): number => Buffer.byteLength(JSON.stringify(part));
  const bytes = bytesOf({ ...Object.fromEntries(known), NODE_OPTIONS: '--enable-source-maps' });
  if (bytes <= MOST_VARIABLE_BYTES) return;
  const largest = known
    .toSorted(([, a], [, b]) => bytesOf(b) - bytesOf(a))
    .flatMap(([name, value]) => (name in SOURCES ? [`${SOURCES[name]} (${bytesOf(value)})`] : []));
  throw new Error(
    `The environment variables of ${SERVICE_NAMES[service]} have ${bytes} bytes, and Lambda takes ${MOST_VARIABLE_BYTES}. ` +
      `Shorten ${largest.join('; ')}.`,
  );
}

/** The variables that all functions read. */
export const basicVariables = (environment: Environment, service: keyof typeof SERVICE_NAMES): BasicVariables => ({
  INTERFACE_ENVIRONMENT: environment.name,
  POWERTOOLS_SERVICE_NAME: SERVICE_NAMES[service],
  POWERTOOLS_METRICS_NAMESPACE: METRIC_NAMESPACE,
  POWERTOOLS_LOG_LEVEL: environment.logLevel,
});

/** The variables of the functions that use the ledger. */
export const commonVariables = (
  environment: Environment,
  service: keyof typeof SERVICE_NAMES,
  tableName: string,
): CommonVariables => ({ ...basicVariables(environment, service), TABLE_NAME: tableName });

/** The settings of a connection that have a structure, as one variable: those that are as by default are left out. */
export const differencesText = (differences: SrmDifferences | VmsDifferences): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(differences).filter(([, value]) => Array.isArray(value) || Object.keys(value ?? {}).length > 0),
    ),
  );

/** The variables of the functions that call SRM. */
export const srmVariables = (srm: Environment['srm']): SrmVariables => ({
  SRM_BASE_URL: srm.baseUrl,
  SRM_TOKEN_URL: srm.tokenUrl,
  SRM_CLIENT_AUTHENTICATION: srm.clientAuthentication,
  SRM_SCOPE: srm.scope,
  SRM_SECRET: srm.secretName,
  SRM_MUTUAL_TLS: String(srm.mutualTls),
  SRM_PRIVATE_CA: String(srm.privateCa),
  SRM_API_KEY_HEADER: srm.apiKeyHeader ?? '',
  SRM_PROXY_URL: srm.proxyUrl ?? '',
  SRM_DIFFERENCES: differencesText({
    tokenParameters: srm.tokenParameters,
    headers: srm.headers,
    fields: srm.fields,
    expand: srm.expand,
  }),
  SRM_CLIENT: srm.client,
  SRM_LANGUAGE: srm.language,
  SRM_INTERNAL_HOSTS: srm.internalHosts.join(','),
  SRM_STATUSES: srm.statuses.join(','),
  SRM_TIMEOUT_MS: String(srm.timeoutSeconds * 1000),
  SRM_PAGE_SIZE: String(srm.pageSize ?? 0),
  SRM_PAGING: srm.paging,
  SRM_SERVICE_PATH: srm.servicePath,
  SRM_ENTITY_SET: srm.entitySet,
  SRM_KEY_PROPERTY: srm.keyProperty,
  SRM_CHANGED_AT_PROPERTY: srm.changedAtProperty,
});
