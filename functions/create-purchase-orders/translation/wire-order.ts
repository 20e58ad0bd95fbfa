/**
 * The order as the JSON of an 11VMS has it, which may differ from the order of target-11vms.md in two ways: decimals are
 * JSON numbers, and fields have other names or another nesting. Everything else in this house knows the order as
 * target-11vms.md has it: it is changed once, where it becomes the body, and back once, where an answer is read.
 */
import * as z from 'zod';
import type { DECIMAL_FORMS } from '../../../shared/environment.ts';
import { asJsonObject, rawNumber } from '../../../shared/exact-json.ts';
import { decimal, percentage, purchaseOrderSchema } from './purchase-order.ts';

export interface WireSettings {
  /** How amounts, quantities and percentages are written. */
  readonly decimalsAs: (typeof DECIMAL_FORMS)[number];
  /**
   * The places of fields in 11VMS's JSON, by their paths in the order: `{ "supplier.code": "supplierCode" }`. Both are
   * dotted names. The place of a field in a list is below the member of the list: `{ "lines.unitOfMeasure": "uom" }`.
   */
  readonly fields: Readonly<Record<string, string>>;
}

export interface WireOrder {
  toWire(order: object): object;
  /** What an answer holds that is no field of an order is left out. */
  fromWire(answer: object): object;
  /**
   * A pointer into the body, as a fault of 11VMS has it, as a pointer into the order. Undefined for a text that names none
   * of its fields: it may be personal.
   */
  ourPointer(pointer: string): string | undefined;
}

/** A value of an order, or a list of objects. The objects between have no place of their own. */
export interface WireField {
  /** By names, from the root of the order or from the member of its list. */
  readonly path: readonly string[];
  readonly place: readonly string[];
  readonly isDecimal: boolean;
  /** Of a list of objects. */
  readonly members?: readonly WireField[];
}

export const wireFields = ({ fields }: Pick<WireSettings, 'fields'>): readonly WireField[] =>
  fieldsBelow(purchaseOrderSchema, fields, '', [], []);

function fieldsBelow(
  schema: z.ZodObject,
  fields: WireSettings['fields'],
  list: string,
  path: readonly string[],
  place: readonly string[],
): WireField[] {
  return Object.entries(schema.shape).flatMap(([name, part]: [string, unknown]) => {
    const inner: unknown = part instanceof z.ZodExactOptional ? part.unwrap() : part;
    const own = [...path, name];
    const full = list + own.join('.');
    const given = Object.hasOwn(fields, full) ? fields[full] : undefined;
    const ownPlace = given?.split('.') ?? [...place, name];
    // An object that is renamed takes those of its fields with it that have no place of their own.
    if (inner instanceof z.ZodObject) return fieldsBelow(inner, fields, list, own, ownPlace);
    const field = { path: own, place: ownPlace, isDecimal: inner === decimal || inner === percentage };
    return inner instanceof z.ZodArray && inner.element instanceof z.ZodObject
      ? [{ ...field, members: fieldsBelow(inner.element, fields, `${full}.`, [], []) }]
      : [field];
  });
}

export function createWireOrder(settings: WireSettings): WireOrder {
  const fields = wireFields(settings);
  const isRenamed = Object.keys(settings.fields).length > 0;
  const isNumeric = settings.decimalsAs === 'number';
  const ownNames = namesIn(fields, ({ path }) => path);
  const names = namesIn(fields, ({ place }) => place);
  return {
    toWire: (order) => (isRenamed || isNumeric ? written(order, fields, isNumeric) : order),
    fromWire: (answer) => (isRenamed ? read(answer, fields) : answer),
    ourPointer(pointer) {
      const parts = pointer.split(/[/.[\]]/).filter((part) => part !== '');
      const isNamed = (known: ReadonlySet<string>): boolean =>
        parts.length > 0 && parts.every((part) => INDEX.test(part) || known.has(part));
      if (!isRenamed) return isNamed(ownNames) ? pointer : undefined;
      const ours = pathOf(parts, fields);
      if (ours !== undefined) return `/${ours.join('/')}`;
      // A part of a place, as 11VMS names it.
      return isNamed(names) ? pointer : undefined;
    },
  };
}

const INDEX = /^\d{1,4}$/;

const namesIn = (fields: readonly WireField[], of: (field: WireField) => readonly string[]): ReadonlySet<string> =>
  new Set(fields.flatMap((field) => [...of(field), ...namesIn(field.members ?? [], of)]));

function written(order: object, fields: readonly WireField[], isNumeric: boolean): object {
  const wire = {};
  for (const { path, place, isDecimal, members } of fields) {
    const value = valueAt(order, path);
    if (value === undefined) continue;
    const text = isNumeric && isDecimal ? asNumber(value) : value;
    put(
      wire,
      place,
      membersOf(text, members, (member, own) => written(member, own, isNumeric)),
    );
  }
  return wire;
}

function read(answer: object, fields: readonly WireField[]): object {
  const order = {};
  for (const { path, place, members } of fields) {
    const value = valueAt(answer, place);
    if (value !== undefined) put(order, path, membersOf(value, members, read));
  }
  return order;
}

/** The value itself, or the list with each of its members changed. What is no list and no object is left as it is. */
const membersOf = (
  value: unknown,
  fields: readonly WireField[] | undefined,
  change: (member: object, fields: readonly WireField[]) => object,
): unknown => {
  if (fields === undefined || !Array.isArray(value)) return value;
  return value.map((member: unknown) => {
    const object = asJsonObject(member);
    return object === undefined ? member : change(object, fields);
  });
};

/** The digits as they are: no binary fraction comes between. What is no decimal is left for the schema to refuse. */
const asNumber = (value: unknown): unknown => {
  const { data: text } = decimal.safeParse(value);
  return text === undefined ? value : rawNumber(text.replace(/^0+(?=\d)/, ''));
};

function valueAt(owner: object, path: readonly string[]): unknown {
  let value: unknown = owner;
  for (const name of path) {
    const object = asJsonObject(value);
    if (object === undefined || !Object.hasOwn(object, name)) return undefined;
    value = object[name];
  }
  return value;
}

function put(owner: object, place: readonly string[], value: unknown): void {
  let object = owner;
  for (const name of place.slice(0, -1)) {
    const known: unknown = Reflect.get(object, name);
    const inner = typeof known === 'object' && known !== null ? known : {};
    Reflect.set(object, name, inner);
    object = inner;
  }
  Reflect.set(object, place.at(-1) ?? '', value);
}

/** The path in the order of a place in the body; that of an object where the place holds all of it that there is. */
function pathOf(parts: readonly string[], fields: readonly WireField[]): string[] | undefined {
  for (const { path, place, members } of fields) {
    if (!startsWith(parts, place)) continue;
    const [index, ...rest] = parts.slice(place.length);
    if (index === undefined) return [...path];
    if (members === undefined || !INDEX.test(index)) return undefined;
    const inner = rest.length === 0 ? [] : pathOf(rest, members);
    return inner && [...path, index, ...inner];
  }
  let shared: readonly string[] | undefined;
  for (const { path } of fields.filter(({ place }) => startsWith(place, parts))) {
    shared ??= path.slice(0, -1);
    while (!startsWith(path, shared)) shared = shared.slice(0, -1);
  }
  return shared === undefined || shared.length === 0 ? undefined : [...shared];
}

const startsWith = (whole: readonly string[], start: readonly string[]): boolean =>
  start.every((name, index) => whole[index] === name);
