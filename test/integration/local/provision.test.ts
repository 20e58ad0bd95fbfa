import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { DescribeTableCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { type Emulators, startEmulators } from '../../../infra/local/aws/emulators.ts';
import { type LocalStack, only, startLocalStack } from '../../../infra/local/aws/local-stack.ts';
import { ARTIFACT, lambdaResource, mappingResource, queueResource, writeAssembly } from './assembly.ts';

const sources = { worker: 'exports.handler = async () => null;' };
const worker = (variables: object): object => lambdaResource('worker', { Environment: { Variables: variables } });

const unexpected = (error: unknown): never => {
  throw error;
};

describe('provisioning a template', () => {
  let emulators: Emulators;
  let stack: LocalStack | undefined;
  beforeAll(async () => {
    emulators = await startEmulators();
  });
  afterEach(async () => {
    await stack?.close();
    stack = undefined;
  });
  afterAll(() => emulators.close());
  const start = async (
    resources: Readonly<Record<string, unknown>>,
    secrets: Readonly<Record<string, string>> = {},
    outputs: Readonly<Record<string, unknown>> = {},
  ): Promise<LocalStack> => {
    stack = await startLocalStack({
      assembly: writeAssembly(resources, sources, outputs),
      artifact: ARTIFACT,
      secrets,
      emulators,
      onError: unexpected,
    });
    return stack;
  };

  test('gives a queue all its attributes, and its redrive policy whatever the order of the template', async () => {
    const { queues, clients } = await start({
      Queue: queueResource({
        DelaySeconds: 3,
        MaximumMessageSize: 2048,
        MessageRetentionPeriod: 345_600,
        ReceiveMessageWaitTimeSeconds: 4,
        VisibilityTimeout: 77,
        SqsManagedSseEnabled: true,
        KmsMasterKeyId: { Ref: 'Key' },
        RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['DeadLetters', 'Arn'] }, maxReceiveCount: 4 },
      }),
      DeadLetters: queueResource({ QueueName: 'dead', MessageRetentionPeriod: 1_209_600 }),
      Key: { Type: 'AWS::KMS::Key' },
    });

    const queue = only(
      queues.filter(({ logicalId }) => logicalId === 'Queue'),
      'queue',
    );
    const { Attributes } = await clients.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({
      QueueArn: 'arn:aws:sqs:eu-west-1:000000000000:tiny-stack-Queue',
      DelaySeconds: '3',
      MaximumMessageSize: '2048',
      MessageRetentionPeriod: '345600',
      ReceiveMessageWaitTimeSeconds: '4',
      VisibilityTimeout: '77',
      SqsManagedSseEnabled: 'true',
    });
    expect(JSON.parse(Attributes?.RedrivePolicy ?? '')).toEqual({
      deadLetterTargetArn: 'arn:aws:sqs:eu-west-1:000000000000:dead',
      maxReceiveCount: 4,
    });
    expect(queue.deadLetters?.name).toBe('dead');
  });

  test('gives a table its keys, and the table works', async () => {
    const { tables, clients } = await start({
      Ledger: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          AttributeDefinitions: [
            { AttributeName: 'pk', AttributeType: 'S' },
            { AttributeName: 'sk', AttributeType: 'S' },
          ],
          KeySchema: [
            { AttributeName: 'pk', KeyType: 'HASH' },
            { AttributeName: 'sk', KeyType: 'RANGE' },
          ],
          BillingMode: 'PAY_PER_REQUEST',
          TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        },
      },
    });

    const TableName = only(tables, 'table').name;
    const { Table } = await clients.dynamodb.send(new DescribeTableCommand({ TableName }));
    expect(Table?.KeySchema).toEqual([
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ]);
    const Key = { pk: { S: 'a' }, sk: { S: 'b' } };
    await clients.dynamodb.send(new PutItemCommand({ TableName, Item: Key }));
    expect((await clients.dynamodb.send(new GetItemCommand({ TableName, Key }))).Item).toEqual(Key);
  });

  test('gives a secret the value of the caller, and makes one for a secret that is to be generated', async () => {
    const generated = { PasswordLength: 64, ExcludePunctuation: true };
    const { clients, outputs } = await start(
      {
        Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'srm', GenerateSecretString: generated } },
        Key: { Type: 'AWS::SecretsManager::Secret', Properties: { GenerateSecretString: generated } },
      },
      { srm: '{"clientId":"a"}' },
      { KeyArn: { Value: { Ref: 'Key' } } },
    );

    const { SecretString } = await clients.secretsManager.send(new GetSecretValueCommand({ SecretId: 'srm' }));
    expect(SecretString).toBe('{"clientId":"a"}');
    const key = await clients.secretsManager.send(new GetSecretValueCommand({ SecretId: outputs['KeyArn'] }));
    expect(key.SecretString).toMatch(/^\w{64}$/);
  });

  test('resolves intrinsic functions to what was provisioned', async () => {
    const { functions, outputs, region } = await start(
      {
        Worker: worker({
          URL: { Ref: 'Addressed' },
          JOINED: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':', { Ref: 'AWS::Region' }]] },
          SUBSTITUTED: {
            'Fn::Sub': ['${Addressed.QueueName}|${AWS::AccountId}|${!kept}|${own}', { own: { Ref: 'AWS::StackName' } }],
          },
          NAME: { 'Fn::Select': [5, { 'Fn::Split': [':', { 'Fn::GetAtt': ['Addressed', 'Arn'] }] }] },
          ABSENT: { Ref: 'AWS::NoValue' },
        }),
        Addressed: queueResource(),
      },
      {},
      { QueueUrl: { Value: { Ref: 'Addressed' } } },
    );

    const url = `${emulators.endpoints.sqs}/000000000000/tiny-stack-Addressed`;
    expect(only(functions, 'function').description.variables).toEqual({
      URL: url,
      JOINED: 'arn:aws:eu-west-1',
      SUBSTITUTED: 'tiny-stack-Addressed|000000000000|${kept}|tiny-stack',
      NAME: 'tiny-stack-Addressed',
    });
    expect(outputs).toEqual({ QueueUrl: url });
    expect(region).toBe('eu-west-1');
  });

  test('resolves a name that is computed from the stack id', async () => {
    const uuid = { 'Fn::Select': [2, { 'Fn::Split': ['/', { Ref: 'AWS::StackId' }] }] };
    const { queues } = await start({
      Queue: queueResource({
        QueueName: { 'Fn::Join': ['-', ['carts', { 'Fn::Select': [0, { 'Fn::Split': ['-', uuid] }] }]] },
      }),
    });

    expect(only(queues, 'queue').name).toBe('carts-00000000');
  });

  test('leaves out an output of a resource that is not provisioned locally, and resolves all others', async () => {
    const { outputs } = await start(
      { Logs: { Type: 'AWS::Logs::LogGroup' }, Addressed: queueResource() },
      {},
      {
        QueueName: { Value: { 'Fn::GetAtt': ['Addressed', 'QueueName'] } },
        LogGroup: { Value: { Ref: 'Logs' } },
        Link: { Value: { 'Fn::Join': ['', ['https://console.example/', { 'Fn::GetAtt': ['Logs', 'Arn'] }]] } },
      },
    );

    expect(outputs).toEqual({ QueueName: 'tiny-stack-Addressed' });
  });

  test.each([
    [
      'an unknown resource type',
      { Site: { Type: 'AWS::S3::Bucket' } },
      /Site: the local run does not know AWS::S3::Bucket/,
    ],
    ['an unknown property', { Queue: queueResource({ Color: 'red' }) }, /Queue \(AWS::SQS::Queue\).*Color/s],
    [
      'an unknown nested property',
      { Worker: lambdaResource('worker', { Environment: { Variables: {}, Extra: 1 } }) },
      /Worker .*Extra.*Environment/s,
    ],
    [
      'an unsupported intrinsic function',
      { Worker: worker({ A: { 'Fn::ImportValue': 'x' } }) },
      /Worker\.Properties\.Environment\.Variables\.A: Fn::ImportValue is not supported/,
    ],
    [
      'a reference to nothing',
      { Worker: worker({ A: { Ref: 'Nowhere' } }) },
      /Worker\.Properties\.Environment\.Variables\.A: the template has no resource "Nowhere"/,
    ],
    [
      'an attribute that is not there',
      { Worker: worker({ A: { 'Fn::GetAtt': ['Other', 'Color'] } }), Other: queueResource({ QueueName: 'other' }) },
      /Variables\.A: Other has no attribute "Color"/,
    ],
    [
      'a reference to an ignored resource',
      { Worker: worker({ A: { Ref: 'Topic' } }), Topic: { Type: 'AWS::SNS::Topic' } },
      /Variables\.A: refers to Topic, but AWS::SNS::Topic is not provisioned locally/,
    ],
    [
      'a dynamic reference',
      { Worker: worker({ A: '{{resolve:secretsmanager:x}}' }) },
      /Variables\.A: dynamic references/,
    ],
    ['a condition', { Worker: { ...worker({}), Condition: 'Sometimes' } }, /Worker: conditions \(Sometimes\)/],
    [
      'code that is not an asset',
      { Worker: lambdaResource('lost') },
      /Worker .*lost\.zip is not an asset of the assembly/,
    ],
    ['another runtime', { Worker: lambdaResource('worker', { Runtime: 'nodejs22.x' }) }, /Worker needs nodejs22\.x/],
    [
      'a secret without a value',
      { Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { Name: 'vms' } } },
      /Secret .*the secret "vms" has no value/,
    ],
    [
      'an unreadable schedule',
      {
        Worker: worker({}),
        Schedule: {
          Type: 'AWS::Scheduler::Schedule',
          Properties: { ScheduleExpression: 'at(2026-01-01)', Target: { Arn: { 'Fn::GetAtt': ['Worker', 'Arn'] } } },
        },
      },
      /"at\(2026-01-01\)" is no schedule/,
    ],
    [
      'an event filter',
      {
        Queue: queueResource({ QueueName: 'filtered' }),
        Worker: worker({}),
        Mapping: mappingResource({ FilterCriteria: {} }),
      },
      /Mapping .*FilterCriteria/s,
    ],
  ])('refuses %s by name', async (_what, resources, message) => {
    await expect(start(resources)).rejects.toThrow(message);
  });
});
