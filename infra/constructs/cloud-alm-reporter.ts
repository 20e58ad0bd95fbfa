/** The function that tells SAP Cloud ALM how the interface is, and its schedule. */
import { Duration, Stack, TimeZone, Validations } from 'aws-cdk-lib';
import { MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, type ScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { CloudAlmReporterVariables } from '../../shared/environment.ts';
import type { Environment } from '../environments.ts';
import { silenceMs } from '../schedule.ts';
import { type AlarmCondition, silenceOf } from './alarms.ts';
import type { CartChannel } from './cart-channel.ts';
import { ConnectionSecret } from './connection-secret.ts';
import { FunctionTarget } from './function-target.ts';
import { basicVariables, InterfaceFunction } from './interface-function.ts';

export interface CloudAlmReporterProps {
  readonly environment: Environment;
  readonly settings: NonNullable<Environment['cloudAlm']>;
  readonly bundle: string;
  readonly channel: Pick<CartChannel, 'queue' | 'deadLetters'>;
  readonly scheduleGroup: ScheduleGroup;
}

export class CloudAlmReporter extends Construct {
  readonly function: InterfaceFunction;
  readonly alarm: AlarmCondition;

  constructor(scope: Construct, id: string, props: CloudAlmReporterProps) {
    super(scope, id);
    const { environment, settings, channel } = props;
    const secret = new ConnectionSecret(this, 'Secret', { connection: settings, system: 'SAP Cloud ALM' });
    const variables: CloudAlmReporterVariables = {
      ...basicVariables(environment, 'cloudAlmReporter'),
      CLOUD_ALM_API_URL: settings.apiUrl,
      CLOUD_ALM_TOKEN_URL: settings.tokenUrl,
      CLOUD_ALM_SECRET: settings.secretName,
      CLOUD_ALM_SERVICE_ID: settings.serviceId,
      QUEUE_NAME: channel.queue.queueName,
      DEAD_LETTER_QUEUE_NAME: channel.deadLetters.queueName,
      ALARM_PREFIX: `${Stack.of(this).stackName}-`,
    };
    // Neither in the network of the landscape, since Cloud ALM and CloudWatch are public, nor with a queue for failed
    // invocations: a report that was missed is worth nothing later.
    this.function = new InterfaceFunction(this, 'Function', {
      environment,
      bundle: props.bundle,
      service: 'cloudAlmReporter',
      description: 'Tells SAP Cloud ALM how the interface is',
      timeoutSeconds: 60,
      memoryMegabytes: 256,
      variables,
    });
    secret.grantRead(this.function);
    this.function.addToRolePolicy(
      new PolicyStatement({ actions: ['cloudwatch:DescribeAlarms', 'cloudwatch:GetMetricData'], resources: ['*'] }),
    );
    Validations.of(this.function.ownRole).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'CloudWatch has no resources to name for reading metrics and listing alarms; nor has X-Ray.',
    });
    new Schedule(this, 'Schedule', {
      description: 'Tells SAP Cloud ALM how the interface is',
      scheduleGroup: props.scheduleGroup,
      schedule: ScheduleExpression.expression(settings.schedule, TimeZone.of(environment.extraction.timeZone)),
      target: new FunctionTarget(this.function, { retryAttempts: 0, maxEventAge: Duration.minutes(1) }),
    });
    this.alarm = this.#notTold(environment, settings);
  }

  /** An alarm on silence: it sees a push that failed, a run that did not take place, and one that Lambda throttled. */
  #notTold({ extraction }: Environment, { schedule }: CloudAlmReporterProps['settings']): AlarmCondition {
    return {
      ...silenceOf(
        Duration.millis(silenceMs({ schedule, timeZone: extraction.timeZone }, INTERVALS)),
        (period) =>
          new MathExpression({
            expression: 'invocations - errors',
            usingMetrics: {
              invocations: this.function.metricInvocations({ period }),
              errors: this.function.metricErrors({ period }),
            },
            label: 'Reports that Cloud ALM took',
            period,
          }),
      ),
      threshold: 1,
      below: true,
      missing: TreatMissingData.BREACHING,
    };
  }
}

/** A report or two that fail are made up for by the next. */
const INTERVALS = 3;
