/** How a value is written, told without the value. Source: source-srm7.md, "JSON quirks". */
import { numberText } from '../../../shared/exact-json.ts';

export interface Form {
  /** For a person: `32 hex digits`. */
  readonly name: string;
  /** Whether this interface reads it so. */
  readonly isRead: boolean;
}

type Kind = 'Guid' | 'Flag' | 'Decimal' | 'Date' | 'Text';

/** The kind of a type of source-srm7.md, such as `Decimal(15,3)`. */
function kindOf(type: string): Kind {
  if (type === 'Guid' || type === 'Flag') return type;
  if (type.startsWith('Decimal') || type === 'Int64') return 'Decimal';
  return type.startsWith('DateTime') ? 'Date' : 'Text';
}

type Test = readonly [name: string, pattern: RegExp, isRead: boolean];

/** Of texts, the first that fits. */
const TEXTS: Readonly<Record<Kind, readonly Test[]>> = {
  Guid: [
    ['GUID', /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i, true],
    ['GUID of 32 digits', /^[\da-f]{32}$/i, true],
    ['GUID in base64', /^[\w+/]{22}==$/, true],
  ],
  Flag: [['X', /^ *x *$/i, true]],
  Decimal: [
    ['decimal as text', /^-?\d+(\.\d+)?$/, true],
    ['decimal with its sign at the end', /^\d+([.,]\d+)?-$/, false],
    ['decimal with a comma', /^-?[\d.]+,\d+$/, false],
  ],
  Date: [
    ['/Date(ms)/', /^\/Date\(-?\d+\)\/$/, true],
    ['/Date(ms+hhmm)/', /^\/Date\(-?\d+[+-]\d{4}\)\/$/, true],
    ['initial date of ABAP', /^(0{8}|0{14})$/, true],
    ['date of ISO 8601', /^\d{4}-\d\d-\d\d/, false],
    ['date in digits', /^(\d{8}|\d{14})$/, false],
    ['duration of Edm.Time', /^PT/, false],
  ],
  Text: [['text', /^/, true]],
};

/** The form of a value where a type is expected. */
export function formOf(value: unknown, type: string): Form {
  if (value === null) return { name: 'null', isRead: true };
  const kind = kindOf(type);
  if (typeof value === 'string') {
    if (value.trim() === '') return { name: 'blank', isRead: true };
    const found = TEXTS[kind].find(([, pattern]) => pattern.test(value.trim()));
    return found === undefined ? { name: 'another text', isRead: false } : { name: found[0], isRead: found[2] };
  }
  if (typeof value === 'boolean') return { name: 'true or false', isRead: kind === 'Flag' };
  if (numberText(value) !== undefined) return { name: 'number', isRead: kind === 'Decimal' || kind === 'Text' };
  return { name: Array.isArray(value) ? 'list' : 'object', isRead: false };
}
