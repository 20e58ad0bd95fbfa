/** `npm run doctor -- --page` before the simulator of PagerDuty: what a person reads of each answer. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { asText } from '../../../infra/doctor/report.ts';
import { parseOptions } from '../../../infra/doctor/options.ts';
import { sendTestPage, type TestPageOptions } from '../../../infra/doctor/test-page.ts';
import { ENVIRONMENTS } from '../../../infra/environments.ts';
import { type PagerDutySimulator, startPagerDuty } from '../../simulators/pager-duty.ts';
import { type AwsSimulator, startAwsSimulator } from '../aws-simulator.ts';
import { type Fixture, openFixture } from '../fixture.ts';

const KEY = 'R0123456789abcdef0123456789abcde';
const NOW_MS = Date.parse('2026-12-10T12:00:00Z');

let directory: string;
let variablesBefore: NodeJS.ProcessEnv;
let aws: AwsSimulator;
let fixture: Fixture;
let pagerDuty: PagerDutySimulator;
let entries = 0;

beforeAll(async () => {
  variablesBefore = { ...process.env };
  directory = mkdtempSync(join(tmpdir(), 'test-page-'));
  [aws, fixture] = await Promise.all([startAwsSimulator(), openFixture()]);
  Object.assign(process.env, aws.variables, { AWS_EC2_METADATA_DISABLED: 'true', HOME: directory });
  await fixture.clients.secretsManager.send(new CreateSecretCommand({ Name: 'acme/pagerduty', SecretString: KEY }));
});
afterAll(async () => {
  await Promise.all([fixture.close(), aws.close()]);
  for (const name of Object.keys(process.env))
    if (!(name in variablesBefore)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, variablesBefore);
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  pagerDuty = await startPagerDuty({ routingKeys: [KEY] });
  await putKey(KEY);
});
afterEach(async () => {
  await pagerDuty.close();
});

const putKey = (value: string) =>
  fixture.clients.secretsManager.send(new PutSecretValueCommand({ SecretId: 'acme/pagerduty', SecretString: value }));

function entry(notifications: object): string {
  entries += 1;
  const path = join(directory, `entry-${entries}.json`);
  writeFileSync(path, JSON.stringify({ ...ENVIRONMENTS['dev'], region: 'eu-west-1', notifications }));
  return path;
}

/** What is printed. */
async function page(change: Partial<TestPageOptions> = {}): Promise<string> {
  const findings = await sendTestPage({
    environment: entry({ pagerDuty: { routingKeySecretName: 'acme/pagerduty' } }),
    profile: undefined,
    now: () => NOW_MS,
    openMs: 0,
    address: `${pagerDuty.url}/v2/enqueue`,
    ...change,
  });
  const text = asText(findings);
  expect(text).not.toContain(KEY);
  return text;
}

describe('a test page', () => {
  test('opens an incident that says that it is a test and by whom, and resolves it', async () => {
    expect(await page()).toBe(
      [
        'ok    PagerDuty (us) took a test incident: 202 Event processed, dedup_key test-page-dev-2026-12-10T12:00:00.000Z',
        'ok    PagerDuty (us) took its end: 202 Event processed',
        '',
        '2 ok, 0 WARN, 0 FAIL',
        '',
      ].join('\n'),
    );
    expect(pagerDuty.alerts).toMatchObject([
      {
        state: 'resolved',
        trigger: {
          payload: {
            summary: 'TEST, nothing to do: purchase orders dev, sent by npm run doctor -- --page',
            severity: 'info',
            custom_details: { sentBy: expect.stringMatching(/^arn:aws:/) },
          },
        },
      },
    ]);
  });

  test('with a key that PagerDuty does not know says where to look', async () => {
    await putKey('R0000000000000000000000000000000');

    expect(await page()).toMatch(
      /^FAIL {2}PagerDuty \(us\) refuses the event: 400 Event object is invalid; 'routing_key' is invalid {2}-> the secret acme\/pagerduty must hold the key of an integration of the type Events API v2; .* "region": "eu"\? Else write the right key into a secret of another name, .*then deploy/,
    );
  });

  test.each([429, 500, 503])('that PagerDuty cannot take now (%i) says so', async (status) => {
    pagerDuty.failNext(status);

    expect(await page()).toContain(`FAIL  PagerDuty (us) cannot take the event now: ${status}`);
  });

  test('whose end is not taken says that a person must resolve it', async () => {
    pagerDuty.failNext(202, 503);

    expect(await page()).toMatch(
      /ok .+\nFAIL {2}PagerDuty \(us\) cannot take the event now: 503 .+ -> resolve the incident test-page-dev-\S+ by hand/,
    );
  });

  test('that meets something else than PagerDuty says what it got', async () => {
    expect(await page({ address: `${pagerDuty.url}/elsewhere` })).toMatch(/did not take the event: 404/);
    expect(await page({ address: 'http://127.0.0.1:1/v2/enqueue' })).toMatch(/did not take the event: no answer/);
  });

  test('without a block, a secret or a key says what is missing', async () => {
    expect(await page({ environment: entry({}) })).toContain('environment dev has no notifications.pagerDuty');
    expect(await page({ environment: entry({ pagerDuty: { routingKeySecretName: 'acme/other' } }) })).toContain(
      'the secret acme/other holds no key of PagerDuty',
    );
    await putKey(`${KEY}\n`);
    expect(await page()).toContain('the secret acme/pagerduty must hold the key of PagerDuty, 32 characters');
    expect(pagerDuty.statuses).toEqual([]);
  });
});

test('--page and --contract are two commands', () => {
  expect(parseOptions(['--env', 'dev', '--page'])).toMatchObject({ page: true, contract: undefined });
  expect(() => parseOptions(['--env', 'dev', '--page', '--contract'])).toThrow('give one of them');
});
