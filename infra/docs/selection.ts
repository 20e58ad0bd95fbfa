/** Which carts and lines are ordered, and how they are split: the rules' own text, and what the code makes of each status. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { selectAndGroup, type Selection } from '../../functions/create-purchase-orders/translation/groups.ts';
import { readShoppingCart } from '../../functions/create-purchase-orders/translation/shopping-cart.ts';
import type { ValueMaps } from '../../shared/translation-settings.ts';
import { loadEnvironment } from '../environments.ts';
import { isJsonObject, type Json, type JsonObject } from './json-text.ts';
import { sampleRows } from './srm7-fields.ts';

const RULES = 'shared/contract/specification/rules.md';

/** Rules 1 to 3 of the specification, word for word. Their links would lead nowhere from here: only the texts stay, and the table of statuses stands on the page. */
export function selectionText(): string {
  const rules = readFileSync(join(import.meta.dirname, '..', '..', RULES), 'utf8').replaceAll('\r\n', '\n');
  const [, text] = /(^1\. <a id="rule-1">[^]+?)\n4\. <a id="rule-4">/m.exec(rules) ?? [];
  if (text === undefined) throw new Error(`${RULES} has no rules 1 to 3`);
  return text
    .replaceAll(/<a id="[^"]+"><\/a>/g, '')
    .replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replace('(Statuses)', '("What a status means", below)');
}

/** Each status with its meaning, and what the translation makes of a cart and of a line that has it. */
export function statusRows(statuses: ValueMaps['status']): string[][] {
  return Object.entries(statuses).map(([status, meaning]) => [status, meaning, ofCart(status), ofLine(status)]);
}

function ofCart(status: string): string {
  const selection = selectFrom({ ...sampleCart(), Status: status }, status);
  if (selection.kind === 'eligible') return selection.onlyIfNeverSent ? 'is ordered, if it never was' : 'is ordered';
  return selection.isCancelled
    ? 'is not ordered; where an order of it exists, a person must act (E_CART_CANCELLED_AFTER_SEND)'
    : 'is not ordered';
}

function ofLine(status: string): string {
  const [first, ...others] = sampleRows('ShoppingCartItem');
  const changed = isJsonObject(first) ? { ...first, Status: status } : {};
  const dropped = (results: readonly Json[]): number => {
    const selection = selectFrom({ ...sampleCart(), Items: { results } }, status);
    return selection.droppedLines.length;
  };
  return dropped([changed, ...others]) > dropped(others) ? 'is left out' : 'is ordered';
}

function sampleCart(): JsonObject {
  const [cart] = sampleRows('ShoppingCart');
  if (!isJsonObject(cart)) throw new Error('the sample page has no cart');
  return cart;
}

function selectFrom(cart: JsonObject, status: string): Exclude<Selection, { readonly kind: 'faulty' }> {
  const read = readShoppingCart(cart);
  if ('faults' in read) throw new Error('the sample cart cannot be read');
  const selection = selectAndGroup(read.value, loadEnvironment('local').translation);
  if (selection.kind === 'faulty') throw new Error(`the sample cart is faulty with the status ${status}`);
  return selection;
}
