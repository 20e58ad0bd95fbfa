/** What of the events and the order numbers depends on the entry: pipes, alarms, and the accounts that the bus lets in. */
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { OutgoingEvents } from '../../infra/constructs/outgoing-events.ts';
import type { ExpectedResource } from '../../infra/doctor/expected-stack.ts';
import { type Environment, loadEnvironment } from '../../infra/environments.ts';
import { alarmOf, EVERYTHING_ENVIRONMENT, metricsOf, resourcesWith } from './synthesis.ts';

type Blocks = Pick<Environment, 'events' | 'orderNumbers'>;

const templateOf = (blocks: Blocks): Template => Template.fromStack(Stack.of(eventsOf(blocks)));

function eventsOf(blocks: Blocks): OutgoingEvents {
  const stack = new Stack(new App({ builtinCloudFormationValidation: false }), 'stack', {
    env: { account: '123456789012', region: 'eu-west-1' },
  });
  const environment = { ...loadEnvironment('dev'), ...blocks };
  const streamArn = 'arn:aws:dynamodb:eu-west-1:123456789012:table/ledger/stream/2026-11-29T00:00:00.000';
  return new OutgoingEvents(stack, 'Events', { environment, streamArn });
}

const ofType = (template: Template, type: string): Record<string, unknown>[] =>
  Object.values(template.findResources(type)).map(({ Properties }) => Properties);

test('order numbers alone need the pipe of orders, and no other', () => {
  const template = templateOf({ orderNumbers: undefined, events: undefined });

  expect(ofType(template, 'AWS::Pipes::Pipe').map(({ Description }) => Description)).toEqual([
    'From the ledger to the bus: PurchaseOrder.Created.v1',
  ]);
  expect(JSON.stringify(template.toJSON())).toContain('internal.purchaseorder.v1.PurchaseOrder.Created.v1');
  template.resourceCountIs('AWS::Events::Rule', 0);
});

test('a pipe that stands still has an alarm, also with order numbers alone; events given up have one only with events', () => {
  const events = { typePrefix: 'acme.procurement', subscribers: {}, accounts: [] };

  expect(Object.keys(eventsOf({ orderNumbers: undefined, events: undefined }).alarms)).toEqual([
    'events-standing-still',
  ]);
  expect(Object.keys(eventsOf({ orderNumbers: undefined, events }).alarms).sort()).toEqual([
    'events-standing-still',
    'events-undelivered',
  ]);
});

describe('with order numbers alone', () => {
  let resources: readonly ExpectedResource[];
  beforeAll(async () => {
    resources = await resourcesWith({ orderNumbers: EVERYTHING_ENVIRONMENT.orderNumbers });
  }, 120_000);

  test('one alarm tells of numbers given up, of numbers not tried for two days, and of events that never came', () => {
    const alarm = alarmOf(resources, 'order-numbers-unwritten');

    expect(metricsOf(alarm)).toEqual([
      'ApproximateNumberOfMessagesVisible',
      'ApproximateAgeOfOldestMessage',
      'ApproximateNumberOfMessagesVisible',
      'ExecutionFailed',
    ]);
    expect(JSON.stringify(alarm)).toContain('"IF(FILL(numbersAge, 0) >= 172800, 1, 0)"');
  });

  test('the alarm on throttled functions watches each of the six, that of the order numbers included', () => {
    expect(metricsOf(alarmOf(resources, 'functions-throttled'))).toHaveLength(6);
  });
});

test("a template has quotes around each variable of a text, and none around that of a list, as EventBridge's guide says", () => {
  const events = { typePrefix: 'acme.procurement', subscribers: {}, accounts: [] };
  const templates = ofType(templateOf({ orderNumbers: undefined, events }), 'AWS::Pipes::Pipe').map(
    ({ TargetParameters }) => String(Reflect.get(Object(TargetParameters), 'InputTemplate')),
  );
  const variables = templates.flatMap((template) => template.match(/"?<[^>]+>"?/g) ?? []);

  expect(variables.length).toBeGreaterThan(12);
  expect(variables.filter((variable) => !variable.startsWith('"'))).toEqual(['<$.dynamodb.NewImage.event.M.codes.SS>']);
  expect(variables.filter((variable) => variable.startsWith('"') !== variable.endsWith('"'))).toEqual([]);
});

test('a pipe tries a record again for as long as it is in the stream, and not only so often', () => {
  const [pipe] = ofType(templateOf({ orderNumbers: undefined, events: undefined }), 'AWS::Pipes::Pipe');

  expect(pipe?.['SourceParameters']).toMatchObject({
    DynamoDBStreamParameters: {
      MaximumRetryAttempts: -1,
      MaximumRecordAgeInSeconds: 23 * 3600,
      OnPartialBatchItemFailure: 'AUTOMATIC_BISECT',
    },
  });
});

test('another account may make rules of its own on the bus, of the events of this interface alone', () => {
  const events = { typePrefix: 'acme.procurement', subscribers: {}, accounts: ['210987654321'] };
  const [policy, ...others] = ofType(templateOf({ orderNumbers: undefined, events }), 'AWS::Events::EventBusPolicy');

  expect(others).toEqual([]);
  expect(policy?.['Statement']).toMatchObject({
    Effect: 'Allow',
    Action: expect.not.arrayContaining(['events:PutEvents']),
    Condition: {
      StringEqualsIfExists: {
        'events:creatorAccount': '${aws:PrincipalAccount}',
        'events:source': 'proc-srm7-11vms-purchase-order-v1',
      },
    },
  });
  expect(JSON.stringify(policy)).toContain(':iam::210987654321:root');
});
