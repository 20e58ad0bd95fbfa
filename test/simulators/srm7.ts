import { type Answer, htmlAnswer } from './answers.ts';
import { openTokenDesk } from './client-credentials.ts';
import { hash32 } from './seeded-random.ts';
import { cartUri, type CollectionStyle, itemOf, itemUri, showCollection, showEntity } from './srm7-collections.ts';
import {
  cartNavigations,
  type ExpandTree,
  isFullExpand,
  ODataRefusal,
  parseCount,
  parseExpand,
  parseSelection,
  requireDocumentedOrder,
} from './srm7-query.ts';
import {
  type CartRow,
  firstAfter,
  isRecord,
  openCartRows,
  plainGuid,
  positionOf,
  type RowIndex,
  type RowPosition,
  type StoredCart,
} from './srm7-rows.ts';
import { type Call, type Simulator, type SimulatorOptions, startPart } from './simulator.ts';

export interface Srm7Options extends SimulatorOptions {
  readonly carts?: Iterable<CartRow>;
  /** The SAP client, `sap-client`. */
  readonly client?: string;
  /** How many carts a page holds, at most 100. */
  readonly pageSize?: number;
  /** The host or origin in `__next` and `__deferred`. A service behind a proxy often writes its internal host there. */
  readonly internalHost?: string;
  /** True to serve rows unordered, as custom services do that ignore `$orderby`. */
  readonly unordered?: boolean;
  /** Where `$expand` is ignored, so that navigations stay deferred: in lists only, or in every answer. */
  readonly ignoreExpand?: 'in lists' | 'always';
  /** How many rows of a collection inside a cart an answer holds; the rest is behind `__next`. Without it, all. */
  readonly collectionPageSize?: number;
  /** How links spell the path of the service. SAP ignores its case, and lets it carry parameters (`;v=1`). */
  readonly linkedServicePath?: string;
  /** Characters before each skip token of a list. They stand in the link as they are, and must come back. */
  readonly skipTokenMarks?: string;
  /** How often each cart is listed: 2 where the service joins a table without care. */
  readonly copies?: number;
  /** The `d` of a list without carts. */
  readonly emptyList?: string;
  /** True to put a byte order mark before every JSON. */
  readonly byteOrderMark?: boolean;
  /** Further headers of a list, such as `Age`; a `Date` replaces that of the clock. */
  readonly listHeaders?: () => Readonly<Record<string, string>>;
}

/** The simulator of SAP SRM 7: the service ZSRM_SC_EXTRACT_SRV behind a proxy that does OAuth 2.0. */
export interface Srm7Simulator extends Simulator {
  /** The root of the service, without a trailing slash. */
  readonly serviceUrl: string;
  readonly client: string;
  /** Adds carts, or replaces those with a known GUID. `index` overrides the fields by which a row is selected. */
  addCarts(rows: Iterable<CartRow>, index?: Partial<RowIndex>): void;
  /** The carts with status I1129, ordered by ChangedAt and Guid. */
  approvedCarts(): readonly StoredCart[];
  /** Adds `by` to every later `__count`, so that the count differs from the pages. */
  miscount(by: number): void;
}

const servicePath = '/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV';
const tokenPath = '/oauth/token';
const largestPage = 100;
const approved = 'I1129';

export async function startSrm7(options: Srm7Options = {}): Promise<Srm7Simulator> {
  const clock = options.clock ?? ((): Date => new Date());
  const clientId = options.clientId ?? 'interface-at-srm7';
  const clientSecret = options.clientSecret ?? 'srm7-simulator-secret';
  const client = options.client ?? '100';
  const unordered = options.unordered ?? false;
  const rows = openCartRows(unordered);
  const tokens = openTokenDesk({
    clientId,
    clientSecret,
    clientCheck: options.clientCheck,
    tokenParameters: options.tokenParameters,
    tokenPrefix: 'srm7-token',
    lifetimeSeconds: options.tokenLifetimeSeconds ?? 3600,
    clock,
  });
  const service: CartService = {
    rows,
    client,
    unordered,
    pageSize: checkedPageSize(options.pageSize ?? largestPage),
    options,
    collections: { serviceUrl: '', pageSize: options.collectionPageSize ?? Number.POSITIVE_INFINITY },
    miscountedBy: 0,
  };
  rows.put(options.carts ?? []);

  const running = await startPart(
    {
      system: 'srm7',
      title: 'The SRM 7 simulator',
      maxBodyBytes: 64 * 1024,
      classify: ({ method, url }) => {
        if (url.pathname === tokenPath) {
          return { operation: 'token', key: '' };
        }
        const target = method === 'GET' ? readTarget(url) : undefined;
        return { operation: target?.operation ?? 'other', key: target?.guid ?? url.pathname + url.search };
      },
      async answer(call, operation, work) {
        await work();
        if (operation === 'token') {
          return call.method === 'POST' ? tokens.issue(call.headers, call.body) : htmlAnswer(405, 'Method Not Allowed');
        }
        // The proxy checks tokens, not the service, and it answers in HTML.
        return tokens.accepts(call.headers.authorization)
          ? serviceAnswer(call, service)
          : htmlAnswer(401, 'Anmeldung fehlgeschlagen');
      },
      failure: (status) =>
        refusalAnswer(new ODataRefusal(status, `/IWFND/CM_MGW/${status}`, `The service answers ${status}`)),
    },
    options,
  );
  const origin = internalOrigin(options.internalHost) ?? running.url;
  service.collections = { ...service.collections, serviceUrl: origin + (options.linkedServicePath ?? servicePath) };

  return {
    ...running,
    tokenUrl: running.url + tokenPath,
    serviceUrl: running.url + servicePath,
    clientId,
    clientSecret,
    client,
    addCarts: (added, index) => rows.put(added, index),
    approvedCarts: () => rows.all().filter(({ status }) => status === approved),
    miscount(by) {
      service.miscountedBy = by;
    },
    revokeTokens: () => tokens.revokeTokens(),
    setClient: (id, secret) => tokens.setClient(id, secret),
  };
}

interface CartService {
  readonly rows: ReturnType<typeof openCartRows>;
  readonly client: string;
  readonly unordered: boolean;
  readonly pageSize: number;
  readonly options: Srm7Options;
  collections: CollectionStyle;
  miscountedBy: number;
}

interface ReadTarget {
  readonly operation: 'page' | 'cart' | 'navigation';
  readonly entitySet?: 'ShoppingCartSet' | 'ShoppingCartItemSet';
  readonly guid?: string;
  readonly navigation?: string;
}

/** ICF ignores the case of the path, and a service takes parameters. */
const anyServicePath = new RegExp(`^${servicePath}(;[^/]*)?(?=/)`, 'i');
/** The only literal of Edm.Guid is 8-4-4-4-12. */
const readPath =
  /^\/(?<entitySet>ShoppingCartSet|ShoppingCartItemSet)(?:\(guid'(?<guid>[\dA-Fa-f]{8}(?:-[\dA-Fa-f]{4}){3}-[\dA-Fa-f]{12})'\)(?:\/(?<navigation>[A-Za-z]+))?)?$/;

function readTarget(url: URL): ReadTarget | undefined {
  const path = decodeURIComponent(url.pathname);
  const groups = anyServicePath.test(path) ? readPath.exec(path.replace(anyServicePath, ''))?.groups : undefined;
  if (groups === undefined) {
    return undefined;
  }
  const entitySet = groups['entitySet'] === 'ShoppingCartSet' ? 'ShoppingCartSet' : 'ShoppingCartItemSet';
  const { guid, navigation } = groups;
  if (navigation !== undefined && guid !== undefined) {
    return { operation: 'navigation', entitySet, guid: plainGuid(guid), navigation };
  }
  // The contract has no call that reads items alone.
  if (entitySet === 'ShoppingCartItemSet') {
    return undefined;
  }
  return guid === undefined
    ? { operation: 'page', entitySet }
    : { operation: 'cart', entitySet, guid: plainGuid(guid) };
}

function serviceAnswer(call: Call, service: CartService): Answer {
  try {
    const target = call.method === 'GET' ? readTarget(call.url) : undefined;
    const query = call.url.searchParams;
    if (/\(guid'[^']*'\)/.test(decodeURIComponent(call.url.pathname)) && target === undefined) {
      throw new ODataRefusal(400, '/IWCOR/CX_OD_BAD_REQUEST/001', 'Malformed URI literal');
    }
    if (target === undefined) {
      throw new ODataRefusal(404, '/IWFND/CM_BEC/026', `No resource for ${call.method} ${call.url.pathname}`);
    }
    requireJson(call, target);
    requireClient(query.get('sap-client') ?? call.headers['sap-client'], service.client);
    const answer = jsonAnswer(
      200,
      `${service.options.byteOrderMark === true ? '\ufeff' : ''}{"d":${readBody(call, target, service)}}`,
    );
    const further = target.operation === 'page' ? service.options.listHeaders?.() : undefined;
    return { ...answer, headers: { ...answer.headers, ...further } };
  } catch (error) {
    if (error instanceof ODataRefusal) {
      return refusalAnswer(error);
    }
    throw error;
  }
}

/** A list needs `$format=json`. A deferred URI is followed unchanged, so the Accept header is enough there. */
function requireJson({ url, headers }: Call, { operation }: ReadTarget): void {
  const format = url.searchParams.get('$format');
  const accepted = operation !== 'page' && format === null && (headers.accept ?? '').includes('application/json');
  if (format !== 'json' && !accepted) {
    throw new ODataRefusal(400, 'ZSRM_SC/009', '$format=json is required');
  }
}

/** As ICF does: the client of the URL counts, else that of the header. */
function requireClient(given: string | string[] | undefined, client: string): void {
  if (given !== client) {
    throw new ODataRefusal(400, 'ZSRM_SC/006', `sap-client ${String(given ?? '(none)')} is not ${client}`);
  }
}

function readBody({ url, headers }: Call, target: ReadTarget, service: CartService): string {
  if (target.operation === 'page') {
    return pageBody(url, headers['prefer'], service);
  }
  if (target.operation === 'navigation') {
    return navigationBody(url, target, service);
  }
  const expand = parseExpand(url.searchParams.get('$expand'), cartNavigations);
  const shown = service.options.ignoreExpand === 'always' ? nothing : expand;
  return rowBody(cartByGuid(target, service), shown, service);
}

const nothing: ExpandTree = new Map();

function pageBody(url: URL, prefer: string | string[] | undefined, service: CartService): string {
  const query = url.searchParams;
  const selection = parseSelection(query.get('$filter'));
  requireDocumentedOrder(query.get('$orderby'));
  const expand = parseExpand(query.get('$expand'), cartNavigations);
  const top = parseCount('$top', query.get('$top')) ?? Number.POSITIVE_INFINITY;
  const skip = parseCount('$skip', query.get('$skip')) ?? 0;

  const { options, pageSize, unordered, miscountedBy } = service;
  const selected = service.rows.select(selection);
  const token = skipToken(url);
  const start = token === undefined ? skip : firstAfter(selected, tokenToPosition(token, options), unordered);
  const [, preferred] = /^odata\.maxpagesize=(\d+)$/.exec(String(prefer)) ?? [];
  const page = selected.slice(start, start + Math.min(pageSize, top, Number(preferred ?? pageSize)));
  // A caller that sends $top pages by itself.
  const more = top === Number.POSITIVE_INFINITY && start + page.length < selected.length;
  const last = page.at(-1);
  if (selected.length === 0 && options.emptyList !== undefined) {
    return options.emptyList;
  }

  const copies = options.copies ?? 1;
  const count =
    query.get('$inlinecount') === 'allpages' ? `"__count":"${selected.length * copies + miscountedBy}",` : '';
  const next = more && last !== undefined ? `,"__next":${JSON.stringify(nextUri(url, last, service))}` : '';
  const shown = options.ignoreExpand === undefined ? expand : nothing;
  const rows = page.flatMap((row) => Array.from({ length: copies }, () => rowBody(row, shown, service)));
  return `{${count}"results":[${rows.join()}]${next}}`;
}

/** The same query in its original encoding, with a token for the rows after this page. */
function nextUri(url: URL, last: StoredCart, { collections, options, unordered }: CartService): string {
  const kept = url.search
    .slice(1)
    .split('&')
    .filter((option) => !/^(?:\$|%24)skip(?:token)?=/i.test(option));
  const token = `${options.skipTokenMarks ?? ''}${positionToToken(positionOf(last, unordered))}`;
  return `${collections.serviceUrl}/ShoppingCartSet?${[...kept, `$skiptoken=${token}`].join('&')}`;
}

/** The token as it was sent: `+` is no blank here. */
function skipToken({ search }: URL): string | undefined {
  const [, token] = /[?&]\$skiptoken=([^&]*)/.exec(search) ?? [];
  return token === undefined ? undefined : decodeURIComponent(token);
}

function positionToToken({ rank, guid }: RowPosition): string {
  return Buffer.from(`${rank} ${guid}`).toString('base64url');
}

function tokenToPosition(token: string, { skipTokenMarks = '' }: Srm7Options): RowPosition {
  const position = token.startsWith(skipTokenMarks) ? token.slice(skipTokenMarks.length) : '';
  const match = /^(-?\d+) (.+)$/.exec(Buffer.from(position, 'base64url').toString());
  if (match === null) {
    throw new ODataRefusal(400, 'ZSRM_SC/008', 'Skiptoken is not valid');
  }
  return { rank: Number(match[1]), guid: match[2] ?? '' };
}

function cartByGuid({ guid = '', entitySet }: ReadTarget, { rows }: CartService): StoredCart {
  const row = entitySet === 'ShoppingCartItemSet' ? rows.byItemGuid(guid) : rows.byGuid(guid);
  if (row === undefined) {
    throw new ODataRefusal(404, 'ZSRM_SC/001', `Shopping cart ${guid} does not exist`, 'ShoppingCart/Guid');
  }
  return row;
}

function navigationBody(url: URL, target: ReadTarget, service: CartService): string {
  const { guid = '', navigation = '', entitySet } = target;
  const cart: unknown = JSON.parse(cartByGuid(target, service).text);
  const owner = entitySet === 'ShoppingCartItemSet' ? itemOf(cart, guid) : cart;
  const known = entitySet === 'ShoppingCartItemSet' ? cartNavigations.get('Items') : cartNavigations;
  const below = known?.get(navigation);
  if (!isRecord(owner) || below === undefined) {
    throw new ODataRefusal(404, '/IWFND/CM_BEC/026', `No navigation property ${navigation}`, navigation);
  }
  const expand = parseExpand(url.searchParams.get('$expand'), below);
  const shown = service.options.ignoreExpand === 'always' ? nothing : expand;
  const start = parseCount('$skiptoken', skipToken(url) ?? null) ?? 0;
  const uri = `${entitySet === 'ShoppingCartItemSet' ? itemUri(guid, service.collections) : cartUri(guid, service.collections)}/${navigation}`;
  return JSON.stringify(showCollection(owner[navigation], { uri, start }, shown, below, service.collections));
}

/** The JSON of a row: its own text when it is shown whole. */
function rowBody(row: StoredCart, expand: ExpandTree, { collections }: CartService): string {
  if (isFullExpand(expand, cartNavigations) && collections.pageSize === Number.POSITIVE_INFINITY) {
    return row.text;
  }
  const cart: unknown = JSON.parse(row.text);
  if (!isRecord(cart)) {
    return row.text;
  }
  return JSON.stringify(showEntity(cart, cartUri(row.guid, collections), expand, cartNavigations, collections));
}

function refusalAnswer({ status, code, message, property }: ODataRefusal): Answer {
  const transaction = [1, 2, 3, 4].map((part) => hash32(`${part} ${code} ${message}`).toString(16).padStart(8, '0'));
  const body = {
    error: {
      code,
      message: { lang: 'en', value: message },
      innererror: {
        transactionid: transaction.join('').toUpperCase(),
        errordetails: [{ code, message, propertyref: property, severity: 'error' }],
      },
    },
  };
  return jsonAnswer(status, JSON.stringify(body));
}

function jsonAnswer(status: number, body: string): Answer {
  return { status, headers: { 'Content-Type': 'application/json;charset=utf-8', DataServiceVersion: '2.0' }, body };
}

function internalOrigin(internalHost: string | undefined): string | undefined {
  return internalHost === undefined || internalHost.includes('://') ? internalHost : `http://${internalHost}`;
}

function checkedPageSize(pageSize: number): number {
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > largestPage) {
    throw new RangeError(`pageSize ${pageSize} is not between 1 and ${largestPage}`);
  }
  return pageSize;
}
