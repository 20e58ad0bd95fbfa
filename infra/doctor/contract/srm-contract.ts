/** One page of SRM, held against the contract. Source: source-srm7.md, "Fields", "Reading carts" and "JSON quirks". */
import { randomUUID } from 'node:crypto';
import { orderRules } from '../../../functions/create-purchase-orders/translation/order-rules.ts';
import { rowsOf as rulesOf, spreadsheetOf } from '../../../functions/create-purchase-orders/translation/rule-table.ts';
import { UNUSED_PROPERTIES } from '../../../functions/create-purchase-orders/translation/shopping-cart.ts';
import { asJsonObject, InvalidJson, parseLenientJson } from '../../../shared/exact-json.ts';
import { InterfaceError } from '../../../shared/failure.ts';
import type { HttpClient, HttpResponse } from '../../../shared/http-client.ts';
import { namesOfService, type FieldNames } from '../../../shared/reading/field-names.ts';
import { rowsOf } from '../../../shared/reading/whole-cart.ts';
import { createSrmCarts } from '../../../shared/srm-carts.ts';
import { KEY, type SrmService } from '../../../shared/srm-service.ts';
import { EDM_TYPES, NAVIGATIONS } from '../../docs/srm7-fields.ts';
import type { Environment } from '../../environments.ts';
import { fail, type Finding, ok, warn } from '../finding.ts';
import { compareRows, type Entity, type PropertyReport } from './compare.ts';
import { observe } from './observed-http.ts';

export interface ContractReport {
  /** What was read: for a heading. */
  readonly what: string;
  readonly findings: readonly Finding[];
  readonly properties: readonly PropertyReport[];
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Reads one page, of the latest day on which a cart was changed. */
export async function checkSrmContract(
  client: HttpClient,
  { srm, extraction }: Environment,
  { days, now }: { readonly days: number; readonly now: () => number },
): Promise<ContractReport> {
  const http = observe(client, now);
  const carts = createSrmCarts(srm, { http, now, wait: () => Promise.resolve(false) });
  const names = namesOfService(srm);
  const what = `SRM at ${srm.baseUrl}`;
  let toMs = now() - extraction.safetySeconds * 1000;
  for (let day = 0; day < days; day++, toMs -= DAY_MS) {
    const window = { fromMs: toMs - DAY_MS, toMs };
    try {
      const { value: page } = await carts.pages(window, randomUUID()).next();
      if (page === undefined || page.rows.length === 0) continue;
    } catch (error) {
      if (!(error instanceof InterfaceError)) throw error;
      return { what, findings: [refusedPage(error, http.last()?.response.status)], properties: [] };
    }
    const answer = http.last();
    if (answer === undefined) break;
    const page = pageOf(answer.response, names);
    const when = `${new Date(window.fromMs).toISOString()} to ${new Date(toMs).toISOString()}`;
    return {
      what: `${what}, one page, ${when}`,
      findings: [
        ok(`${page.rows.length} carts, ${answer.response.body.length} characters in ${answer.milliseconds} ms`),
        ...pageFindings(page, answer.response, { paging: srm.paging, nowMs: now() }),
        ...navigationFindings(page.rows),
      ],
      properties: propertiesOf(page.rows),
    };
  }
  const none = warn(
    `no cart was changed in the last ${days} days with the status ${srm.statuses.join(' or ')}`,
    'check srm.statuses and srm.client; --days N looks further back',
  );
  return { what, findings: [none], properties: [] };
}

/** @param status of the last answer; none where nothing answered */
function refusedPage({ fault: { message }, failureClass }: InterfaceError, status: number | undefined): Finding {
  return fail(`no page can be read: ${message}`, adviceOf(failureClass, status));
}

function adviceOf(failureClass: InterfaceError['failureClass'], status: number | undefined): string {
  if (failureClass === 'refused')
    return 'the client or a gateway is refused: srm.tokenParameters (an audience), srm.scope and srm.clientAuthentication at the token endpoint; srm.apiKeyHeader with its key, srm.headers and the authorizations of the client at SRM';
  if (status === undefined)
    return 'srm.baseUrl and srm.tokenUrl must be reachable from this machine, or through srm.proxyUrl';
  if (status === 400)
    return 'often a name in srm.fields (of ChangedAt or a navigation), or a header that a gateway wants; SRM keeps its reason in /IWFND/ERROR_LOG';
  return 'srm.baseUrl, srm.servicePath and srm.entitySet make the address; srm.changedAtProperty and srm.statuses the filter';
}

interface Page {
  readonly rows: readonly unknown[];
  readonly envelope: string;
  readonly count: unknown;
  readonly next: unknown;
}

/** The rows have SAP's names where the settings know this SRM's. */
function pageOf({ body }: HttpResponse, names: FieldNames): Page {
  const d = asJsonObject(parsed(body))?.['d'];
  const object = asJsonObject(d);
  const renamed = (rows: readonly unknown[]): unknown[] => rows.map((row) => names.toSap(row, ''));
  if (object === undefined)
    return { rows: renamed(rowsOf(d)), envelope: '{"d":[..]}', count: undefined, next: undefined };
  const isList = Array.isArray(object['results']);
  return {
    rows: renamed(isList ? rowsOf(d) : [d]),
    envelope: isList ? '{"d":{"results":[..]}}' : '{"d":{..}}',
    count: object['__count'],
    next: object['__next'],
  };
}

/** A page of which some rows are no JSON is read by the adapter, but cannot be compared. */
function parsed(body: string): unknown {
  try {
    return parseLenientJson(body);
  } catch (error) {
    if (error instanceof InvalidJson) return undefined;
    throw error;
  }
}

function pageFindings(
  { rows, envelope, count, next }: Page,
  response: HttpResponse,
  { paging, nowMs }: { readonly paging: SrmService['paging']; readonly nowMs: number },
): Finding[] {
  const announced = typeof count === 'string' || typeof count === 'number' ? Number(count) : undefined;
  const isLinked = next !== undefined && next !== null && next !== '';
  const dateMs = Date.parse(response.header('date') ?? '');
  return [
    ok(`envelope ${envelope}`),
    announced === undefined
      ? warn(
          'no __count comes',
          'rows that SRM leaves out are then not noticed: ask for $inlinecount=allpages to be supported',
        )
      : ok(`__count comes as ${typeof count === 'string' ? 'text' : 'number'}`),
    isLinked
      ? ok(
          `pages are linked by __next, ${/^https?:/i.test(typeof next === 'string' ? next : '') ? 'with the whole address' : 'relative to the service'}`,
        )
      : announced !== undefined && announced > rows.length
        ? paging === 'skip-top'
          ? ok(`${rows.length} of ${announced} carts came: the next ones are asked for by $skip`)
          : fail(
              `${rows.length} of ${announced} carts came, and no __next leads to the rest`,
              'a service that does not page by itself: "srm": { "paging": "skip-top", "pageSize": 50 }',
            )
        : ok('the page is the last one: how pages are linked is not seen; --days N may find a fuller day'),
    Number.isNaN(dateMs)
      ? warn('no Date header comes', 'the clock of SRM is then taken to be ours')
      : Math.abs(dateMs - nowMs) > 60_000
        ? warn(
            `the clock of SRM differs from that of this machine by ${Math.round((dateMs - nowMs) / 1000)} s`,
            'the extraction follows the clock of SRM; correct the one that is wrong',
          )
        : ok('the clock of SRM is that of this machine'),
  ];
}

/** Whether each collection comes with its rows, or as a link to them. */
function navigationFindings(carts: readonly unknown[]): Finding[] {
  return Object.keys(NAVIGATIONS).flatMap((name) => {
    const owners = ownersOf(name, carts).filter((row) => row !== undefined);
    const given = owners.filter((row) => Object.hasOwn(row, name));
    if (owners.length === 0) return [];
    if (given.length === 0) {
      const isNeeded = name === 'Items';
      const advice = 'another name for it is a setting: srm.fields';
      return [(isNeeded ? fail : warn)(`${name} comes with no row`, advice)];
    }
    const links = given.filter((row) => asJsonObject(row[name])?.['__deferred'] !== undefined).length;
    return links === 0
      ? [ok(`${name} comes with its rows`)]
      : [
          warn(
            `${name} comes as a link in ${links} of ${given.length} rows: each costs a call`,
            'let the service support $expand, or leave it out of srm.expand',
          ),
        ];
  });
}

/** The rows that may have the collection. */
function ownersOf(navigation: string, carts: readonly unknown[]): (Readonly<Record<string, unknown>> | undefined)[] {
  const items = carts.flatMap((cart) => rowsOf(asJsonObject(cart)?.['Items']));
  const owners = { Items: carts, Attachments: carts, Accounting: items }[navigation] ?? [...carts, ...items];
  return owners.map(asJsonObject);
}

function propertiesOf(carts: readonly unknown[]): PropertyReport[] {
  const rowsByEntity = new Map<string, unknown[]>([['ShoppingCart', [...carts]]]);
  for (const [navigation, entity] of Object.entries(NAVIGATIONS)) {
    const rows = ownersOf(navigation, carts).flatMap((owner) => rowsOf(owner?.[navigation]));
    rowsByEntity.set(entity, [...(rowsByEntity.get(entity) ?? []), ...rows]);
  }
  return Object.entries(EDM_TYPES).flatMap(([name, types]) =>
    compareRows(entityOf(name, types), rowsByEntity.get(name) ?? []),
  );
}

const RULES = rulesOf(spreadsheetOf(orderRules));

const entityOf = (name: string, types: Readonly<Record<string, string>>): Entity => ({
  name,
  types,
  isUnused: (property) => UNUSED_PROPERTIES.has(property) || Object.hasOwn(NAVIGATIONS, property),
  advise(property, status, candidates) {
    if (status === 'unreadable')
      return `no setting changes how a ${types[property] ?? 'value'} is written: shared/sap-values.ts and translation/shopping-cart.ts read it`;
    const fields = RULES.filter(([, { source }]) => source.some((one) => one === property)).map(([field]) => field);
    const use =
      fields.length === 0
        ? ''
        : `; ${fields.slice(0, 3).join(', ')}${fields.length > 3 ? ' and others' : ''} come from it`;
    const found = candidates.map((candidate) => `"${candidate}"`).join(' or ');
    if (found === '') return `let the service send it${use}`;
    const setting =
      name === 'ShoppingCart' && property === KEY
        ? `"srm": { "keyProperty": ${found} }`
        : `"srm": { "fields": { "${PREFIXES[name] ?? ''}${property}": ${found} } }`;
    return `perhaps ${setting}${use}`;
  },
});

/** How the settings name a property of each entity; partners and texts of items have names of their own. */
const PREFIXES: Readonly<Record<string, string>> = {
  ShoppingCartItem: 'Items.',
  AccountAssignment: 'Items.Accounting.',
  Partner: 'Partners.',
  Text: 'Texts.',
  Attachment: 'Attachments.',
};
