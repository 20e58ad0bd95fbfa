import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { type Answer, foreignAnswer, htmlAnswer } from './answers.ts';
import { openTokenDesk } from './client-credentials.ts';
import type { Operation } from './disturbances.ts';
import { disguisedOrder } from './order-disguise.ts';
import { mulberry32 } from './seeded-random.ts';
import { type Call, type Simulator, type SimulatorOptions, startPart } from './simulator.ts';
import { type OrderBook, openOrderBook, type StoredOrder } from './vms-order-book.ts';
import { judgeOrder, type OrderError, type OrderRules } from './vms-order-rules.ts';
import { type Dialect, type DialectOptions, openDialect, treeOf } from './vms-dialect.ts';

export interface VmsOptions extends SimulatorOptions, DialectOptions {
  /** Suppliers that 11VMS refuses. By default it accepts every code. */
  readonly inactiveSuppliers?: readonly string[] | ((code: string) => boolean);
  /** Business units that 11VMS answers with 404, as for any missing reference. */
  readonly unknownBusinessUnits?: readonly string[];
  readonly purchaseRequestRequired?: boolean;
  /** True to ignore Idempotency-Key: a second POST is then checked by its externalId alone. */
  readonly ignoreIdempotencyKeys?: boolean;
  /** False to accept a second order with the same externalId. With keys ignored, a second POST then makes a second order. */
  readonly enforceUniqueness?: boolean;
  /** False (501), or a status, for an 11VMS without look-up and list. */
  readonly lookup?: boolean | 404 | 501;
  readonly maxBodyBytes?: number;
  /**
   * What a firewall before 11VMS answers to a body or an address that it takes for an attack; undefined: it lets the request
   * through.
   */
  readonly firewall?: (body: string, url: URL) => Answer | undefined;
  /** Where orders are created, below the base URL. */
  readonly collectionPath?: string;
  /** How an order is looked up: `?externalId=`, the default; a path with `{externalId}`; or `none`. */
  readonly lookUpBy?: string;
  /** Where the answer to a look-up holds the orders. By default `/items`; for a path, the answer is the order. */
  readonly foundAt?: string;
  /**
   * Where the answer to a create holds the order's id, `/id` or deeper: an id elsewhere is then that of the request. With
   * `Location` the header is the whole answer, and no order holds an id.
   */
  readonly idAt?: string;
  readonly numberAt?: string;
  readonly externalIdAt?: string;
  /** How many orders a page of the list holds. */
  readonly listPageSize?: number;
  /** A seed: look-ups and lists give orders back in other words, with the same values. By default as they were sent. */
  readonly disguiseSeed?: number;
}

/** The simulator of 11VMS behind 11VMSProxy_V2. */
export interface VmsSimulator extends Simulator {
  /** `{base}` of the contract, without a trailing slash. */
  readonly baseUrl: string;
  /** All stored orders in order of creation, duplicates included. */
  orders(): readonly StoredOrder[];
}

const basePath = '/11VMSProxy_V2';
const tokenPath = '/oauth/token';
const interfaceId = 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1';

export async function startVms(options: VmsOptions = {}): Promise<VmsSimulator> {
  const clock = options.clock ?? ((): Date => new Date());
  const clientId = options.clientId ?? 'interface-at-11vms';
  const clientSecret = options.clientSecret ?? '11vms-simulator-secret';
  const tokens = openTokenDesk({
    clientId,
    clientSecret,
    clientCheck: options.clientCheck,
    tokenParameters: options.tokenParameters,
    tokenPrefix: '11vms-token',
    lifetimeSeconds: options.tokenLifetimeSeconds ?? 3600,
    clock,
  });
  const collection = `${basePath}${options.collectionPath ?? '/purchase-orders'}`;
  const dialect = openDialect(options);
  const lookUpBy = options.lookUpBy ?? '?externalId=';
  const api: OrderApi = {
    collection,
    lookUp: { externalIdIn: lookUpReader(lookUpBy, collection), isByPath: lookUpBy.startsWith('/') },
    foundAt: (options.foundAt ?? (lookUpBy.startsWith('/') ? '' : '/items')).split('/').slice(1),
    isReadRouted: lookUpBy !== 'none',
    book: openOrderBook({
      clock,
      ignoreIdempotencyKeys: options.ignoreIdempotencyKeys ?? false,
      enforceUniqueness: options.enforceUniqueness ?? true,
    }),
    rules: {
      isActiveSupplier: activeSuppliers(options.inactiveSuppliers ?? []),
      purchaseRequestRequired: options.purchaseRequestRequired ?? false,
    },
    unknownBusinessUnits: new Set(options.unknownBusinessUnits),
    lookupStatus: lookupStatus(options.lookup ?? true),
    listPageSize: options.listPageSize ?? 100,
    dialect,
    names: {
      id: options.idAt ?? '/id',
      number: options.numberAt ?? '/number',
      externalId: options.externalIdAt ?? '/externalId',
    },
    writeOrder: orderWriter(options.disguiseSeed, dialect),
  };

  const running = await startPart(
    {
      system: '11vms',
      title: 'The 11VMS simulator',
      maxBodyBytes: options.maxBodyBytes ?? 1024 * 1024,
      classify: (call) => classify(call, api),
      async answer(call, operation, work) {
        if (operation === 'token') {
          await work();
          return call.method === 'POST' ? tokens.issue(call.headers, call.body) : htmlAnswer(405, 'Method Not Allowed');
        }
        const blocked = options.firewall?.(call.body, call.url);
        if (blocked !== undefined) return blocked;
        return tokens.accepts(call.headers.authorization)
          ? await apiAnswer(call, operation, work, api)
          : unauthorized(call);
      },
      failure: (status) => problem({ status, type: 'unavailable', title: `The service answers ${status}` }),
    },
    options,
  );

  return {
    ...running,
    baseUrl: running.url + basePath,
    tokenUrl: running.url + tokenPath,
    clientId,
    clientSecret,
    orders: () => api.book.all(),
    revokeTokens: () => tokens.revokeTokens(),
    setClient: (id, secret) => tokens.setClient(id, secret),
  };
}

interface OrderApi {
  /** The path of the collection. */
  readonly collection: string;
  readonly lookUp: {
    /** The externalId that a call asks for; undefined for a call that is no look-up. */
    readonly externalIdIn: (url: URL) => string | undefined;
    /** Each order has a URL of its own. */
    readonly isByPath: boolean;
  };
  /** The names on the way to the orders of an answer. */
  readonly foundAt: readonly string[];
  /** False where the gateway has no route for reading. */
  readonly isReadRouted: boolean;
  readonly book: OrderBook;
  readonly rules: OrderRules;
  readonly unknownBusinessUnits: ReadonlySet<string>;
  readonly lookupStatus: 200 | 404 | 501;
  readonly listPageSize: number;
  readonly dialect: Dialect;
  /** Where an answer names an order. */
  readonly names: { readonly id: string; readonly number: string; readonly externalId: string };
  /** An order as JSON. */
  readonly writeOrder: (order: object) => string;
}

function orderWriter(disguiseSeed: number | undefined, dialect: Dialect): OrderApi['writeOrder'] {
  if (disguiseSeed === undefined) {
    return (order) => dialect.write(JSON.stringify(order));
  }
  const random = mulberry32(disguiseSeed);
  return (order) => dialect.write(disguisedOrder(order, random));
}

function activeSuppliers(inactive: NonNullable<VmsOptions['inactiveSuppliers']>): (code: string) => boolean {
  return typeof inactive === 'function' ? (code) => !inactive(code) : (code) => !inactive.includes(code);
}

function lookupStatus(lookup: NonNullable<VmsOptions['lookup']>): OrderApi['lookupStatus'] {
  if (lookup === true) {
    return 200;
  }
  return lookup === false ? 501 : lookup;
}

function classify(call: Call, { collection, lookUp, dialect }: OrderApi): { operation: Operation; key: string } {
  const { method, url } = call;
  const path = url.pathname + url.search;
  if (url.pathname === tokenPath) {
    return { operation: 'token', key: '' };
  }
  const externalId = method === 'GET' ? lookUp.externalIdIn(url) : undefined;
  if (externalId !== undefined) {
    return { operation: 'lookup', key: externalId };
  }
  if (url.pathname !== collection) {
    return { operation: 'other', key: path };
  }
  if (method === 'POST') {
    return { operation: 'create', key: externalIdOf(dialect.read(call.body)?.body) };
  }
  return { operation: method === 'GET' ? 'list' : 'other', key: path };
}

function lookUpReader(lookUpBy: string, collection: string): OrderApi['lookUp']['externalIdIn'] {
  if (lookUpBy.startsWith('/')) {
    const [before = '', after = ''] = `${basePath}${lookUpBy}`.split('{externalId}').map((part) => RegExp.escape(part));
    const ofOrder = new RegExp(`^${before}([^/]+)${after}$`);
    return ({ pathname }) => {
      const segment = ofOrder.exec(pathname)?.[1];
      return segment === undefined ? undefined : decodeURIComponent(segment);
    };
  }
  const parameter = [...new URLSearchParams(lookUpBy.slice(1)).keys()].at(-1) ?? '';
  return ({ pathname, searchParams }) =>
    pathname === collection ? (searchParams.get(parameter) ?? undefined) : undefined;
}

/** Disturbances are planned by externalId: it is read before the request is checked. */
function externalIdOf(parsed: unknown): string {
  if (typeof parsed === 'object' && parsed !== null && 'externalId' in parsed) {
    return typeof parsed.externalId === 'string' ? parsed.externalId : '';
  }
  return '';
}

async function apiAnswer(call: Call, operation: Operation, work: () => Promise<void>, api: OrderApi): Promise<Answer> {
  if (operation === 'create') {
    return refusedHeaders(call) ?? (await create(call, work, api));
  }
  await work();
  if (operation === 'other') {
    // The proxy has no such route and answers by itself.
    return htmlAnswer(call.url.pathname === api.collection ? 405 : 404, 'No such operation');
  }
  if (!api.isReadRouted) {
    return foreignAnswer(404, 'gateway-status');
  }
  if (api.lookupStatus !== 200) {
    return problem({ status: api.lookupStatus, type: 'not-supported', title: 'Reading is not supported' }, call);
  }
  const errors = commonHeaderErrors(call.headers);
  if (errors.length > 0) {
    return invalid(400, errors, call);
  }
  return operation === 'lookup' ? lookUp(call, api) : list(call, api);
}

async function create(call: Call, work: () => Promise<void>, api: OrderApi): Promise<Answer> {
  const { book, dialect } = api;
  const order = dialect.read(call.body);
  if (order === undefined) {
    return invalid(400, [{ code: 'INVALID_JSON', pointer: '', detail: 'The body is not JSON' }], call);
  }
  const key = idempotencyKey(call.headers) ?? '';
  const known = book.keyState(key, order.body);
  switch (known.kind) {
    case 'replay':
      return created(200, known.stored, api);
    case 'in-progress':
      return conflict(call, 'REQUEST_IN_PROGRESS', 'The first request with this key is still running');
    case 'reused':
      return keyReused(call);
    case 'unknown':
  }
  book.reserve(key);
  try {
    await work();
    return commit(call, order, key, api);
  } finally {
    book.release(key);
  }
}

/** Synchronous: no other request runs between the check of uniqueness and the storing of the order. */
function commit(
  call: Call,
  { body, errors }: NonNullable<ReturnType<Dialect['read']>>,
  key: string,
  api: OrderApi,
): Answer {
  const { book, rules, unknownBusinessUnits, dialect } = api;
  if (errors.length > 0) {
    return invalid(422, errors, call);
  }
  const judged = judgeOrder(body, rules);
  if ('errors' in judged) {
    const pointed = judged.errors.map((error) => ({ ...error, pointer: dialect.pointer(error.pointer) }));
    return invalid(422, pointed, call);
  }
  const { order } = judged;
  const existing = book.uniqueConflict(order.externalId);
  if (existing !== undefined) {
    return conflict(call, 'EXTERNAL_ID_EXISTS', `An order with externalId ${order.externalId} exists`, existing);
  }
  if (unknownBusinessUnits.has(order.businessUnit.code)) {
    return unknownReference(call, dialect.pointer('/businessUnit/code'), `No business unit ${order.businessUnit.code}`);
  }
  return created(201, book.add(order, { key, correlationId: headerText(call.headers, 'x-correlation-id') ?? '' }), api);
}

function lookUp(call: Call, api: OrderApi): Answer {
  const orders = api.book.byExternalId(api.lookUp.externalIdIn(call.url) ?? '');
  const [order] = orders;
  if (!api.lookUp.isByPath) {
    return listAnswer(orders, {}, api);
  }
  return order === undefined
    ? problem({ status: 404, type: 'not-found', title: 'No such order' }, call)
    : { ...jsonAnswer(200, {}), body: placed(api.writeOrder(listed(order, api)), {}, api.foundAt) };
}

function listAnswer(orders: readonly StoredOrder[], next: { nextPageToken?: string }, api: OrderApi): Answer {
  const { writeOrder, foundAt } = api;
  const items = orders.map((order) => writeOrder(listed(order, api))).join();
  return { ...jsonAnswer(200, {}), body: placed(`[${items}]`, next, foundAt) };
}

/** JSON at its place in an answer, beside other members. */
function placed(json: string, beside: object, names: readonly string[]): string {
  const [last, ...owners] = names.toReversed();
  if (last === undefined) {
    return json;
  }
  const others = JSON.stringify(beside).slice(1);
  const members = `{${JSON.stringify(last)}:${json}${others === '}' ? '' : ','}${others}`;
  return owners.reduce((inner, name) => `{${JSON.stringify(name)}:${inner}}`, members);
}

function list(call: Call, api: OrderApi): Answer {
  const { book, listPageSize } = api;
  const query = call.url.searchParams;
  const from = instant(query.get('createdFrom'));
  const to = instant(query.get('createdTo'));
  const start = pageStart(query.get('pageToken'));
  const errors = Object.entries({
    externalSystem: query.get('externalSystem') === 'SRM7',
    createdFrom: from !== undefined,
    createdTo: to !== undefined,
    pageToken: start !== undefined,
  })
    .filter(([, good]) => !good)
    .map(([name]) => ({ code: 'INVALID_PARAMETER', pointer: '', detail: `Query parameter ${name} is not valid` }));
  if (from === undefined || to === undefined || start === undefined || errors.length > 0) {
    return invalid(400, errors, call);
  }
  const found = book.all().filter(({ createdAt }) => createdAt >= from && createdAt < to);
  const end = start + listPageSize;
  const next = end < found.length ? { nextPageToken: Buffer.from(`from ${end}`).toString('base64url') } : {};
  return listAnswer(found.slice(start, end), next, api);
}

/** An order as it is kept: what an answer to a create holds deeper inside, it holds itself. */
function listed({ id, number, status, order }: StoredOrder, { names }: OrderApi): object {
  const lastName = (pointer: string): string => pointer.slice(pointer.lastIndexOf('/') + 1);
  return {
    ...(names.id === 'Location' ? {} : { [lastName(names.id)]: id }),
    [lastName(names.number)]: number,
    status,
    ...order,
  };
}

function instant(text: string | null): Date | undefined {
  const isInstant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/.test(text ?? '');
  const date = new Date(text ?? '');
  return isInstant && !Number.isNaN(date.getTime()) ? date : undefined;
}

function pageStart(token: string | null): number | undefined {
  if (token === null || token === '') {
    return 0;
  }
  const start = /^from (\d+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1];
  return start === undefined ? undefined : Number(start);
}

function refusedHeaders(call: Call): Answer | undefined {
  if (call.tooLarge) {
    return problem({ status: 413, type: 'too-large', title: 'The body is too large' }, call);
  }
  if (!/^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i.test(call.headers['content-type'] ?? '')) {
    return problem({ status: 415, type: 'media-type', title: 'Send application/json in UTF-8' }, call);
  }
  const errors = commonHeaderErrors(call.headers);
  if (idempotencyKey(call.headers) === undefined) {
    errors.push(headerError('Idempotency-Key: "<uuid>", in quotes'));
  }
  return errors.length > 0 ? invalid(400, errors, call) : undefined;
}

function commonHeaderErrors(headers: IncomingHttpHeaders): OrderError[] {
  const errors: OrderError[] = [];
  if ((headerText(headers, 'x-correlation-id') ?? '').trim() === '') {
    errors.push(headerError('X-Correlation-ID'));
  }
  if (headerText(headers, 'x-interface-id') !== interfaceId) {
    errors.push(headerError(`X-Interface-ID: ${interfaceId}`));
  }
  return errors;
}

function headerError(header: string): OrderError {
  return { code: 'HEADER_REQUIRED', pointer: '', detail: `Header required: ${header}` };
}

function idempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const quotedUuid = /^"(?<key>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"$/i;
  return quotedUuid.exec(headerText(headers, 'idempotency-key') ?? '')?.groups?.['key']?.toLowerCase();
}

function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

function created(status: 200 | 201, stored: StoredOrder, { collection, names }: OrderApi): Answer {
  const { id, number, order, version, createdAt } = stored;
  const location = { Location: `${collection}/${id}` };
  if (names.id === 'Location') {
    return { status, headers: location, body: '' };
  }
  const key = (pointer: string): string => pointer.slice(1).replaceAll('/', '.');
  const ofOrder = [
    [key(names.id), id],
    [key(names.number), number],
    [key(names.externalId), order.externalId],
    ['externalRevision', order.externalRevision],
    ['status', stored.status],
    ['version', version],
    ['createdAt', createdAt.toISOString().replace(/\.\d+Z$/, 'Z')],
  ] as const;
  if (names.id === '/id') {
    const answer = jsonAnswer(status, treeOf(ofOrder));
    return { ...answer, headers: { ...answer.headers, ...location } };
  }
  return jsonAnswer(status, treeOf([['id', `req-${id}`], ...ofOrder]));
}

function conflict(call: Call, code: string, detail: string, existing?: StoredOrder): Answer {
  const found = existing && {
    existing: {
      id: existing.id,
      number: existing.number,
      externalRevision: existing.order.externalRevision,
    },
  };
  return problem({ status: 409, type: 'conflict', title: 'Conflict', detail, code, ...found }, call);
}

function keyReused(call: Call): Answer {
  const code = 'IDEMPOTENCY_KEY_REUSED';
  const detail = 'This Idempotency-Key came with another payload before';
  const errors = [{ code, pointer: '', detail }];
  return problem({ status: 422, type: 'idempotency-key-reused', title: 'Key reused', detail, code, errors }, call);
}

function unknownReference(call: Call, pointer: string, detail: string): Answer {
  const errors = [{ code: 'REFERENCE_NOT_FOUND', pointer, detail }];
  return problem({ status: 404, type: 'reference', title: 'Referenced object not found', detail, errors }, call);
}

function unauthorized(call: Call): Answer {
  const answer = problem({ status: 401, type: 'unauthorized', title: 'A valid token is required' }, call);
  return { ...answer, headers: { ...answer.headers, 'WWW-Authenticate': 'Bearer error="invalid_token"' } };
}

function invalid(status: 400 | 422, errors: readonly OrderError[], call: Call): Answer {
  const detail = errors.length === 1 ? '1 field is invalid' : `${errors.length} fields are invalid`;
  return problem({ status, type: 'validation', title: 'Validation failed', detail, errors }, call);
}

interface Problem {
  readonly status: number;
  readonly type: string;
  readonly title: string;
  readonly detail?: string;
  readonly code?: string;
  readonly existing?: object;
  readonly errors?: readonly OrderError[];
}

function problem({ status, type, title, ...members }: Problem, call?: Call): Answer {
  const body = {
    type: `https://11vms.example.test/problems/${type}`,
    title,
    status,
    ...(call && {
      instance: `/purchase-orders/req/${createHash('sha256').update(call.body).digest('hex').slice(0, 8)}`,
      correlationId: headerText(call.headers, 'x-correlation-id'),
    }),
    ...members,
  };
  return jsonAnswer(status, body, 'application/problem+json');
}

function jsonAnswer(status: number, body: object, contentType = 'application/json'): Answer {
  return { status, headers: { 'Content-Type': `${contentType}; charset=utf-8` }, body: JSON.stringify(body) };
}
