/** A small cloud assembly in the form of CDK, with the template and the handlers of a test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

const root = mkdtempSync(join(tmpdir(), 'local-runtime-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

export const ARTIFACT = 'Tiny';

/** Writes the assembly; `sources` are handlers (main.cjs) by asset name. Returns its directory. */
export function writeAssembly(
  resources: Readonly<Record<string, unknown>>,
  sources: Readonly<Record<string, string>> = {},
  outputs: Readonly<Record<string, unknown>> = {},
): string {
  const directory = mkdtempSync(join(root, 'assembly-'));
  const write = (name: string, content: unknown): void =>
    writeFileSync(join(directory, name), JSON.stringify(content, null, 1));
  const files = Object.entries(sources).map(([name, source]) => {
    mkdirSync(join(directory, `asset.${name}`));
    writeFileSync(join(directory, `asset.${name}`, 'main.cjs'), source);
    const destination = { bucketName: 'assets', objectKey: `${name}.zip` };
    return [name, { source: { path: `asset.${name}`, packaging: 'zip' }, destinations: { here: destination } }];
  });
  write(`${ARTIFACT}.template.json`, { Resources: resources, Outputs: outputs });
  write(`${ARTIFACT}.assets.json`, { files: Object.fromEntries(files) });
  write('manifest.json', {
    artifacts: { [ARTIFACT]: { environment: 'aws://000000000000/eu-west-1', properties: { stackName: 'tiny-stack' } } },
  });
  return directory;
}

export const lambdaResource = (asset: string, properties: object = {}): object => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: { S3Bucket: 'assets', S3Key: `${asset}.zip` },
    Handler: 'main.handler',
    Runtime: 'nodejs24.x',
    // Not the 3 s that Lambda gives by default: a busy machine needs longer for a cold start, and the test would fail.
    Timeout: 60,
    ...properties,
  },
});

export const queueResource = (properties: object = {}): object => ({
  Type: 'AWS::SQS::Queue',
  Properties: { VisibilityTimeout: 1, ...properties },
});

export const mappingResource = (properties: object = {}): object => ({
  Type: 'AWS::Lambda::EventSourceMapping',
  Properties: {
    EventSourceArn: { 'Fn::GetAtt': ['Queue', 'Arn'] },
    FunctionName: { Ref: 'Worker' },
    BatchSize: 10,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: 2 },
    ...properties,
  },
});
