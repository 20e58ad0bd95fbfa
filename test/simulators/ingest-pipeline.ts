/**
 * Runs an ingest pipeline of Elasticsearch over a document, as far as our own file needs it. It knows the processors and
 * options below, by their reference (elastic.co/docs/reference/enrich-processor), and refuses any other.
 */
import * as z from 'zod';

/** Conditions are in Painless: those of the file, each by its text. */
const CONDITIONS: Readonly<Record<string, (document: Document) => boolean>> = {
  "ctx.message instanceof String && ctx.message.startsWith('{')": (document) =>
    typeof document['message'] === 'string' && document['message'].startsWith('{'),
  'ctx.labels?.timestamp instanceof String': (document) => typeof at(document, 'labels.timestamp') === 'string',
};

const condition = z.string().refine((text) => Object.hasOwn(CONDITIONS, text), 'no condition that is known here');
const common = { if: condition.optional(), ignore_failure: z.boolean().default(false) };
const missing = { ...common, field: z.string(), ignore_missing: z.boolean().default(false) };

const processors = {
  dot_expander: z.strictObject({ ...common, field: z.literal('*') }),
  set: z.strictObject({
    ...common,
    field: z.string(),
    copy_from: z.string(),
    override: z.boolean().default(true),
    ignore_empty_value: z.boolean().default(false),
  }),
  json: z.strictObject({ ...common, field: z.string(), target_field: z.string() }),
  remove: z.strictObject(missing),
  rename: z.strictObject({ ...missing, target_field: z.string() }),
  lowercase: z.strictObject({ ...missing, target_field: z.string() }),
  date: z.strictObject({
    ...common,
    field: z.string(),
    formats: z.tuple([z.literal('ISO8601')]),
    target_field: z.string(),
  }),
  pipeline: z.strictObject({ ...common, name: z.string(), ignore_missing_pipeline: z.boolean().default(false) }),
};
const processor = z.strictObject(processors).partial();
export const ingestPipeline = z.strictObject({
  description: z.string(),
  processors: z.array(
    processor.refine((entry) => Object.keys(entry).length === 1, 'an entry holds exactly one processor'),
  ),
  on_failure: z.array(z.unknown()),
});
export type IngestPipeline = z.infer<typeof ingestPipeline>;

export type Document = Record<string, unknown>;

/** @throws {Error} where a processor fails whose failure is not ignored. */
export function runPipeline({ processors: steps }: IngestPipeline, source: Document, ingestedAt: string): Document {
  const document = structuredClone(source);
  for (const step of steps) {
    const [options] = Object.values(step);
    if (options?.if !== undefined && CONDITIONS[options.if]?.(document) !== true) continue;
    try {
      apply(step, document, ingestedAt);
    } catch (error) {
      if (options?.ignore_failure !== true) throw error;
    }
  }
  return document;
}

function apply(step: IngestPipeline['processors'][number], document: Document, ingestedAt: string): void {
  const { dot_expander: expand, set, json, remove, rename, lowercase, date, pipeline } = step;
  if (expand !== undefined) expandDots(document);
  if (set !== undefined) {
    if (!set.override && at(document, set.field) !== undefined) return;
    const value = set.copy_from === '_ingest.timestamp' ? ingestedAt : at(document, set.copy_from);
    if (value === undefined || value === null || value === '') {
      if (set.ignore_empty_value) return;
      throw new Error(`field [${set.copy_from}] not present`);
    }
    put(document, set.field, value);
  }
  if (json !== undefined) put(document, json.target_field, JSON.parse(String(take(document, json.field))));
  if (remove !== undefined && present(document, remove)) drop(document, remove.field);
  if (rename !== undefined && present(document, rename)) {
    if (at(document, rename.target_field) !== undefined)
      throw new Error(`field [${rename.target_field}] already exists`);
    const value = at(document, rename.field);
    drop(document, rename.field);
    put(document, rename.target_field, value);
  }
  if (lowercase !== undefined && present(document, lowercase)) {
    const value = take(document, lowercase.field);
    if (typeof value !== 'string') throw new Error(`field [${lowercase.field}] is no text`);
    put(document, lowercase.target_field, value.toLowerCase());
  }
  if (date !== undefined) {
    const text = String(take(document, date.field));
    if (Number.isNaN(Date.parse(text))) throw new Error(`unable to parse date [${text}]`);
    put(document, date.target_field, new Date(text).toISOString());
  }
  if (pipeline?.ignore_missing_pipeline === false) throw new Error(`pipeline [${pipeline.name}] does not exist`);
}

const isObject = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function at(document: Document, path: string): unknown {
  return path.split('.').reduce<unknown>((part, name) => (isObject(part) ? part[name] : undefined), document);
}

function take(document: Document, path: string): unknown {
  const value = at(document, path);
  if (value === undefined) throw new Error(`field [${path}] not present`);
  return value;
}

function present(document: Document, { field, ignore_missing: isIgnored }: { field: string; ignore_missing: boolean }) {
  if (at(document, field) !== undefined) return true;
  if (isIgnored) return false;
  throw new Error(`field [${field}] not present`);
}

function put(document: Document, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  const holder = names.reduce<Document>((part, name) => {
    const next = part[name] ?? (part[name] = {});
    if (!isObject(next)) throw new Error(`[${name}] of [${path}] is no object`);
    return next;
  }, document);
  holder[last] = value;
}

function drop(document: Document, path: string): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  const holder = names.length === 0 ? document : at(document, names.join('.'));
  if (isObject(holder)) Reflect.deleteProperty(holder, last);
}

function expandDots(document: Document): void {
  for (const [name, value] of Object.entries(document)) {
    if (!name.includes('.')) continue;
    Reflect.deleteProperty(document, name);
    put(document, name, value);
  }
}
