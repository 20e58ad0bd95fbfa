/** Words the mistakes that the schema of an environment finds: what is wrong, and how it should look. */
import * as z from 'zod';

/** A field that is wrong. The message goes on from its name: "must be at most 10, not 11". */
export interface Mistake {
  readonly message: string;
  readonly path: readonly PropertyKey[];
}

/** The settings, or every mistake in them. */
export function checkSettings<Schema extends z.ZodType>(
  schema: Schema,
  settings: unknown,
): { readonly settings: z.output<Schema> } | { readonly mistakes: readonly Mistake[] } {
  const parsed = schema.safeParse(settings, { error: inWords });
  if (parsed.success) return { settings: parsed.data };
  return { mistakes: parsed.error.issues.map(({ message, path }) => ({ message, path })) };
}

export const describeMistakes = (mistakes: readonly Mistake[]): string => z.prettifyError({ issues: mistakes });

/** `srm.internalHosts[0]` */
export const placeOf = ({ path }: Mistake): string => z.core.toDotPath(path);

/** A message of the schema's own comes before this one. */
const inWords: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `is missing: it must be ${typeInWords(issue.expected)}`
        : `must be ${typeInWords(issue.expected)}, not ${valueInWords(issue.input)}`;
    case 'invalid_value':
      return oneOf(issue.values.map(String), issue.input);
    case 'too_small':
      return `must ${sizeInWords(issue.origin, `at least ${issue.minimum}`, issue.input)}`;
    case 'too_big':
      return `must ${sizeInWords(issue.origin, `at most ${issue.maximum}`, issue.input)}`;
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, issue.inst)).join('\n');
    case 'invalid_key':
      return issue.issues.map(({ message }) => message).join('; ');
    case 'invalid_format':
      return FORMATS[issue.format];
    default:
      return undefined;
  }
};

const FORMATS: Readonly<Record<string, string>> = {
  url: 'must be a whole URL, such as https://srm.example.com',
  email: 'must be an e-mail address, such as operations@example.com',
  datetime: 'must be an instant with its offset, such as 2026-12-01T00:00:00Z',
};

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text in double quotes',
  number: 'a number without quotes',
  int: 'a whole number',
  boolean: 'true or false, without quotes',
  object: 'an object, { ... }',
  record: 'an object, { ... }',
  array: 'a list, [ ... ]',
};
const typeInWords = (expected: string): string => TYPES[expected] ?? expected;

function valueInWords(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'a text';
    case 'boolean':
      return 'true or false';
    case 'number':
      return Number.isInteger(value) ? 'a number' : 'a number with a fraction';
    default:
      return 'an object';
  }
}

function sizeInWords(origin: string, size: string, input: unknown): string {
  if (origin === 'string') return input === '' ? 'not be empty' : `have ${size} characters`;
  if (origin === 'array') return `have ${size} ${size.endsWith(' 1') ? 'entry' : 'entries'}`;
  return `be ${size}, not ${String(input)}`;
}

const oneOf = (known: readonly string[], input: unknown): string =>
  `must be ${known.length === 1 ? '' : 'one of '}${known.join(', ')}${typeof input === 'string' ? suggestion(input, known) : ''}`;

function unknownKey(key: string, object: unknown): string {
  const known = object instanceof z.ZodObject ? Object.keys(object.shape) : [];
  const near = suggestion(key, known);
  return `the field "${key}" is unknown${near === '' ? `: here are known ${known.join(', ')}` : near}`;
}

const suggestion = (text: string, known: readonly string[]): string => {
  const near = nearest(text, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
};

/** The one that a typing error, another case or a part of its name leads from; undefined when none is near. */
export function nearest(text: string, known: readonly string[]): string | undefined {
  const plain = (word: string): string => word.toLowerCase().replaceAll(/[^a-z\d]/g, '');
  const [best] = known
    .map((word) => ({ word, distance: editDistance(plain(text), plain(word)) }))
    .toSorted((a, b) => a.distance - b.distance);
  if (best !== undefined && best.distance <= Math.max(text.length < 4 ? 1 : 2, Math.floor(text.length / 3)))
    return best.word;
  const parts = known.filter((word) => plain(text).length > 2 && plain(word).includes(plain(text)));
  return parts.length === 1 ? parts[0] : undefined;
}

/** Levenshtein's: how many letters are added, left out or replaced. */
function editDistance(a: string, b: string): number {
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1];
    for (const [j, other] of b.split('').entries()) {
      const [left = 0, above = 0, corner = 0] = [next[j], row[j + 1], row[j]];
      next.push(Math.min(left + 1, above + 1, corner + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
