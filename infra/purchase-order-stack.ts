/** The whole interface for one environment. */
import { CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Bundles } from './bundle.ts';
import { CartChannel } from './constructs/cart-channel.ts';
import { ConsumptionSupervisor } from './constructs/consumption-supervisor.ts';
import type { ReadableSecret } from './constructs/interface-function.ts';
import { LedgerTable } from './constructs/ledger-table.ts';
import { Monitoring } from './constructs/monitoring.ts';
import { OrderWorker } from './constructs/order-worker.ts';
import { ScheduledExtractor } from './constructs/scheduled-extractor.ts';
import type { Environment } from './environments.ts';

export interface PurchaseOrderStackProps extends StackProps {
  readonly environment: Environment;
  readonly bundles: Bundles;
}

export class PurchaseOrderStack extends Stack {
  constructor(scope: Construct, id: string, props: PurchaseOrderStackProps) {
    super(scope, id, props);
    const { environment, bundles } = props;

    const srmSecret = this.#connectionSecret('SrmSecret', environment.srm, 'SAP SRM 7');
    const vmsSecret = this.#connectionSecret('VmsSecret', environment.vms, '11VMS');
    const ledger = new LedgerTable(this, 'Ledger');
    const channel = new CartChannel(this, 'CartChannel', {
      workerTimeout: Duration.seconds(environment.delivery.timeoutSeconds),
    });
    const extractor = new ScheduledExtractor(this, 'Extractor', {
      environment,
      bundle: bundles['extract-approved-carts'],
      queue: channel.queue,
      ledger,
      srmSecret,
    });
    const worker = new OrderWorker(this, 'Worker', {
      environment,
      bundle: bundles['create-purchase-orders'],
      channel,
      ledger,
      srmSecret,
      vmsSecret,
    });
    const supervisor = new ConsumptionSupervisor(this, 'Supervisor', {
      environment,
      bundle: bundles['supervise-consumption'],
      ledger,
      worker,
      scheduleGroup: extractor.scheduleGroup,
    });

    new Monitoring(this, 'Monitoring', {
      environment,
      extractor: extractor.function,
      worker: worker.function,
      supervisor: supervisor.function,
      channel,
      scheduleGroups: [extractor.scheduleGroup],
    });

    new CfnOutput(this, 'QueueUrl', { value: channel.queue.queueUrl });
    new CfnOutput(this, 'DeadLetterQueueUrl', { value: channel.deadLetters.queueUrl });
    new CfnOutput(this, 'LedgerTableName', { value: ledger.table.tableName });
    new CfnOutput(this, 'ExtractorFunctionName', { value: extractor.function.functionName });
    new CfnOutput(this, 'WorkerFunctionName', { value: worker.function.functionName });
    new CfnOutput(this, 'SupervisorFunctionName', { value: supervisor.function.functionName });
  }

  /** Created empty: an operator writes `{ "clientId", "clientSecret" }` into it, no template does. */
  #connectionSecret(id: string, connection: Environment['srm' | 'vms'], system: string): ReadableSecret {
    const { secretName, createSecret } = connection;
    if (!createSecret) return Secret.fromSecretNameV2(this, id, secretName);
    const secret = new Secret(this, id, {
      secretName,
      description: `OAuth2 client for ${system}: { "clientId": "...", "clientSecret": "..." }`,
      // Outlives the stack; but a first deployment that fails takes it along, or its name would be taken at the next.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    // CDK lets Secrets Manager generate a password, which is no OAuth2 client: empty says "not written yet".
    if (secret.node.defaultChild instanceof CfnSecret) secret.node.defaultChild.generateSecretString = undefined;
    return secret;
  }
}
