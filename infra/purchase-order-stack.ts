/** The whole interface for one environment. */
import { Annotations, CfnOutput, Duration, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Bundles } from './bundle.ts';
import { AccessPolicies } from './constructs/access-policies.ts';
import { CartChannel } from './constructs/cart-channel.ts';
import { CartReconciler } from './constructs/cart-reconciler.ts';
import { ConnectionSecret } from './constructs/connection-secret.ts';
import { ConsumptionSupervisor } from './constructs/consumption-supervisor.ts';
import { DeadLetterRedriver } from './constructs/dead-letter-redriver.ts';
import { FailedInvocations } from './constructs/failed-invocations.ts';
import { LedgerTable } from './constructs/ledger-table.ts';
import { Monitoring } from './constructs/monitoring.ts';
import { OrderWorker } from './constructs/order-worker.ts';
import { ScheduledExtractor } from './constructs/scheduled-extractor.ts';
import { type Deployment, deploymentTags, describeDeployment, describeValueMaps } from './deployment.ts';
import type { Environment } from './environments.ts';
import { settingWarnings } from './setting-warnings.ts';

export interface PurchaseOrderStackProps extends StackProps {
  readonly environment: Environment;
  readonly bundles: Bundles;
  /** Nothing is protected against deletion until the stack is created, so that a creation that failed can be repeated. */
  readonly isBeingCreated?: boolean;
  /** Left out of a synthesis that is not for a deployment, which is the same for the same sources. */
  readonly deployment?: Deployment | undefined;
}

export class PurchaseOrderStack extends Stack {
  constructor(scope: Construct, id: string, props: PurchaseOrderStackProps) {
    const { environment, bundles, isBeingCreated = false, deployment, ...stackProps } = props;
    super(scope, id, {
      ...stackProps,
      terminationProtection: environment.operation.terminationProtection && !isBeingCreated,
    });

    for (const { path, message } of settingWarnings(environment)) {
      Annotations.of(this).addWarningV2(path, `${path}: ${message}`);
    }
    const { srm, vms } = environment;
    const srmSecret = new ConnectionSecret(this, 'SrmSecret', { connection: srm, system: 'SAP SRM 7' });
    const vmsSecret = new ConnectionSecret(this, 'VmsSecret', { connection: vms, system: '11VMS' });
    const ledger = new LedgerTable(this, 'Ledger', { isProtected: !isBeingCreated });
    const channel = new CartChannel(this, 'CartChannel', {
      workerTimeout: Duration.seconds(environment.delivery.timeoutSeconds),
      batchingWindow: Duration.seconds(environment.delivery.batchingWindowSeconds),
    });
    const failedInvocations = new FailedInvocations(this, 'FailedInvocations').queue;
    const extractor = new ScheduledExtractor(this, 'Extractor', {
      environment,
      bundle: bundles['extract-approved-carts'],
      queue: channel.queue,
      ledger,
      srmSecret,
      failedInvocations,
    });
    const worker = new OrderWorker(this, 'Worker', {
      environment,
      bundle: bundles['create-purchase-orders'],
      channel,
      ledger,
      srmSecret,
      vmsSecret,
      failedInvocations,
    });
    const supervisor = new ConsumptionSupervisor(this, 'Supervisor', {
      environment,
      bundle: bundles['supervise-consumption'],
      queue: channel.queue,
      ledger,
      worker,
      scheduleGroup: extractor.scheduleGroup,
      failedInvocations,
    });
    const reconciler = new CartReconciler(this, 'Reconciler', {
      environment,
      bundle: bundles['reconcile-carts'],
      queue: channel.queue,
      ledger,
      srmSecret,
      scheduleGroup: extractor.scheduleGroup,
      failedInvocations,
    });

    const redriver = new DeadLetterRedriver(this, 'Redriver', {
      environment,
      bundle: bundles['redrive-dead-letters'],
      channel,
      ledger,
      worker,
      failedInvocations,
    });
    channel.refuseOtherSenders(
      [extractor, worker, reconciler, redriver].map((sender) => sender.function.ownRole),
      environment.operation.redriveRoles,
    );

    const monitoring = new Monitoring(this, 'Monitoring', {
      environment,
      extractor: extractor.function,
      worker: worker.function,
      supervisor: supervisor.function,
      reconciler: reconciler.function,
      redriver: redriver.function,
      channel,
      scheduleGroups: [extractor.scheduleGroup],
    });
    const access = new AccessPolicies(this, 'Access', {
      worker: worker.function,
      invoked: [extractor, supervisor, reconciler, redriver].map((asked) => asked.function),
      ledger,
      channel,
      failedInvocations,
      vmsSecret,
    });

    if (deployment !== undefined) {
      new CfnOutput(this, 'Deployment', { value: describeDeployment(deployment) });
      // Of the functions, which run the code. Tags of the stack would change every resource at each deployment, and a
      // change of the event source mapping may enable it while deliveries are paused.
      const includeResourceTypes = ['AWS::Lambda::Function'];
      for (const [key, value] of Object.entries(deploymentTags(deployment))) {
        Tags.of(this).add(key, value, { includeResourceTypes });
      }
      // What `npm run deploy -- --diff` compares with.
      this.templateOptions.metadata = { Deployment: deployment };
    }
    new CfnOutput(this, 'ValueMaps', { value: describeValueMaps(environment) });
    new CfnOutput(this, 'DashboardUrl', { value: monitoring.dashboardUrl });
    new CfnOutput(this, 'RunbookUrl', { value: environment.notifications.runbookUrl });
    new CfnOutput(this, 'QueueUrl', { value: channel.queue.queueUrl });
    new CfnOutput(this, 'DeadLetterQueueUrl', { value: channel.deadLetters.queueUrl });
    new CfnOutput(this, 'FailedInvocationsQueueUrl', { value: failedInvocations.queueUrl });
    new CfnOutput(this, 'LedgerTableName', { value: ledger.table.tableName });
    new CfnOutput(this, 'ExtractorFunctionName', { value: extractor.function.functionName });
    new CfnOutput(this, 'ExtractorLogGroupName', { value: extractor.function.logGroup.logGroupName });
    new CfnOutput(this, 'WorkerFunctionName', { value: worker.function.functionName });
    new CfnOutput(this, 'SupervisorFunctionName', { value: supervisor.function.functionName });
    new CfnOutput(this, 'SupervisorLogGroupName', { value: supervisor.function.logGroup.logGroupName });
    new CfnOutput(this, 'ReconcilerFunctionName', { value: reconciler.function.functionName });
    new CfnOutput(this, 'ReconcilerLogGroupName', { value: reconciler.function.logGroup.logGroupName });
    new CfnOutput(this, 'RedriverFunctionName', { value: redriver.function.functionName });
    new CfnOutput(this, 'RedriverLogGroupName', { value: redriver.function.logGroup.logGroupName });
    new CfnOutput(this, 'WorkerLogGroupName', { value: worker.function.logGroup.logGroupName });
    new CfnOutput(this, 'ViewerPolicyArn', { value: access.viewer.managedPolicyArn });
    new CfnOutput(this, 'OperatorPolicyArn', { value: access.operator.managedPolicyArn });
    new CfnOutput(this, 'ContentPolicyArn', { value: access.content.managedPolicyArn });
  }
}
