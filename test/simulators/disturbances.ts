import type { Alteration, BodyForm, PageForm } from './answers.ts';
import { hash32, mulberry32 } from './seeded-random.ts';

export type SimulatedSystem = 'srm7' | '11vms';

/**
 * The operation of a request. `csrf` and `write` are those of order numbers that go back to SRM. `other` is a path outside
 * the contract; it is never disturbed.
 */
export type Operation =
  | 'token'
  | 'page'
  | 'cart'
  | 'navigation'
  | 'create'
  | 'lookup'
  | 'list'
  | 'csrf'
  | 'write'
  | 'other';

/**
 * What goes wrong with one request. In 11VMS, "commit" is the moment when the order is stored. SRM is only read, so there it
 * is the moment when the answer is ready. The last three kinds change or damage a right answer.
 */
export type Disturbance =
  | { readonly kind: 'none' }
  /** Another answer in place of the right one, before the commit or after it. Without a form, it is the system's own error. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: BodyForm | PageForm;
      readonly afterCommit?: boolean;
      readonly retryAfter?: string;
    }
  | { readonly kind: 'reset-before' }
  | { readonly kind: 'reset-after-commit' }
  | { readonly kind: 'timeout-after-commit'; readonly delayMs: number }
  /** The commit comes late, or with a delay beyond the test never. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'altered'; readonly how: Alteration; readonly status?: number }
  | { readonly kind: 'not-json' }
  | { readonly kind: 'truncated' };

export interface SimulatedRequest {
  readonly system: SimulatedSystem;
  readonly operation: Operation;
  /** The order's externalId, or the cart's GUID, or else the path with its query. */
  readonly key: string;
  /** 1 for the first request of this operation with this key. */
  readonly ordinalOfKey: number;
  /** 1 for the first request of this operation. */
  readonly ordinal: number;
}

/** Named shares of disturbances. Under `typical` every order still arrives; under `harsh` some do not. */
export type DisturbanceProfile = 'none' | 'typical' | 'harsh';

/**
 * Where disturbances come from. A profile draws them by their shares. A list gives one for each request that is not a token
 * request, until it is used up. A function decides for every request, token requests too.
 */
export type DisturbanceSource =
  | DisturbanceProfile
  | readonly Disturbance[]
  | ((request: SimulatedRequest) => Disturbance);

export interface DisturbanceOptions {
  readonly seed?: number;
  /** The delay of `timeout-after-commit` in the harsh profile. */
  readonly timeoutDelayMs?: number;
}

export interface DisturbancePlan {
  decide(operation: Operation, key: string): Disturbance;
}

export const noDisturbance: Disturbance = { kind: 'none' };

interface DisturbanceShare {
  readonly share: number;
  readonly disturbance: Disturbance;
}

interface ProfileTable {
  readonly shares: Partial<Record<Operation, readonly DisturbanceShare[]>>;
  readonly maximumPerKey: number;
}

// Longer than the 2 s time-out of the tests' clients.
const defaultTimeoutDelayMs = 2_500;

export function createDisturbancePlan(
  system: SimulatedSystem,
  source: DisturbanceSource,
  options: DisturbanceOptions = {},
): DisturbancePlan {
  const count = requestCounter(system);
  if (typeof source === 'function') {
    return { decide: (operation, key) => source(count(operation, key)) };
  }
  if (typeof source === 'string') {
    const table = profileTable(system, source, options.timeoutDelayMs ?? defaultTimeoutDelayMs);
    const draw = profileDraw(table, options.seed ?? 1);
    return { decide: (operation, key) => draw(count(operation, key)) };
  }
  const left = source.values();
  return { decide: (operation) => (operation === 'token' ? noDisturbance : (left.next().value ?? noDisturbance)) };
}

function requestCounter(system: SimulatedSystem): (operation: Operation, key: string) => SimulatedRequest {
  const seen = new Map<string, number>();
  const next = (counter: string): number => {
    const value = (seen.get(counter) ?? 0) + 1;
    seen.set(counter, value);
    return value;
  };
  return (operation, key) => ({
    system,
    operation,
    key,
    ordinalOfKey: next(`${operation} ${key}`),
    ordinal: next(operation),
  });
}

function profileDraw(table: ProfileTable, seed: number): (request: SimulatedRequest) => Disturbance {
  const disturbancesByKey = new Map<string, number>();
  return (request) => {
    const soFar = disturbancesByKey.get(request.key) ?? 0;
    if (soFar >= table.maximumPerKey) {
      return noDisturbance;
    }
    const disturbance = drawnDisturbance(table.shares[request.operation] ?? [], drawnNumber(seed, request));
    if (disturbance.kind !== 'none') {
      disturbancesByKey.set(request.key, soFar + 1);
    }
    return disturbance;
  };
}

/**
 * Requests for orders are drawn by externalId and ordinal, so that concurrency does not change the plan. Pages are drawn by
 * their number, because one reader reads them in order and their query holds a window that moves with the clock.
 */
function drawnNumber(seed: number, { operation, key, ordinalOfKey, ordinal }: SimulatedRequest): number {
  const subject = operation === 'page' || operation === 'token' ? `${ordinal}` : `${key} ${ordinalOfKey}`;
  return mulberry32(hash32(`${seed} ${operation} ${subject}`))();
}

function drawnDisturbance(shares: readonly DisturbanceShare[], drawn: number): Disturbance {
  let upTo = 0;
  for (const { share, disturbance } of shares) {
    upTo += share;
    if (drawn < upTo) {
      return disturbance;
    }
  }
  return noDisturbance;
}

function profileTable(system: SimulatedSystem, profile: DisturbanceProfile, timeoutDelayMs: number): ProfileTable {
  if (profile === 'none') {
    return { shares: {}, maximumPerKey: 0 };
  }
  // The interface makes four attempts. At most two are disturbed under `typical`, so that no order is dead-lettered by chance.
  const maximumPerKey = profile === 'typical' ? 2 : Number.POSITIVE_INFINITY;
  if (system === 'srm7') {
    return { shares: profile === 'typical' ? typicalSrm7 : harshSrm7(timeoutDelayMs), maximumPerKey };
  }
  return { shares: profile === 'typical' ? typical11vms : harsh11vms(timeoutDelayMs), maximumPerKey };
}

const throttled: Disturbance = { kind: 'status', status: 429, retryAfter: '1' };
const unavailable: Disturbance = { kind: 'status', status: 503 };

const typicalReads: readonly DisturbanceShare[] = [
  { share: 0.03, disturbance: unavailable },
  { share: 0.02, disturbance: throttled },
];

const typicalSrm7: ProfileTable['shares'] = { page: typicalReads, cart: typicalReads, navigation: typicalReads };

const typical11vms: ProfileTable['shares'] = {
  create: [
    { share: 0.05, disturbance: throttled },
    { share: 0.03, disturbance: unavailable },
    { share: 0.01, disturbance: { kind: 'reset-after-commit' } },
    { share: 0.01, disturbance: { kind: 'status', status: 500 } },
    { share: 0.01, disturbance: { kind: 'status', status: 502 } },
  ],
  lookup: typicalReads,
};

const harshTokens: readonly DisturbanceShare[] = [{ share: 0.05, disturbance: unavailable }];

function harshSrm7(timeoutDelayMs: number): ProfileTable['shares'] {
  const reads: readonly DisturbanceShare[] = [
    { share: 0.05, disturbance: throttled },
    { share: 0.04, disturbance: unavailable },
    { share: 0.03, disturbance: { kind: 'status', status: 503, body: 'html' } },
    { share: 0.03, disturbance: { kind: 'status', status: 500 } },
    { share: 0.02, disturbance: { kind: 'reset-before' } },
    { share: 0.02, disturbance: { kind: 'truncated' } },
    { share: 0.02, disturbance: { kind: 'not-json' } },
    { share: 0.02, disturbance: { kind: 'status', status: 200, body: 'html' } },
    { share: 0.02, disturbance: { kind: 'status', status: 200 } },
    { share: 0.02, disturbance: { kind: 'slow', delayMs: 300 } },
    { share: 0.01, disturbance: { kind: 'timeout-after-commit', delayMs: timeoutDelayMs } },
  ];
  return { token: harshTokens, page: reads, cart: reads, navigation: reads };
}

function harsh11vms(timeoutDelayMs: number): ProfileTable['shares'] {
  return {
    token: harshTokens,
    create: [
      { share: 0.12, disturbance: throttled },
      { share: 0.05, disturbance: unavailable },
      { share: 0.03, disturbance: { kind: 'status', status: 503, retryAfter: '2', body: 'html' } },
      { share: 0.03, disturbance: { kind: 'status', status: 502, body: 'html' } },
      { share: 0.02, disturbance: { kind: 'status', status: 500 } },
      { share: 0.03, disturbance: { kind: 'status', status: 500, afterCommit: true } },
      { share: 0.01, disturbance: { kind: 'status', status: 502, body: 'html', afterCommit: true } },
      { share: 0.02, disturbance: { kind: 'reset-before' } },
      { share: 0.04, disturbance: { kind: 'reset-after-commit' } },
      { share: 0.03, disturbance: { kind: 'timeout-after-commit', delayMs: timeoutDelayMs } },
      { share: 0.02, disturbance: { kind: 'status', status: 200, body: 'error' } },
      { share: 0.01, disturbance: { kind: 'status', status: 200, body: 'error', afterCommit: true } },
      { share: 0.01, disturbance: { kind: 'status', status: 200, body: 'error-and-id' } },
      { share: 0.01, disturbance: { kind: 'status', status: 201, body: 'errors-and-id', afterCommit: true } },
      { share: 0.01, disturbance: { kind: 'status', status: 200, body: 'html', afterCommit: true } },
      { share: 0.01, disturbance: { kind: 'status', status: 404, body: 'gateway-status' } },
      { share: 0.01, disturbance: { kind: 'altered', how: 'location-only' } },
      { share: 0.01, disturbance: { kind: 'altered', how: 'null-errors' } },
      { share: 0.03, disturbance: { kind: 'slow', delayMs: 300 } },
    ],
    lookup: [
      { share: 0.05, disturbance: throttled },
      { share: 0.05, disturbance: unavailable },
      { share: 0.02, disturbance: { kind: 'status', status: 500, body: 'html' } },
      { share: 0.02, disturbance: { kind: 'reset-before' } },
    ],
    list: [{ share: 0.1, disturbance: unavailable }],
  };
}
