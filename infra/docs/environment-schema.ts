/**
 * The schema of an environment as JSON Schema, for editors: they complete, explain and check an entry while it is typed. It
 * accepts everything that the real check accepts; what JSON Schema cannot express, only the real check refuses.
 */
import * as z from 'zod';
import { environmentSchema } from '../environments.ts';
import { FILE_MAP_NAMES } from '../value-map-files.ts';
import { definitionOf } from './environments.ts';
import { isJsonObject, isList, type Json, type JsonObject, toJson } from './json-text.ts';

/** A default that is longer is of no use in the list that an editor shows. */
const LONGEST_DEFAULT = 200;

export function environmentJsonSchema(): JsonObject {
  const schema = toJson(
    z.toJSONSchema(environmentSchema, {
      io: 'input',
      // Editors know this one best.
      target: 'draft-7',
      override({ zodSchema, jsonSchema }) {
        // A format is judged otherwise by each editor, and JSON Schema has no patterns that ignore case.
        delete jsonSchema.format;
        if (patternsOf(zodSchema).some(({ flags }) => flags.includes('i'))) delete jsonSchema.pattern;
        if (JSON.stringify(jsonSchema.default ?? null).length > LONGEST_DEFAULT) delete jsonSchema.default;
      },
    }),
  );
  const maps = ['properties', 'translation', 'properties', 'valueMaps', 'properties'];
  const withFiles = [...FILE_MAP_NAMES].reduce<Json>(
    (changed, [name, hasCodes]) =>
      hasCodes
        ? changeAt(changed, [...maps, name, 'oneOf', '*', 'properties', 'codes'], (codes) => orFile(codes, FILE))
        : changeAt(changed, [...maps, name], (codes) => orFile(codes, CODES_IN_FILE)),
    schema,
  );
  if (!isJsonObject(withFiles)) throw new Error('the schema of an environment is no object');
  return { title: 'Environment of PROC-SRM7-11VMS-PURCHASE-ORDER-V1', ...withFiles };
}

/** The patterns of a schema, with those of the schemas that it wraps. */
function patternsOf(schema: z.core.$ZodType): readonly RegExp[] {
  const def = definitionOf<z.core.$ZodTypeDef>(schema);
  const own = (def.checks ?? []).flatMap((check) => {
    const { pattern } = definitionOf<z.core.$ZodCheckDef & { readonly pattern?: unknown }>(check);
    return pattern instanceof RegExp ? [pattern] : [];
  });
  const inner = 'in' in def ? def.in : 'innerType' in def ? def.innerType : undefined;
  return inner instanceof z.core.$ZodType ? [...patternsOf(inner), ...own] : own;
}

const FILE: JsonObject = {
  type: 'object',
  properties: {
    file: {
      type: 'string',
      minLength: 1,
      description: 'A CSV file in the folder of this entry or below it, with the columns source and target.',
    },
  },
  required: ['file'],
  additionalProperties: false,
};
const CODES_IN_FILE: JsonObject = {
  type: 'object',
  properties: { codes: FILE },
  required: ['codes'],
  additionalProperties: false,
};

/** The codes as they are written out, or their file. */
function orFile(codes: Json, file: JsonObject): Json {
  if (!isJsonObject(codes)) throw new Error('a value map has no schema');
  const { description, default: byDefault, ...written } = codes;
  return {
    ...(description === undefined ? {} : { description }),
    ...(byDefault === undefined ? {} : { default: byDefault }),
    anyOf: [written, file],
  };
}

/** The document with one part changed; `*` is each element of a list. @throws {Error} when there is no such part. */
function changeAt(json: Json | undefined, path: readonly string[], change: (part: Json) => Json): Json {
  const [name, ...rest] = path;
  if (name === undefined && json !== undefined) return change(json);
  if (name === '*' && isList(json)) return json.map((element) => changeAt(element, rest, change));
  if (name === undefined || !isJsonObject(json))
    throw new Error(`the schema of an environment has no ${path.join('.')}`);
  return { ...json, [name]: changeAt(json[name], rest, change) };
}
