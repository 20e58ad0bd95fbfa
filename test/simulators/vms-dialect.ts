/**
 * How an 11VMS writes orders that differs from the contract: other names, other nesting, decimals as numbers. An order is
 * taken as a list of texts such as `lines[0].unitOfMeasure`, each with its value, and the texts are replaced. The interface
 * goes through the tree of its schema instead: a simulator that shared its code would share its mistakes.
 */
import * as z from 'zod';
import { numberText, parseExactJson, rawNumber } from '../../shared/exact-json.ts';
import { DECIMALS } from './order-disguise.ts';
import type { OrderError } from './vms-order-rules.ts';
import { purchaseOrderSchema } from './vms-order-schema.ts';

export interface DialectOptions {
  readonly decimalsAs?: 'string' | 'number';
  /** `{ "supplier.code": "supplierCode" }`: the contract's name, and the one of this 11VMS; in a list, below its member. */
  readonly fields?: Readonly<Record<string, string>>;
}

export interface Dialect {
  /** A body in the words of the contract; undefined for text that is no JSON. */
  read(text: string): { readonly body: unknown; readonly errors: readonly OrderError[] } | undefined;
  /** JSON in the words of the contract as this 11VMS writes it. */
  write(json: string): string;
  /** A pointer of the contract in the words of this 11VMS. */
  pointer(pointer: string): string;
}

type Leaf = readonly [key: string, value: unknown];

const LISTS = ['lines', 'lines.accounting', 'notes', 'attachments'];

export function openDialect({ decimalsAs = 'string', fields = {} }: DialectOptions): Dialect {
  if (decimalsAs === 'string' && Object.keys(fields).length === 0) {
    return { read: (text) => wrapped(parsed(text)), write: (json) => json, pointer: (pointer) => pointer };
  }
  /** `lines.unitOfMeasure` as `items[].uom`. */
  const renamed = (name: string): string => {
    const list = longest(LISTS.filter((one) => name.startsWith(`${one}.`)));
    const start = list === undefined ? '' : `${list}.`;
    const outer = list === undefined ? '' : `${renamed(list)}[].`;
    const keys = Object.keys(fields).filter((key) => key.length > start.length && key.startsWith(start));
    const known = longest(keys.filter((key) => name === key || name.startsWith(`${key}.`)));
    return outer + (known === undefined ? name.slice(start.length) : `${fields[known]}${name.slice(known.length)}`);
  };
  const rename = (key: string): string => filled(renamed(key.replaceAll(/\[\d+\]/g, '')), key);
  const contractNames = new Map(contractKeys().map((key) => [renamed(key.replaceAll('[]', '')), key]));

  return {
    read(text) {
      if (parsed(text) === undefined) {
        return undefined;
      }
      const errors: OrderError[] = [];
      const leaves = leavesOf(parseExactJson(text), '').flatMap(([key, value]): Leaf[] => {
        const name = contractNames.get(key.replaceAll(/\[\d+\]/g, '[]'));
        if (name === undefined) {
          errors.push({ code: 'UNKNOWN_PROPERTY', pointer: pointerOf(key), detail: `Property ${key} is not known` });
          return [];
        }
        const digits = numberText(value);
        if (!DECIMALS.has(lastName(name)) || decimalsAs === 'string') {
          return [[filled(name, key), digits === undefined ? value : Number(digits)]];
        }
        if (digits === undefined) {
          errors.push({ code: 'INVALID_TYPE', pointer: pointerOf(key), detail: `${key} is not a number` });
        }
        return [[filled(name, key), digits ?? value]];
      });
      return { body: treeOf(leaves), errors };
    },
    write(json) {
      const leaves = leavesOf(parseExactJson(json), '').map(([key, value]): Leaf => {
        const isDecimal = decimalsAs === 'number' && DECIMALS.has(lastName(key)) && typeof value === 'string';
        return [rename(key), isDecimal && /^\d+(\.\d+)?$/.test(value) ? rawNumber(value) : value];
      });
      return JSON.stringify(treeOf(leaves));
    },
    pointer: (pointer) => (pointer === '' ? '' : pointerOf(rename(keyOf(pointer)))),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const wrapped = (body: unknown) => (body === undefined ? undefined : { body, errors: [] });

const longest = (texts: readonly string[]): string | undefined => texts.toSorted((a, b) => b.length - a.length)[0];

const lastName = (key: string): string => key.slice(Math.max(key.lastIndexOf('.'), key.lastIndexOf(']')) + 1);

/** `items[].uom` with the numbers of `lines[3].unitOfMeasure`. */
function filled(name: string, key: string): string {
  const numbers = [...key.matchAll(/\[(\d+)\]/g)].map(([, number = '']) => number);
  return name.replaceAll('[]', () => `[${numbers.shift() ?? ''}]`) + numbers.map((number) => `[${number}]`).join('');
}

const keyOf = (pointer: string): string =>
  pointer
    .slice(1)
    .replaceAll(/\/(\d+)(?=\/|$)/g, '[$1]')
    .replaceAll('/', '.');
const pointerOf = (key: string): string => `/${key.replaceAll(/\[(\d+)\]/g, '/$1').replaceAll('.', '/')}`;

/** An empty object or list is a leaf. */
function leavesOf(value: unknown, key: string): Leaf[] {
  if (typeof value !== 'object' || value === null || numberText(value) !== undefined) {
    return [[key, value]];
  }
  const parts = Array.isArray(value)
    ? value.map((part, index): Leaf => [`${key}[${index}]`, part])
    : Object.entries(value).map(([name, part]): Leaf => [key === '' ? name : `${key}.${name}`, part]);
  return parts.length === 0 && key !== '' ? [[key, value]] : parts.flatMap(([name, part]) => leavesOf(part, name));
}

export function treeOf(leaves: readonly Leaf[]): object {
  const tree: object = {};
  for (const [key, value] of leaves) {
    const names = key.match(/[^.[\]]+/g) ?? [];
    const isIndex = [...key.matchAll(/\[\d+\]|[^.[\]]+/g)].map(([part]) => part.startsWith('['));
    let owner = tree;
    for (const [index, name] of names.slice(0, -1).entries()) {
      const inner: unknown = Reflect.get(owner, name) ?? (isIndex[index + 1] === true ? [] : {});
      Reflect.set(owner, name, inner);
      owner = Object(inner);
    }
    Reflect.set(owner, names.at(-1) ?? '', value);
  }
  return tree;
}

const jsonSchema = z.object({
  get properties() {
    return z.record(z.string(), jsonSchema).optional();
  },
  get items() {
    return jsonSchema.optional();
  },
});

/** `lines[].unitOfMeasure`: every field of the contract, lists and objects among them. */
function contractKeys(schema = jsonSchema.parse(z.toJSONSchema(purchaseOrderSchema)), key = ''): string[] {
  const { properties = {}, items } = schema;
  const inner = Object.entries(properties).flatMap(([name, part]) =>
    contractKeys(part, key === '' ? name : `${key}.${name}`),
  );
  return [
    ...(key === '' || key.endsWith('[]') ? [] : [key]),
    ...inner,
    ...(items === undefined ? [] : contractKeys(items, `${key}[]`)),
  ];
}
