/** JSON as data, and as the text of a document; biome leaves the written documents as they are (.biome.json). */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

export const isJsonObject = (json: Json | undefined): json is JsonObject =>
  typeof json === 'object' && json !== null && !isList(json);

/** `Array.isArray` does not narrow readonly arrays. */
export const isList = (json: Json | undefined): json is readonly Json[] => Array.isArray(json);

/** A value as plain JSON, without functions, symbols and undefined members. */
export function toJson(value: unknown): Json {
  const json: Json = JSON.parse(JSON.stringify(value));
  return json;
}

export const jsonText = (json: Json): string => `${JSON.stringify(json, null, 2)}\n`;
