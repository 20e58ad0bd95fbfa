/** Environments by name and from a file, and the errors for a bad one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ENVIRONMENTS, type Environment, loadEnvironment, parseEnvironment } from '../../infra/environments.ts';

const directory = mkdtempSync(join(tmpdir(), 'environments-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function refusal(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    // A ZodError or TypeError would be an accident, not a message.
    if (error instanceof Error && error.constructor === Error) return error.message;
    throw error;
  }
  throw new Error('was taken');
}

const { dev } = ENVIRONMENTS;
/** With the defaults for the parts that the entry leaves out. */
const wholeDev = { ...dev, reconciliation: {}, operation: { tags: {} } };

/** The dev entry with one field changed, by its path. */
function devWith(path: string, value: unknown): unknown {
  const entry: unknown = structuredClone(wholeDev);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let owner: unknown = entry;
  for (const key of keys) {
    // The parts that the entry leaves to their defaults.
    if (!Reflect.has(Object(owner), key)) Reflect.set(Object(owner), key, {});
    owner = Reflect.get(Object(owner), key);
  }
  if (value === undefined) Reflect.deleteProperty(Object(owner), last);
  else Reflect.set(Object(owner), last, value);
  return entry;
}
const parse = (entry: unknown): Environment => parseEnvironment(entry, 'Environment x');

describe('an environment by name', () => {
  test.each(Object.keys(ENVIRONMENTS))('%s is valid, and has its own name inside', (name) => {
    expect(loadEnvironment(name).name).toBe(name);
  });

  test('of the cloud has secrets, client and systems of its own, and uses https alone', () => {
    const cloud = ['dev', 'test', 'prod'].map(loadEnvironment);

    for (const { name, srm, vms } of cloud) {
      expect(srm.secretName).toBe(`proc-srm7-11vms-purchase-order-v1/${name}/srm`);
      expect(vms.secretName).toBe(`proc-srm7-11vms-purchase-order-v1/${name}/11vms`);
      for (const url of [srm.baseUrl, srm.tokenUrl, vms.baseUrl, vms.tokenUrl]) expect(url).toMatch(/^https:\/\//);
    }
    const own = cloud.flatMap(({ srm, vms }) => [srm.secretName, vms.secretName, srm.baseUrl, vms.baseUrl, srm.client]);
    expect(new Set(own).size).toBe(own.length);
  });

  test('has the defaults of the rules', () => {
    expect(loadEnvironment('prod')).toMatchObject({
      srm: { statuses: ['I1129'], internalHosts: [], language: 'EN' },
      extraction: {
        overlapSeconds: 1800,
        safetySeconds: 300,
        timeZone: 'Europe/Brussels',
      },
      reconciliation: { schedule: 'cron(30 4-7 * * ? *)', days: 7 },
      delivery: { retryBaseSeconds: 30, maximumConcurrency: 2 },
      translation: { allowZeroPrice: false, maximumLines: 999, maximumAttachments: 50, maximumBodyBytes: 1_048_576 },
      logLevel: 'INFO',
    });
  });

  test('may have no recipient of alarms: neither PagerDuty nor an address need exist', () => {
    const { pagerDutySecretName, email, thresholds } = loadEnvironment('prod').notifications;

    expect(pagerDutySecretName).toBeUndefined();
    expect(email).toEqual([]);
    expect(thresholds).toMatchObject({
      deadLetters: 10,
      oldestMessageMinutes: 30,
      waitingHours: 4,
      pausedMinutes: 5,
      backlog: 1000,
    });
    expect(thresholds.extractionSilenceMinutes).toBeUndefined();
  });

  test('of prod keeps its logs for a year and is protected against deletion; the others are not', () => {
    const byDefault = { tags: {}, logRetentionDays: 30, terminationProtection: false };

    expect(loadEnvironment('prod').operation).toEqual({
      ...byDefault,
      logRetentionDays: 365,
      terminationProtection: true,
    });
    for (const name of ['dev', 'test', 'local']) expect(loadEnvironment(name).operation).toEqual(byDefault);
  });

  test('is in no network, and neither shows nor requires certificates, unless it says so', () => {
    for (const { network, srm, vms } of Object.keys(ENVIRONMENTS).map(loadEnvironment)) {
      expect(network).toBeUndefined();
      for (const { mutualTls, privateCa } of [srm, vms])
        expect({ mutualTls, privateCa }).toEqual({ mutualTls: false, privateCa: false });
    }
  });

  test.each(['nosuch', 'DEV', 'toString', '__proto__', 'constructor', ''])(
    'that is unknown ("%s") is refused with a list of the known ones',
    (name) => {
      expect(refusal(() => loadEnvironment(name))).toBe(
        `Unknown environment "${name}". Known: dev, test, prod, local; or give the path of a JSON file.`,
      );
    },
  );
});

describe('an environment from a file', () => {
  test('is accepted as it stands, with the same defaults', () => {
    const path = file('mine.json', JSON.stringify(devWith('name', 'mine')));

    expect(loadEnvironment(path)).toEqual({ ...loadEnvironment('dev'), name: 'mine' });
  });

  test('that does not exist is refused with its name, and why', () => {
    const path = join(directory, 'nosuch.json');

    expect(refusal(() => loadEnvironment(path))).toMatch(
      new RegExp(`^Environment file ${path} cannot be read as JSON: .*ENOENT: no such file`),
    );
  });

  test('that is a directory is refused with its name', () => {
    expect(refusal(() => loadEnvironment(directory))).toMatch(/^Environment file .* cannot be read as JSON: .*EISDIR/);
  });

  test.each([
    ['not JSON', '{ "name": mine }'],
    ['empty', ''],
    ['JSON with comments', '// mine\n{}'],
  ])('that is %s is refused with its name', (_what, content) => {
    const path = file('bad.json', content);

    expect(refusal(() => loadEnvironment(path))).toContain(`Environment file ${path} cannot be read as JSON: `);
  });

  test.each(['null', '[]', '"dev"', '7'])('that holds %s is refused with its name', (content) => {
    const path = file('bad.json', content);

    expect(refusal(() => loadEnvironment(path))).toContain(`Environment file ${path} is not a valid environment:`);
  });

  test('with a tag that AWS reserves is refused with the name of the tag', () => {
    expect(refusal(() => parse(devWith('operation.tags', { 'aws:owner': 'x' })))).toContain(
      '→ at operation.tags["aws:owner"]',
    );
  });

  test('with several mistakes is refused with all of them at once', () => {
    const message = refusal(() => parse({ ...Object(devWith('srm.client', '1')), name: 'X', extraction: {} }));

    for (const path of ['name', 'srm.client', 'extraction.schedule', 'extraction.firstWatermark']) {
      expect(message).toContain(`→ at ${path}`);
    }
  });
});

describe('an environment with a bad field is refused with its name', () => {
  test.each<[string, unknown]>([
    ['name', undefined],
    ['name', ''],
    ['name', 'Production'],
    ['name', 'a'.repeat(21)],
    ['name', '1st'],
    ['account', '123'],
    ['account', 123_456_789_012],
    ['srm', undefined],
    ['srm.baseUrl', undefined],
    ['srm.baseUrl', 'nonsense'],
    ['srm.baseUrl', ''],
    ['srm.baseUrl', 'srm.example.com'],
    ['srm.baseUrl', 'ftp://srm.example.com'],
    ['srm.baseUrl', 'http://srm.example.com'],
    ['srm.baseUrl', 'http://127.0.0.1.example.com'],
    ['srm.baseUrl', 'http://localhost.example.com'],
    ['srm.baseUrl', 'http://10.0.0.1'],
    ['srm.baseUrl', 'HTTP://srm.example.com'],
    ['srm.baseUrl', 'https://user:hunter2@srm.example.com'],
    ['srm.baseUrl', 'https://srm.example.com/?sap-client=100'],
    ['srm.tokenUrl', 'http://srm.example.com/oauth/token'],
    ['srm.tokenUrl', 'https://user:hunter2@srm.example.com/oauth/token'],
    ['srm.scope', 7],
    ['srm.secretName', ''],
    ['srm.secretName', 'has spaces'],
    ['srm.secretName', '${Token}'],
    ['srm.client', '10'],
    ['srm.client', 100],
    ['srm.language', 'ENG'],
    ['srm.internalHosts', ['']],
    ['srm.internalHosts', 'sap-internal'],
    ['srm.statuses', []],
    ['srm.statuses', ["I1129' or 'x"]],
    ['vms.baseUrl', 'http://11vms.example.com'],
    ['vms.tokenUrl', undefined],
    ['vms.secretName', undefined],
    ['srm.timeoutSeconds', 0],
    ['srm.timeoutSeconds', 301],
    ['srm.pageSize', 0],
    ['srm.pageSize', 101],
    ['srm.pageSizeOption', '$skip'],
    ['vms.timeoutSeconds', 0],
    ['vms.timeoutSeconds', 61],
    ['extraction.schedule', 'every 5 minutes'],
    ['extraction.schedule', '*/5 * * * *'],
    ['extraction.schedule', 'at(2026-11-20T14:00:00)'],
    ['extraction.timeZone', 'Europe/Brusels'],
    ['extraction.timeZone', ''],
    ['extraction.firstWatermark', undefined],
    ['extraction.firstWatermark', '2026-12-01'],
    ['extraction.firstWatermark', '2026-12-01T00:00:00'],
    ['extraction.overlapSeconds', -1],
    ['extraction.safetySeconds', 1.5],
    ['reconciliation.schedule', 'daily'],
    ['reconciliation.days', 0],
    ['reconciliation.days', 61],
    ['extraction.timeoutSeconds', 59],
    ['extraction.timeoutSeconds', 901],
    ['extraction.memoryMegabytes', 64],
    ['delivery.retryBaseSeconds', 0],
    ['delivery.batchSize', 11],
    ['delivery.maximumConcurrency', 1],
    ['delivery.maximumConcurrency', 1001],
    ['delivery.timeoutSeconds', 9],
    ['delivery.timeoutSeconds', 29],
    ['delivery.memoryMegabytes', '1024'],
    ['translation', undefined],
    ['translation.timeZone', 'Mars/Olympus'],
    ['translation.maximumLines', 1000],
    ['translation.valueMaps.businessUnit', undefined],
    ['translation.valueMaps.businessUnit', {}],
    ['translation.valueMaps.supplier', { mode: 'mapped', codes: {} }],
    ['translation.valueMaps.supplier', { mode: 'all' }],
    ['notifications', { email: 'ops@example.com' }],
    ['notifications.email', ['ops@example']],
    ['notifications.pagerDutySecretName', ''],
    ['notifications.pagerDutySecretName', 'https://events.pagerduty.com/integration/hunter2/enqueue'],
    ['notifications.thresholds', { deadLetters: 0 }],
    ['notifications.thresholds', { extractionSilenceMinutes: 10_081 }],
    ['logLevel', 'TRACE'],
    ['srm.mutualTls', 'yes'],
    ['vms.privateCa', 'PEM'],
    ['operation.logRetentionDays', 31],
    ['operation.terminationProtection', 'true'],
    ['operation.tags.owner', 7],
    ['operation.tags.owner', ''],
    ['operation.tags.owner', 'a#b'],
    ['network', {}],
    ['network', 'vpc-0a1b2c3d'],
    ['network', { subnetIds: ['subnet-0a1b2c3d'] }],
    ['network', { subnetIds: [], securityGroupIds: ['sg-0a1b2c3d'] }],
    ['network', { subnetIds: ['subnet-0a1b2c3d'], securityGroupIds: ['default'] }],
  ])('%s: %j', (path, value) => {
    const message = refusal(() => parse(devWith(path, value)));

    expect(message).toMatch(/^Environment x is not a valid environment:\n✖ /);
    expect(message).toContain(`→ at ${path}`);
    expect(message).not.toContain('hunter2');
  });

  test.each([
    'nmae',
    'srm.baseurl',
    'vms.retries',
    'extraction.cron',
    'reconciliation.cron',
    'delivery.concurrency',
    'translation.valueMaps.units',
    'notifications.slack',
    'operation.retention',
  ])('even when the field is unknown: %s', (path) => {
    const message = refusal(() => parse(devWith(path, 'x')));

    expect(message).toContain(`Unrecognized key: "${path.split('.').at(-1)}"`);
  });

  test('an extraction has time for a token and two pages', () => {
    expect(refusal(() => parse(devWith('srm.timeoutSeconds', 101)))).toContain(
      'must be at least three times srm.timeoutSeconds, for a token and two pages\n  → at extraction.timeoutSeconds',
    );
    expect(parse(devWith('srm.timeoutSeconds', 100)).srm.timeoutSeconds).toBe(100);
  });

  test('even when only the combination is bad: the worker would have no time for a single order', () => {
    expect(refusal(() => parse(devWith('delivery.timeoutSeconds', 49)))).toContain(
      'must be at least 50: five times vms.timeoutSeconds, for secret and token, create, look-up, probe, reserve\n  → at delivery.timeoutSeconds',
    );
    expect(parse(devWith('delivery.timeoutSeconds', 50)).delivery.timeoutSeconds).toBe(50);
  });

  test('even when only the combination is bad: a status is asked for, and means nothing', () => {
    const read = Object(devWith('srm.statuses', ['I1129', 'Z0001']));
    expect(refusal(() => parse(read))).toContain(
      'must be in translation.valueMaps.status, with its meaning, such as "Z0001": "approved"; ' +
        'else each of its carts is a dead letter\n  → at srm.statuses[1]',
    );
    const valueMaps = { ...read.translation.valueMaps, status: { I1129: 'approved', Z0001: 'approved' } };
    expect(parse({ ...read, translation: { valueMaps } }).srm.statuses).toEqual(['I1129', 'Z0001']);
    // Its default holds them all.
    const own = { ...read.translation.valueMaps, status: { Z0001: 'approved' } };
    expect(refusal(() => parse({ ...read, translation: { valueMaps: own } }))).toContain('→ at srm.statuses[0]');
  });
});

describe('an environment with a good field is accepted', () => {
  test.each<[string, unknown, unknown]>([
    ['srm.baseUrl', 'http://127.0.0.1:8001', 'http://127.0.0.1:8001'],
    ['srm.baseUrl', 'http://localhost:8001/', 'http://localhost:8001'],
    ['srm.baseUrl', 'http://[::1]:8001', 'http://[::1]:8001'],
    ['srm.baseUrl', 'https://srm.example.com/proxy//', 'https://srm.example.com/proxy'],
    ['srm.tokenUrl', 'https://srm.example.com/token?tenant=7', 'https://srm.example.com/token?tenant=7'],
    ['srm.scope', '', ''],
    ['srm.secretName', 'a/b_c+d=e.f@g-1', 'a/b_c+d=e.f@g-1'],
    ['extraction.timeZone', 'UTC', 'UTC'],
    ['extraction.schedule', 'cron(0/5 6-20 ? * MON-FRI *)', 'cron(0/5 6-20 ? * MON-FRI *)'],
    ['extraction.firstWatermark', '2026-12-01T00:00:00+01:00', '2026-12-01T00:00:00+01:00'],
    ['delivery.maximumConcurrency', 1000, 1000],
    ['srm.mutualTls', true, true],
    ['operation.logRetentionDays', 3653, 3653],
    ['operation.tags', { 'cost center': 'A/4711 é' }, { 'cost center': 'A/4711 é' }],
  ])('%s: %j', (path, value, expected) => {
    let taken: unknown = parse(devWith(path, value));
    for (const key of path.split('.')) taken = Reflect.get(Object(taken), key);

    expect(taken).toEqual(expected);
  });
});
