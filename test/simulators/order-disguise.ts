/**
 * Writes an order as another system may give it back: in other words, with the same values. The contract's own writing
 * is only one of many (target-11vms.md, "Answers").
 */
import * as z from 'zod';
import { between, chance, pick, type Random } from './seeded-random.ts';
import { purchaseOrderSchema } from './vms-order-schema.ts';

export const DECIMALS: ReadonlySet<string> = new Set([
  'netAmount',
  'taxAmount',
  'grossAmount',
  'amount',
  'percentage',
  'maximumAmount',
  'expectedAmount',
  'quantity',
  'unitPrice',
  'priceBaseQuantity',
]);
const INSTANTS: ReadonlySet<string> = new Set(['approvedAt', 'changedAt']);
const DATES: ReadonlySet<string> = new Set(['orderDate', 'startDate', 'endDate', 'deliveryDate']);
/** Codes that SAP pads with zeros to a length. As numbers, they are written without. */
const PADDED: Readonly<Record<string, number>> = { glAccount: 10, costCentre: 10, internalOrder: 12 };
/** Their members are told apart by a number of their own. */
const UNORDERED: ReadonlySet<string> = new Set(['lines', 'accounting']);

/** One of the many JSON texts of an order, with any members beside those of the contract. */
export const disguisedOrder = (order: object, random: Random): string =>
  writeObject(order, purchaseOrderSchema, random);

function write(value: unknown, schema: unknown, name: string, random: Random): string {
  if (schema instanceof z.ZodOptional) return write(value, schema.unwrap(), name, random);
  if (Array.isArray(value)) {
    const element = schema instanceof z.ZodArray ? schema.element : undefined;
    const members = value.map((member) => write(member, element, name, random));
    return `[${(UNORDERED.has(name) ? shuffled(members, random) : members).join()}]`;
  }
  if (typeof value === 'object' && value !== null) return writeObject(value, schema, random);
  if (typeof value === 'boolean') return pick(random, [`${value}`, `"${value}"`]);
  if (typeof value === 'number') return pick(random, [`${value}`, `"${value}"`, `${value}.0`]);
  return typeof value === 'string' ? writeText(value, name, random) : JSON.stringify(value);
}

function writeObject(value: object, schema: unknown, random: Random): string {
  const shape: Readonly<Record<string, unknown>> = schema instanceof z.ZodObject ? schema.shape : {};
  const present = Object.entries(value).map(([name, member]): [string, string] => [
    name,
    write(member, shape[name], name, random),
  ]);
  const absent = Object.entries(shape).flatMap(([name, part]): [string, string][] => {
    const isAbsent = part instanceof z.ZodOptional && !Object.hasOwn(value, name);
    return isAbsent && chance(random, 0.7) ? [[name, writeAbsent(part.unwrap(), random)]] : [];
  });
  const additional: [string, string][] = chance(random, 0.5) ? [['_links', '{"self":{"href":"/x"}}']] : [];
  const members = shuffled([...present, ...absent, ...additional], random);
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join()}}`;
}

function writeAbsent(schema: unknown, random: Random): string {
  if (schema instanceof z.ZodArray) return pick(random, ['null', '[]']);
  if (schema instanceof z.ZodLiteral) return pick(random, ['null', 'false', '"false"']);
  if (schema instanceof z.ZodNumber) return 'null';
  if (!(schema instanceof z.ZodObject)) return pick(random, ['null', '""']);
  const nothings = Object.keys(schema.shape).map((name) => `${JSON.stringify(name)}:null`);
  return pick(random, ['null', '{}', `{${nothings.join()}}`]);
}

function writeText(text: string, name: string, random: Random): string {
  if (DECIMALS.has(name)) return writeDecimal(text, random);
  if (INSTANTS.has(name)) return JSON.stringify(otherInstant(text, random));
  if (DATES.has(name))
    return JSON.stringify(`${text}${pick(random, ['', 'T00:00:00', 'T00:00:00.000Z', 'T00:00:00+01:00'])}`);
  const isPadded = text.length === PADDED[name] && /^\d+$/.test(text);
  const number = isPadded ? text.replace(/^0+(?=\d)/, '') : text;
  return /^(0|[1-9]\d*)$/.test(number) && chance(random, 0.5) ? number : JSON.stringify(text);
}

function writeDecimal(text: string, random: Random): string {
  const [whole = '', fraction = ''] = text.split('.');
  const digits = fraction.replace(/0+$/, '').padEnd(between(random, 0, 8), '0');
  const other = digits === '' ? whole : `${whole}.${digits}`;
  const exponential = `${whole}${fraction === '' ? '' : `.${fraction}`}e${pick(random, ['0', '+0', '-0'])}`;
  const isNumber = /^(0|[1-9]\d*)$/.test(whole);
  return pick(random, [JSON.stringify(text), JSON.stringify(other), ...(isNumber ? [text, other, exponential] : [])]);
}

function otherInstant(text: string, random: Random): string {
  const seconds = text.replace('Z', '');
  const inHelsinki = new Date(Date.parse(text) + 2 * 3600_000).toISOString().slice(0, 19);
  return pick(random, [text, `${seconds}.000Z`, `${seconds}.0000000Z`, `${seconds}+00:00`, `${inHelsinki}+02:00`]);
}

function shuffled<Member>(members: readonly Member[], random: Random): Member[] {
  const keyed = members.map((member) => ({ member, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ member }) => member);
}
