/** 11VMS's side of the interface as OpenAPI 3.1: the requests of this interface, and the answers that it assumes. */
import { canonicalBody, idempotencyKey } from '../../functions/create-purchase-orders/translation/order-content.ts';
import { purchaseOrderSchema } from '../../functions/create-purchase-orders/translation/purchase-order.ts';
import { createVmsOrders, type VmsOrders } from '../../functions/create-purchase-orders/delivery/vms-orders.ts';
import type { HttpRequest } from '../../shared/http-client.ts';
import { DEFAULT_VMS_CONTRACT } from '../vms-settings.ts';
import { isJsonObject, type JsonObject } from './json-text.ts';
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
import { parseSample, readSample, SAMPLES_DIRECTORY, textAt } from './samples.ts';

const PARAMETERS: Readonly<Record<string, string>> = {
  externalId: 'The order’s name at this interface: at most one order has it.',
  'Idempotency-Key':
    'A quoted UUIDv5 of externalId, externalRevision and the SHA-256 of the canonical body: the same on every attempt, ' +
    'another for other content.',
  'X-Correlation-ID': 'The extraction run and the cart. It stands in every log line of ours.',
  traceparent: TRACEPARENT,
  'X-Interface-ID': 'Constant',
  'Cache-Control': 'No cache on the way may answer: an order that was created a moment ago would be missed.',
};

/** An answer that 11VMS may give. */
interface DocumentedAnswer {
  readonly status: number;
  readonly name: string;
  readonly meaning: string;
  readonly body: JsonObject | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** It happens, but it is no example to follow. */
  readonly isBreach?: true;
}

const created = (): JsonObject => readSample('11vms-created.json');
/** A problem of no type of its own (RFC 9457, 4.2.1). */
const problem = (status: number, title: string, members: JsonObject = {}): JsonObject => ({
  type: 'about:blank',
  title,
  status,
  ...members,
});

/** Answers of the proxy itself, which may be HTML. */
const PROXY_ANSWER = '<html><body>the proxy answers for itself</body></html>';

function createAnswers(): DocumentedAnswer[] {
  const { id = '', number = '', externalRevision = 1 } = created();
  const reused = { code: 'IDEMPOTENCY_KEY_REUSED', pointer: '', detail: 'This key came with another payload before' };
  const unknown = { code: 'REFERENCE_NOT_FOUND', pointer: '/businessUnit/code', detail: 'No such business unit' };
  const malformed = { code: 'INVALID_JSON', pointer: '', detail: 'The body is not JSON' };
  return [
    { status: 201, name: 'created', meaning: 'Created', body: created() },
    {
      status: 200,
      name: 'replay',
      meaning: 'Created before, by a request with the same Idempotency-Key',
      body: created(),
    },
    {
      status: 200,
      name: 'disguised-error',
      meaning: 'A success that holds an error, or no id',
      body: { error: { code: 'INTERNAL_ERROR' } },
      isBreach: true,
    },
    {
      status: 400,
      name: 'malformed',
      meaning: 'The request cannot be read',
      body: problem(400, 'Malformed', { errors: [malformed] }),
    },
    { status: 401, name: 'unauthorized', meaning: 'No valid token', body: problem(401, 'A valid token is required') },
    { status: 403, name: 'forbidden', meaning: 'No right to create orders', body: problem(403, 'Forbidden') },
    { status: 404, name: 'collection', meaning: 'The collection itself is not there', body: PROXY_ANSWER },
    {
      status: 404,
      name: 'reference',
      meaning: 'The order names an object that 11VMS does not know',
      body: problem(404, 'Referenced object not found', { errors: [unknown] }),
    },
    {
      status: 408,
      name: 'request-timeout',
      meaning: 'The request did not arrive whole',
      body: problem(408, 'Time-out'),
    },
    {
      status: 409,
      name: 'exists',
      meaning: 'EXTERNAL_ID_EXISTS: an order with this externalId is there',
      body: problem(409, 'Conflict', { code: 'EXTERNAL_ID_EXISTS', existing: { id, number, externalRevision } }),
    },
    {
      status: 409,
      name: 'in-progress',
      meaning: 'REQUEST_IN_PROGRESS: an earlier request with this key has not ended',
      body: problem(409, 'Conflict', { code: 'REQUEST_IN_PROGRESS' }),
    },
    { status: 413, name: 'too-large', meaning: 'The body is too large', body: problem(413, 'Too large') },
    { status: 415, name: 'media-type', meaning: 'Not application/json in UTF-8', body: problem(415, 'Unsupported') },
    { status: 422, name: 'invalid', meaning: 'Fields are invalid', body: readSample('11vms-problem.json') },
    {
      status: 422,
      name: 'key-reused',
      meaning: 'The Idempotency-Key came with another payload before',
      body: problem(422, 'Key reused', { code: reused.code, errors: [reused] }),
    },
    { status: 425, name: 'too-early', meaning: 'The server does not risk a replay', body: problem(425, 'Too early') },
    { status: 429, name: 'throttled', meaning: 'Too many calls', body: problem(429, 'Too many requests') },
    ...failures(),
  ];
}

const failures = (): DocumentedAnswer[] => [
  { status: 500, name: 'failed', meaning: '11VMS failed', body: problem(500, 'Internal error') },
  { status: 502, name: 'bad-gateway', meaning: 'The proxy got no valid answer', body: PROXY_ANSWER },
  { status: 503, name: 'unavailable', meaning: 'Not available for now', body: problem(503, 'Unavailable') },
  {
    status: 503,
    name: 'unavailable-until',
    meaning: 'The same, with Retry-After',
    body: PROXY_ANSWER,
    headers: { 'retry-after': '30' },
  },
  { status: 504, name: 'gateway-timeout', meaning: 'The proxy waited in vain', body: PROXY_ANSWER },
];

function lookUpAnswers(): DocumentedAnswer[] {
  return [
    { status: 200, name: 'found', meaning: 'The order', body: { items: [storedOrder()] } },
    { status: 200, name: 'none', meaning: 'There is no such order', body: { items: [] } },
    { status: 400, name: 'malformed', meaning: 'The query cannot be read', body: problem(400, 'Malformed') },
    { status: 401, name: 'unauthorized', meaning: 'No valid token', body: problem(401, 'A valid token is required') },
    { status: 403, name: 'forbidden', meaning: 'No right to read orders', body: problem(403, 'Forbidden') },
    { status: 404, name: 'collection', meaning: 'The collection itself is not there', body: PROXY_ANSWER },
    { status: 429, name: 'throttled', meaning: 'Too many calls', body: problem(429, 'Too many requests') },
    ...failures(),
  ];
}

function storedOrder(): JsonObject {
  const { id = '', number = '', status = '' } = created();
  return { id, number, status, ...readSample('11vms-purchase-order.json') };
}

export async function vmsOpenApi(landscapes: readonly Landscape[]): Promise<JsonObject> {
  const { create, lookUp } = await recordedCalls();
  return {
    openapi: '3.1.0',
    info: {
      title: 'Purchase orders in 11VMS through 11VMSProxy_V2, as this interface assumes them',
      version: '2.0.0',
      description:
        `**An assumption of the interface ${INTERFACE_ID}**: 11VMS publishes no API reference, and the proxy’s own was ` +
        'not at hand. It is built from what comparable vendor management systems publish and from the standards of the ' +
        'field (RFC 9457 problems, the IETF draft of Idempotency-Key). Compare it with the real proxy before going live; ' +
        'what differs is a change to functions/create-purchase-orders/delivery/vms-orders.ts and translation/purchase-order.ts. ' +
        'The version is the proxy’s. Printed from the code by `npm run docs`.\n\n' +
        'Money, quantities and percentages are decimal strings. What has no value is left out, never null. Properties of ' +
        'an answer that are not described are ignored. Change (PUT) and cancellation are not used by this version.\n\n' +
        'How the interface takes an answer: **created**: done; **conflict**: looked up and compared; **unknown**: the order ' +
        'may be there, so it is looked up by externalId before anything is posted again; **not-taken**: retried after 30, ' +
        '60 and 120 s; **throttled**: repeated later, then as not-taken; **rejected**: dead-lettered at once. Of a ' +
        'look-up: **unanswered** is asked again by the next attempt, **impossible** is left to a person. The second word ' +
        'is the health that the answer shows of 11VMS (rules.md, "Health of 11VMS"): consumption pauses when it is ' +
        'refused, or again and again forbidden or unhealthy.',
    },
    servers: servers(landscapes),
    security: [{ oauth2: landscapes.slice(0, 1).map(({ scope }) => scope) }],
    paths: {
      [pathOf(create)]: {
        post: {
          operationId: 'createPurchaseOrder',
          summary: 'Creates an order, unique by its externalId',
          parameters: parametersOf(create, PARAMETERS),
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: ref('PurchaseOrder'),
                examples: { order: { externalValue: `../../${SAMPLES_DIRECTORY}/11vms-purchase-order.json` } },
              },
            },
          },
          responses: await responsesOf(createAnswers(), 'CreatedOrder', howCreateTakes),
        },
        get: {
          operationId: 'findPurchaseOrders',
          summary: 'The order with an externalId, or the orders of a time',
          description:
            'This interface asks by externalId only, whenever the outcome of a create is not known. The list by time of ' +
            'creation is part of the assumed contract and not used yet.',
          parameters: [
            ...parametersOf(lookUp, PARAMETERS).map((parameter) =>
              parameter['in'] === 'query' ? { ...parameter, required: false } : parameter,
            ),
            ...LIST_PARAMETERS,
          ],
          responses: await responsesOf(lookUpAnswers(), 'OrderList', howLookUpTakes),
        },
      },
    },
    components: { securitySchemes: clientCredentials(landscapes), schemas: schemas() },
  };
}

const listParameter = (name: string, description: string, schema: JsonObject): JsonObject => ({
  name,
  in: 'query',
  required: false,
  description: `${description} Not sent by this interface.`,
  schema,
});
const LIST_PARAMETERS: readonly JsonObject[] = [
  listParameter('externalSystem', 'With createdFrom and createdTo, instead of externalId.', { const: 'SRM7' }),
  listParameter('createdFrom', 'From this instant on.', { type: 'string', format: 'date-time' }),
  listParameter('createdTo', 'Before this instant.', { type: 'string', format: 'date-time' }),
  listParameter('pageToken', 'nextPageToken of the page before.', { type: 'string' }),
];

const BASE = 'https://vms.invalid';
const RUN = '{run id}';

const pathOf = ({ path }: HttpRequest): string => new URL(path, BASE).pathname;

function ordersThat(answer: CannedAnswer) {
  const http = recordHttp(answer);
  return { orders: createVmsOrders(withSampleTrace(http), () => 0, DEFAULT_VMS_CONTRACT), http };
}

function sampleRequest() {
  const order = parseSample('11vms-purchase-order.json', purchaseOrderSchema);
  const guid = textAt('srm7-shopping-carts.json', 'd', 'results', 'Guid');
  const body = canonicalBody(order);
  return {
    externalId: order.externalId,
    body,
    idempotencyKey: idempotencyKey(order, body),
    correlationId: `${RUN}/${guid}`,
  };
}

/** The requests that the adapter really sends. */
async function recordedCalls(): Promise<{ readonly create: HttpRequest; readonly lookUp: HttpRequest }> {
  const { orders, http } = ordersThat({ status: 200, body: '{"items":[]}', headers: {} });
  const request = sampleRequest();
  await orders.create(request, NO_DEADLINE);
  await orders.lookUp(request.externalId, request.correlationId, NO_DEADLINE);
  const [create, lookUp] = http.requests;
  if (create === undefined || lookUp === undefined) throw new Error('the adapter sent no request');
  return { create, lookUp };
}

const NO_DEADLINE = Number.POSITIVE_INFINITY;

type HowTaken = (orders: VmsOrders) => Promise<string>;

/** How the adapter takes an answer. */
async function howCreateTakes(orders: VmsOrders): Promise<string> {
  const answer = await orders.create(sampleRequest(), NO_DEADLINE);
  const faults = answer.kind === 'rejected' ? answer.faults : 'fault' in answer ? [answer.fault] : [];
  return [answer.kind, answer.health, ...new Set(faults.map(({ code }) => code))].join(', ');
}

async function howLookUpTakes(orders: VmsOrders): Promise<string> {
  const { externalId, correlationId } = sampleRequest();
  const result = await orders.lookUp(externalId, correlationId, NO_DEADLINE);
  return [result.kind, result.health, ...('fault' in result ? [result.fault.code] : [])].join(', ');
}

/** One response for each status, with an example for each meaning that it has. */
async function responsesOf(
  answers: readonly DocumentedAnswer[],
  success: string,
  taken: HowTaken,
): Promise<JsonObject> {
  const byStatus = Map.groupBy(answers, ({ status }) => status);
  const entries = [...byStatus].map(async ([status, meanings]): Promise<[string, JsonObject]> => {
    const described = meanings.map(async ({ meaning, body, headers = {} }) => {
      const { orders } = ordersThat({ status, body: isJsonObject(body) ? JSON.stringify(body) : body, headers });
      return `${meaning}. Taken as ${await taken(orders)}.`;
    });
    const bodies = meanings.flatMap(({ name, body, isBreach }) =>
      isJsonObject(body) && isBreach === undefined ? [[name, { value: body }] as const] : [],
    );
    const isSuccess = status < 300;
    const media = isSuccess ? 'application/json' : 'application/problem+json';
    const response = {
      description: (await Promise.all(described)).join(' '),
      ...(status === 201 ? { headers: { Location: { description: 'The order', schema: { type: 'string' } } } } : {}),
      ...(status === 429 || status === 503 ? { headers: retryAfterHeader } : {}),
      content: {
        ...(bodies.length === 0
          ? {}
          : { [media]: { schema: ref(isSuccess ? success : 'Problem'), examples: Object.fromEntries(bodies) } }),
        // Any failure may come from the proxy itself.
        ...(isSuccess ? {} : { 'text/html': { schema: { type: 'string' } } }),
      },
    };
    return [String(status), response];
  });
  return Object.fromEntries(await Promise.all(entries));
}

const PARTS: Readonly<Record<string, string>> = {
  validity: 'Period',
  servicePeriod: 'Period',
  deliveryAddress: 'Address',
  deliverTo: 'Address',
  lines: 'OrderLine',
  accounting: 'LineAccounting',
  notes: 'Note',
  attachments: 'Attachment',
};

function partOf(property: string, schema: JsonObject): Part | undefined {
  const component = PARTS[property];
  if (component === undefined) return undefined;
  const { items } = schema;
  return isJsonObject(items)
    ? { component, entity: items, put: (reference) => ({ ...schema, items: reference }) }
    : { component, entity: schema, put: (reference) => reference };
}

function schemas(): JsonObject {
  const identity = {
    id: { type: 'string', minLength: 1 },
    number: { type: 'string', description: 'The order’s number, for people' },
    status: { type: 'string' },
  };
  const revision = { type: 'integer', minimum: 1 };
  return {
    ...toComponents('PurchaseOrder', jsonSchemaOf(purchaseOrderSchema), partOf),
    CreatedOrder: {
      type: 'object',
      description: 'Without an id it is no success, whatever the status says',
      required: ['id'],
      properties: {
        ...identity,
        externalId: { type: 'string', description: 'When it is there, it must be the one that was sent' },
        externalRevision: revision,
        version: { type: 'integer' },
        createdAt: { type: 'string', format: 'date-time' },
      },
    },
    StoredOrder: {
      description: 'An order as it is kept; its content is compared with what was to be created',
      allOf: [{ type: 'object', required: ['id', 'externalId'], properties: identity }, ref('PurchaseOrder')],
    },
    OrderList: {
      type: 'object',
      required: ['items'],
      properties: {
        items: { type: 'array', items: ref('StoredOrder') },
        nextPageToken: { type: 'string', description: 'Absent on the last page' },
      },
    },
    Problem: {
      type: 'object',
      description: 'RFC 9457; code, existing and errors are members of its own. Free text is never logged.',
      properties: {
        type: { type: 'string', format: 'uri-reference' },
        title: { type: 'string' },
        status: { type: 'integer' },
        detail: { type: 'string' },
        instance: { type: 'string' },
        correlationId: { type: 'string' },
        code: {
          type: 'string',
          description: 'With 409: REQUEST_IN_PROGRESS or EXTERNAL_ID_EXISTS',
        },
        existing: {
          type: 'object',
          required: ['id'],
          properties: { id: identity.id, number: identity.number, externalRevision: revision },
        },
        errors: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              code: { type: 'string' },
              pointer: { type: 'string', description: 'JSON pointer into the order' },
              detail: { type: 'string' },
            },
          },
        },
      },
    },
  };
}
