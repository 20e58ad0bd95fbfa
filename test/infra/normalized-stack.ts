/** A stack as it is kept beside the tests: everything that a person decides, nothing that a change of code alters. */
import { join } from 'node:path';
import { isJsonObject, isList, type Json, jsonText, toJson } from '../../infra/docs/json-text.ts';
import type { Synthesis } from './synthesis.ts';

export const snapshotFile = (name: string): string => join(import.meta.dirname, 'snapshots', `${name}.json`);

export function normalizedStack({ stack, text }: Synthesis): string {
  const template: Json = toJson(JSON.parse(text));
  return jsonText(normalized(toJson({ ...stack, template })));
}

/** Keys in order, since the order of constructs means nothing; and assets without the hash of their content. */
function normalized(json: Json): Json {
  if (typeof json === 'string') return json.replace(/\b[0-9a-f]{64}\.zip$/, '<asset>.zip');
  if (isList(json)) return json.map(normalized);
  if (!isJsonObject(json)) return json;
  const entries = Object.entries(json).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, normalized(value)]));
}
