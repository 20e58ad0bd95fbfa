/**
 * The only code that speaks SRM's protocol: OData V2. Where a real service differs in more than its settings
 * (srm-service.ts), this file changes. Source: source-srm7.md, "Reading carts" and "JSON quirks".
 */
import { asJsonObject, InvalidJson, parseLenientJson } from './exact-json.ts';
import { InterfaceError } from './failure.ts';
import { foreignPage } from './foreign-page.ts';
import { DEADLINE, type HttpClient, HttpError, type HttpResponse, retryAfterMs, TOO_LARGE } from './http-client.ts';
import { announcedRows, completeCart, hasNext, isWhole, type LinkedRows, type LinkName } from './reading/whole-cart.ts';
import { namesOfService, type FieldNames } from './reading/field-names.ts';
import { readableFields, type RowForm, type SourceRow, sourceRow } from './reading/source-row.ts';
import { PageTooLarge } from './reading/slice.ts';
import { type PageRow, splitPage } from './reading/split-page.ts';
import { EXPANDED, type SrmService } from './srm-service.ts';
import { isJudgedByService, sapError } from './sap-error.ts';
import { cartNumberOf, guidLiteral, NO_GUID } from './sap-values.ts';

export interface SrmSettings extends SrmService {
  readonly baseUrl: string;
  readonly client: string;
  readonly language: string;
  readonly statuses: readonly string[];
  readonly internalHosts: readonly string[];
  /** How many carts a page is asked to hold; without it, SRM decides. */
  readonly pageSize?: number | undefined;
}

/** Half-open: from <= ChangedAt < to, or what takes its place. */
export interface ReadingWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface CartPage {
  readonly rows: readonly SourceRow[];
  /** `__count`: how many rows the whole window holds, according to SRM. */
  readonly announced: number | undefined;
  /** The `Date` header, which shows SRM's clock (edge case 3). */
  readonly serverTimeMs: number | undefined;
  /** The answer has an `Age`: it comes from a cache, and its `Date` is past. */
  readonly isCached: boolean;
}

export interface SrmCarts {
  /** The approved carts of a window, page by page. @throws {InterfaceError} when a page cannot be read after 3 retries. */
  pages(window: ReadingWindow, correlationId: string): AsyncGenerator<CartPage, void, void>;
  /**
   * One cart, whole. Where SRM has none of that GUID, the row is completed that was read earlier; undefined without one.
   * @throws {InterfaceError} E_SRC_SCHEMA when a part of it cannot be read, E_TGT_TOO_LARGE when it is too large.
   */
  cart(guid: string, correlationId: string, earlier?: unknown): Promise<unknown>;
}

export interface SrmDependencies {
  readonly http: HttpClient;
  readonly now: () => number;
  /** Waits, or returns false at once when there is no time left to wait that long. */
  readonly wait: (milliseconds: number) => Promise<boolean>;
}

/** SAP ignores the case of the path, and lets each part of it carry parameters, such as `;v=1`. */
const linkedService = (servicePath: string): RegExp =>
  new RegExp(`${servicePath.replaceAll(/[^/]+/g, (part) => `${RegExp.escape(part)}(?:;[^/]*)?`)}/`, 'i');
/** An encoded slash is a slash to some servers, and dots with a parameter are dots: they would climb where `../` cannot. */
const CLIMBING = /%2f|%5c|\/(?:\.|%2e){1,2};/i;
const RETRY_DELAYS_MS = [1000, 2000, 4000];
/** The longest name of DNS. A link is SRM's text, which must not fill the log. */
const LONGEST_HOST = 253;
/** No collection of a cart has as many: an order has at most 999 lines. */
const MOST_PAGES_OF_A_COLLECTION = 1000;
/** Ten times the largest order of 999 lines; a worker holds five such carts at once. All answers of one cart count together. */
const MAXIMUM_CART_BYTES = 8 * 1024 * 1024;
/** A cart that changed while its parts were read is read again. */
const READS_OF_A_CHANGING_CART = 3;

/** Never filters on anything but time and status: a malformed cart, too, must reach the queue. */
export function createSrmCarts(settings: SrmSettings, dependencies: SrmDependencies): SrmCarts {
  const { servicePath, keyProperty, fields, changedAtProperty, expand = EXPANDED } = settings;
  const names = namesOfService({ fields, keyProperty });
  const form: RowForm = { names, changedAtProperty };
  const entitySet = `${servicePath}/${settings.entitySet}`;
  const service = linkedService(servicePath);
  const parts = expand.length === 0 ? {} : { $expand: expand.map((path) => names.navigation(path)).join(',') };
  // A link is sent as it came. SAP names no client in those of navigations; then the header counts.
  const logon = { 'sap-client': settings.client, 'sap-language': settings.language };
  const common = { $format: 'json', ...logon };
  const internalHosts = new Set(settings.internalHosts.map((host) => host.toLowerCase()));

  async function get<Result>(
    path: string,
    correlationId: string,
    read: (response: HttpResponse, nowMs: number) => Result,
    { preference = {}, budget }: GetOptions = {},
  ): Promise<Result> {
    for (let attempt = 0; ; attempt++) {
      try {
        const response = await dependencies.http.request({
          method: 'GET',
          path,
          headers: { Accept: 'application/json', 'X-Correlation-ID': correlationId, ...logon, ...preference },
          ...(budget === undefined ? {} : { maximumResponseBytes: budget.bytes }),
        });
        if (budget !== undefined) budget.bytes -= Math.min(budget.bytes, Buffer.byteLength(response.body));
        return read(response, dependencies.now());
      } catch (error) {
        if (budget !== undefined && error instanceof HttpError && error.code === TOO_LARGE) throw cartTooLarge();
        const failure = toInterfaceError(error, settings.baseUrl);
        const delayMs = RETRY_DELAYS_MS[attempt];
        if (failure.failureClass === 'refused' || failure.failureClass === 'permanent') throw failure;
        if (delayMs === undefined) throw failure;
        if (!(await dependencies.wait(Math.max(delayMs, failure.retryAfterMs ?? 0)))) throw failure;
      }
    }
  }

  /** A link is followed exactly as it is, but only below our own base URL: the token goes nowhere else (edge case 6). */
  function linkPath(link: unknown, name: LinkName): string {
    const base = new URL(settings.baseUrl);
    const url =
      typeof link === 'string' ? URL.parse(withEncodedHash(link), `${settings.baseUrl}${servicePath}/`) : null;
    if (url === null) throw protocolFault(`${name} is no URL`);
    if (url.host !== base.host && !internalHosts.has(url.host)) {
      const host = url.host.slice(0, LONGEST_HOST);
      throw protocolFault(`${name} names another host (${host}); add it to internalHosts if it is SRM itself`);
    }
    const start = url.pathname.search(service);
    if (start < 0 || CLIMBING.test(url.pathname)) throw protocolFault(`${name} leaves the extraction service`);
    return url.pathname.slice(start) + url.search;
  }

  /**
   * The pages from a path on. A page is given before its link is judged: a bad link must not keep back a good page.
   *
   * @param entity the navigations that lead to the rows; empty for carts
   */
  async function* pagesFrom(
    first: string,
    correlationId: string,
    entity = '',
    options?: GetOptions,
  ): AsyncGenerator<CartPage, void, void> {
    const seen = new Set<string>();
    const read = (response: HttpResponse, nowMs: number) => readPage(response, nowMs, form, entity);
    for (let path: string | undefined = first; path !== undefined; ) {
      if (seen.has(path)) throw protocolFault('__next leads back to a page that was read before');
      seen.add(path);
      const { page, next }: { page: CartPage; next: unknown } = await get(path, correlationId, read, options);
      yield page;
      path = hasNext(next) ? linkPath(next, '__next') : undefined;
    }
  }

  /**
   * The client's own paging, for a service that does not page by itself. A page that is not full may have a successor, too:
   * some services send fewer rows than they are asked for, and without `__count` nothing else would show the rest.
   */
  async function* skippedPages(
    list: string,
    pageSize: number,
    correlationId: string,
  ): AsyncGenerator<CartPage, void, void> {
    let before: string | undefined;
    let announced: number | undefined;
    let hasMoved = false;
    for (let skip = 0; ; ) {
      let rows = 0;
      for await (const page of pagesFrom(`${list}&$top=${pageSize}&$skip=${skip}`, correlationId)) {
        const first = JSON.stringify(page.rows[0]?.source);
        if (first !== undefined && first === before) {
          if (page.announced === skip) return;
          throw protocolFault('SRM answers the same page again: it ignores $skip');
        }
        before = first;
        rows += page.rows.length;
        announced ??= page.announced;
        hasMoved ||= page.announced !== undefined && page.announced !== announced;
        yield hasMoved ? withoutPositions(page) : page;
      }
      skip += rows;
      const isLast = rows < pageSize && announced !== undefined && skip >= announced;
      if (rows === 0 || rows > pageSize || isLast) return;
    }
  }

  async function rowsBehind(
    link: unknown,
    name: LinkName,
    entity: string,
    correlationId: string,
    budget: Budget,
  ): Promise<LinkedRows> {
    const rows: unknown[] = [];
    let announced: number | undefined;
    let pages = 0;
    await requireTime();
    for await (const page of pagesFrom(linkPath(link, name), correlationId, entity, { budget })) {
      if (pages++ === MOST_PAGES_OF_A_COLLECTION) throw protocolFault(`${name} leads to more than 1000 pages`);
      announced ??= page.announced;
      for (const { source, faultOffset } of page.rows) {
        if (faultOffset !== undefined) throw protocolFault(`a row of it is not JSON at character ${faultOffset + 1}`);
        rows.push(source);
      }
      await requireTime();
    }
    return { rows, announced };
  }

  async function requireTime(): Promise<void> {
    if (!(await dependencies.wait(0))) throw outOfTime();
  }

  return {
    pages(window, correlationId) {
      const parameters = {
        $filter: windowFilter(window, settings.statuses, names.ofCart(changedAtProperty), names.ofCart('Status')),
        $orderby: `${names.ofCart(changedAtProperty)} asc,${keyProperty} asc`,
        ...parts,
        $inlinecount: 'allpages',
        ...common,
      };
      const list = `${entitySet}?${query(parameters)}`;
      const { pageSize, paging } = settings;
      if (pageSize === undefined) return pagesFrom(list, correlationId);
      if (paging === 'skip-top') return skippedPages(list, pageSize, correlationId);
      return pagesFrom(list, correlationId, '', { preference: { Prefer: `odata.maxpagesize=${pageSize}` } });
    },

    async cart(guid, correlationId, earlier) {
      // The GUID becomes a part of the path: any other text could name another resource or condition.
      const literal = guidLiteral(guid);
      if (literal === undefined) {
        const fault = { code: 'E_SRC_SCHEMA', message: NO_GUID, path: '$.Guid' } as const;
        throw new InterfaceError('permanent', fault);
      }
      const path = `${entitySet}(guid'${literal}')?${query({ ...parts, ...common })}`;
      const read = async (budget: Budget): Promise<unknown> => {
        const found = await get(path, correlationId, readCart, { budget });
        return found === undefined ? earlier : names.toSap(found, '');
      };
      let budget: Budget = { bytes: MAXIMUM_CART_BYTES };
      let cart = await read(budget);
      for (let reads = 0; reads < READS_OF_A_CHANGING_CART; reads++) {
        if (isWhole(cart)) return cart;
        const whole = await completeCart(cart, (link, name, entity) =>
          rowsBehind(link, name, entity, correlationId, budget),
        );
        budget = { bytes: MAXIMUM_CART_BYTES };
        const present = await read(budget);
        // The parts are read one after another: they are of one version only if the cart has not changed meanwhile.
        if (versionOf(present) === versionOf(cart)) return whole;
        cart = present;
      }
      throw unavailable('the cart changes while its parts are read');
    },
  };
}

/** How many bytes the further answers of a cart may have. Calls at the same time share it, so that each may use all of it. */
interface Budget {
  bytes: number;
}

interface GetOptions {
  /** Headers that say how a page should be. */
  readonly preference?: Readonly<Record<string, string>>;
  /** Of a cart that is read alone. A page of a list has the client's own limit. */
  readonly budget?: Budget;
}

/** Rows have moved, and one may stand on no page: what follows does not show how far the window is read. */
const withoutPositions = (page: CartPage): CartPage => ({
  ...page,
  rows: page.rows.map((row) => ({ ...row, positionMs: undefined })),
});

/** A `#` in a skip token would begin a fragment, which is not sent. */
function withEncodedHash(link: string): string {
  const [path = '', ...query] = link.split('?');
  return [path, ...query.map((part) => part.replaceAll('#', '%23'))].join('?');
}

/** As JSON, so that malformed times are the same, too. */
const versionOf = (cart: unknown): string | undefined => JSON.stringify(asJsonObject(cart)?.['ChangedAt']);

function windowFilter(
  { fromMs, toMs }: ReadingWindow,
  statuses: readonly string[],
  changedAt: string,
  status: string,
): string {
  const approved = statuses.map((code) => `${status} eq '${code.replaceAll("'", "''")}'`).join(' or ');
  return [
    `${changedAt} ge ${instantLiteral(fromMs)}`,
    `${changedAt} lt ${instantLiteral(toMs)}`,
    statuses.length > 1 ? `(${approved})` : approved,
  ].join(' and ');
}

/** SRM's clock ticks in seconds. */
const instantLiteral = (ms: number): string => `datetimeoffset'${new Date(ms).toISOString().slice(0, 19)}Z'`;

const query = (parameters: Readonly<Record<string, string>>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');

function readPage(
  response: HttpResponse,
  nowMs: number,
  form: RowForm,
  entity: string,
): { page: CartPage; next: unknown } {
  requirePage(response, nowMs);
  const { envelope, rows } = parsePage(response.body, form.names);
  const d = asJsonObject(envelope)?.['d'];
  const dateMs = Date.parse(response.header('date') ?? '');
  return {
    page: {
      rows: (rows ?? entitiesOf(d).map((source): PageRow => ({ source }))).map((row) =>
        sourceRow({ ...row, source: form.names.toSap(row.source, entity) }, form),
      ),
      announced: announcedRows(d),
      serverTimeMs: Number.isNaN(dateMs) ? undefined : dateMs,
      isCached: response.header('age') !== undefined,
    },
    next: asJsonObject(d)?.['__next'],
  };
}

/** A page; where some of its rows are no JSON, its rows apart. */
function parsePage(
  body: string,
  names: FieldNames,
): { readonly envelope: unknown; readonly rows?: readonly PageRow[] } {
  try {
    return { envelope: parseLenientJson(body) };
  } catch (error) {
    if (!(error instanceof InvalidJson)) throw error;
    const split = error.isCutOff ? undefined : splitPage(body, names.ofCart('ObjectId'));
    if (split !== undefined) return split;
    throw unavailable(`the page from SRM is ${error.message}${cartBefore(body, error.offset, names)}`);
  }
}

/** The cart that a fault of the page is next to. */
function cartBefore(body: string, offset: number | undefined, names: FieldNames): string {
  const before = body.slice(0, offset);
  const number = cartNumberOf(readableFields(before.slice(before.lastIndexOf(`"${names.ofCart('ObjectId')}"`)), names));
  return number === undefined ? '' : `, behind cart ${number}`;
}

/** The answer to a key; undefined where SRM says that it has no such cart. */
function readCart(response: HttpResponse, nowMs: number): unknown {
  if (response.status === 404 && isJudgedByService(response)) return undefined;
  requirePage(response, nowMs);
  const carts = entitiesOf(asJsonObject(parseCart(response.body))?.['d']);
  if (carts.length > 1) throw protocolFault('SRM answers several carts to the key of one');
  return carts[0];
}

function parseCart(body: string): unknown {
  try {
    return parseLenientJson(body);
  } catch (error) {
    if (!(error instanceof InvalidJson)) throw error;
    const message = `the cart that SRM sent is ${error.message}`;
    // What came to its end is the same at the next attempt.
    throw error.isCutOff
      ? unavailable(message)
      : new InterfaceError('permanent', { code: 'E_SRC_SCHEMA', message, path: '$' });
  }
}

/**
 * The three envelopes: `{"d":{"results":[..]}}`, `{"d":[..]}` and, for one entity, `{"d":{..}}`. Where `d` holds nothing but
 * OData's own properties, there is no entity.
 */
function entitiesOf(d: unknown): readonly unknown[] {
  const body = asJsonObject(d);
  if (body === undefined) return Array.isArray(d) ? d : missing('d.results');
  if ('results' in body) return Array.isArray(body['results']) ? body['results'] : missing('d.results');
  return Object.keys(body).every((name) => name.startsWith('__')) ? [] : [body];
}

/** Status and content type decide before anything is parsed: proxies answer HTML. */
function requirePage(response: HttpResponse, nowMs: number): void {
  const { status } = response;
  const page = foreignPage(response);
  const isJson = /\bjson\b/i.test(response.header('content-type') ?? '');
  if (status === 200 && page === '' && isJson) return;
  const answered = `SRM answered ${status}${sapError(response)}${page}`;
  if (status === 401 || status === 403) throw new InterfaceError('refused', { code: 'E_SRC_AUTH', message: answered });
  if (status === 429) {
    const fault = { code: 'E_SRC_THROTTLED', message: answered } as const;
    throw new InterfaceError('throttled', fault, retryAfterMs(response, nowMs));
  }
  if (status >= 500 || status === 408) throw unavailable(answered, retryAfterMs(response, nowMs));
  if (status === 200) throw unavailable(page === '' ? `${answered} with no JSON` : answered);
  const check =
    status === 400
      ? 'the query: srm.fields, .keyProperty, .expand, .client and .headers'
      : 'the base URL and the service: srm.baseUrl, .servicePath and .entitySet';
  const message = `${answered}; check ${check}`;
  throw isJudgedByService(response) ? protocolFault(message) : unavailable(message);
}

function toInterfaceError(error: unknown, baseUrl: string): InterfaceError {
  if (error instanceof InterfaceError) return error;
  if (!(error instanceof HttpError)) throw error;
  const message = `SRM at ${new URL(baseUrl).host} cannot be read: ${error.message}`;
  if (error.code === DEADLINE) return outOfTime();
  if (error.code === 'TIMEOUT') return unavailable(`${message}; raise srm.timeoutSeconds or lower srm.pageSize`);
  return error.code === TOO_LARGE ? new PageTooLarge(`${message}; lower srm.pageSize`) : unavailable(message);
}

const cartTooLarge = (): InterfaceError =>
  new InterfaceError('permanent', {
    code: 'E_TGT_TOO_LARGE',
    message: `the cart that SRM sent has more than ${MAXIMUM_CART_BYTES} bytes`,
  });

/** Our own lateness shows nothing of SRM. A cart in hundreds of answers may need more time than an attempt has. */
const outOfTime = (): InterfaceError =>
  new InterfaceError('throttled', {
    code: 'E_SRC_UNAVAILABLE',
    message:
      'no time was left to read the cart from SRM; let SRM expand it (srm.expand), or raise delivery.timeoutSeconds',
  });

const unavailable = (message: string, retryMs?: number): InterfaceError =>
  new InterfaceError('transient', { code: 'E_SRC_UNAVAILABLE', message }, retryMs);

const protocolFault = (message: string): InterfaceError =>
  new InterfaceError('permanent', { code: 'E_SRC_UNAVAILABLE', message });

function missing(what: string): never {
  throw unavailable(`the page from SRM has no ${what}`);
}
