/** The whole interface for one environment. */
import { Annotations, CfnOutput, Duration, Stack, type StackProps, Tags } from 'aws-cdk-lib';
import type { ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { Construct } from 'constructs';
import type { Bundles } from './bundle.ts';
import { AccessPolicies } from './constructs/access-policies.ts';
import { CartChannel } from './constructs/cart-channel.ts';
import { CartReconciler } from './constructs/cart-reconciler.ts';
import { CloudAlmReporter } from './constructs/cloud-alm-reporter.ts';
import { ConnectionSecret } from './constructs/connection-secret.ts';
import { ConsumptionSupervisor } from './constructs/consumption-supervisor.ts';
import { DeadLetterRedriver } from './constructs/dead-letter-redriver.ts';
import { FailedInvocations } from './constructs/failed-invocations.ts';
import { InterfaceFunction } from './constructs/interface-function.ts';
import { LedgerTable } from './constructs/ledger-table.ts';
import { LogForwarding } from './constructs/log-forwarding.ts';
import { MessageKey } from './constructs/message-key.ts';
import { Monitoring } from './constructs/monitoring.ts';
import { OrderNumberWriter, type OrderNumberWriterProps } from './constructs/order-number-writer.ts';
import { OrderWorker } from './constructs/order-worker.ts';
import { OutgoingEvents } from './constructs/outgoing-events.ts';
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
    const ledger = new LedgerTable(this, 'Ledger', {
      isProtected: !isBeingCreated,
      hasStream: environment.events !== undefined || environment.orderNumbers !== undefined,
    });
    const channel = new CartChannel(this, 'CartChannel', {
      workerTimeout: Duration.seconds(environment.delivery.timeoutSeconds),
      batchingWindow: Duration.seconds(environment.delivery.batchingWindowSeconds),
    });
    const messageKey = new MessageKey(this, 'MessageKey');
    const failedInvocations = new FailedInvocations(this, 'FailedInvocations').queue;
    const extractor = new ScheduledExtractor(this, 'Extractor', {
      environment,
      bundle: bundles['extract-approved-carts'],
      queue: channel.queue,
      ledger,
      srmSecret,
      messageKey,
      failedInvocations,
    });
    const worker = new OrderWorker(this, 'Worker', {
      environment,
      bundle: bundles['create-purchase-orders'],
      channel,
      ledger,
      srmSecret,
      vmsSecret,
      messageKey,
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
      messageKey,
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
    const { contentRoles, redriveRoles } = environment.operation;
    channel.refuseOtherSenders(
      [extractor, worker, reconciler, redriver].map((sender) => sender.function.ownRole),
      redriveRoles,
    );
    channel.refuseOtherReceivers(
      { worker: worker.function.ownRole, redriver: redriver.function.ownRole },
      { readers: [...new Set([...contentRoles, ...redriveRoles])], redriveRoles },
    );

    const events = this.#events(environment, ledger);
    const numberWriter = this.#numberWriter(props, events, { ledger, srmSecret, failedInvocations });
    const cloudAlmReporter = this.#cloudAlmReporter(props, channel, extractor.scheduleGroup);
    const optionalFunctions = [numberWriter, cloudAlmReporter].flatMap((made) => made?.function ?? []);
    // After the last function: their logs are forwarded, each of them.
    const logForwarding = this.#logForwarding(environment);

    const monitoring = new Monitoring(this, 'Monitoring', {
      environment,
      extractor: extractor.function,
      worker: worker.function,
      supervisor: supervisor.function,
      reconciler: reconciler.function,
      redriver: redriver.function,
      optionalFunctions,
      channel,
      scheduleGroups: [extractor.scheduleGroup],
      platforms: {
        ...events?.alarms,
        ...numberWriter?.alarms,
        ...(logForwarding === undefined ? {} : { 'logs-not-forwarded': logForwarding.alarm }),
        ...(cloudAlmReporter === undefined ? {} : { 'cloud-alm-not-told': cloudAlmReporter.alarm }),
      },
    });
    const access = new AccessPolicies(this, 'Access', {
      worker: worker.function,
      invoked: [extractor, supervisor, reconciler, redriver].map((asked) => asked.function),
      optional: optionalFunctions,
      ledger,
      channel,
      failedInvocations,
      vmsSecret,
    });

    if (deployment !== undefined) {
      // Of the functions, which run the code. Tags of the stack would change every resource at each deployment, and a
      // change of the event source mapping may enable it while consumption is paused.
      const includeResourceTypes = ['AWS::Lambda::Function'];
      for (const [key, value] of Object.entries(deploymentTags(deployment))) {
        Tags.of(this).add(key, value, { includeResourceTypes });
      }
      // What `npm run deploy -- --diff` compares with.
      this.templateOptions.metadata = { Deployment: deployment };
    }
    this.#outputs({
      Deployment: deployment && describeDeployment(deployment),
      EventBusName: events?.bus.eventBusName,
      UndeliveredEventsQueueUrl: events?.undelivered.queueUrl,
      OrderNumbersQueueUrl: numberWriter?.queue.queueUrl,
      UnwrittenNumbersQueueUrl: numberWriter?.deadLetters.queueUrl,
      NumberWriterFunctionName: numberWriter?.function.functionName,
      NumberWriterLogGroupName: numberWriter?.function.logGroup.logGroupName,
      ValueMaps: describeValueMaps(environment),
      DashboardUrl: monitoring.dashboardUrl,
      RunbookUrl: environment.notifications.runbookUrl,
      QueueUrl: channel.queue.queueUrl,
      DeadLetterQueueUrl: channel.deadLetters.queueUrl,
      FailedInvocationsQueueUrl: failedInvocations.queueUrl,
      MessageKeyArn: messageKey.arn,
      LedgerTableName: ledger.table.tableName,
      ExtractorFunctionName: extractor.function.functionName,
      ExtractorLogGroupName: extractor.function.logGroup.logGroupName,
      WorkerFunctionName: worker.function.functionName,
      SupervisorFunctionName: supervisor.function.functionName,
      SupervisorLogGroupName: supervisor.function.logGroup.logGroupName,
      ReconcilerFunctionName: reconciler.function.functionName,
      ReconcilerLogGroupName: reconciler.function.logGroup.logGroupName,
      RedriverFunctionName: redriver.function.functionName,
      RedriverLogGroupName: redriver.function.logGroup.logGroupName,
      WorkerLogGroupName: worker.function.logGroup.logGroupName,
      ReporterFunctionName: cloudAlmReporter?.function.functionName,
      ReporterLogGroupName: cloudAlmReporter?.function.logGroup.logGroupName,
      ViewerPolicyArn: access.viewer.managedPolicyArn,
      OperatorPolicyArn: access.operator.managedPolicyArn,
      ContentPolicyArn: access.content.managedPolicyArn,
    });
  }

  #events(environment: Environment, ledger: LedgerTable): OutgoingEvents | undefined {
    if (!ledger.hasStream) return undefined;
    return new OutgoingEvents(this, 'Events', { environment, streamArn: ledger.streamArn });
  }

  #numberWriter(
    { environment, bundles }: PurchaseOrderStackProps,
    events: OutgoingEvents | undefined,
    parts: Pick<OrderNumberWriterProps, 'ledger' | 'srmSecret' | 'failedInvocations'>,
  ): OrderNumberWriter | undefined {
    const { orderNumbers: settings } = environment;
    if (events === undefined || settings === undefined) return undefined;
    const bundle = bundled(bundles, 'write-order-numbers');
    return new OrderNumberWriter(this, 'OrderNumbers', { environment, settings, bundle, events, ...parts });
  }

  #cloudAlmReporter(
    { environment, bundles }: PurchaseOrderStackProps,
    channel: CartChannel,
    scheduleGroup: ScheduleGroup,
  ): CloudAlmReporter | undefined {
    const { cloudAlm: settings } = environment;
    if (settings === undefined) return undefined;
    const bundle = bundled(bundles, 'report-to-cloud-alm');
    return new CloudAlmReporter(this, 'CloudAlmReporter', { environment, settings, bundle, channel, scheduleGroup });
  }

  #logForwarding(environment: Environment): LogForwarding | undefined {
    const { logForwarding: settings } = environment;
    if (settings === undefined) return undefined;
    const functions = this.node.findAll().filter((made) => made instanceof InterfaceFunction);
    return new LogForwarding(this, 'LogForwarding', { environment, settings, functions });
  }

  /** What is undefined belongs to a block that the environment does not have. */
  #outputs(values: Readonly<Record<string, string | undefined>>): void {
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined) new CfnOutput(this, name, { value });
    }
  }
}

/** @throws {Error} where infra/bundle.ts did not bundle the function of an optional block. */
function bundled(bundles: Bundles, folder: keyof Bundles): string {
  const bundle = bundles[folder];
  if (bundle === undefined) throw new Error(`The function ${folder} is not bundled`);
  return bundle;
}
