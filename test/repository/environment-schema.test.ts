/** The JSON Schema of an environment, for editors: it compiles, and never refuses what the real check accepts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { environmentSettings } from '../../infra/docs/environments.ts';
import { ENVIRONMENTS, parseEnvironment } from '../../infra/environments.ts';
import { EVERYTHING_ENVIRONMENT, NOTIFIED_ENVIRONMENT, OWN_ENVIRONMENT } from '../infra/synthesis.ts';

const root = join(import.meta.dirname, '..', '..');
const schema = JSON.parse(readFileSync(join(root, 'infra/environments.schema.json'), 'utf8'));
const isValid = new Ajv({ allErrors: true }).compile(schema);
const refusalsOf = (entry: unknown): string[] => {
  isValid(JSON.parse(JSON.stringify(entry)));
  return (isValid.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath} ${message}`);
};

const page = readFileSync(join(root, 'infra/environments.md'), 'utf8');
const sample: Record<string, unknown> = JSON.parse(/```json\n([^`]+)```/.exec(page)?.[1] ?? '');

/** The sample with one field changed, by its path. A field of an optional block needs those that the block requires. */
function sampleWith(path: string, value: unknown, base: unknown = sample): unknown {
  const entry: unknown = structuredClone(base);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const owner = keys.reduce<unknown>((part, key) => {
    if (!Reflect.has(Object(part), key)) Reflect.set(Object(part), key, {});
    return Reflect.get(Object(part), key);
  }, entry);
  Reflect.set(Object(owner), last, value);
  return entry;
}

describe('an editor accepts', () => {
  test.each([
    ...Object.entries(ENVIRONMENTS),
    ['own', OWN_ENVIRONMENT],
    ['notified', NOTIFIED_ENVIRONMENT],
    ['everything', EVERYTHING_ENVIRONMENT],
    ['sample', sample],
  ])('the environment %s', (_name, entry) => {
    expect(refusalsOf(entry)).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['$schema', '../infra/environments.schema.json'],
    ['srm.baseUrl', 'HTTPS://srm.exämple.com/ä proxy//'],
    ['srm.baseUrl', 'http://[::1]:8001'],
    ['srm.internalHosts', ['SAP-INTERNAL', '[::FFFF]:8001']],
    ['srm.kmsKeyArn', undefined],
    ['extraction.firstWatermark', '2026-12-01T00:00:00.123+01:00'],
    ['extraction.schedule', 'cron(0/5 6-20 ? * MON-FRI *)'],
    ['operation.tags', { 'cost center': 'A/4711 é' }],
    ['notifications.email', ["o'hara+sap@example.com"]],
    ['translation.valueMaps.unit', { KÄR: 'CT' }],
    ['delivery.batchSize', 5.0],
  ])('%s: %j, as the check does', (path, value) => {
    const entry = sampleWith(path, value);

    parseEnvironment(JSON.parse(JSON.stringify(entry)), 'the sample');
    expect(refusalsOf(entry)).toEqual([]);
  });

  test('every default of the schema where it is written out', () => {
    const written = environmentSettings().filter(
      ({ isSection, defaultValue }) => !isSection && defaultValue !== undefined,
    );

    expect(written.length).toBeGreaterThan(40);
    const refused = written.filter(
      ({ path, defaultValue }) => refusalsOf(sampleWith(path, defaultValue, EVERYTHING_ENVIRONMENT)).length > 0,
    );
    expect(refused.map(({ path }) => path)).toEqual([]);
  });

  test.each([
    ['businessUnit', { codes: { file: 'units.csv' } }],
    ['status', { codes: { file: 'maps/status.csv' } }],
    ['supplier', { mode: 'mapped', codes: { file: 'suppliers.csv' } }],
    ['tax', { mode: 'identity', codes: { file: 'tax.csv' } }],
  ])('a value map %s from a CSV file', (name, map) => {
    expect(refusalsOf(sampleWith(`translation.valueMaps.${name}`, map))).toEqual([]);
  });
});

test.each<[string, unknown, string]>([
  ['srm.baseurl', 'x', '/srm must NOT have additional properties'],
  ['srm.client', 100, '/srm/client must be string'],
  ['name', 'Production', '/name must match pattern'],
  ['logLevel', 'LOUD', '/logLevel must be equal to one of the allowed values'],
  ['delivery.batchSize', 1000, '/delivery/batchSize must be <= '],
  ['translation.valueMaps.businessUnit', { codes: { fle: 'units.csv' } }, '/translation/valueMaps/businessUnit'],
])('an editor underlines %s: %j', (path, value, message) => {
  expect(refusalsOf(sampleWith(path, value)).join('\n')).toContain(message);
});

test('an editor explains every setting', () => {
  const described = (json: unknown): number =>
    typeof json !== 'object' || json === null
      ? 0
      : Object.values(json).reduce<number>((sum, part) => sum + described(part), 'description' in json ? 1 : 0);

  expect(described(schema)).toBeGreaterThanOrEqual(environmentSettings().length);
});
