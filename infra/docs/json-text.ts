/** JSON as biome formats it, so that a document which is written here is never written differently there. */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

export const isJsonObject = (json: Json | undefined): json is JsonObject =>
  typeof json === 'object' && json !== null && !isList(json);

/** `Array.isArray` does not narrow readonly arrays. */
export const isList = (json: Json | undefined): json is readonly Json[] => Array.isArray(json);

/** Anything that JSON can say, as plain JSON: without functions, symbols and what is undefined. */
export function toJson(value: unknown): Json {
  const json: Json = JSON.parse(JSON.stringify(value));
  return json;
}

/** biome.json, `lineWidth`. */
const LINE_WIDTH = 120;

export const jsonText = (json: Json): string => `${write(json, '', 0)}\n`;

/** @param used columns that are taken on the first line, with the comma that may follow. */
function write(json: Json, indent: string, used: number): string {
  if (isList(json)) {
    const line = `[${json.map((element) => JSON.stringify(element)).join(', ')}]`;
    if (json.every((element) => typeof element !== 'object') && used + line.length <= LINE_WIDTH) return line;
    return block(
      '[',
      ']',
      indent,
      json.map((element) => ['', element]),
    );
  }
  if (!isJsonObject(json)) return JSON.stringify(json);
  const members = Object.entries(json);
  if (members.length === 0) return '{}';
  return block(
    '{',
    '}',
    indent,
    members.map(([name, member]) => [`${JSON.stringify(name)}: `, member]),
  );
}

function block(open: string, close: string, indent: string, members: readonly (readonly [string, Json])[]): string {
  const inner = `${indent}  `;
  const lines = members.map(
    ([prefix, member]) => inner + prefix + write(member, inner, inner.length + prefix.length + 1),
  );
  return `${open}\n${lines.join(',\n')}\n${indent}${close}`;
}
