/**
 * What a target gets: the event, a constant, or an input template filled from the event, as the user guide describes it
 * ("Amazon EventBridge input transformation", "Common issues with transforming input"). The same template language
 * serves EventBridge Pipes, whose paths stand in the template itself (`<$.dynamodb.NewImage.sk.S>`).
 */
import * as z from 'zod';

const MAXIMUM_TEMPLATE = 8192;
const MAXIMUM_PATHS = 100;

export const inputTransformer = z.strictObject({
  InputPathsMap: z
    .record(z.string().regex(/^(?!aws\.)[A-Za-z0-9_-]{1,256}$/i), z.string())
    .refine((paths) => Object.keys(paths).length <= MAXIMUM_PATHS, `must hold ${MAXIMUM_PATHS} paths at most`)
    .default({}),
  InputTemplate: z.string().min(1).max(MAXIMUM_TEMPLATE),
});

/**
 * What becomes of a variable in the place of a JSON value whose path is not in the event. The guide says that it "isn't
 * created and won't appear in the output", and not more: `left out` takes the member away, `empty` leaves a text of
 * length 0. A template must be right with both, or have no such path: `refused` throws.
 */
export type MissingValue = 'left out' | 'empty' | 'refused';

export interface RenderOptions {
  readonly missing?: MissingValue;
  /** `aws.events.rule-arn`, `aws.events.rule-name` and so on, or those of `aws.pipes.`. */
  readonly predefined?: Readonly<Record<string, unknown>>;
}

/** Marks a member to take away; no event holds it. */
const ABSENT = '\u0000absent\u0000';

/**
 * The text of a template, filled from the event. EventBridge does not escape what it inserts: a text with quotes or line
 * breaks makes invalid JSON. Only a whole object or array is inserted as JSON.
 * @throws {Error} for a path or variable that does not exist in the template language.
 */
export function renderTemplate(
  { InputPathsMap: paths, InputTemplate: template }: z.infer<typeof inputTransformer>,
  event: unknown,
  { missing = 'left out', predefined = {} }: RenderOptions = {},
): string {
  const valueOf = (variable: string): unknown => {
    const path = paths[variable];
    if (path !== undefined) return valueAt(path, event);
    if (variable.startsWith('$')) return valueAt(variable, event);
    if (Object.hasOwn(predefined, variable)) return predefined[variable];
    throw new Error(`the template uses <${variable}>, which has no path`);
  };
  let text = '';
  let isInText = false;
  let isCut = false;
  for (let at = 0; at < template.length; at += 1) {
    const character = template.charAt(at);
    const variable = /^<(?<name>[\w.$[\]*-]+)>/.exec(template.slice(at))?.groups?.['name'];
    if (variable !== undefined) {
      const value = valueOf(variable);
      if (value === undefined && missing === 'refused') throw new Error(`the event has no ${variable}`);
      if (value === undefined) {
        isCut ||= !isInText && missing === 'left out';
        text += isInText ? '' : JSON.stringify(missing === 'left out' ? ABSENT : '');
      } else {
        text += isInText ? insideText(value) : asValue(value);
      }
      at += variable.length + 1;
    } else if (isInText && character === '\\') {
      text += template.slice(at, at + 2);
      at += 1;
    } else {
      if (character === '"') isInText = !isInText;
      text += character;
    }
  }
  return isCut ? JSON.stringify(JSON.parse(text), withoutAbsent) : text;
}

const withoutAbsent = (_name: string, value: unknown): unknown => {
  if (Array.isArray(value)) return value.filter((element) => element !== ABSENT);
  return value === ABSENT ? undefined : value;
};

/** A text brings its own quotes, and is not escaped. */
const asValue = (value: unknown): string => (typeof value === 'string' ? `"${value}"` : JSON.stringify(value));

/** Within a text, an object loses its quotes. */
const insideText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value).replaceAll('"', '');

/** The value at a path of dots and array indices; undefined where the event has none. */
export function valueAt(path: string, event: unknown): unknown {
  if (!/^\$(\.[\w-]+|\[\d+\])*$/.test(path)) throw new Error(`the path ${path} is not supported here`);
  let value: unknown = event;
  for (const [step] of path.matchAll(/[\w-]+/g)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = Reflect.get(value, step);
  }
  return value;
}
