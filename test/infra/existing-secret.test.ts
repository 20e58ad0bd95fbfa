/** A connection secret that exists before the stack does: it is read, and neither created nor changed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import * as z from 'zod';
import { loadEnvironment } from '../../infra/environments.ts';
import { synthesize } from '../../infra/synthesize.ts';

const directory = mkdtempSync(join(tmpdir(), 'existing-secret-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const templateSchema = z.object({
  Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()) })),
});

test('a secret with createSecret false is left to its owner; the functions may read it by its name', async () => {
  const dev = loadEnvironment('dev');
  const environment = { ...dev, vms: { ...dev.vms, secretName: 'shared/11vms', createSecret: false } };

  const { directory: assembly, artifact } = await synthesize(environment, directory);

  const text = readFileSync(join(assembly, `${artifact}.template.json`), 'utf8');
  const resources = Object.values(templateSchema.parse(JSON.parse(text)).Resources);
  const secrets = resources.filter(({ Type }) => Type === 'AWS::SecretsManager::Secret');
  expect(secrets.map(({ Properties }) => Properties['Name'])).toEqual([dev.srm.secretName]);
  const policies = JSON.stringify(resources.filter(({ Type }) => Type === 'AWS::IAM::Policy'));
  expect(policies).toContain(':secret:shared/11vms-??????');
}, 120_000);
