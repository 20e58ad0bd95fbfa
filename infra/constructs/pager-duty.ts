/**
 * Pages at PagerDuty, by its Events API v2: two rules for each paging alarm, one that opens the incident and one that
 * resolves it. PagerDuty's own integration of CloudWatch over SNS is not used: it reads the message of a metric alarm,
 * and what pages here are composite alarms.
 */
import { Duration, SecretValue, Stack } from 'aws-cdk-lib';
import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import {
  ApiDestination,
  Authorization,
  Connection,
  EventField,
  HttpParameter,
  Rule,
  RuleTargetInput,
} from 'aws-cdk-lib/aws-events';
import { ApiDestination as ApiDestinationTarget } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Environment } from '../environments.ts';
import { namedOwners } from '../owners.ts';
import { pageAddress } from '../platforms/pager-duty-settings.ts';
import type { PageText } from './alarm-texts.ts';

export interface Page {
  /** The end of the alarm's name. */
  readonly name: string;
  readonly alarm: IAlarm;
  readonly text: PageText;
}

export interface PagerDutyProps {
  readonly environment: Environment;
  readonly settings: NonNullable<Environment['notifications']['pagerDuty']>;
  /** The alarms that page. */
  readonly pages: readonly Page[];
  /** Keeps what PagerDuty did not take. */
  readonly undelivered: IQueue;
  readonly dashboardUrl: string;
}

export class PagerDuty extends Construct {
  constructor(scope: Construct, id: string, props: PagerDutyProps) {
    super(scope, id);
    const { environment, settings, pages, undelivered, dashboardUrl } = props;
    const connection = new Connection(this, 'Connection', {
      description: `PagerDuty, for PROC-SRM7-11VMS-PURCHASE-ORDER-V1 (${environment.name})`,
      // The Events API v2 knows no header for its key. A connection must have one: this one says who calls.
      authorization: Authorization.apiKey(
        'X-Interface',
        SecretValue.unsafePlainText('PROC-SRM7-11VMS-PURCHASE-ORDER-V1'),
      ),
      // Resolved by CloudFormation: the template holds a reference, never the key.
      bodyParameters: {
        routing_key: HttpParameter.fromSecret(SecretValue.secretsManager(settings.routingKeySecretName)),
      },
    });
    const { apiDestinationArn } = new ApiDestination(this, 'EventsApi', {
      connection,
      endpoint: pageAddress(settings.region),
    });
    // By its ARN: the class does not fit its own interface under `exactOptionalPropertyTypes`.
    const destination = ApiDestination.fromApiDestinationAttributes(this, 'Destination', {
      apiDestinationArn,
      connection,
    });
    const eventRole = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('events.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    const rule = (name: string, alarm: IAlarm, state: object, event: RuleTargetInput): void => {
      new Rule(this, name, {
        eventPattern: {
          source: ['aws.cloudwatch'],
          detailType: ['CloudWatch Alarm State Change'],
          resources: [alarm.alarmArn],
          detail: { state },
        },
        targets: [
          new ApiDestinationTarget(destination, {
            event,
            eventRole,
            deadLetterQueue: undelivered,
            retryAttempts: 185,
            // A page that is older than an hour is told by the mail of `pages-undelivered`.
            maxEventAge: Duration.hours(1),
          }),
        ],
      });
    };
    for (const { name, alarm, text } of pages) {
      rule(
        `${name}-trigger`,
        alarm,
        // No alarm here has a suppressor. CloudWatch sends the event also of an alarm that is suppressed.
        { value: ['ALARM'], actionsSuppressedBy: [{ exists: false }] },
        RuleTargetInput.fromObject({
          event_action: 'trigger',
          dedup_key: alarm.alarmArn,
          payload: {
            summary: `Purchase orders ${environment.name}: ${text.what} Impact: ${text.impact}`,
            source: alarm.alarmArn,
            severity: text.severity,
            timestamp: EventField.fromPath('$.detail.state.timestamp'),
            component: 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1',
            group: Stack.of(this).stackName,
            class: name,
            custom_details: {
              runbook: withoutVariables(`${environment.notifications.runbookUrl}#${name}`),
              owners: namedOwners(environment, text.owners ?? []).map(withoutVariables),
              // The whole state, with its reason: EventBridge inserts an object as JSON, and a text without escaping it.
              alarm: EventField.fromPath('$.detail.state'),
            },
          },
          links: [
            ...runbookLink(environment.notifications.runbookUrl, name),
            { href: dashboardUrl, text: 'Dashboard' },
          ],
        }),
      );
      rule(
        `${name}-resolve`,
        alarm,
        { value: ['OK'] },
        RuleTargetInput.fromObject({ event_action: 'resolve', dedup_key: alarm.alarmArn }),
      );
    }
  }
}

/** In a template, `<name>` is a variable, and no character escapes it: a contact may be `Operators <ops@example.com>`. */
const withoutVariables = (text: string): string => text.replaceAll('<', '(').replaceAll('>', ')');

/** PagerDuty links to a URL; a runbook may also be a file of the repository. */
const runbookLink = (url: string, heading: string): { href: string; text: string }[] =>
  /^https?:\/\//.test(url) ? [{ href: withoutVariables(`${url}#${heading}`), text: 'Runbook' }] : [];
