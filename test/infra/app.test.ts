/** The CDK app as the CLI runs it: a process with its environment as context. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from '@jest/globals';
import { CfnResource, Stack } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import * as z from 'zod';
import { createCheckedApp } from '../../infra/checked-app.ts';
import { deploymentOfTemplate } from '../../infra/deployment.ts';
import { ENVIRONMENTS, loadEnvironment } from '../../infra/environments.ts';
import { synthesizeOnce } from '../../infra/synthesis-cache.ts';
import { featureFlags } from '../../infra/synthesize.ts';

const root = join(import.meta.dirname, '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'app-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs infra/app.ts with the context that `cdk -c` would pass. */
async function runApp(context: object, outdir: string) {
  const child = spawn(process.execPath, ['infra/app.ts'], {
    cwd: root,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: directory,
      CDK_CONTEXT_JSON: JSON.stringify(context),
      CDK_OUTDIR: outdir,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, status };
}

const deployedTemplate = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
  Outputs: z.record(z.string(), z.object({ Value: z.unknown() })),
});
type DeployedTemplate = z.infer<typeof deployedTemplate>;

/** Each breaks a rule of infra/guard-rules.guard; the endpoint type of Splunk is none. */
const AGAINST_RULES: Readonly<Record<string, readonly [type: string, properties: Readonly<Record<string, unknown>>]>> =
  {
    Queue: ['AWS::SQS::Queue', { MessageRetentionPeriod: 3600 }],
    Topic: ['AWS::SNS::Topic', { DisplayName: 'open' }],
    Function: [
      'AWS::Lambda::Function',
      {
        Code: { ZipFile: '0' },
        Handler: 'index.handler',
        Role: 'arn:aws:iam::123456789012:role/x',
        Runtime: 'nodejs24.x',
      },
    ],
    Logs: ['AWS::Logs::LogGroup', {}],
    Bucket: ['AWS::S3::Bucket', {}],
    Splunk: [
      'AWS::KinesisFirehose::DeliveryStream',
      {
        SplunkDestinationConfiguration: {
          HECEndpoint: 'https://splunk.example.com',
          HECEndpointType: 'Events',
          HECToken: 'a-token',
          S3Configuration: { BucketARN: 'arn:aws:s3:::bucket', RoleARN: 'arn:aws:iam::123456789012:role/x' },
        },
      },
    ],
    Rule: [
      'AWS::Events::Rule',
      {
        EventPattern: { source: ['aws.cloudwatch'] },
        Targets: [{ Id: 'one', Arn: 'arn:aws:events:eu-west-1:123456789012:event-bus/other' }],
      },
    ],
    Destination: [
      'AWS::Events::ApiDestination',
      {
        ConnectionArn: 'arn:aws:events:eu-west-1:123456789012:connection/one/two',
        HttpMethod: 'POST',
        InvocationEndpoint: 'http://hooks.example.com',
      },
    ],
  };

const validationReport = z.object({
  pluginReports: z.array(
    z.object({ violations: z.array(z.object({ ruleName: z.string(), severity: z.string().optional() })) }),
  ),
});

describe('the CDK app', () => {
  const bad = join(directory, 'bad.json');
  writeFileSync(bad, JSON.stringify({ ...ENVIRONMENTS['dev'], logLevel: 'LOUD' }));
  const badNetwork = join(directory, 'bad-network.json');
  const network = { subnetIds: ['subnet-0a1b2c3d', 'eu-west-1a'], securityGroupIds: ['sg-0a1b2c3d'] };
  writeFileSync(badNetwork, JSON.stringify({ ...ENVIRONMENTS['dev'], network }));
  const badCsv = join(directory, 'bad-csv.json');
  const codesFile = { valueMaps: { businessUnit: { codes: { file: 'units.csv' } } } };
  writeFileSync(badCsv, JSON.stringify({ ...ENVIRONMENTS['dev'], translation: codesFile }));
  writeFileSync(join(directory, 'units.csv'), 'source;target\nBE10;\n');
  const large = join(directory, 'large.json');
  const headers = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`X-Part-${index}`, 'x'.repeat(250)]));
  writeFileSync(large, JSON.stringify({ ...ENVIRONMENTS['dev'], srm: { ...ENVIRONMENTS['dev']?.srm, headers } }));
  test.each([
    [
      'settings that Lambda has no room for',
      { env: large },
      'and Lambda takes 4096. Shorten tokenParameters, headers, fields and expand of srm (',
    ],
    ['no environment', {}, 'Which environment? Add -c env=dev|test|prod|local, or -c env=./file.json.'],
    ['one that is no text', { env: 7 }, 'Which environment? Add -c env='],
    ['an unknown one', { env: 'nosuch' }, 'Unknown environment "nosuch". Known: dev, test, prod, local;'],
    ['a file that is not there', { env: './nosuch.json' }, 'Environment file ./nosuch.json cannot be read: ENOENT'],
    [
      'a file that is not JSON',
      { env: './README.md' },
      'Environment file ./README.md is not JSON at line 1, column 1: JSON has no comments',
    ],
    ['a bad entry', { env: bad }, `Environment file ${bad} is not a valid environment:\n✖ `],
    [
      'a bad value map',
      { env: badCsv },
      '✖ units.csv, row 2: target is empty: fill the cell, or delete the row\n  → at ',
    ],
    ['a bad field', { env: badNetwork }, '✖ must be a subnet id, such as subnet-0a1b2c3d\n  → at network.subnetIds[1]'],
  ])(
    'with %s prints the mistake in words, without a stack trace, and exits 1',
    async (_what, context, message) => {
      const outdir = join(directory, 'refused');
      const { stdout, stderr, status } = await runApp(context, outdir);

      expect(stderr).toContain(message);
      expect(stderr).not.toMatch(/^\s+at (?!logLevel)|node:internal|Error:/m);
      expect(stderr.split('\n').length).toBeLessThan(6);
      expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
      expect(existsSync(join(outdir, 'PurchaseOrder.template.json'))).toBe(false);
    },
    180_000,
  );

  test('synthesizes in its own process what the tests do in theirs, and says which deployment it is and nothing else', async () => {
    const deployment = {
      version: '1.2.3',
      commit: '0123456789ab with changes',
      at: '2026-12-10T12:00:00.000Z',
      by: 'arn:x (y)',
    };
    const file = join(directory, 'deployment.json');
    writeFileSync(file, JSON.stringify(deployment));
    const outdir = join(directory, 'deployed');
    // The CLI passes these on: without the flags, the same stack has other logical ids.
    const { context } = z
      .object({ context: z.record(z.string(), z.unknown()) })
      .parse(JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')));
    const [app, inProcess] = await Promise.all([
      runApp({ ...context, env: 'test', deployment: file }, outdir),
      synthesizeOnce(loadEnvironment('test'), join(directory, 'undeployed'), { isChecked: true }),
    ]);
    expect(app).toMatchObject({ status: 0 });
    const read = (assembly: string): DeployedTemplate =>
      deployedTemplate.parse(JSON.parse(readFileSync(join(assembly, 'PurchaseOrder.template.json'), 'utf8')));
    const [deployed, plain] = [read(outdir), read(inProcess.directory)];

    expect(deployed.Outputs['Deployment']?.Value).toBe(
      'version 1.2.3, commit 0123456789ab with changes, at 2026-12-10T12:00:00.000Z, by arn:x (y)',
    );
    expect(deploymentOfTemplate(readFileSync(join(outdir, 'PurchaseOrder.template.json'), 'utf8'))).toEqual(deployment);
    const changed = Object.entries(deployed.Resources).filter(
      ([name, resource]) => JSON.stringify(resource) !== JSON.stringify(plain.Resources[name]),
    );
    expect(changed.map(([, { Type }]) => Type)).toEqual(Array.from({ length: 5 }, () => 'AWS::Lambda::Function'));
    expect(Object.keys(deployed.Resources)).toEqual(Object.keys(plain.Resources));
    for (const [name, { Properties: properties }] of changed) {
      const { Tags: _, ...others } = properties;
      expect({ ...plain.Resources[name]?.Properties, Tags: undefined }).toEqual({ ...others, Tags: undefined });
      expect(properties['Tags']).toEqual(
        expect.arrayContaining([
          { Key: 'commit', Value: '0123456789ab with changes' },
          { Key: 'deployedAt', Value: '2026-12-10T12:00:00.000Z' },
          { Key: 'deployedBy', Value: 'arn:x _y_' },
          { Key: 'version', Value: '1.2.3' },
        ]),
      );
    }
    expect(plain.Outputs).not.toHaveProperty('Deployment');
    // The number of entries, and a fingerprint.
    expect(plain.Outputs['ValueMaps']?.Value).toMatch(/^businessUnit 1 [0-9a-f]{8}, supplier 0 [0-9a-f]{8}, /);
  }, 180_000);

  test('is not synthesized with an unacknowledged finding of cdk-nag', async () => {
    const outdir = join(directory, 'unacknowledged');
    const app = createCheckedApp({ outdir, context: featureFlags(), analyticsReporting: false });
    new Queue(new Stack(app, 'Open'), 'Queue', { encryption: QueueEncryption.UNENCRYPTED });

    expect(() => app.synth()).toThrow(/AwsSolutions-SQS4/);
  }, 180_000);

  test('is not synthesized against a rule of ours, nor with a value that CDK only warns of', () => {
    const app = createCheckedApp({
      outdir: join(directory, 'against-rules'),
      context: featureFlags(),
      analyticsReporting: false,
    });
    const stack = new Stack(app, 'Bad');
    for (const [id, [type, properties]] of Object.entries(AGAINST_RULES))
      new CfnResource(stack, id, { type, properties });
    expect(() => app.synth()).toThrow(/'Events' is not one of/);
    const report = readFileSync(join(directory, 'against-rules', 'validation-report.json'), 'utf8');
    const { pluginReports } = validationReport.parse(JSON.parse(report));
    const broken = pluginReports.flatMap(({ violations }) =>
      violations.filter(({ severity }) => severity === 'error').map(({ ruleName }) => ruleName.replace(/^.*::/, '')),
    );
    const rules = readFileSync(join(root, 'infra/guard-rules.guard'), 'utf8').matchAll(/^rule (\S+)/gm);

    expect(broken).toEqual(expect.arrayContaining([...[...rules].map(([, name]) => name), 'W3030']));
  }, 180_000);

  test('sets every feature flag that CDK recommends, so that no later default changes what is deployed', () => {
    const recommended = z
      .record(z.string(), z.unknown())
      .parse(JSON.parse(readFileSync(join(root, 'node_modules/aws-cdk-lib/recommended-feature-flags.json'), 'utf8')));

    expect(Object.keys(recommended).length).toBeGreaterThan(50);
    expect(featureFlags()).toEqual(recommended);
  });
});
