/**
 * The one form of all texts of an order that say the same, so that two orders can be compared by value. 11VMS may answer
 * with another text than it was sent (target-11vms.md, "Answers"): with `null` or nothing in it for what is absent, with
 * numbers for decimals and codes, other zeros at the ends of a decimal, another offset of an instant, other members, and
 * lines and account assignments in another order. Nothing else is the same: texts are compared to the letter.
 */
import Big from 'big.js';
import * as z from 'zod';
import { asJsonObject, numberText } from '../../../shared/exact-json.ts';
import { padZeros } from '../../../shared/sap-values.ts';
import { date, decimal, instant, percentage, purchaseOrderSchema } from './purchase-order.ts';

/** Leaves what it cannot read as it is, for the schema to refuse. Undefined: absent. */
type Read = (value: unknown) => unknown;

/** A number cannot have the zeros with which the mapping pads these codes (mapping rows 60 and 61). */
const PADDED: Readonly<Record<string, number>> = {
  glAccount: 10,
  costCentre: 10,
  internalOrder: 12,
  asset: 12,
  network: 12,
};

/** What tells the members of a list apart. Where there is one, their order says nothing. */
const NUMBERED_BY = ['lineNumber', 'sequence'] as const;

function readerOf(schema: unknown, name: string): Read {
  if (schema === decimal || schema === percentage) return readDecimal;
  if (schema === instant) return readInstant;
  if (schema === date) return readDate;
  if (schema instanceof z.ZodExactOptional) return readOptional(readerOf(schema.unwrap(), name));
  if (schema instanceof z.ZodObject) return readObject(schema);
  if (schema instanceof z.ZodArray) return readList(schema);
  if (schema instanceof z.ZodNumber) return readWholeNumber;
  if (schema instanceof z.ZodLiteral && schema.value === true) return readFlag;
  return readText(PADDED[name] ?? 0);
}

const readOptional =
  (read: Read): Read =>
  (value) => {
    const found = read(value);
    const isEmpty = typeof found === 'object' && found !== null && Object.keys(found).length === 0;
    return found === '' || found === false || (isEmpty && numberText(found) === undefined) ? undefined : found;
  };

function readObject(schema: z.ZodObject): Read {
  const members = Object.entries(schema.shape)
    .map(([name, part]) => ({ name, read: readerOf(part, name) }))
    // In the order of canonical JSON.
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return (value) => {
    const given = asJsonObject(value);
    if (given === undefined) return value ?? undefined;
    const known: Record<string, unknown> = {};
    for (const { name, read } of members) {
      const found = read(given[name]);
      if (found !== undefined) known[name] = found;
    }
    return known;
  };
}

function readList(schema: z.ZodArray): Read {
  const read = readerOf(schema.element, '');
  const names: readonly string[] = schema.element instanceof z.ZodObject ? Object.keys(schema.element.shape) : [];
  const numberedBy = NUMBERED_BY.find((name) => names.includes(name));
  const numberOf = (member: unknown): number => Number(asJsonObject(member)?.[numberedBy ?? '']);
  return (value) => {
    if (!Array.isArray(value)) return value ?? undefined;
    const found = value.map(read);
    return numberedBy === undefined ? found : found.sort((a, b) => numberOf(a) - numberOf(b));
  };
}

const readText =
  (paddedTo: number): Read =>
  (value) => {
    const digits = numberText(value);
    return digits === undefined ? (value ?? undefined) : padZeros(digits, paddedTo);
  };

/** `39000.00`, `39000` and the number 3.9e4 are `39000`. */
function readDecimal(value: unknown): unknown {
  const written = numberText(value);
  if (written !== undefined && /^\d{1,20}(\.\d{1,20})?[eE][+-]?\d{1,2}$/.test(written))
    return new Big(written).toFixed();
  const text = written ?? value;
  if (typeof text !== 'string' || !/^\d{1,40}(\.\d{1,40})?$/.test(text)) return text ?? undefined;
  const whole = text.replace(/^0+(?=\d)/, '');
  return whole.includes('.') ? whole.replace(/\.?0+$/, '') : whole;
}

function readWholeNumber(value: unknown): unknown {
  const text = readDecimal(value);
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : text;
}

/** `true`, or nothing. */
function readFlag(value: unknown): unknown {
  if (value === 'true' || value === 'false') return value === 'true';
  return value ?? undefined;
}

/** An instant in UTC. Without an offset, the instant is not known. */
function readInstant(value: unknown): unknown {
  if (typeof value !== 'string') return value ?? undefined;
  const match = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,20}))?(?:[Zz]|([+-]\d\d):?(\d\d))$/.exec(value);
  const [, seconds = '', fraction = '', hours = '+00', minutes = '00'] = match ?? [];
  const ms = Date.parse(`${seconds.toUpperCase()}${hours}:${minutes}`);
  if (Number.isNaN(ms)) return value;
  const rest = fraction.replace(/0+$/, '');
  return `${new Date(ms).toISOString().slice(0, 19)}${rest === '' ? '' : `.${rest}`}Z`;
}

/** A date, also as the midnight at which it begins, wherever that is. */
function readDate(value: unknown): unknown {
  if (typeof value !== 'string') return value ?? undefined;
  return /^(\d{4}-\d\d-\d\d)[Tt]00:00:00(?:\.0{1,20})?(?:[Zz]|[+-]\d\d:?\d\d)?$/.exec(value)?.[1] ?? value;
}

const readOrder = readerOf(purchaseOrderSchema, '');

/** The normal form of an order, with its members in the order of canonical JSON. */
export const normalOrder = (order: unknown): unknown => readOrder(order);
