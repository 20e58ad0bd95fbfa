/** The project's own samples: every example in a document is taken from them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { type Json, isJsonObject, isList, type JsonObject } from './json-text.ts';

export const SAMPLES_DIRECTORY = 'shared/contract/samples';

type SampleName =
  | 'srm7-shopping-carts.json'
  | 'srm7-error.json'
  | '11vms-purchase-order.json'
  | '11vms-created.json'
  | '11vms-problem.json';

export function readSample(name: SampleName): JsonObject {
  const path = join(import.meta.dirname, '..', '..', SAMPLES_DIRECTORY, name);
  const sample: Json = JSON.parse(readFileSync(path, 'utf8'));
  if (!isJsonObject(sample)) throw new Error(`${path} is no JSON object`);
  return sample;
}

/** @throws {Error} that names the sample and every field of it that the schema refuses. */
export function parseSample<Schema extends z.ZodType>(name: SampleName, schema: Schema): z.infer<Schema> {
  const parsed = schema.safeParse(readSample(name));
  if (parsed.success) return parsed.data;
  throw new Error(`${SAMPLES_DIRECTORY}/${name} no longer fits its schema:\n${z.prettifyError(parsed.error)}`);
}

/** The first value at a path, where a list stands for its elements in turn; undefined when none has one. */
export function firstAt(json: Json | undefined, path: readonly string[]): Json | undefined {
  if (isList(json)) {
    for (const element of json) {
      const found = firstAt(element, path);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const [name, ...rest] = path;
  if (name === undefined) return json;
  return isJsonObject(json) ? firstAt(json[name], rest) : undefined;
}

/** @throws {Error} when the sample has no text there. */
export function textAt(name: SampleName, ...path: readonly string[]): string {
  const found = firstAt(readSample(name), path);
  if (typeof found !== 'string') throw new Error(`${SAMPLES_DIRECTORY}/${name} has no text at ${path.join('.')}`);
  return found;
}
