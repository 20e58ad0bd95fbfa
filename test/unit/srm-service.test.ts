/** The names that an SRM may have others for are those that the translation reads. */
import { expect, test } from '@jest/globals';
import * as z from 'zod';
import { item, itemFlags, shoppingCart } from '../../functions/create-purchase-orders/translation/shopping-cart.ts';
import { EXPANDED, READ_PROPERTIES } from '../../shared/srm-service.ts';

const entity = z.object({ properties: z.record(z.string(), z.unknown()) });
const collection = z.object({ properties: z.object({ results: z.object({ items: z.unknown() }) }) });

/** The names in a schema, and in those of its navigations. */
function namesIn(json: unknown, path: string): Readonly<Record<string, readonly string[]>> {
  const { properties } = entity.parse(json);
  const below = Object.entries(properties).flatMap(([name, part]) => {
    const options = z.object({ anyOf: z.array(z.unknown()) }).safeParse(part).data?.anyOf ?? [part];
    const found = options.map((option) => collection.safeParse(option).data).find((option) => option !== undefined);
    const rows = entity.safeParse(found?.properties.results.items);
    return rows.success ? Object.entries(namesIn(rows.data, path === '' ? name : `${path}.${name}`)) : [];
  });
  return { [path]: Object.keys(properties), ...Object.fromEntries(below) };
}

const jsonOf = (schema: z.ZodType): unknown => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });

test('all, and no other', () => {
  const read = {
    ...namesIn(jsonOf(shoppingCart), ''),
    ...namesIn(jsonOf(item.extend(itemFlags.shape)), 'Items'),
  };
  const sorted = (names: Readonly<Record<string, readonly string[]>>) =>
    Object.fromEntries(Object.entries(names).map(([path, list]) => [path, list.toSorted()]));

  expect(sorted(READ_PROPERTIES)).toEqual(sorted(read));
});

test('and the navigations are those that are expanded', () => {
  const paths = Object.keys(READ_PROPERTIES).filter((path) => path !== '' && path !== 'Items');
  expect(paths.map((path) => path.replace('.', '/')).toSorted()).toEqual(EXPANDED.toSorted());
});
