/** What all functions share: runtime, architecture, log format and the bundle's entry point. */
import { Duration } from 'aws-cdk-lib';
import { Architecture, Code, Function as LambdaFunction, type RecursiveLoop, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { CommonVariables, SrmVariables } from '../../shared/environment.ts';
import { METRIC_NAMESPACE, SERVICE_NAMES } from '../../shared/metric-names.ts';
import type { Environment } from '../environments.ts';

export interface InterfaceFunctionProps {
  readonly bundle: string;
  readonly service: keyof typeof SERVICE_NAMES;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly recursiveLoop?: RecursiveLoop;
}

export class InterfaceFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: InterfaceFunctionProps) {
    super(scope, id, {
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: Code.fromAsset(props.bundle),
      handler: 'main.handler',
      description: props.description,
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: props.memoryMegabytes,
      environment: { ...props.variables, NODE_OPTIONS: '--enable-source-maps' },
      // An asynchronous invocation that failed is not repeated: the next scheduled run reads the same window.
      retryAttempts: 0,
      ...(props.recursiveLoop === undefined ? {} : { recursiveLoop: props.recursiveLoop }),
    });
  }
}

/** The variables that all functions read, whatever they do. */
export const commonVariables = (
  environment: Environment,
  service: keyof typeof SERVICE_NAMES,
  tableName: string,
): CommonVariables => ({
  INTERFACE_ENVIRONMENT: environment.name,
  TABLE_NAME: tableName,
  POWERTOOLS_SERVICE_NAME: SERVICE_NAMES[service],
  POWERTOOLS_METRICS_NAMESPACE: METRIC_NAMESPACE,
  POWERTOOLS_LOG_LEVEL: environment.logLevel,
});

/** How either function reaches SRM: the extractor reads lists, the worker re-reads single carts. */
export const srmVariables = (srm: Environment['srm']): SrmVariables => ({
  SRM_BASE_URL: srm.baseUrl,
  SRM_TOKEN_URL: srm.tokenUrl,
  SRM_SCOPE: srm.scope,
  SRM_SECRET: srm.secretName,
  SRM_CLIENT: srm.client,
  SRM_LANGUAGE: srm.language,
  SRM_INTERNAL_HOSTS: srm.internalHosts.join(','),
  SRM_STATUSES: srm.statuses.join(','),
});
