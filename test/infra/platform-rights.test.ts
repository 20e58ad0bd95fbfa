/** Least privilege of the optional blocks: every role that they add, whom it trusts, and what it may do on which resource. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as z from 'zod';
import { entryOf, EVERYTHING } from './normalized-stack.ts';
import { asText, ofType, refSchema, type Synthesis, synthesizeStack } from './synthesis.ts';

const directory = mkdtempSync(join(tmpdir(), 'platform-rights-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let everything: Synthesis;
let prod: Synthesis;
beforeAll(async () => {
  [everything, prod] = await Promise.all([
    synthesizeStack(entryOf(EVERYTHING, directory), join(directory, EVERYTHING)),
    synthesizeStack('prod', join(directory, 'prod')),
  ]);
}, 180_000);

const list = z.union([z.string().transform((text) => [text]), z.array(z.string())]);
const statements = z.array(
  z.object({
    Action: list,
    Resource: z.unknown().optional(),
    Condition: z.unknown().optional(),
    Principal: z.unknown().optional(),
  }),
);
const document = z.object({ Statement: statements });
const roleSchema = z.object({
  AssumeRolePolicyDocument: document,
  Policies: z.array(z.object({ PolicyDocument: document })).default([]),
});
const policySchema = z.object({ PolicyDocument: document, Roles: z.array(refSchema).default([]) });

/** The roles that the blocks add: whom each trusts, and its rights as `action on resource`. */
function addedRoles() {
  const before = new Set(ofType(prod, 'AWS::IAM::Role').map(({ id }) => id));
  const policies = ofType(everything, 'AWS::IAM::Policy').map(({ Properties }) => policySchema.parse(Properties));
  return ofType(everything, 'AWS::IAM::Role')
    .filter(({ id }) => !before.has(id))
    .map(({ id, Properties }) => {
      const { AssumeRolePolicyDocument, Policies } = roleSchema.parse(Properties);
      const documents = [
        ...Policies.map(({ PolicyDocument }) => PolicyDocument),
        ...policies
          .filter(({ Roles }) => Roles.some(({ Ref }) => Ref === id))
          .map(({ PolicyDocument }) => PolicyDocument),
      ];
      const rights = documents.flatMap(({ Statement }) =>
        Statement.flatMap(({ Action, Resource }) =>
          (Array.isArray(Resource) ? Resource : [Resource]).flatMap((resource: unknown) =>
            Action.map((action) => `${action} on ${nameOf(asText(resource))}`),
          ),
        ),
      );
      return { id: nameOf(id), trust: AssumeRolePolicyDocument.Statement, rights: rights.sort() };
    });
}

/** Without the hash that CDK appends to an id. */
const nameOf = (text: string): string => text.replaceAll(/(?<=[a-z\d])[0-9A-F]{8}(?=[.}]|$)/g, '');

const ofFunction = (logs: string): string[] => [
  `logs:CreateLogStream on {${logs}.Arn}`,
  `logs:PutLogEvents on {${logs}.Arn}`,
  'xray:PutTelemetryRecords on *',
  'xray:PutTraceSegments on *',
];
const ofFirehose = (secret: string): string[] => [
  'logs:PutLogEvents on {LogForwardingErrors.Arn}',
  's3:AbortMultipartUpload on {LogForwardingFailedRecords.Arn}/*',
  's3:GetBucketLocation on {LogForwardingFailedRecords.Arn}',
  's3:GetObject on {LogForwardingFailedRecords.Arn}/*',
  's3:ListBucket on {LogForwardingFailedRecords.Arn}',
  's3:ListBucketMultipartUploads on {LogForwardingFailedRecords.Arn}',
  's3:PutObject on {LogForwardingFailedRecords.Arn}/*',
  `secretsmanager:GetSecretValue on {${secret}}`,
];
const ofLogs = (stream: string): string[] => [
  `firehose:PutRecord on {${stream}.Arn}`,
  `firehose:PutRecordBatch on {${stream}.Arn}`,
];
const OF_PIPE = [
  'dynamodb:DescribeStream on {LedgerTable.StreamArn}',
  'dynamodb:GetRecords on {LedgerTable.StreamArn}',
  'dynamodb:GetShardIterator on {LedgerTable.StreamArn}',
  'dynamodb:ListStreams on {LedgerTable.StreamArn}',
  'events:PutEvents on {EventsBus.Arn}',
  'sqs:SendMessage on {EventsUndelivered.Arn}',
];

/** What each role may do, and no more. */
const RIGHTS: Readonly<Record<string, readonly string[]>> = {
  CloudAlmReporterFunctionRole: [
    // Neither action knows a resource.
    'cloudwatch:DescribeAlarms on *',
    'cloudwatch:GetMetricData on *',
    ...ofFunction('CloudAlmReporterFunctionLogsGroup'),
    'secretsmanager:GetSecretValue on {CloudAlmReporterSecret}',
  ],
  EventsPurchaseOrderCreatedv1Role: OF_PIPE,
  EventsShoppingCartDeadLetteredv1Role: OF_PIPE,
  Eventsarchiverole: ['events:InvokeApiDestination on {EventsarchivedestinationApiDestination.Arn}'],
  Eventseventmeshrole: ['events:InvokeApiDestination on {EventseventmeshdestinationApiDestination.Arn}'],
  LogForwardingElasticRole: ofFirehose('LogForwardingElasticSecret'),
  LogForwardingSplunkRole: ofFirehose('LogForwardingSplunkSecret'),
  LogForwardingToElasticRole: ofLogs('LogForwardingElastic'),
  LogForwardingToSplunkRole: ofLogs('LogForwardingSplunk'),
  MonitoringPagerDutyRole: ['events:InvokeApiDestination on {MonitoringPagerDutyEventsApiApiDestination.Arn}'],
  OrderNumbersFunctionRole: [
    ...ofFunction('OrderNumbersFunctionLogsGroup'),
    'dynamodb:GetItem on {LedgerTable.Arn}',
    'dynamodb:PutItem on {LedgerTable.Arn}',
    'dynamodb:Query on {LedgerTable.Arn}',
    'secretsmanager:GetSecretValue on {SrmSecret}',
    ...['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'GetQueueUrl', 'ReceiveMessage'].map(
      (action) => `sqs:${action} on {OrderNumbersQueue.Arn}`,
    ),
    'sqs:SendMessage on {FailedInvocationsQueue.Arn}',
  ],
  SchedulerRoleForTarget: ['lambda:InvokeFunction on {CloudAlmReporterFunction.Arn}'],
};

test('each role that a block adds may do this and no more', () => {
  const rights = Object.fromEntries(
    addedRoles().map(({ id, rights: own }) => [id.replace(/^(SchedulerRoleForTarget).*/, '$1'), own]),
  );

  expect(rights).toEqual(Object.fromEntries(Object.entries(RIGHTS).map(([id, own]) => [id, own.toSorted()])));
});

test('a role that no function has is for a service of AWS that acts for this account', () => {
  const trusts = addedRoles().filter(({ id }) => !id.endsWith('FunctionRole'));

  expect(trusts.length).toBeGreaterThan(8);
  for (const { id, trust } of trusts) {
    const text = JSON.stringify(trust);
    expect({
      id,
      isHeld: /"aws:SourceAccount":"123456789012"|"aws:SourceArn":"arn:aws:logs:eu-west-1:123456789012:\*"/.test(text),
    }).toEqual({
      id,
      isHeld: true,
    });
    expect(text).toMatch(/"Principal":\{"Service":"(events|firehose|logs|pipes|scheduler)\.amazonaws\.com"\}/);
  }
});

test('the template with every block holds no secret: what CloudFormation reads is a reference', () => {
  const resolved = [...everything.text.matchAll(/\{\{resolve:secretsmanager:([^:]+):SecretString:[a-zA-Z]*::\}\}/g)];

  expect(new Set(resolved.map(([, name]) => name))).toEqual(
    new Set(['acme/pagerduty', 'acme/event-mesh', 'acme/archive']),
  );
  expect(everything.text).not.toMatch(/"HECToken"|"AccessKey"/);
});
