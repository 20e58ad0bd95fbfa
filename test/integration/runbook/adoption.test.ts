/**
 * The runbook's "Adopt what a deleted stack left", to the letter: its commands find what a deleted stack left, and the
 * CDK that package.json pins asks CloudFormation to create a stack around that, and around nothing else.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { PINNED_CDK } from '../../../infra/deploy/cdk-command.ts';
import { loadEnvironment, stackName } from '../../../infra/environments.ts';
import { synthesizeOnce } from '../../../infra/synthesis-cache.ts';

const runbook = readFileSync(join(import.meta.dirname, '../../../infra/runbook.md'), 'utf8');
const chapter = runbook.split('\n## Adopt what a deleted stack left\n')[1]?.split('\n## ')[0] ?? '';
const [, findings = ''] = /```\n([\s\S]+?)```/.exec(chapter) ?? [];
const [, importCommand = ''] = /`npx cdk (import [^`]+)`/.exec(chapter) ?? [];

// The runbook requires both from an operator; a developer without them can work on everything else.
const hasShell = ['bash', 'jq'].every((program) => spawnSync(program, ['--version']).status === 0);
const walk = hasShell ? describe : describe.skip;

const STACK = stackName(loadEnvironment('prod'));
const directory = mkdtempSync(join(tmpdir(), 'adoption-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const templateSchema = z.object({
  Resources: z.record(z.string(), z.object({ Type: z.string(), DeletionPolicy: z.string().default('Delete') })),
});
let assembly = '';
let resources: [string, { readonly Type: string; readonly DeletionPolicy: string }][] = [];
beforeAll(async () => {
  const synthesized = await synthesizeOnce(loadEnvironment('prod'), join(directory, 'assembly'), { isChecked: true });
  assembly = synthesized.directory;
  const template = readFileSync(join(assembly, `${synthesized.artifact}.template.json`), 'utf8');
  resources = Object.entries(templateSchema.parse(JSON.parse(template)).Resources);
}, 180_000);

const left = (): string[] =>
  resources.filter(([, { DeletionPolicy }]) => DeletionPolicy !== 'Delete').map(([logicalId]) => logicalId);

/** The `aws` of an account in which the stack was deleted twice. */
function writeAws(): void {
  const stack = (StackId: string, StackName: string, DeletionTime: string) => ({ StackId, StackName, DeletionTime });
  const answers = {
    'list-stacks': {
      StackSummaries: [
        stack('arn:older', STACK, '2026-11-01T10:00:00.000000+00:00'),
        stack('arn:latest', STACK, '2026-11-27T10:00:00.000000+00:00'),
        stack('arn:another', `${STACK}-x`, '2026-11-28T10:00:00.000000+00:00'),
      ],
    },
    'list-stack-resources': {
      StackResourceSummaries: resources.map(([LogicalResourceId, { Type, DeletionPolicy }]) => ({
        LogicalResourceId,
        PhysicalResourceId: `of-${LogicalResourceId}`,
        ResourceType: Type,
        ResourceStatus: DeletionPolicy === 'Delete' ? 'DELETE_COMPLETE' : 'DELETE_SKIPPED',
      })),
    },
  };
  const program = join(directory, 'aws');
  writeFileSync(
    program,
    `#!${process.execPath}
    const [, operation, ...flags] = process.argv.slice(2);
    if (operation === 'list-stack-resources' && flags[1] !== 'arn:latest') throw new Error('not the stack: ' + flags[1]);
    console.log(JSON.stringify(${JSON.stringify(answers)}[operation]));`,
  );
  chmodSync(program, 0o755);
}

/** Answers the CDK until it has asked for a change set, which it keeps; there is no stack. */
async function startCloudFormation() {
  const asked: URLSearchParams[] = [];
  const answers: Readonly<Record<string, string>> = {
    GetCallerIdentity:
      '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/x</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
    AssumeRole:
      '<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>local</AccessKeyId><SecretAccessKey>local</SecretAccessKey><SessionToken>local</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>',
  };
  const refusal = (message: string): string =>
    `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>${message}</Message></Error></ErrorResponse>`;
  async function answer(request: IncomingMessage): Promise<{ status: number; body: string }> {
    if (request.headers['x-amz-target'] === 'AmazonSSM.GetParameter') {
      const Parameter = { Name: 'bootstrap', Value: '30', Type: 'String' };
      return { status: 200, body: JSON.stringify({ Parameter }) };
    }
    const parameters = new URLSearchParams(await text(request));
    const action = parameters.get('Action') ?? '';
    if (action === 'CreateChangeSet') asked.push(parameters);
    const body = answers[action];
    if (body !== undefined) return { status: 200, body };
    return {
      status: 400,
      body: refusal(action === 'DescribeStacks' ? `Stack with id ${STACK} does not exist` : 'asked enough'),
    };
  }
  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, body }) => response.writeHead(status).end(body),
      () => request.socket.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { asked, server, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}` };
}

walk('what a deleted stack left', () => {
  const file = join(directory, 'left.json');

  test('is found in CloudFormation, as CDK takes it', () => {
    writeAws();
    const shell = spawnSync('bash', ['--norc', '-eo', 'pipefail', '-c', findings], {
      cwd: directory,
      env: { PATH: [directory, process.env['PATH']].join(delimiter), STACK },
      encoding: 'utf8',
    });

    expect(shell).toMatchObject({ status: 0 });
    const identifiers = z
      .record(z.string(), z.record(z.string(), z.string()))
      .parse(JSON.parse(readFileSync(file, 'utf8')));
    const keys: Readonly<Record<string, string>> = {
      'AWS::DynamoDB::Table': 'TableName',
      'AWS::Logs::LogGroup': 'LogGroupName',
      'AWS::SQS::Queue': 'QueueUrl',
      'AWS::SecretsManager::Secret': 'Id',
    };
    const expected = resources
      .filter(([logicalId]) => left().includes(logicalId))
      .map(([logicalId, { Type }]) => [logicalId, { [keys[Type] ?? '']: `of-${logicalId}` }]);
    expect(identifiers).toEqual(Object.fromEntries(expected));
    // As the chapter counts them.
    expect(Object.keys(identifiers)).toHaveLength(1 + 3 + 5 + 3);
  });

  test('becomes a stack by the command of the runbook, which creates nothing', async () => {
    const { asked, server, url } = await startCloudFormation();
    const [subcommand = '', ...args] = importCommand.replace('-c env=$ENV', `--app ${assembly}`).split(' ');
    const [executable = '', ...cdk] = PINNED_CDK;
    const child = spawn(executable, [...cdk, subcommand, ...args], {
      cwd: directory,
      env: {
        PATH: process.env['PATH'],
        HOME: directory,
        AWS_ENDPOINT_URL: url,
        AWS_REGION: 'eu-west-1',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [said] = await Promise.all([text(child.stderr), once(child, 'close')]);
    server.close();

    const [changeSet] = asked;
    if (changeSet === undefined) throw new Error(said);
    expect(changeSet.get('StackName')).toBe(STACK);
    expect(changeSet.get('ChangeSetType')).toBe('IMPORT');
    const imported = [...changeSet].filter(([key]) => /^ResourcesToImport\..*LogicalResourceId$/.test(key));
    expect(imported.map(([, logicalId]) => logicalId).sort()).toEqual(left().sort());
    // A new resource or an output in the template would be refused. It is YAML.
    const template = changeSet.get('TemplateBody') ?? '';
    expect([...template.matchAll(/^(\w+):/gm)].map(([, section]) => section)).toEqual(['Resources']);
    expect([...template.matchAll(/^ {2}(\w+):/gm)].map(([, logicalId = '']) => logicalId).sort()).toEqual(
      left().sort(),
    );
  }, 60_000);
});
