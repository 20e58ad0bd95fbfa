/** What operators read: alarms and their recipients, the dashboard, and the saved queries. */
import { Stack } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { Environment } from '../environments.ts';
import { Alarms, type PlatformConditions } from './alarms.ts';
import type { CartChannel } from './cart-channel.ts';
import { InterfaceDashboard } from './dashboard.ts';
import { Notifications } from './notifications.ts';
import { PagerDuty } from './pager-duty.ts';
import { SavedQueries } from './saved-queries.ts';

export interface MonitoringProps {
  readonly environment: Environment;
  readonly extractor: LambdaFunction;
  readonly worker: LambdaFunction;
  readonly supervisor: LambdaFunction;
  readonly reconciler: LambdaFunction;
  readonly redriver: LambdaFunction;
  /** Those of the optional blocks of the environment. */
  readonly optionalFunctions: readonly LambdaFunction[];
  readonly channel: Pick<CartChannel, 'queue' | 'deadLetters'>;
  /** Every group with a schedule of the stack. */
  readonly scheduleGroups: readonly IScheduleGroup[];
  /** The conditions of the alarms of the optional blocks. */
  readonly platforms?: PlatformConditions;
}

export class Monitoring extends Construct {
  readonly dashboardUrl: string;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { environment, extractor, worker, supervisor, reconciler, redriver, optionalFunctions } = props;
    const { scheduleGroups, platforms = {} } = props;
    const { queue, deadLetters } = props.channel;
    const watched = { environment, extractor, worker, supervisor, reconciler, redriver, queue, deadLetters };
    const logGroupNames = [extractor, worker, supervisor, reconciler, redriver, ...optionalFunctions].map(
      (lambda) => lambda.logGroup.logGroupName,
    );
    const notifications = new Notifications(this, 'Notifications', { environment });
    const alarms = new Alarms(this, 'Alarms', {
      ...watched,
      optionalFunctions,
      notifications,
      scheduleGroups,
      platforms,
    });
    const dashboard = new InterfaceDashboard(this, 'Dashboard', { ...watched, alarms: alarms.all, logGroupNames });
    const { region } = Stack.of(this);
    this.dashboardUrl = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboard.name}`;
    const { pagerDuty } = environment.notifications;
    if (pagerDuty !== undefined) {
      new PagerDuty(this, 'PagerDuty', {
        environment,
        settings: pagerDuty,
        pages: alarms.pages,
        undelivered: notifications.undeliveredPages,
        dashboardUrl: this.dashboardUrl,
      });
    }
    new SavedQueries(this, 'SavedQueries', { logGroupNames });
  }
}
