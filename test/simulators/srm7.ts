import { type Answer, htmlAnswer } from './answers.ts';
import { openTokenDesk } from './client-credentials.ts';
import { hash32 } from './seeded-random.ts';
import { cartUri, type CollectionStyle, itemOf, itemUri, showCollection, showEntity } from './srm7-collections.ts';
import { type NumberService, type NumberServiceOptions, openNumberService } from './srm7-numbers.ts';
import { type ServiceNameOptions, type ServiceNames, serviceNames } from './srm7-names.ts';
import {
  cartNavigations,
  type ExpandTree,
  isFullExpand,
  ODataRefusal,
  parseCount,
  parseExpand,
  parseSelection,
  type QueryNames,
  requireDocumentedOrder,
} from './srm7-query.ts';
import {
  type CartRow,
  type ChangedAtProperty,
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

export interface Srm7Options extends SimulatorOptions, ServiceNameOptions {
  readonly carts?: Iterable<CartRow>;
  /** The SAP client, `sap-client`. */
  readonly client?: string;
  /** How many carts a page holds, at most 100. */
  readonly pageSize?: number;
  /** The host or origin in `__next` and `__deferred`. A service behind a proxy often writes its internal host there. */
  readonly internalHost?: string;
  /** The time by which carts are selected and ordered: ChangedAt by default. */
  readonly changedAtProperty?: ChangedAtProperty;
  /** `skip-top` where the service neither cuts a list into pages that are linked nor takes a preference. */
  readonly paging?: 'next-link' | 'skip-top';
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
  /** Where the service takes order numbers back. */
  readonly orderNumbers?: NumberServiceOptions;
  /** Further headers of a list, such as `Age`; a `Date` replaces that of the clock. */
  readonly listHeaders?: () => Readonly<Record<string, string>>;
}

/** The simulator of SAP SRM 7: its extraction service behind a proxy that does OAuth 2.0. */
export interface Srm7Simulator extends Simulator {
  /** The root of the service, without a trailing slash. */
  readonly serviceUrl: string;
  readonly client: string;
  /** Adds carts, or replaces those with a known GUID. `index` overrides the fields by which a row is selected. */
  addCarts(rows: Iterable<CartRow>, index?: Partial<RowIndex>): void;
  /** The carts with status I1129, ordered by ChangedAt and Guid. */
  approvedCarts(): readonly StoredCart[];
  /** Where the service takes order numbers back. */
  readonly orderNumbers: Pick<NumberService, 'numbers' | 'writes' | 'endSessions'> | undefined;
  /** Adds `by` to every later `__count`, so that the count differs from the pages. */
  miscount(by: number): void;
}

const tokenPath = '/oauth/token';
const largestPage = 100;
const approved = 'I1129';

export async function startSrm7(options: Srm7Options = {}): Promise<Srm7Simulator> {
  const clock = options.clock ?? ((): Date => new Date());
  const clientId = options.clientId ?? 'interface-at-srm7';
  const clientSecret = options.clientSecret ?? 'srm7-simulator-secret';
  const client = options.client ?? '100';
  const unordered = options.unordered ?? false;
  const names = serviceNames(options);
  const router = routerOf(names);
  const changedAtProperty = options.changedAtProperty ?? 'ChangedAt';
  const rows = openCartRows(unordered, changedAtProperty);
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
    names,
    router,
    queryNames: { changedAt: names.own(changedAtProperty), status: names.own('Status'), guid: names.own('Guid') },
    collections: { serviceUrl: '', pageSize: options.collectionPageSize ?? Number.POSITIVE_INFINITY, names },
    miscountedBy: 0,
  };
  rows.put(options.carts ?? []);

  const numberService =
    options.orderNumbers === undefined
      ? undefined
      : openNumberService({ clock, ...options.orderNumbers }, (number, at) => rows.touch(number, at));
  const numberCall = (call: Call) => {
    const path = decodeURIComponent(call.url.pathname);
    if (!path.startsWith(names.servicePath)) return undefined;
    return numberService?.classify(call, path.slice(names.servicePath.length));
  };

  const running = await startPart(
    {
      system: 'srm7',
      title: 'The SRM 7 simulator',
      maxBodyBytes: 64 * 1024,
      classify: (call) => {
        const { method, url } = call;
        if (url.pathname === tokenPath) {
          return { operation: 'token', key: '' };
        }
        const numbers = numberCall(call);
        if (numbers !== undefined) {
          return numbers;
        }
        const target = method === 'GET' ? router(url) : undefined;
        return { operation: target?.operation ?? 'other', key: target?.guid ?? url.pathname + url.search };
      },
      async answer(call, operation, work) {
        await work();
        if (operation === 'token') {
          return call.method === 'POST' ? tokens.issue(call.headers, call.body) : htmlAnswer(405, 'Method Not Allowed');
        }
        // The proxy checks tokens, not the service, and it answers in HTML.
        if (!tokens.accepts(call.headers.authorization)) {
          return htmlAnswer(401, 'Anmeldung fehlgeschlagen');
        }
        const numbers = numberCall(call);
        return numberService === undefined || numbers === undefined
          ? serviceAnswer(call, service)
          : refusable(() => {
              requireClient(call.url.searchParams.get('sap-client') ?? call.headers['sap-client'], client);
              return numberService.answer(call, numbers.operation, numbers.key);
            });
      },
      failure: (status) =>
        refusalAnswer(new ODataRefusal(status, `/IWFND/CM_MGW/${status}`, `The service answers ${status}`)),
    },
    options,
  );
  const origin = internalOrigin(options.internalHost) ?? running.url;
  service.collections = {
    ...service.collections,
    serviceUrl: origin + (options.linkedServicePath ?? names.servicePath),
  };

  return {
    ...running,
    tokenUrl: running.url + tokenPath,
    serviceUrl: running.url + names.servicePath,
    clientId,
    clientSecret,
    client,
    addCarts: (added, index) => rows.put(added, index),
    orderNumbers: numberService,
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
  readonly names: ServiceNames;
  readonly router: Router;
  readonly queryNames: QueryNames;
  collections: CollectionStyle;
  miscountedBy: number;
}

interface ReadTarget {
  readonly operation: 'page' | 'cart' | 'navigation';
  readonly entitySet?: 'ShoppingCartSet' | 'ShoppingCartItemSet';
  readonly guid?: string;
  readonly navigation?: string;
}

type Router = (url: URL) => ReadTarget | undefined;

function routerOf(names: ServiceNames): Router {
  // ICF ignores the case of the path, and a service takes parameters.
  const anyServicePath = new RegExp(`^${names.servicePath.replaceAll('.', String.raw`\.`)}(;[^/]*)?(?=/)`, 'i');
  // The only literal of Edm.Guid is 8-4-4-4-12.
  const guid = String.raw`\(guid'(?<guid>[\dA-Fa-f]{8}(?:-[\dA-Fa-f]{4}){3}-[\dA-Fa-f]{12})'\)`;
  const readPath = new RegExp(
    String.raw`^/(?<entitySet>${names.entitySet}|ShoppingCartItemSet)(?:${guid}(?:/(?<navigation>\w+))?)?$`,
  );
  return (url) => readTarget(decodeURIComponent(url.pathname), anyServicePath, readPath, names);
}

function readTarget(
  path: string,
  anyServicePath: RegExp,
  readPath: RegExp,
  names: ServiceNames,
): ReadTarget | undefined {
  const groups = anyServicePath.test(path) ? readPath.exec(path.replace(anyServicePath, ''))?.groups : undefined;
  if (groups === undefined) {
    return undefined;
  }
  const entitySet = groups['entitySet'] === 'ShoppingCartItemSet' ? 'ShoppingCartItemSet' : 'ShoppingCartSet';
  const { guid, navigation } = groups;
  if (navigation !== undefined && guid !== undefined) {
    return {
      operation: 'navigation',
      entitySet,
      guid: plainGuid(guid),
      navigation: names.known(navigation, entitySet === 'ShoppingCartSet' ? '' : 'Items'),
    };
  }
  // The contract has no call that reads items alone.
  if (entitySet === 'ShoppingCartItemSet') {
    return undefined;
  }
  return guid === undefined
    ? { operation: 'page', entitySet }
    : { operation: 'cart', entitySet, guid: plainGuid(guid) };
}

/** An OData error in place of a refusal. */
function refusable(answer: () => Answer): Answer {
  try {
    return answer();
  } catch (error) {
    if (error instanceof ODataRefusal) {
      return refusalAnswer(error);
    }
    throw error;
  }
}

function serviceAnswer(call: Call, service: CartService): Answer {
  return refusable(() => {
    const target = call.method === 'GET' ? service.router(call.url) : undefined;
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
  });
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
  const expand = parseExpand(service.names.known(url.searchParams.get('$expand') ?? ''), cartNavigations);
  const shown = service.options.ignoreExpand === 'always' ? nothing : expand;
  return rowBody(cartByGuid(target, service), shown, service);
}

const nothing: ExpandTree = new Map();

function pageBody(url: URL, prefer: string | string[] | undefined, service: CartService): string {
  const query = url.searchParams;
  const selection = parseSelection(query.get('$filter'), service.queryNames);
  requireDocumentedOrder(query.get('$orderby'), service.queryNames);
  const expand = parseExpand(service.names.known(query.get('$expand') ?? ''), cartNavigations);
  const top = parseCount('$top', query.get('$top')) ?? Number.POSITIVE_INFINITY;
  const skip = parseCount('$skip', query.get('$skip')) ?? 0;

  const { options, pageSize, unordered, miscountedBy } = service;
  const selected = service.rows.select(selection);
  const token = skipToken(url);
  const start = token === undefined ? skip : firstAfter(selected, tokenToPosition(token, options), unordered);
  const isLinked = options.paging !== 'skip-top';
  const [, preferred] = (isLinked ? /^odata\.maxpagesize=(\d+)$/.exec(String(prefer)) : null) ?? [];
  const page = selected.slice(start, start + Math.min(pageSize, top, Number(preferred ?? pageSize)));
  // A caller that sends $top pages by itself.
  const more = isLinked && top === Number.POSITIVE_INFINITY && start + page.length < selected.length;
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
  return `${collections.serviceUrl}/${collections.names.entitySet}?${[...kept, `$skiptoken=${token}`].join('&')}`;
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
  const { names, collections } = service;
  const path = entitySet === 'ShoppingCartItemSet' ? `Items.${navigation}` : navigation;
  const expand = parseExpand(names.known(url.searchParams.get('$expand') ?? '', path), below);
  const shown = service.options.ignoreExpand === 'always' ? nothing : expand;
  const start = parseCount('$skiptoken', skipToken(url) ?? null) ?? 0;
  const ownUri = entitySet === 'ShoppingCartItemSet' ? itemUri(guid, collections) : cartUri(guid, collections);
  const uri = `${ownUri}/${names.own(path)}`;
  const collection = showCollection(owner[navigation], { uri, start, path }, shown, below, collections);
  const rows = isRecord(collection) ? collection['results'] : undefined;
  return JSON.stringify(
    isRecord(collection) && Array.isArray(rows)
      ? { ...collection, results: rows.map((row) => names.shown(row, path)) }
      : collection,
  );
}

/** The JSON of a row: its own text when it is shown whole. */
function rowBody(row: StoredCart, expand: ExpandTree, { collections, names }: CartService): string {
  const isWhole = isFullExpand(expand, cartNavigations) && collections.pageSize === Number.POSITIVE_INFINITY;
  if (isWhole && names.areOfContract) {
    return row.text;
  }
  const cart = parsedRow(row.text);
  if (!isRecord(cart)) {
    return row.text;
  }
  const shown = isWhole ? cart : showEntity(cart, cartUri(row.guid, collections), expand, cartNavigations, collections);
  return JSON.stringify(names.shown(shown));
}

/** Undefined for a row that is no JSON, which a test wants to be served as it is. */
function parsedRow(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
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
