import { randomUUID } from 'node:crypto';
import type { Answer } from './answers.ts';
import type { Call } from './simulator.ts';
import { ODataRefusal } from './srm7-query.ts';

export interface NumberServiceOptions {
  /** Below the service; `{cart}` is the number of the cart. */
  readonly path: string;
  readonly property: string;
  /** `none`: the protection against cross-site request forgery is off. */
  readonly csrf?: 'token and cookies' | 'none';
  /** How a POST is understood: as a MERGE by `X-HTTP-Method`, or not at all. */
  readonly refusesPatch?: boolean;
  /** When a write takes place: the simulator's clock by default. */
  readonly clock?: () => Date;
}

/** What a custom service of SRM takes back: a property of a cart, behind SAP Gateway's protection against forgery. */
export interface NumberService {
  /** What the call asks for; undefined for a call that is not about numbers. */
  classify(call: Call, below: string): { readonly operation: 'csrf' | 'write'; readonly key: string } | undefined;
  answer(call: Call, operation: 'csrf' | 'write', key: string): Answer;
  /** By the number of the cart. */
  readonly numbers: ReadonlyMap<string, string>;
  /** How often a number was written. */
  readonly writes: readonly { readonly cart: string; readonly value: string }[];
  /** All tokens become void, as when the sessions of SAP time out. */
  endSessions(): void;
}

export function openNumberService(
  { path, property, csrf = 'token and cookies', refusesPatch = false, clock = () => new Date() }: NumberServiceOptions,
  /** The cart is written to: SRM moves its ChangedAt. False where there is no such cart. */
  touch: (number: string, at: Date) => boolean,
): NumberService {
  const [before = '', after = ''] = path.split('{cart}');
  /** The session of each token. */
  const sessions = new Map<string, string>();
  const numbers = new Map<string, string>();
  const writes: { cart: string; value: string }[] = [];

  function openSession(): Answer {
    const document = { status: 200, headers: JSON_HEADERS, body: '{"d":{"EntitySets":["ShoppingCartSet"]}}' };
    if (csrf === 'none') return document;
    const [token, session] = [randomUUID(), randomUUID()];
    sessions.set(token, session);
    return {
      ...document,
      headers: { ...JSON_HEADERS, 'x-csrf-token': token },
      cookies: [
        `SAP_SESSIONID_SRM_100=${session}; path=/; secure; HttpOnly`,
        'sap-usercontext=sap-client=100; path=/; SameSite=None',
      ],
    };
  }

  /** SAP Gateway: the token, and the session cookie of the answer that gave it. */
  function isAuthentic({ headers }: Call): boolean {
    if (csrf === 'none') return true;
    const session = sessions.get(String(headers['x-csrf-token']));
    const cookies = (headers.cookie ?? '').split('; ');
    return session !== undefined && cookies.includes(`SAP_SESSIONID_SRM_100=${session}`);
  }

  function write(call: Call, cart: string): Answer {
    const method = call.method === 'POST' ? call.headers['x-http-method'] : call.method;
    if (method !== 'PATCH' && method !== 'MERGE')
      throw new ODataRefusal(405, '/IWFND/CM_MGW/096', 'Method not allowed');
    if (!String(call.headers['content-type']).startsWith('application/json')) {
      throw new ODataRefusal(415, '/IWFND/CM_BEC/041', 'Media type not supported');
    }
    if (call.headers['if-match'] === undefined)
      throw new ODataRefusal(428, '/IWFND/CM_MGW/428', 'If-Match is required');
    const body: unknown = JSON.parse(call.body);
    const [[name, value] = [], ...others] = Object.entries(Object(body));
    if (name !== property || typeof value !== 'string' || others.length > 0) {
      throw new ODataRefusal(400, '/IWBEP/CM_MGW/021', `Property ${String(name)} is invalid`);
    }
    if (!touch(cart, clock())) throw new ODataRefusal(404, 'ZSRM_SC/001', `Shopping cart ${cart} does not exist`);
    numbers.set(cart, value);
    writes.push({ cart, value });
    return { status: 204, headers: { DataServiceVersion: '2.0' }, body: '' };
  }

  return {
    numbers,
    writes,
    classify({ method, headers }, below) {
      if (method === 'GET') {
        const isFetch = String(headers['x-csrf-token']).toLowerCase() === 'fetch';
        return isFetch && below === '/' ? { operation: 'csrf', key: '' } : undefined;
      }
      const isWrite = method === 'POST' || (method === 'PATCH' && !refusesPatch);
      if (!isWrite || !below.startsWith(before) || !below.endsWith(after)) return undefined;
      return { operation: 'write', key: below.slice(before.length, below.length - after.length).replaceAll("''", "'") };
    },
    answer(call, operation, key) {
      if (operation === 'csrf') return openSession();
      if (!isAuthentic(call)) {
        return {
          status: 403,
          headers: { 'Content-Type': 'text/plain;charset=utf-8', 'x-csrf-token': 'Required' },
          body: 'CSRF token validation failed',
        };
      }
      return write(call, key);
    },
    endSessions: () => sessions.clear(),
  };
}

const JSON_HEADERS = { 'Content-Type': 'application/json;charset=utf-8', DataServiceVersion: '2.0' };
