/** The project's own samples: every example in a document is taken from them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** @throws {Error} when the sample has nothing there. */
export function textAt(sample: JsonObject, ...path: readonly string[]): string {
  const found = firstAt(sample, path);
  if (typeof found !== 'string') throw new Error(`the sample has no text at ${path.join('.')}`);
  return found;
}
