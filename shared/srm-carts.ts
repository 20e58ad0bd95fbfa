/**
 * The only code that speaks SRM's protocol: OData V2 over the assumed service ZSRM_SC_EXTRACT_SRV.
 * Where a real service differs, this file changes. Source: source-srm7.md, "Reading carts" and "JSON quirks".
 */
import { asJsonObject, parseExactJson, tryParseJson } from './exact-json.ts';
import { InterfaceError } from './failure.ts';
import { type HttpClient, HttpError, type HttpResponse, retryAfterMs } from './http-client.ts';
import { edmInstantMs, identifierText, normalGuid } from './sap-values.ts';

export interface SrmSettings {
  readonly baseUrl: string;
  readonly client: string;
  readonly language: string;
  readonly statuses: readonly string[];
  readonly internalHosts: readonly string[];
}

/** Half-open: from <= ChangedAt < to. */
export interface ReadingWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

/** One row as SRM sent it, and the fields that queueing needs; a field that cannot be read is undefined. */
export interface SourceRow {
  readonly source: unknown;
  readonly number: string | undefined;
  readonly guid: string | undefined;
  readonly changedAtMs: number | undefined;
}

export interface CartPage {
  readonly rows: readonly SourceRow[];
  /** `__count`: how many rows the whole window holds, according to SRM. */
  readonly announced: number | undefined;
  /** SRM's clock, from the `Date` header (edge case 3). */
  readonly serverTimeMs: number | undefined;
}

export interface SrmCarts {
  /** The approved carts of a window, page by page. @throws {InterfaceError} when a page cannot be read after 3 retries. */
  pages(window: ReadingWindow, correlationId: string): AsyncGenerator<CartPage, void, void>;
  /** One cart with all its navigations; undefined when SRM has no cart of that GUID. @throws {InterfaceError} */
  cart(guid: string, correlationId: string): Promise<unknown>;
}

export interface SrmDependencies {
  readonly http: HttpClient;
  readonly now: () => number;
  /** Waits, or returns false at once when there is no time left to wait that long. */
  readonly wait: (milliseconds: number) => Promise<boolean>;
}

const SERVICE_PATH = '/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV';
const ENTITY_SET = `${SERVICE_PATH}/ShoppingCartSet`;
const EXPAND = 'Items/Accounting,Items/Partners,Items/Texts,Partners,Texts,Attachments';
const RETRY_DELAYS_MS = [1000, 2000, 4000];
/** The longest name of DNS. A link is SRM's text, which must not fill the log. */
const LONGEST_HOST = 253;

/** Never filters on anything but time and status: a malformed cart, too, must reach the queue. */
export function createSrmCarts(settings: SrmSettings, dependencies: SrmDependencies): SrmCarts {
  const common = { $format: 'json', 'sap-client': settings.client, 'sap-language': settings.language };
  const internalHosts = new Set(settings.internalHosts.map((host) => host.toLowerCase()));

  async function get<Result>(
    path: string,
    correlationId: string,
    read: (response: HttpResponse, nowMs: number) => Result,
  ): Promise<Result> {
    for (let attempt = 0; ; attempt++) {
      try {
        const headers = { Accept: 'application/json', 'X-Correlation-ID': correlationId };
        const response = await dependencies.http.request({ method: 'GET', path, headers });
        return read(response, dependencies.now());
      } catch (error) {
        const failure = toInterfaceError(error, settings.baseUrl);
        const delayMs = RETRY_DELAYS_MS[attempt];
        if (failure.failureClass === 'refused' || failure.failureClass === 'permanent') throw failure;
        if (delayMs === undefined) throw failure;
        if (!(await dependencies.wait(Math.max(delayMs, failure.retryAfterMs ?? 0)))) throw failure;
      }
    }
  }

  /** `__next` is followed exactly as it is, but only below our own base URL: the token goes nowhere else (edge case 6). */
  function nextPath(next: string): string {
    const base = new URL(settings.baseUrl);
    const url = URL.parse(next, `${settings.baseUrl}${SERVICE_PATH}/`);
    if (url === null) throw protocolFault('__next is no URL');
    if (url.host !== base.host && !internalHosts.has(url.host)) {
      throw protocolFault(
        `__next names another host (${url.host.slice(0, LONGEST_HOST)}); add it to internalHosts if it is SRM itself`,
      );
    }
    const service = url.pathname.indexOf(`${SERVICE_PATH}/`);
    // An encoded slash is a slash to some servers: `..%2f` would climb where `../` was refused.
    if (service < 0 || /%2f|%5c/i.test(url.pathname)) throw protocolFault('__next leaves the extraction service');
    return url.pathname.slice(service) + url.search;
  }

  return {
    async *pages(window, correlationId) {
      let path: string | undefined = `${ENTITY_SET}?${query({
        $filter: windowFilter(window, settings.statuses),
        $orderby: 'ChangedAt asc,Guid asc',
        $expand: EXPAND,
        $inlinecount: 'allpages',
        ...common,
      })}`;
      const seen = new Set<string>();
      while (path !== undefined) {
        if (seen.has(path)) throw protocolFault('__next leads back to a page that was read before');
        seen.add(path);
        const read: { page: CartPage; next: string | undefined } = await get(path, correlationId, readPage);
        path = read.next === undefined ? undefined : nextPath(read.next);
        yield read.page;
      }
    },

    async cart(guid, correlationId) {
      // The GUID becomes a part of the path: any other text could name another resource or condition.
      if (normalGuid(guid) === undefined) {
        const fault = { code: 'E_SRC_SCHEMA', message: 'the Guid of the cart is no GUID', path: '$.Guid' } as const;
        throw new InterfaceError('permanent', fault);
      }
      const path = `${ENTITY_SET}(guid'${encodeURIComponent(guid)}')?${query({ $expand: EXPAND, ...common })}`;
      return get(path, correlationId, (response, nowMs) => {
        if (response.status === 404) return undefined;
        return asJsonObject(readEnvelope(response, nowMs))?.['d'] ?? missing('d');
      });
    },
  };
}

function windowFilter({ fromMs, toMs }: ReadingWindow, statuses: readonly string[]): string {
  const approved = statuses.map((status) => `Status eq '${status.replaceAll("'", "''")}'`).join(' or ');
  return [
    `ChangedAt ge ${instantLiteral(fromMs)}`,
    `ChangedAt lt ${instantLiteral(toMs)}`,
    statuses.length > 1 ? `(${approved})` : approved,
  ].join(' and ');
}

/** SRM's clock ticks in seconds. */
const instantLiteral = (ms: number): string => `datetimeoffset'${new Date(ms).toISOString().slice(0, 19)}Z'`;

const query = (parameters: Readonly<Record<string, string>>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');

/** The three envelopes: `{"d":{"results":[..]}}`, `{"d":[..]}` and, for one entity, `{"d":{..}}`. */
function readPage(response: HttpResponse, nowMs: number): { page: CartPage; next: string | undefined } {
  const d = asJsonObject(readEnvelope(response, nowMs))?.['d'];
  const body = asJsonObject(d);
  const single = body === undefined || 'results' in body ? body?.['results'] : [body];
  const results = Array.isArray(d) ? d : single;
  if (!Array.isArray(results)) return missing('d.results');
  const next = body?.['__next'];
  const count = body?.['__count'];
  const dateMs = Date.parse(response.header('date') ?? '');
  return {
    page: {
      rows: results.map(sourceRow),
      announced: typeof count === 'string' || typeof count === 'number' ? wholeNumber(String(count)) : undefined,
      serverTimeMs: Number.isNaN(dateMs) ? undefined : dateMs,
    },
    next: typeof next === 'string' && next !== '' ? next : undefined,
  };
}

const wholeNumber = (text: string): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);

function sourceRow(source: unknown): SourceRow {
  const row = asJsonObject(source);
  return {
    source,
    number: identifierText(row?.['ObjectId']),
    guid: identifierText(row?.['Guid']),
    changedAtMs: edmInstantMs(row?.['ChangedAt']),
  };
}

/** Status and content type decide before anything is parsed: proxies answer HTML. */
function readEnvelope(response: HttpResponse, nowMs: number): unknown {
  const { status } = response;
  if (status === 401 || status === 403) {
    throw new InterfaceError('refused', { code: 'E_SRC_AUTH', message: `SRM answered ${status}${sapError(response)}` });
  }
  if (status === 429) {
    const fault = { code: 'E_SRC_THROTTLED', message: 'SRM answered 429' } as const;
    throw new InterfaceError('throttled', fault, retryAfterMs(response, nowMs));
  }
  if (status >= 500 || status === 408) {
    throw unavailable(`SRM answered ${status}${sapError(response)}`, retryAfterMs(response, nowMs));
  }
  if (status !== 200) {
    const message = `SRM answered ${status}${sapError(response)}; check the base URL and the service`;
    throw new InterfaceError('permanent', { code: 'E_SRC_UNAVAILABLE', message });
  }
  if (!/\bjson\b/i.test(response.header('content-type') ?? '')) throw unavailable('SRM answered 200 with no JSON');
  try {
    return parseExactJson(response.body);
  } catch (error) {
    throw unavailable(`the page from SRM is ${error instanceof Error ? error.message : 'not JSON'}`);
  }
}

/** SAP's own code and transaction id, which lead to /IWFND/ERROR_LOG; never its text. */
function sapError(response: HttpResponse): string {
  const error = asJsonObject(asJsonObject(tryParseJson(response.body))?.['error']);
  const code = identifierText(error?.['code']);
  const transaction = identifierText(asJsonObject(error?.['innererror'])?.['transactionid']);
  const parts = [code, transaction === undefined ? undefined : `transaction ${transaction}`].filter(
    (part) => part !== undefined,
  );
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function toInterfaceError(error: unknown, baseUrl: string): InterfaceError {
  if (error instanceof InterfaceError) return error;
  if (error instanceof HttpError)
    return unavailable(`SRM at ${new URL(baseUrl).host} cannot be read: ${error.message}`);
  throw error;
}

const unavailable = (message: string, retryMs?: number): InterfaceError =>
  new InterfaceError('transient', { code: 'E_SRC_UNAVAILABLE', message }, retryMs);

const protocolFault = (message: string): InterfaceError =>
  new InterfaceError('permanent', { code: 'E_SRC_UNAVAILABLE', message });

function missing(what: string): never {
  throw unavailable(`the page from SRM has no ${what}`);
}
