/** The workbench shows a large cart in the process that serves all pages: its work never grows faster than the cart. */
import { expect, test } from '@jest/globals';
import { sheetOf } from '../../../infra/console/workbench/cart-sheet.ts';
import { previewCart } from '../../../infra/preview/preview-cart.ts';
import { countWork } from '../counted-work.ts';
import { cartOf, contractWire, labour, settingsWith, TODAY } from '../translation/sample-carts.ts';

test('twice the lines are at most twice the work of their sheet', () => {
  const sheetOfSize = (size: number): (() => unknown) => {
    const source = cartOf(Array.from({ length: size }, (_, line) => labour({ NumberInt: String(100 + line) })));
    const origin = { client: '100', settings: settingsWith(), wire: contractWire, today: TODAY };
    const [group] = previewCart(source, origin).groups;
    if (group === undefined) throw new Error('no order');
    return () => sheetOf(group, source, [], { prefix: 'o0', isMasked: true });
  };
  const [small, large] = [sheetOfSize(20), sheetOfSize(40)];
  expect(countWork(large)).toBeLessThan(2.1 * countWork(small));
});
