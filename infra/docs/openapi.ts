/** Shared by both API descriptions: OpenAPI 3.1 from zod schemas, and requests as the adapters send them. */
import * as z from 'zod';
import { METRIC_NAMESPACE } from '../../shared/metric-names.ts';
import type { HttpClient, HttpRequest } from '../../shared/http-client.ts';
import { withTraceparent } from '../../shared/traceparent.ts';
import { isJsonObject, isList, type Json, type JsonObject, toJson } from './json-text.ts';

export const INTERFACE_ID = METRIC_NAMESPACE;

export const ref = (schema: string): JsonObject => ({ $ref: `#/components/schemas/${schema}` });

/** A zod schema's input side as JSON Schema, without what only zod reads. */
export function jsonSchemaOf(schema: z.ZodType): JsonObject {
  const made = toJson(
    z.toJSONSchema(schema, {
      io: 'input',
      // A field with a transformation has no JSON Schema; the description of its API adds the type.
      unrepresentable: 'any',
      override({ zodSchema, jsonSchema }) {
        // `format` says the same in one word.
        if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
        if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
        if (zodSchema instanceof z.ZodObject) jsonSchema.required = requiredFields(zodSchema);
        if (jsonSchema.required?.length === 0) delete jsonSchema.required;
      },
    }),
  );
  if (!isJsonObject(made)) throw new Error('a schema of an entity is an object');
  const { $schema: _, ...rest } = made;
  return rest;
}

/** zod counts every field with a preprocessing step as optional: parsing `undefined` shows whether it is. */
const requiredFields = (schema: z.ZodObject): string[] =>
  Object.entries(schema.shape)
    .filter(([, field]) => !isOptional(field) && !z.safeParse(field, undefined).success)
    .map(([name]) => name);

/** Also a field that may be absent but not undefined. */
const isOptional = (field: z.core.$ZodType): boolean => field instanceof z.ZodType && field.def.type === 'optional';

/** A part of an entity that is described as a component of its own. */
export interface Part {
  readonly component: string;
  readonly entity: JsonObject;
  /** The property, with the component in the part's place. */
  readonly put: (reference: JsonObject) => JsonObject;
}

export type PartOf = (property: string, schema: JsonObject, isRequired: boolean) => Part | undefined;

/**
 * Moves the parts of a schema into components of their own, so that each is described once.
 * @throws {Error} when two parts of one name differ.
 */
export function toComponents(name: string, schema: JsonObject, partOf: PartOf): Readonly<Record<string, JsonObject>> {
  // The whole is listed first, although its schema is known last.
  const components: Record<string, JsonObject> = { [name]: {} };
  const add = (component: string, entity: JsonObject): JsonObject => {
    const known = components[component];
    const own = withReferences(entity);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(own))
      throw new Error(`infra/docs: the component ${component} stands for two schemas`);
    components[component] = own;
    return ref(component);
  };
  const withReferences = (entity: JsonObject): JsonObject => {
    const { properties, required = [] } = entity;
    if (!isJsonObject(properties)) return entity;
    const shown = Object.entries(properties).map(([property, own]): [string, Json] => {
      if (!isJsonObject(own)) return [property, own];
      const part = partOf(property, own, isList(required) && required.includes(property));
      return [property, part === undefined ? withReferences(own) : part.put(add(part.component, part.entity))];
    });
    return { ...entity, properties: Object.fromEntries(shown) };
  };
  components[name] = withReferences(schema);
  return components;
}

/**
 * The query and headers of a request as parameters, each with what was sent as its example.
 * @throws {Error} for a parameter without a description.
 */
export function parametersOf(request: HttpRequest, descriptions: Readonly<Record<string, string>>): JsonObject[] {
  const query = [...new URL(request.path, 'https://host.invalid').searchParams];
  const headers = Object.entries(request.headers ?? {}).filter(([name]) => !OPENAPI_OWN_HEADERS.includes(name));
  const parameter = (place: 'query' | 'header', name: string, example: string): JsonObject => {
    const description = descriptions[name];
    if (description === undefined) throw new Error(`infra/docs: say what the ${place} parameter ${name} is`);
    return {
      name,
      in: place,
      required: !OPTIONAL_PARAMETERS.includes(name),
      description,
      schema: { type: 'string' },
      example,
    };
  };
  return [
    ...query.map(([name, example]) => parameter('query', name, example)),
    ...headers.map(([name, example]) => parameter('header', name, example)),
  ];
}

/** Sent only where Lambda gives a trace. */
const OPTIONAL_PARAMETERS: readonly string[] = ['traceparent'];

/** OpenAPI says these by other means and ignores them as parameters. */
const OPENAPI_OWN_HEADERS: readonly string[] = ['Accept', 'Content-Type', 'Authorization'];

export const TRACEPARENT =
  'W3C Trace Context: the trace of the invocation that calls. It may be ignored, and is not sent where Lambda gives no trace.';

/** A trace as Lambda gives it. */
const SAMPLE_TRACE = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
export const withSampleTrace = (http: HttpClient): HttpClient =>
  withTraceparent(http, { _X_AMZN_TRACE_ID: SAMPLE_TRACE });

export interface Landscape {
  readonly name: string;
  readonly baseUrl: string;
  readonly tokenUrl: string;
  readonly scope: string;
}

export const servers = (landscapes: readonly Landscape[]): JsonObject[] =>
  landscapes.map(({ name, baseUrl }) => ({ url: baseUrl, description: `${name} (placeholder)` }));

/** One scheme by the name of the flow; each landscape has a token endpoint of its own. */
export function clientCredentials(landscapes: readonly Landscape[]): JsonObject {
  const [first] = landscapes;
  if (first === undefined) throw new Error('no landscape');
  const endpoints = landscapes.map(({ name, tokenUrl }) => `${name}: ${tokenUrl}`).join('; ');
  return {
    oauth2: {
      type: 'oauth2',
      description:
        'Client credentials (RFC 6749, 4.4). The client authenticates by HTTP Basic, or in the form (setting clientAuthentication); grant_type and scope travel as a form. ' +
        'A token is used until its expiry less 60 s; after a 401 it is fetched once more, with a freshly read secret. ' +
        `Token endpoints (placeholders): ${endpoints}.`,
      flows: {
        clientCredentials: { tokenUrl: first.tokenUrl, scopes: { [first.scope]: 'What this interface asks for' } },
      },
    },
  };
}

export const retryAfterHeader: JsonObject = {
  'Retry-After': {
    description: 'Seconds, or an HTTP date; waited for up to 15 minutes',
    schema: { type: 'string' },
    example: '30',
  },
};
