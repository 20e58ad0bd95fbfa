/**
 * The order as we write it and as the simulator of 11VMS takes it: two schemas, written apart. A field that only one of
 * them knows would be green in every other test, and refused by 11VMS.
 */
import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { purchaseOrderSchema } from '../../functions/create-purchase-orders/translation/purchase-order.ts';
import { purchaseOrderSchema as simulatedSchema } from '../simulators/vms-order-schema.ts';

interface JsonSchema {
  readonly [keyword: string]: unknown;
}
const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const below = (schema: JsonSchema, keyword: string): JsonSchema => {
  const found = schema[keyword];
  return isSchema(found) ? found : {};
};

/** Every field, by its path, with what its schema says of it. */
function fieldsOf(schema: JsonSchema, path = ''): [path: string, schema: JsonSchema][] {
  const required = z.array(z.string()).parse(schema['required'] ?? []);
  return Object.entries(below(schema, 'properties')).flatMap(([name, field]) => {
    if (!isSchema(field)) return [];
    const isList = field['type'] === 'array';
    const own = `${path}${name}${isList ? '[]' : ''}`;
    return [
      [own, { ...field, isRequired: required.includes(name) }],
      ...fieldsOf(isList ? below(field, 'items') : field, `${own}.`),
    ];
  });
}

const ours = new Map(fieldsOf(z.toJSONSchema(purchaseOrderSchema)));
const theirs = new Map(fieldsOf(z.toJSONSchema(simulatedSchema)));
const paths = [...ours.keys()].filter((path) => theirs.has(path));
/** What one side may know better: our constant, their list of units, their room for a URL. */
const KNOWN_DIFFERENCES: Readonly<Record<string, readonly string[]>> = {
  const: ['lines[].category.scheme'],
  enum: ['lines[].unitOfMeasure'],
  maxLength: ['lines[].category.scheme', 'attachments[].url'],
};
const valuesOf = (of: ReadonlyMap<string, JsonSchema>, keyword: string): Record<string, unknown> =>
  Object.fromEntries(paths.map((path) => [path, of.get(path)?.[keyword]]));

test('both schemas have the same fields', () => {
  expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
  expect(ours.size).toBeGreaterThan(90);
});

test.each(['type', 'isRequired', 'const', 'enum', 'minItems', 'maxItems', 'minimum'])(
  'both schemas say the same of every field: %s',
  (keyword) => {
    const [left, right] = [ours, theirs].map((schemas) => valuesOf(schemas, keyword));
    const differing = paths.filter((path) => JSON.stringify(left?.[path]) !== JSON.stringify(right?.[path]));
    expect(differing).toEqual(KNOWN_DIFFERENCES[keyword] ?? []);
  },
);

test('both schemas give every text the same length, where both limit it', () => {
  const limited = paths.filter((path) =>
    [ours, theirs].every((schemas) => typeof schemas.get(path)?.['maxLength'] === 'number'),
  );
  const lengths = (of: ReadonlyMap<string, JsonSchema>) => limited.map((path) => [path, of.get(path)?.['maxLength']]);

  expect(lengths(theirs)).toEqual(lengths(ours));
  expect(limited.length).toBeGreaterThan(40);
  const onlyTheirs = paths.filter(
    (path) => !limited.includes(path) && typeof theirs.get(path)?.['maxLength'] === 'number',
  );
  expect(onlyTheirs).toEqual(KNOWN_DIFFERENCES['maxLength']);
});
