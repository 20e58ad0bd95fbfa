import { hash32, mulberry32 } from './seeded-random.ts';

/** The system that a simulator plays. */
export type SimulatedSystem = 'srm7' | '11vms';

/** What a request asks of a simulator; `other` is a path that the contract does not know, and is never faulted. */
export type Operation = 'token' | 'page' | 'cart' | 'navigation' | 'create' | 'lookup' | 'list' | 'other';

/**
 * What goes wrong with one request. "Commit" is the moment at which 11VMS has stored the order; in SRM, which only
 * reads, it is the moment at which the answer is ready. The last three spoil the body of an answer that is right.
 */
export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string; readonly html?: boolean }
  | { readonly kind: 'reset-before' }
  | { readonly kind: 'reset-after-commit' }
  | { readonly kind: 'timeout-after-commit'; readonly delayMs: number }
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'disguised-error'; readonly afterCommit?: boolean }
  | { readonly kind: 'status-after-commit'; readonly status: number; readonly html?: boolean }
  | { readonly kind: 'not-json' }
  | { readonly kind: 'html' }
  | { readonly kind: 'truncated' };

/** The request that a fault is decided for. */
export interface FaultRequest {
  readonly system: SimulatedSystem;
  readonly operation: Operation;
  /** The order's externalId; the cart's GUID; else the path with its query. */
  readonly key: string;
  /** 1 for the first request of this operation with this key. */
  readonly attempt: number;
  /** 1 for the first request of this operation. */
  readonly ordinal: number;
}

/** Shares of faults with a name: `typical` is a bad day on which every order still arrives, `harsh` is not. */
export type FaultProfile = 'none' | 'typical' | 'harsh';

/**
 * Where faults come from: a profile; a list, one fault for each request but token requests, nothing once it is used
 * up; or a function, asked for every request, token requests too.
 */
export type FaultSource = FaultProfile | readonly Fault[] | ((request: FaultRequest) => Fault);

/** What a profile is drawn with. */
export interface FaultPlanOptions {
  readonly seed?: number;
  /** How long `timeout-after-commit` keeps the harsh profile's callers waiting. */
  readonly timeoutDelayMs?: number;
}

/** Decides each request's fault. */
export interface FaultPlan {
  decide(operation: Operation, key: string): Fault;
}

/** No fault: the request is answered as the contract says. */
export const noFault: Fault = { kind: 'none' };

interface FaultShare {
  readonly share: number;
  readonly fault: Fault;
}

interface ProfileTable {
  readonly shares: Partial<Record<Operation, readonly FaultShare[]>>;
  readonly maxFaultsPerKey: number;
}

// Longer than the 2 s after which a test's client gives up.
const defaultTimeoutDelayMs = 2_500;

/** Makes the plan of one simulator. */
export function createFaultPlan(
  system: SimulatedSystem,
  source: FaultSource,
  options: FaultPlanOptions = {},
): FaultPlan {
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
  return { decide: (operation) => (operation === 'token' ? noFault : (left.next().value ?? noFault)) };
}

function requestCounter(system: SimulatedSystem): (operation: Operation, key: string) => FaultRequest {
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
    attempt: next(`${operation} ${key}`),
    ordinal: next(operation),
  });
}

function profileDraw(table: ProfileTable, seed: number): (request: FaultRequest) => Fault {
  const faultsByKey = new Map<string, number>();
  return (request) => {
    const faultsSoFar = faultsByKey.get(request.key) ?? 0;
    if (faultsSoFar >= table.maxFaultsPerKey) {
      return noFault;
    }
    const fault = drawnFault(table.shares[request.operation] ?? [], drawnNumber(seed, request));
    if (fault.kind !== 'none') {
      faultsByKey.set(request.key, faultsSoFar + 1);
    }
    return fault;
  };
}

/**
 * Orders are drawn by externalId and attempt, so that concurrency does not change the plan. Pages are drawn by their
 * number: one reader reads them in order, and their query names a window that moves with the clock.
 */
function drawnNumber(seed: number, { operation, key, attempt, ordinal }: FaultRequest): number {
  const subject = operation === 'page' || operation === 'token' ? `${ordinal}` : `${key} ${attempt}`;
  return mulberry32(hash32(`${seed} ${operation} ${subject}`))();
}

function drawnFault(shares: readonly FaultShare[], drawn: number): Fault {
  let upTo = 0;
  for (const { share, fault } of shares) {
    upTo += share;
    if (drawn < upTo) {
      return fault;
    }
  }
  return noFault;
}

function profileTable(system: SimulatedSystem, profile: FaultProfile, timeoutDelayMs: number): ProfileTable {
  if (profile === 'none') {
    return { shares: {}, maxFaultsPerKey: 0 };
  }
  // Two of the interface's four attempts at most: under `typical`, no order may be dead-lettered by chance.
  const maxFaultsPerKey = profile === 'typical' ? 2 : Number.POSITIVE_INFINITY;
  if (system === 'srm7') {
    return { shares: profile === 'typical' ? typicalSrm7 : harshSrm7(timeoutDelayMs), maxFaultsPerKey };
  }
  return { shares: profile === 'typical' ? typical11vms : harsh11vms(timeoutDelayMs), maxFaultsPerKey };
}

const throttled: Fault = { kind: 'status', status: 429, retryAfter: '1' };
const unavailable: Fault = { kind: 'status', status: 503 };

const typicalReads: readonly FaultShare[] = [
  { share: 0.03, fault: unavailable },
  { share: 0.02, fault: throttled },
];

const typicalSrm7: ProfileTable['shares'] = { page: typicalReads, cart: typicalReads, navigation: typicalReads };

const typical11vms: ProfileTable['shares'] = {
  create: [
    { share: 0.05, fault: throttled },
    { share: 0.03, fault: unavailable },
    { share: 0.01, fault: { kind: 'reset-after-commit' } },
    { share: 0.01, fault: { kind: 'status', status: 500 } },
    { share: 0.01, fault: { kind: 'status', status: 502 } },
  ],
  lookup: typicalReads,
};

const harshTokens: readonly FaultShare[] = [{ share: 0.05, fault: unavailable }];

function harshSrm7(timeoutDelayMs: number): ProfileTable['shares'] {
  const reads: readonly FaultShare[] = [
    { share: 0.05, fault: throttled },
    { share: 0.04, fault: unavailable },
    { share: 0.03, fault: { kind: 'status', status: 503, html: true } },
    { share: 0.03, fault: { kind: 'status', status: 500 } },
    { share: 0.02, fault: { kind: 'reset-before' } },
    { share: 0.02, fault: { kind: 'truncated' } },
    { share: 0.02, fault: { kind: 'not-json' } },
    { share: 0.02, fault: { kind: 'html' } },
    { share: 0.02, fault: { kind: 'disguised-error' } },
    { share: 0.02, fault: { kind: 'slow', delayMs: 300 } },
    { share: 0.01, fault: { kind: 'timeout-after-commit', delayMs: timeoutDelayMs } },
  ];
  return { token: harshTokens, page: reads, cart: reads, navigation: reads };
}

function harsh11vms(timeoutDelayMs: number): ProfileTable['shares'] {
  return {
    token: harshTokens,
    create: [
      { share: 0.12, fault: throttled },
      { share: 0.05, fault: unavailable },
      { share: 0.03, fault: { kind: 'status', status: 503, retryAfter: '2', html: true } },
      { share: 0.03, fault: { kind: 'status', status: 502, html: true } },
      { share: 0.02, fault: { kind: 'status', status: 500 } },
      { share: 0.03, fault: { kind: 'status-after-commit', status: 500 } },
      { share: 0.01, fault: { kind: 'status-after-commit', status: 502, html: true } },
      { share: 0.02, fault: { kind: 'reset-before' } },
      { share: 0.04, fault: { kind: 'reset-after-commit' } },
      { share: 0.03, fault: { kind: 'timeout-after-commit', delayMs: timeoutDelayMs } },
      { share: 0.02, fault: { kind: 'disguised-error' } },
      { share: 0.01, fault: { kind: 'disguised-error', afterCommit: true } },
      { share: 0.01, fault: { kind: 'html' } },
      { share: 0.03, fault: { kind: 'slow', delayMs: 300 } },
    ],
    lookup: [
      { share: 0.05, fault: throttled },
      { share: 0.05, fault: unavailable },
      { share: 0.02, fault: { kind: 'status', status: 500, html: true } },
      { share: 0.02, fault: { kind: 'reset-before' } },
    ],
    list: [{ share: 0.1, fault: unavailable }],
  };
}
