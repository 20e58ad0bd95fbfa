/** Environments by name and from a file, and the errors for a bad one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { describeValueMaps } from '../../infra/deployment.ts';
import { ENVIRONMENTS, type Environment, loadEnvironment, parseEnvironment } from '../../infra/environments.ts';

const directory = mkdtempSync(join(tmpdir(), 'environments-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, content: string | Buffer): string {
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
    const { pagerDuty, email, thresholds } = loadEnvironment('prod').notifications;

    expect(pagerDuty).toBeUndefined();
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
    const byDefault = {
      tags: {},
      contentRoles: [],
      redriveRoles: [],
      logRetentionDays: 30,
      terminationProtection: false,
    };

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

  test('that starts with a byte order mark is accepted', () => {
    const path = file('bom.json', `\uFEFF${JSON.stringify(dev)}`);

    expect(loadEnvironment(path)).toEqual(loadEnvironment('dev'));
  });

  test('that does not exist is refused with its name, and why', () => {
    const path = join(directory, 'nosuch.json');

    expect(refusal(() => loadEnvironment(path))).toMatch(
      new RegExp(`^Environment file ${path} cannot be read: .*ENOENT: no such file`),
    );
  });

  test('that is a directory is refused with its name', () => {
    expect(refusal(() => loadEnvironment(directory))).toMatch(/^Environment file .* cannot be read: .*EISDIR/);
  });

  test.each<[string, string | Buffer, string]>([
    ['not JSON', '{\n  "name": mine\n}', 'is not JSON at line 2, column 11: a text stands in double quotes'],
    ['empty', ' \n', 'is empty'],
    [
      'JSON with a comment that never ends',
      '{} /* mine',
      'is not JSON at line 1, column 4: a comment that begins with /* ends with */',
    ],
    ['JSON with the comments of a shell', '# mine\n{}', 'is not JSON at line 1, column 1: JSON has no comments'],
    [
      'UTF-16',
      Buffer.from(JSON.stringify(dev), 'utf16le'),
      'is UTF-16, which PowerShell writes with ">": save it as UTF-8',
    ],
    ['XML', '<?xml version="1.0"?>\n<environment/>', 'is XML, and not JSON: ask SRM for $format=json'],
    ['CSV', 'CoCode;Unit\nBE10;BU-BE-BRU\n', 'is CSV, and not JSON'],
    ['YAML', 'name: acme\nsrm:\n', 'is YAML, and not JSON'],
    [
      'an answer of SRM',
      '{"d":{"results":[]}}',
      'holds an answer of SRM, not an environment: it is for npm start -- --input',
    ],
    [
      'an answer of OData V4',
      '{"@odata.context":"$metadata","value":[]}',
      'holds an answer of SRM, not an environment: it is for npm start -- --input',
    ],
  ])('that is %s is refused, and told as what it is', (_what, content, message) => {
    const path = file('bad.json', content);

    expect(refusal(() => loadEnvironment(path))).toBe(`Environment file ${path} ${message}`);
  });

  test('that gives a code twice is refused with its name, beside its other mistakes', () => {
    const codes = '{"BE10":"A","BE10":"B"}';
    const path = file('bad.json', `{"name":"X","translation":{"valueMaps":{"businessUnit":${codes}}}}`);

    expect(refusal(() => loadEnvironment(path))).toContain(
      '✖ stands there twice\n  → at translation.valueMaps.businessUnit.BE10',
    );
    expect(refusal(() => loadEnvironment(path))).toContain('→ at name');
  });

  test('may have comments, and a comma after the last field; a text keeps what looks like them', () => {
    const scope = 'https://a.example/*x*/ "b" //c';
    const text = JSON.stringify(devWith('srm.scope', scope), undefined, 2)
      .replace('{', '// Ours, since 2026: see https://example.com\n{ /* a\n block */')
      .replaceAll(/\n( *)\}/g, ', // the last one\n$1}');

    expect(loadEnvironment(file('commented.jsonc', text))).toEqual(parse(devWith('srm.scope', scope)));
  });

  test('with a mistake below a comment is refused with the line and column of the file', () => {
    const path = file('bad.jsonc', '{\n  /* two\n  lines */ "name": acme\n}');

    expect(refusal(() => loadEnvironment(path))).toMatch(/is not JSON at line 3, column 20: a text stands in/);
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
    const entry = Object(devWith('srm.secretName', dev?.vms.secretName));
    const message = refusal(() => parse({ ...entry, name: 'X', extraction: {} }));

    for (const path of ['name', 'vms.secretName', 'extraction.schedule', 'extraction.firstWatermark']) {
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
    ['srm.headers', ['X-Tenant: acme']],
    ...['Authorization', 'HOST', 'Content-Type', 'content-length', 'Cookie', 'Connection', 'Transfer-Encoding'].map(
      (name): [string, unknown] => ['srm.headers', { [name]: 'hunter2' }],
    ),
    ...[
      'Proxy-Authorization',
      'Accept',
      'X-Correlation-ID',
      'Idempotency-Key',
      'traceparent',
      'Prefer',
      'sap-client',
    ].map((name): [string, unknown] => ['vms.headers', { [name]: 'hunter2' }]),
    ...['X-Api-Key', 'X-Secret', 'X-Auth-Token'].map((name): [string, unknown] => [
      'vms.headers',
      { [name]: 'hunter2' },
    ]),
    ['srm.headers', { 'X Tenant': 'a' }],
    ['srm.headers', { X_Tenant: 'a' }],
    ['srm.headers', { 'X-Tenant': 'a', 'x-tenant': 'b' }],
    ['srm.headers', { 'X-Tenant': 'hunter2\r\nX-Evil: 1' }],
    ['srm.headers', { 'X-Forwarded-Authorization': 'hunter2' }],
    ['srm.headers', { 'X-Auth': 'hunter2' }],
    ['srm.apiKeyHeader', ''],
    ['vms.proxyUrl', ''],
    ['vms.proxyUrl', 'proxy:8080'],
    ['vms.proxyUrl', 'https://proxy.example.com:8080'],
    ['vms.proxyUrl', 'http://proxy.example.com'],
    ['vms.proxyUrl', 'http://user:hunter2@proxy.example.com:8080'],
    ['vms.proxyUrl', 'http://proxy.example.com:8080/'],
    ['vms.proxyUrl', 'http://proxy.example.com:99999'],
    ['srm.apiKeyHeader', 'Authorization'],
    ['srm.tokenParameters', 'audience=srm'],
    ['srm.tokenParameters.audience', ''],
    ['srm.tokenParameters.audience', ' srm'],
    ['srm.tokenParameters.audience', 'a\r\nb'],
    ['srm.tokenParameters.scope', 'other'],
    ['vms.tokenParameters.Client_Secret', 'hunter2'],
    ['vms.tokenParameters.client_assertion', 'hunter2'],
    ['vms.tokenParameters.api_key', 'hunter2'],
    ['vms.collectionPath', '/v1/../orders'],
    ['vms.lookUpBy', '/../orders/{externalId}'],
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
    ['srm.paging', '$skip'],
    ['srm.servicePath', ''],
    ['srm.servicePath', 'sap/opu/odata/sap/ZCARTS_SRV'],
    ['srm.servicePath', '/sap/opu/odata/sap/ZCARTS_SRV/'],
    ['srm.servicePath', '/sap/../ZCARTS_SRV'],
    ['srm.servicePath', '/sap/ZCARTS_SRV?x=1'],
    ['srm.servicePath', 'https://srm.example.com/sap'],
    ['srm.entitySet', "CartSet('1')"],
    ['srm.keyProperty', 'Cart-Guid'],
    ['srm.keyProperty', 'ObjectId'],
    ['srm.changedAtProperty', 'CreatedAt'],
    ['srm.expand', ['Item']],
    ['srm.expand', ['Items']],
    ['srm.expand', ['Texts', 'Texts']],
    ['srm.fields.ObjectId', ''],
    ['srm.fields.ObjectId', 'Sc Number'],
    ['srm.fields.Guid', 'CartGuid'],
    ['srm.fields', { ItemsNumberInt: 'ItemNo' }],
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
    ['delivery.batchSize', 51],
    ['delivery.batchingWindowSeconds', 301],
    ['delivery.maximumConcurrency', 1],
    ['delivery.maximumConcurrency', 1001],
    ['delivery.timeoutSeconds', 9],
    ['delivery.timeoutSeconds', 29],
    ['delivery.timeoutSeconds', 881],
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
    ['notifications.pagerDuty', {}],
    ['notifications.pagerDuty', { routingKeySecretName: '' }],
    ['notifications.pagerDuty', { routingKeySecretName: 'https://events.pagerduty.com/v2/enqueue' }],
    ['notifications.pagerDuty', { routingKeySecretName: 'acme/pagerduty', routingKey: 'hunter2' }],
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
    ['owners', { sap: { name: 'SAP basis', contact: '#sap' } }],
    ['owners.srm', 'SAP basis'],
    ['owners.srm', { name: 'SAP basis' }],
    ['owners.srm.name', ''],
    ['owners.vms.contact', 'one\ntwo'],
    ['owners.buyer.name', 'x'.repeat(61)],
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

  test('even when only the combination is bad: the header of the key is a fixed one', () => {
    const { vms } = Object(dev);
    const entry = { ...wholeDev, vms: { ...vms, headers: { 'X-Consumer': 'a' }, apiKeyHeader: 'x-consumer' } };

    expect(refusal(() => parse(entry))).toContain('must not be one of the fixed headers\n  → at vms.apiKeyHeader');
  });

  test('the base URL of 11VMS ends before its collection, whatever that is called', () => {
    const entry = (baseUrl: string): object => {
      const dev = Object(devWith('vms.collectionPath', '/v2/orders'));
      return { ...dev, vms: { ...dev.vms, baseUrl } };
    };
    const late =
      'must end before the path of the service, which is added to it: https://apim.example.com/11VMSProxy_V2';
    for (const end of ['/v2/orders', '/V2/orders/', '/v2/orders/x']) {
      expect(refusal(() => parse(entry(`https://apim.example.com${end}`)))).toContain(`${late}\n  → at vms.baseUrl`);
    }
    // Beside other mistakes, too.
    expect(refusal(() => parse({ ...entry('https://apim.example.com/v2/orders'), logLevel: 'x' }))).toContain(late);
    for (const end of ['', '/v2', '/v2/orders2', '/purchase-orders']) {
      expect(parse(entry(`https://apim.example.com${end}`)).vms.collectionPath).toBe('/v2/orders');
    }
  });

  test('even when only the combination is bad: a status is asked for, and means nothing', () => {
    const read = Object(devWith('srm.statuses', ['I1129', 'Z0001']));
    expect(refusal(() => parse(read))).toContain(
      'must be in translation.valueMaps.status, with its meaning, such as "Z0001": "approved"; ' +
        'else each of its carts is a dead letter\n  → at srm.statuses[1]',
    );
    const valueMaps = { ...read.translation.valueMaps, status: { Z0001: 'approved' }, extend: { status: true } };
    expect(parse({ ...read, translation: { valueMaps } }).srm.statuses).toEqual(['I1129', 'Z0001']);
    // A map that replaces the default holds them all.
    const own = { ...read.translation.valueMaps, status: { Z0001: 'approved' }, extend: { status: false } };
    expect(refusal(() => parse({ ...read, translation: { valueMaps: own } }))).toContain('→ at srm.statuses[0]');
  });
});

/** What is wrong, and how it should look. */
describe('a mistake is told in words', () => {
  const supplier = 'translation.valueMaps.supplier';
  const fiftyOneTags = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`tag-${index}`, 'x']));
  test.each<[string, unknown, string, string?]>([
    // Schedules.
    [
      'extraction.schedule',
      '*/5 6-20 * * 1-5',
      '"*/5 6-20 * * 1-5" is no schedule of EventBridge Scheduler: write cron(*/5 6-20 ? * MON-FRI *) for this cron of Unix',
    ],
    [
      'extraction.schedule',
      'cron(*/5 6-20 * * *)',
      '"cron(*/5 6-20 * * *)" needs six fields, minutes hours day-of-month month day-of-week year: write cron(*/5 6-20 * * ? *)',
    ],
    [
      'extraction.schedule',
      'cron(hello)',
      '"cron(hello)" needs six fields, minutes hours day-of-month month day-of-week year: write cron(0/5 6-20 ? * MON-FRI *)',
    ],
    [
      'extraction.schedule',
      'cron(0 6 * * * *)',
      '"cron(0 6 * * * *)" needs a "?" for either day-of-month or day-of-week, and not for both, as in cron(0 6 * * ? *) or cron(0 6 ? * MON-FRI *)',
    ],
    ['extraction.schedule', 'cron(0 25 * * ? *)', '"cron(0 25 * * ? *)": "25" is no hour, which is 0 to 23'],
    ['extraction.schedule', 'cron(0 6 31 2 ? *)', '"cron(0 6 31 2 ? *)" never fires again'],
    ['extraction.schedule', 'cron(0 6 * * ? 2020)', '"cron(0 6 * * ? 2020)" never fires again'],
    ['extraction.schedule', 'rate(5 mins)', '"rate(5 mins)" is no rate: write rate(5 minutes)'],
    ['extraction.schedule', 'rate(1 minutes)', '"rate(1 minutes)" is no rate: write rate(1 minute)'],
    [
      'extraction.schedule',
      'rate(30 seconds)',
      '"rate(30 seconds)" is no rate: write a whole number and minutes, hours or days, as in rate(5 minutes)',
    ],
    [
      'reconciliation.schedule',
      'daily',
      '"daily" is no schedule of EventBridge Scheduler: write rate(5 minutes), or cron(0/5 6-20 ? * MON-FRI *)',
    ],
    // Time zones.
    ...['+01:00', 'CEST', 'europe/brussels', 'W. Europe Standard Time'].map((zone): [string, string, string] => [
      'extraction.timeZone',
      zone,
      'must be an IANA time zone, such as Europe/Brussels, and neither an offset nor an abbreviation',
    ]),
    // Values that are right alone.
    [
      'vms.secretName',
      'proc-srm7-11vms-purchase-order-v1/dev/srm',
      'must be another secret than srm.secretName: each system has a client of its own',
    ],
    [
      'notifications.pagerDuty',
      { routingKeySecretName: 'proc-srm7-11vms-purchase-order-v1/dev/srm' },
      'must be another secret than those of the other systems',
      'notifications.pagerDuty.routingKeySecretName',
    ],
    [
      'srm.kmsKeyArn',
      'arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      'goes with "createSecret": false: a secret that the stack creates is under the key of AWS',
    ],
    [
      'delivery.timeoutSeconds',
      881,
      'must be at most 880: the supervisor tries a message for 20 s longer, and Lambda ends a function after 900 s',
    ],
    // Names of fields.
    [
      'srm.fields',
      { ObjektId: 'ScNumber' },
      'is no property that the interface reads; did you mean ObjectId?',
      'srm.fields.ObjektId',
    ],
    ['srm.fields', { Guid: 'CartGuid' }, 'is not one of fields, but keyProperty', 'srm.fields.Guid'],
    [
      'srm.fields',
      { ObjectId: 'Number', Description: 'Number' },
      '"Number" would be both ObjectId and Description of the cart',
      'srm.fields.Description',
    ],
    [
      'srm.fields',
      { 'Items.NumberInt': 'Description' },
      '"Description" would be both NumberInt and Description of Items',
      'srm.fields["Items.NumberInt"]',
    ],
    ['srm.fields', { Status: 'Guid' }, '"Guid" would be both Status and Guid of the cart', 'srm.fields.Status'],
    ['srm.keyProperty', 'ObjectId', '"ObjectId" would be both ObjectId and Guid of the cart'],
    ['srm.paging', 'skip-top', 'is missing: "paging": "skip-top" asks for pages of this size', 'srm.pageSize'],
    // URLs and hosts.
    ['srm.baseUrl', 'srm.example.com', 'must be a whole URL, such as https://srm.example.com'],
    [
      'srm.baseUrl',
      'https://srm.example.com/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV',
      'must end before the path of the service, which is added to it: https://srm.example.com',
    ],
    [
      'vms.baseUrl',
      'https://apim.example.com/11VMSProxy_V2/purchase-orders',
      'must end before the path of the service, which is added to it: https://apim.example.com/11VMSProxy_V2',
    ],
    ...['https://sap', 'sap/', 'sap/sap'].map((host): [string, string[], string, string] => [
      'srm.internalHosts',
      [host],
      'must be a host without https:// and without a path, such as srm-internal.example.com',
      'srm.internalHosts[0]',
    ]),
    ['srm.internalHosts', ['sap:443'], 'must not name port 443, which https leaves out, too', 'srm.internalHosts[0]'],
    ...['Frankfurt', 'eu-west', 'eu-west-1a', 'eu_west_1'].map((region): [string, string, string] => [
      'region',
      region,
      'must be an AWS region, such as eu-west-1',
    ]),
    // Instants.
    ['extraction.firstWatermark', '2962-12-01T00:00:00Z', 'must be at most a year ahead: nothing is read before it'],
    [
      'extraction.firstWatermark',
      '1970-01-01T00:00:00Z',
      'must be the go-live, and not the beginning of time: all carts since then would be ordered',
    ],
    ['extraction.firstWatermark', '2026-12-01', 'must be an instant with its offset, such as 2026-12-01T00:00:00Z'],
    // Lists and maps.
    ['operation.tags', fiftyOneTags, "must be at most 44: AWS takes 50, and 6 are the stack's own"],
    [
      'operation.tags',
      { environment: 'x' },
      'must not be one of interface, environment, version, commit, deployedAt, deployedBy',
      'operation.tags.environment',
    ],
    ['notifications.email', ['a@example.com', 'A@example.com'], 'stands in the list twice', 'notifications.email[1]'],
    ['srm.internalHosts', ['sap', 'SAP'], 'stands in the list twice', 'srm.internalHosts[1]'],
    ['srm.statuses', ['I1129', 'I1129'], 'stands in the list twice', 'srm.statuses[1]'],
    ['srm.statuses', [], 'must have at least 1 entry'],
    [
      supplier,
      { mode: 'mapped', codes: { '0000100777': 'SUP' } },
      'must have no leading zeros: the interface compares vendor numbers without them, such as 100777',
      `${supplier}.codes.0000100777`,
    ],
    [
      supplier,
      { '100777': 'SUP' },
      'must be written { "mode": "identity" or "mapped", "codes": { ... } }',
      `${supplier}.mode`,
    ],
    [supplier, 'identity', 'must be written { "mode": "identity" or "mapped", "codes": { ... } }'],
    [
      'translation.valueMaps.businessUnit',
      { BE10: 'B'.repeat(21) },
      'must have at most 20 characters',
      'translation.valueMaps.businessUnit.BE10',
    ],
    [
      'translation.valueMaps.businessUnit',
      { BE10: '' },
      'must not be empty',
      'translation.valueMaps.businessUnit.BE10',
    ],
    [
      'translation.valueMaps.currencyDecimals',
      { Euro: 2 },
      'must be an active currency of ISO 4217, such as EUR',
      'translation.valueMaps.currencyDecimals.Euro',
    ],
    [
      'translation.valueMaps.status',
      { Z0001: 'approved' },
      'must say whether it is added to the default: "extend": { "status": true }; or replaces it whole: false',
    ],
    // Patterns, in words.
    ['name', 'Production', 'must be 1 to 20 lower-case letters, digits and hyphens, a letter first, such as acme-test'],
    ['account', '123', 'must be an AWS account, 12 digits in quotes, such as "123456789012"'],
    ['srm.client', '10', 'must be a sap-client, three digits in quotes, such as "100"'],
    [
      'srm.secretName',
      'has spaces',
      'must be the name of a secret, 1 to 256 letters, digits or /_+=.@-, such as acme/srm',
    ],
    ['srm.language', 'ENG', 'must be a language of two capital letters, such as EN'],
    ['srm.statuses', ['Released'], 'must be a status of SAP, such as I1129', 'srm.statuses[0]'],
    [
      'vms.kmsKeyArn',
      'arn:aws:kms:eu-west-1:123456789012:alias/mine',
      'must be the ARN of a key, and not of an alias, such as arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    ],
    [
      'notifications.email',
      ['operations'],
      'must be an e-mail address, such as operations@example.com',
      'notifications.email[0]',
    ],
    // Types.
    ['srm.tokenUrl', undefined, 'is missing: it must be a text in double quotes'],
    ['srm', undefined, 'is missing: it must be an object, { ... }'],
    ['srm.client', 100, 'must be a text in double quotes, not a number'],
    ['delivery.batchSize', '10', 'must be a number without quotes, not a text'],
    ['delivery.batchSize', 2.5, 'must be a whole number, not a number with a fraction'],
    ['delivery.batchSize', 51, 'must be at most 50, not 51'],
    [
      'delivery.batchSize',
      11,
      'must be at least 1 where batchSize is more than 10: Lambda asks for it',
      'delivery.batchingWindowSeconds',
    ],
    ['srm.mutualTls', 'yes', 'must be true or false, without quotes, not a text'],
    ['notifications.email', 'a@example.com', 'must be a list, [ ... ], not a text'],
    ['logLevel', 'debug', 'must be one of DEBUG, INFO, WARN, ERROR; did you mean DEBUG?'],
    [
      'notifications.pagerDuty',
      { routingKeySecretName: 'acme/pagerduty', region: 'EU' },
      'must be one of us, eu; did you mean eu?',
      'notifications.pagerDuty.region',
    ],
    // Unknown fields.
    ...['purchase-orders', '/purchase-orders/', '/orders?x=1', '//orders', '/or ders'].map(
      (path): [string, string, string] => [
        'vms.collectionPath',
        path,
        'must be a path without a slash at its end, such as /purchase-orders',
      ],
    ),
    ...[
      'externalId',
      '?externalId',
      '?=',
      '/orders',
      '/{externalId}/{externalId}',
      '/o?x={externalId}',
      'None',
      '',
    ].map((way): [string, string, string] => [
      'vms.lookUpBy',
      way,
      'must be a query such as ?externalId=, a path such as /purchase-orders/{externalId} with that very word in braces, or none',
    ]),
    ...['items', '/items~', '/'].map((place): [string, string, string] => [
      'vms.foundAt',
      place,
      'must be a JSON pointer, such as /items, or empty',
    ]),
    ...['order id', '/data/', '7', ''].map((place): [string, string, string] => [
      'vms.numberAt',
      place,
      'must be a name, such as number, or a JSON pointer, such as /data/number',
    ]),
    ['vms.decimalsAs', 'numbers', 'must be one of string, number; did you mean number?'],
    [
      'vms.fields',
      { 'supplier.cod': 'x' },
      '"supplier.cod" is no field of an order; did you mean supplier.code?',
      'vms.fields["supplier.cod"]',
    ],
    ...['supplier code', '.x', 'x.', '__proto__', 'items[0]', ''].map((place): [string, object, string, string] => [
      'vms.fields',
      { title: place },
      'must be names with dots between them, such as supplierCode or vendor.code',
      'vms.fields.title',
    ]),
    // Two to one; an alias onto a field that has none; one inside another; in a list; by an object around it.
    ...(
      [
        [{ title: 'x', currency: 'x' }, 'title', 'currency'],
        [{ title: 'currency' }, 'currency', 'title'],
        [{ title: 'supplier' }, 'supplier.code', 'title'],
        [{ title: 'x', currency: 'x.y' }, 'title', 'currency'],
        [{ 'lines.type': 'quantity' }, 'lines.quantity', 'lines.type'],
        [{ 'lines.accounting': 'tax' }, 'lines.tax.code', 'lines.accounting'],
        [{ supplier: 'requester' }, 'requester.name', 'supplier'],
      ] as const
    ).map(([fields, other, wrong]): [string, object, string, string] => [
      'vms.fields',
      fields,
      `must not be the place of ${other}, or lie inside or around it`,
      `vms.fields${wrong.includes('.') ? `["${wrong}"]` : `.${wrong}`}`,
    ]),
    ...(['id', 'number', 'id.x'] as const).map((place): [string, object, string, string] => [
      'vms.fields',
      { externalId: place },
      'must not be where 11VMS has the id or the number of the order (vms.idAt, vms.numberAt)',
      'vms.fields.externalId',
    ]),
    [
      'vms.idAt',
      'externalId',
      'must not be where 11VMS has the id or the number of the order (vms.idAt, vms.numberAt)',
    ],
    ['srm.baseurl', 'x', 'the field "baseurl" is unknown; did you mean baseUrl?', 'srm'],
    ['delivery.concurrency', 2, 'the field "concurrency" is unknown; did you mean maximumConcurrency?', 'delivery'],
    ['operation.retention', 30, 'the field "retention" is unknown; did you mean logRetentionDays?', 'operation'],
    ['translation.valueMaps.units', {}, 'the field "units" is unknown; did you mean unit?', 'translation.valueMaps'],
    ['reconciliation.cron', 'x', 'the field "cron" is unknown: here are known schedule, days', 'reconciliation'],
  ])('%s: %j', (path, value, message, place = path) => {
    const lines = refusal(() => parse(devWith(path, value))).split('\n');

    expect(lines).toContain(`✖ ${message}`);
    expect(lines[lines.indexOf(`✖ ${message}`) + 1]).toBe(`  → at ${place}`);
  });

  test('also at the top, which has no path', () => {
    expect(refusal(() => parse(devWith('nmae', 'x')))).toBe(
      'Environment x is not a valid environment:\n✖ the field "nmae" is unknown; did you mean name?',
    );
  });
});

describe('the time zone of the translation', () => {
  test('is that of the extraction, unless it is given', () => {
    expect(parse(devWith('extraction.timeZone', 'America/Lima')).translation.timeZone).toBe('America/Lima');
    expect(parse(devWith('translation.timeZone', 'UTC')).translation.timeZone).toBe('UTC');
    expect(loadEnvironment('dev').translation.timeZone).toBe('Europe/Brussels');
  });
});

describe('where the answer to a look-up holds the orders', () => {
  test.each([
    ['?externalId=', undefined, '/items'],
    ['?a=b&$c=', undefined, '/items'],
    ['/x/{externalId}', undefined, ''],
    ['/x/{externalId}', '/data/0/order', '/data/0/order'],
    ['none', undefined, '/items'],
  ])('follows from how they are looked up: %s, %s', (lookUpBy, foundAt, expected) => {
    const dev = Object(devWith('vms.lookUpBy', lookUpBy));
    expect(parse({ ...dev, vms: { ...dev.vms, foundAt } }).vms).toMatchObject({ lookUpBy, foundAt: expected });
  });
});

describe('where an answer names an order', () => {
  const [id, number, externalId] = ['/id', '/number', '/externalId'];
  test.each<[object, string, string, string]>([
    [{}, id, number, externalId],
    [{ idAt: 'orderId', numberAt: 'po' }, '/orderId', '/po', externalId],
    [{ idAt: '/data/orderId' }, '/data/orderId', '/data/number', '/data/externalId'],
    [{ idAt: '/data/orderId', numberAt: 'po' }, '/data/orderId', '/po', '/data/externalId'],
    [{ idAt: 'Location' }, 'Location', number, externalId],
    [{ fields: { externalId: 'their.reference' } }, id, number, '/their/reference'],
    [{ externalIdAt: 'reference' }, id, number, '/reference'],
  ])('follows from where the id is: %j', (settings, idAt, numberAt, externalIdAt) => {
    const dev = Object(devWith('logLevel', 'INFO'));
    expect(parse({ ...dev, vms: { ...dev.vms, ...settings } }).vms).toMatchObject({ idAt, numberAt, externalIdAt });
  });

  test('has no part in an order whose fields have other names, wherever these are', () => {
    const fields = {
      'supplier.code': 'supplierCode',
      requester: 'person.orderedBy',
      lines: 'order.items',
      'lines.unitOfMeasure': 'uom',
      'lines.deliverTo': 'site',
      // In another list, the same name is another place; and two fields may change places.
      'lines.accounting.amount': 'uom',
      title: 'currency',
      currency: 'title',
    };
    const environment = parse(devWith('vms.fields', fields));
    expect(environment.vms.fields).toEqual(fields);
    // By which the doctor sees that others are deployed.
    expect(describeValueMaps(environment)).toMatch(/, vms\.fields 8 [0-9a-f]{8}$/);
    expect(describeValueMaps(loadEnvironment('dev'))).not.toContain('vms.fields');
  });
});

describe('an environment with a good field is accepted', () => {
  test.each<[string, unknown, unknown]>([
    ['srm.baseUrl', 'http://127.0.0.1:8001', 'http://127.0.0.1:8001'],
    ['srm.baseUrl', 'http://localhost:8001/', 'http://localhost:8001'],
    ['srm.baseUrl', 'http://[::1]:8001', 'http://[::1]:8001'],
    ['srm.baseUrl', 'https://srm.example.com/proxy//', 'https://srm.example.com/proxy'],
    ['srm.tokenUrl', 'https://srm.example.com/token?tenant=7', 'https://srm.example.com/token?tenant=7'],
    ['srm.tokenUrl', 'https://srm.example.com/oauth/token/', 'https://srm.example.com/oauth/token/'],
    ['srm.internalHosts', ['sap:44300', '[::1]:8001'], ['sap:44300', '[::1]:8001']],
    ['delivery.timeoutSeconds', 880, 880],
    ['region', 'us-gov-west-1', 'us-gov-west-1'],
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
