/** The interface's sample: the cart of the page becomes the order, to the letter. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { translateCart } from '../../../functions/create-purchase-orders/translation/translate-cart.ts';
import { loadEnvironment } from '../../../infra/environments.ts';
import { createWireOrder } from '../../../functions/create-purchase-orders/translation/wire-order.ts';
import { DEFAULT_VMS_CONTRACT } from '../../../infra/vms-settings.ts';

const samples = join(import.meta.dirname, '../../../shared/contract/samples');
const read = (name: string) => JSON.parse(readFileSync(join(samples, name), 'utf8'));

test('the sample cart becomes the sample order to the letter, in its order of fields', () => {
  const { translation: settings } = loadEnvironment('local');
  const page: { d: { results: unknown[] } } = read('srm7-shopping-carts.json');
  const translation = translateCart(page.d.results[0], {
    client: '100',
    settings,
    wire: createWireOrder(DEFAULT_VMS_CONTRACT),
    today: '2026-11-22',
  });
  expect(translation).toMatchObject({ kind: 'orders', groups: [{ kind: 'order', warnings: [] }] });
  const orders = translation.kind === 'orders' ? translation.groups : [];
  expect(orders.map((group) => JSON.stringify(group.kind === 'order' ? group.order : group))).toEqual([
    JSON.stringify(read('11vms-purchase-order.json')),
  ]);
});
