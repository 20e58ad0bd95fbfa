/** The carts of an input, as the worker would get them. No message quotes the input, which may hold personal data. */
import { buffer } from 'node:stream/consumers';
import { readCartMessage, UnreadableMessage } from '../../shared/cart-message.ts';
import { asJsonObject, InvalidJson, parseLenientJson } from '../../shared/exact-json.ts';
import { announcedRows } from '../../shared/reading/whole-cart.ts';
import type { FieldNames } from '../../shared/reading/field-names.ts';
import { splitPage } from '../../shared/reading/split-page.ts';
import { cartsOfPage } from '../carts-of-page.ts';
import { decodeJson, NoJsonFile, parseHandwritten, readJsonText } from '../json-file.ts';
import type { Envelope } from './preview-cart.ts';

export interface InputCart {
  readonly source: unknown;
  /** Where a queue message held it. */
  readonly envelope?: Envelope;
}

export interface Input {
  readonly carts: readonly InputCart[];
  /** What the input lacks. */
  readonly notes: readonly string[];
}

/** The input holds no carts. The message says what was seen instead. */
export class UnusableInput extends Error {}

/** @param path `-` for standard input. @param names of the SRM that sent it. @throws {UnusableInput} */
export async function readInput(path: string, names: FieldNames): Promise<Input> {
  const name = inputName(path);
  try {
    return inputOf(path === '-' ? decodeJson(await buffer(process.stdin)) : readJsonText(path), names);
  } catch (error) {
    if (error instanceof NoJsonFile || error instanceof UnusableInput)
      throw new UnusableInput(`${name} ${error.message}.`, { cause: error });
    throw error;
  }
}

export const inputName = (path: string): string => (path === '-' ? 'standard input' : path);

/** @throws {NoJsonFile} and {UnusableInput}, whose messages go on from the name of the input. */
export function inputOf(text: string, names: FieldNames): Input {
  const notes: string[] = [];
  const carts = cartsIn(parsed(text, names), { notes, names });
  if (carts.length === 0 && notes.length === 0) notes.push('the input is an empty page or list: it holds no cart');
  return { carts, notes };
}

function parsed(text: string, names: FieldNames): unknown {
  try {
    return parseLenientJson(text);
  } catch (error) {
    if (!(error instanceof InvalidJson)) throw error;
    // As the extractor reads a page of which some rows are not JSON: each row alone.
    const page = error.isCutOff ? undefined : splitPage(text, names.ofCart('ObjectId'));
    if (page !== undefined) return { d: page.rows.map(({ source }) => source) };
    // It says where the mistake is.
    parseHandwritten(text);
    throw new UnusableInput(`is ${error.message}`, { cause: error });
  }
}

interface Reading {
  readonly notes: string[];
  readonly names: FieldNames;
}

function cartsIn(value: unknown, reading: Reading): InputCart[] {
  const { notes, names } = reading;
  // A body that was copied with its quotes.
  if (typeof value === 'string') return cartsIn(parsed(value, names), reading);
  if (Array.isArray(value)) return value.flatMap((part: unknown) => cartsIn(part, reading));
  const whole = asJsonObject(value);
  if (whole === undefined) throw new UnusableInput(`holds no cart: ${SEEN.scalar}`);
  if ('schemaVersion' in whole) return cartsOfMessage(JSON.stringify(value), notes);
  const wrapped = whole['Body'] ?? whole['body'];
  if (wrapped !== undefined) return cartsIn(wrapped, reading);
  const list = ['Messages', 'Records', 'deadLettered'].map((name) => whole[name]).find((part) => Array.isArray(part));
  if (list !== undefined) return cartsIn(list, reading);
  if ('d' in whole) return cartsOfAnswer(value, reading);
  if (ROW_FIELDS.some((name) => names.ofCart(name) in whole)) return [{ source: names.toSap(value, '') }];
  const seen = cartsOfPage(value, names);
  const isKnown = typeof seen === 'string' && !seen.startsWith('is not an OData page');
  throw new UnusableInput(isKnown ? seen : `holds no cart: ${SEEN.object(Object.keys(whole))}`);
}

/** A cart has at least one of them. */
const ROW_FIELDS = ['Guid', 'ObjectId', 'Items'];

const EXPECTED = 'a cart has Guid, ObjectId and Items, a page d.results, a queue message schemaVersion and source';
const SEEN = {
  scalar: `it is neither an object nor a list; ${EXPECTED}`,
  object: (names: readonly string[]): string =>
    names.length === 0
      ? `it is an empty object; ${EXPECTED}`
      : `it is an object with ${names.length} field${names.length === 1 ? '' : 's'}${namesText(names)}; ${EXPECTED}`,
};

/** Names of fields that could be data are not shown. */
function namesText(names: readonly string[]): string {
  const shown = names.filter((name) => /^[A-Za-z_@.]{1,40}$/.test(name)).slice(0, 8);
  return shown.length === 0 ? '' : `, such as ${shown.join(', ')}`;
}

function cartsOfMessage(body: string, notes: string[]): InputCart[] {
  try {
    const message = readCartMessage(body);
    const { client, cart } = message;
    if ('source' in message) return [{ source: message.source, envelope: { client, cart } }];
    const name = cart.number ?? cart.guid ?? 'without a number';
    notes.push(
      `a message holds only the key of cart ${name}, which is too large for the queue: take the cart from SRM`,
    );
    return [];
  } catch (error) {
    if (!(error instanceof UnreadableMessage)) throw error;
    throw new UnusableInput(`holds a queue message that ${error.message}`, { cause: error });
  }
}

function cartsOfAnswer(page: unknown, { notes, names }: Reading): InputCart[] {
  const rows = cartsOfPage(page, names);
  if (typeof rows === 'string') throw new UnusableInput(rows);
  const d = asJsonObject(asJsonObject(page)?.['d']);
  const announced = announcedRows(d);
  if (announced !== undefined && announced > rows.length)
    notes.push(`the page holds ${rows.length} of ${announced} carts (__count)`);
  else if (d?.['__next'] !== undefined) notes.push('the page is one of several (__next)');
  return rows.map((source) => ({ source: names.toSap(source, '') }));
}
