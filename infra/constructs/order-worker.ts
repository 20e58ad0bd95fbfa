/** Event-Driven Consumer: the function that turns queued carts into purchase orders, and its event source. */
import { Duration } from 'aws-cdk-lib';
import { RecursiveLoop } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { WorkerVariables } from '../../shared/environment.ts';
import type { Environment } from '../environments.ts';
import { type CartChannel, MAX_RECEIVE_COUNT } from './cart-channel.ts';
import type { ConnectionSecret } from './connection-secret.ts';
import { commonVariables, differencesText, InterfaceFunction, srmVariables } from './interface-function.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { MessageKey } from './message-key.ts';

export interface OrderWorkerProps {
  readonly environment: Environment;
  readonly bundle: string;
  readonly channel: CartChannel;
  readonly ledger: LedgerTable;
  /** The worker reads a cart that was too large for the queue from SRM. */
  readonly srmSecret: ConnectionSecret;
  readonly vmsSecret: ConnectionSecret;
  readonly messageKey: MessageKey;
  readonly failedInvocations: IQueue;
}

export class OrderWorker extends Construct {
  readonly function: InterfaceFunction;
  readonly eventSource: SqsEventSource;

  constructor(scope: Construct, id: string, props: OrderWorkerProps) {
    super(scope, id);
    const { environment, ledger, channel } = props;
    const { delivery, vms } = environment;
    const variables: WorkerVariables = {
      ...commonVariables(environment, 'worker', ledger.table.tableName),
      ...srmVariables(environment.srm),
      MESSAGE_KEY: props.messageKey.arn,
      QUEUE_URL: channel.queue.queueUrl,
      VMS_BASE_URL: vms.baseUrl,
      VMS_COLLECTION_PATH: vms.collectionPath,
      VMS_LOOK_UP_BY: vms.lookUpBy,
      VMS_FOUND_AT: vms.foundAt,
      VMS_ID_AT: vms.idAt,
      VMS_NUMBER_AT: vms.numberAt,
      VMS_EXTERNAL_ID_AT: vms.externalIdAt,
      VMS_DECIMALS_AS: vms.decimalsAs,
      VMS_TOKEN_URL: vms.tokenUrl,
      VMS_CLIENT_AUTHENTICATION: vms.clientAuthentication,
      VMS_SCOPE: vms.scope,
      VMS_SECRET: vms.secretName,
      VMS_MUTUAL_TLS: String(vms.mutualTls),
      VMS_PRIVATE_CA: String(vms.privateCa),
      VMS_API_KEY_HEADER: vms.apiKeyHeader ?? '',
      VMS_PROXY_URL: vms.proxyUrl ?? '',
      VMS_DIFFERENCES: differencesText({ tokenParameters: vms.tokenParameters, headers: vms.headers }),
      VMS_TIMEOUT_MS: String(vms.timeoutSeconds * 1000),
      RETRY_BASE_SECONDS: String(delivery.retryBaseSeconds),
      MAX_RECEIVE_COUNT: String(MAX_RECEIVE_COUNT),
      PAUSE_FOR_DEAD_LETTERS: 'true',
      // An attempt cannot outlive its function by more than the clocks of two hosts differ.
      LEASE_SECONDS: String(delivery.timeoutSeconds + 5),
    };
    this.function = new InterfaceFunction(this, 'Function', {
      environment,
      network: environment.network,
      failedInvocations: props.failedInvocations,
      bundle: props.bundle,
      service: 'worker',
      description: 'Translates queued shopping carts and creates purchase orders in 11VMS',
      timeoutSeconds: delivery.timeoutSeconds,
      memoryMegabytes: delivery.memoryMegabytes,
      variables,
      // The worker puts a cart back on its own queue when an outage has used up the attempts. After 16 rounds Lambda
      // would take that for an endless loop and drop the message; a delay and the breaker limit this one.
      recursiveLoop: RecursiveLoop.ALLOW,
    });
    this.eventSource = new SqsEventSource(channel.queue, {
      batchSize: delivery.batchSize,
      ...(delivery.batchingWindowSeconds === 0
        ? {}
        : { maxBatchingWindow: Duration.seconds(delivery.batchingWindowSeconds) }),
      // The limit of the event source, not reserved concurrency: a throttled invocation uses up an attempt.
      maxConcurrency: delivery.maximumConcurrency,
      reportBatchItemFailures: true,
    });
    this.function.addEventSource(this.eventSource);
    channel.queue.grant(this.function, 'sqs:SendMessage');
    ledger.grantDelivery(this.function);
    props.srmSecret.grantRead(this.function);
    props.vmsSecret.grantRead(this.function);
    props.messageKey.grantRead(this.function);
  }
}
