/** SRM's side of the interface as OpenAPI 3.1: the requests of this interface, and the answers that it assumes. */
import { item, itemFlags, shoppingCart } from '../../functions/create-purchase-orders/translation/shopping-cart.ts';
import { InterfaceError } from '../../shared/failure.ts';
import type { HttpRequest } from '../../shared/http-client.ts';
import { createSrmCarts } from '../../shared/srm-carts.ts';
import { ASSUMED_SERVICE } from '../../shared/srm-service.ts';
import { isJsonObject, type Json, type JsonObject } from './json-text.ts';
import {
  clientCredentials,
  INTERFACE_ID,
  jsonSchemaOf,
  type Landscape,
  type Part,
  parametersOf,
  ref,
  retryAfterHeader,
  servers,
  toComponents,
  TRACEPARENT,
  withSampleTrace,
} from './openapi.ts';
import { type CannedAnswer, recordHttp } from './recorded-http.ts';
import { firstAt, readSample, SAMPLES_DIRECTORY, textAt } from './samples.ts';
import { EDM_TYPES, isFilled, NAVIGATIONS, sampleRows } from './srm7-fields.ts';

const PARAMETERS: Readonly<Record<string, string>> = {
  $filter:
    'The window, half-open over ChangedAt and at most 24 h wide, and the statuses of the environment. Never on anything ' +
    'else: a malformed cart, too, must be delivered.',
  $orderby: 'A full and stable order. Where the service ignores it, the watermark moves only at the end of a window.',
  $expand:
    'The cart with all that belongs to it. What is left as __deferred, or comes with a __next of its own, is read to its end.',
  $inlinecount: 'Asks for __count: a number that differs from the rows delivered makes the window be read again.',
  $format: 'JSON of OData V2',
  'sap-client': 'Part of a cart’s identity',
  'sap-language': 'The language of texts',
  'X-Correlation-ID': 'The run; for a single cart, the run and the cart. It stands in every log line of ours.',
  traceparent: TRACEPARENT,
};

/** The failures that SRM may answer. The adapter itself says how it takes each of them. */
const ERRORS: Readonly<Record<number, string>> = {
  400: 'The service refuses the query, for instance a window over 24 h',
  401: 'No valid token; a proxy may answer HTML',
  403: 'No right to read; a proxy may answer HTML',
  404: 'No such service, entity set or cart',
  429: 'Quota or surge protection',
  500: 'The service failed',
  502: 'The proxy got no valid answer',
  503: 'Not available for now',
  504: 'The proxy waited in vain',
};

export async function srm7OpenApi(landscapes: readonly Landscape[]): Promise<JsonObject> {
  const { list, single } = await recordedReads();
  const [listUrl, singleUrl] = [list, single].map(({ path }) => new URL(path, 'https://host.invalid'));
  const cartPath = decodeURIComponent(singleUrl?.pathname ?? '').replace(/guid'[^']*'/, "guid'{guid}'");
  return {
    openapi: '3.1.0',
    info: {
      title: 'Approved shopping carts of SAP SRM 7, as this interface assumes them',
      version: '1.0.0',
      description:
        `**An assumption of the interface ${INTERFACE_ID}**: SAP ships no public extraction service for carts of SRM 7, ` +
        'and no reference of a real one was at hand. It describes a service of the customer’s own in OData V2, its ' +
        'fields named after SRM’s structures. Compare it with the real service before going live; what differs is a ' +
        'change to shared/srm-carts.ts, shared/sap-values.ts and the translation’s shopping-cart.ts.\n\n' +
        'Only what the interface reads is described; other properties are ignored. `required` is what a row cannot ' +
        'be read without; what an order cannot be made without stands in mapping.md. Blank and null both mean absent. ' +
        'A JSON number is taken by its digits, and a boolean as X or blank, wherever text is expected. ' +
        'Printed from the code by `npm run docs`.\n\n' +
        'How the interface takes a failure: **transient** and **throttled** are read again up to three times, then by ' +
        'the next run; **refused** and **permanent** end the run at once. In each case the watermark stays, so that ' +
        'the next run reads the same window.',
    },
    servers: servers(landscapes),
    security: [{ oauth2: landscapes.slice(0, 1).map(({ scope }) => scope) }],
    paths: {
      [listUrl?.pathname ?? '']: {
        get: {
          operationId: 'readApprovedCarts',
          summary: 'The approved carts of a window, page by page',
          description:
            'Requirements on the service: ChangedAt is the later of the header’s change and the last change of status; ' +
            'a page has at most 100 carts; a call without a filter, or with a window over 24 h, is refused. __next is ' +
            'opaque and followed to the letter, but only to the host of the server or one that is configured.',
          parameters: parametersOf(list, PARAMETERS),
          responses: {
            '200': {
              description: 'A page; also a bare list, or a single cart, as some services answer',
              content: {
                'application/json': {
                  schema: ref('CartPage'),
                  examples: { page: { externalValue: `../../${SAMPLES_DIRECTORY}/srm7-shopping-carts.json` } },
                },
              },
            },
            ...(await errorResponses((carts) => carts.pages(WINDOW, RUN).next())),
          },
        },
      },
      [cartPath]: {
        get: {
          operationId: 'readCart',
          summary: 'One cart by its GUID, with all that belongs to it',
          description: 'Read for a cart that was too large for the queue, or whose navigations came as __deferred.',
          parameters: [
            { name: 'guid', in: 'path', required: true, schema: { type: 'string' }, example: sampleGuid() },
            ...parametersOf(single, PARAMETERS),
          ],
          responses: {
            '200': {
              description: 'The cart',
              content: { 'application/json': { schema: ref('SingleCart') } },
            },
            ...(await errorResponses((carts) => carts.cart(sampleGuid(), RUN))),
          },
        },
      },
    },
    components: { securitySchemes: clientCredentials(landscapes), schemas: schemas() },
  };
}

type Carts = ReturnType<typeof createSrmCarts>;

const RUN = '{run id}';
const WINDOW = { fromMs: Date.UTC(2026, 10, 20, 14), toMs: Date.UTC(2026, 10, 20, 15) };
const sampleGuid = (): string => textAt('srm7-shopping-carts.json', 'd', 'results', 'Guid');

const json = { 'content-type': 'application/json' };

function cartsThat(answer: CannedAnswer) {
  const http = recordHttp(answer);
  const settings = {
    ...ASSUMED_SERVICE,
    baseUrl: 'https://srm.invalid',
    client: '100',
    language: 'EN',
    statuses: ['I1129'],
    internalHosts: [],
  };
  const carts = createSrmCarts(settings, { http: withSampleTrace(http), now: () => 0, wait: async () => false });
  return { carts, http };
}

/** The requests that the adapter really sends. */
async function recordedReads(): Promise<{ readonly list: HttpRequest; readonly single: HttpRequest }> {
  const { carts, http } = cartsThat({ status: 200, body: '{"d":{"results":[]}}', headers: json });
  await carts.pages(WINDOW, RUN).next();
  await carts.cart(sampleGuid(), `${RUN}/${sampleGuid()}`);
  const [list, single] = http.requests;
  if (list === undefined || single === undefined) throw new Error('the adapter sent no request');
  return { list, single };
}

const ERROR_EXAMPLE = { 'window-too-wide': { value: readSample('srm7-error.json') } };

async function errorResponses(read: (carts: Carts) => Promise<unknown>): Promise<Record<string, JsonObject>> {
  const entries = Object.entries(ERRORS).map(async ([status, meaning]): Promise<[string, JsonObject]> => {
    const response = {
      description: `${meaning}. ${await treatment(Number(status), read)}`,
      ...(status === '429' || status === '503' ? { headers: retryAfterHeader } : {}),
      content: {
        'application/json': { schema: ref('ODataError'), ...(status === '400' ? { examples: ERROR_EXAMPLE } : {}) },
        'text/html': { schema: { type: 'string' } },
      },
    };
    return [status, response];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** How the adapter takes an error of the service. Without SAP’s error body, a 4xx is a gateway’s, and transient. */
async function treatment(status: number, read: (carts: Carts) => Promise<unknown>): Promise<string> {
  const { carts } = cartsThat({ status, body: JSON.stringify(readSample('srm7-error.json')), headers: json });
  try {
    await read(carts);
    return 'Taken as: there is none.';
  } catch (error) {
    if (!(error instanceof InterfaceError)) throw error;
    return `Taken as ${error.failureClass}, ${error.fault.code}.`;
  }
}

function schemas(): JsonObject {
  const entities = Object.entries(toComponents('ShoppingCart', jsonSchemaOf(shoppingCart), navigationOf));
  return {
    CartPage: {
      type: 'object',
      required: ['d'],
      properties: {
        d: {
          anyOf: [
            {
              type: 'object',
              required: ['results'],
              properties: {
                results: { type: 'array', items: ref('ShoppingCart') },
                __next: { type: 'string', description: 'The next page; absent on the last' },
                __count: { type: ['string', 'number'], description: 'How many carts the whole window holds' },
              },
            },
            { type: 'array', items: ref('ShoppingCart') },
            ref('ShoppingCart'),
          ],
        },
      },
    },
    SingleCart: { type: 'object', required: ['d'], properties: { d: ref('ShoppingCart') } },
    ...Object.fromEntries(entities.map(([name, entity]) => [name, withEdmTypes(name, entity)])),
    Deferred: {
      type: 'object',
      description: 'A navigation that was not expanded, although it was asked for',
      required: ['__deferred'],
      properties: { __deferred: { type: 'object', properties: { uri: { type: 'string' } } } },
    },
    ODataError: {
      type: 'object',
      description: 'Only the code and the transaction id are logged: texts may quote personal data',
      required: ['error'],
      properties: {
        error: {
          type: 'object',
          properties: {
            code: { type: 'string' },
            message: { type: 'object', properties: { lang: { type: 'string' }, value: { type: 'string' } } },
            innererror: {
              type: 'object',
              properties: {
                transactionid: { type: 'string', description: 'Leads to /IWFND/ERROR_LOG' },
                errordetails: {
                  type: 'array',
                  items: {
                    type: 'object',
                    properties: {
                      code: { type: 'string' },
                      message: { type: 'string' },
                      propertyref: { type: 'string' },
                      severity: { type: 'string' },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  };
}

/** `{ results }`, or from some services the bare list; one that is not mandatory may be null. */
function navigationOf(property: string, schema: JsonObject, isRequired: boolean): Part | undefined {
  const component = NAVIGATIONS[property];
  if (component === undefined) return undefined;
  const results = ['properties', 'results', 'items'];
  const rows = firstAt(schema, results) ?? firstAt(schema, ['anyOf', ...results]);
  return {
    component,
    // The schema of the cart leaves its items unchecked: an item that is not ordered is never checked.
    entity: property === 'Items' ? jsonSchemaOf(item.extend(itemFlags.shape)) : isJsonObject(rows) ? rows : {},
    put: (reference) => {
      const list = { type: 'array', items: reference };
      const wrapped = { type: 'object', required: ['results'], properties: { results: list } };
      return { anyOf: [wrapped, list, ref('Deferred'), ...(isRequired ? [] : [{ type: 'null' }])] };
    },
  };
}

/** @throws {Error} when a field has no type at the source, or a type has no field. */
function withEdmTypes(component: string, entity: JsonObject): JsonObject {
  const types = EDM_TYPES[component] ?? {};
  const properties = isJsonObject(entity['properties']) ? entity['properties'] : {};
  const known = new Set([...Object.keys(types), ...Object.keys(NAVIGATIONS)]);
  const unknown = Object.keys(properties).filter((name) => !known.has(name));
  const missing = Object.keys(types).filter((name) => !Object.hasOwn(properties, name));
  if (unknown.length + missing.length > 0)
    throw new Error(
      `infra/docs/srm7-fields.ts: ${component} and its EDM types differ in ${[...unknown, ...missing].join(', ')}`,
    );
  const rows = sampleRows(component);
  const shown = Object.entries(properties).map(([name, own]): [string, Json] => {
    const type = types[name];
    if (type === undefined || !isJsonObject(own)) return [name, own];
    const example = rows.map((row) => firstAt(row, [name])).find(isFilled);
    return [
      name,
      {
        ...(own['type'] === undefined ? edmSchema(type) : own),
        'x-edm-type': type.replace('Flag', 'String(1)'),
        ...(example === undefined ? {} : { examples: [example] }),
      },
    ];
  });
  return { ...entity, properties: Object.fromEntries(shown) };
}

/** A transformed field as SRM sends it: text or null, or what else SAP's services send for its type. */
function edmSchema(type: string): JsonObject {
  if (type === 'Flag') return { type: ['string', 'boolean', 'null'], description: 'X or blank' };
  if (type.startsWith('Decimal') || type === 'Int64') return { type: ['string', 'number', 'null'] };
  if (type.startsWith('DateTime')) return { type: ['string', 'null'], pattern: '^(/Date\\(-?\\d+([+-]\\d{4})?\\)/)?$' };
  const length = /\((\d+)\)/.exec(type)?.[1];
  return { type: ['string', 'null'], ...(length === undefined ? {} : { maxLength: Number(length) }) };
}
