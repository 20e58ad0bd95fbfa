/**
 * What would become of messages that were delivered now: the redriver asks it about dead letters. Each message goes through
 * the same pipeline as in earnest, over a ledger that is only read, and an 11VMS that is not called.
 */
import { type Fault, FAULTS, type FaultCode, findingForLog } from '../../shared/failure.ts';
import type { Forecast, ForecastQuestion } from '../../shared/forecast.ts';
import { inLanes } from '../../shared/lanes.ts';
import type { Foresight, Ledger } from '../../shared/ledger.ts';
import type { CartKey } from '../../shared/ledger-keys.ts';
import type { Log, Meter } from '../../shared/log.ts';
import type { VmsOrders } from './delivery/vms-orders.ts';
import { isOfLaterVersion } from './other-versions.ts';
import type { Outcome } from './outcome.ts';
import { type MessageDependencies, processMessage } from './process-message.ts';

export type ForecastDependencies = MessageDependencies & {
  readonly ledger: Ledger & Foresight;
};

/** The worker's answer. */
export interface Forecasts {
  readonly forecasts: readonly Forecast[];
}

const MESSAGES_AT_ONCE = 20;

export async function forecastMessages(
  questions: readonly ForecastQuestion[],
  dependencies: ForecastDependencies,
): Promise<Forecasts> {
  return {
    forecasts: await inLanes(questions, MESSAGES_AT_ONCE, (question) => forecastMessage(question, dependencies)),
  };
}

async function forecastMessage(
  { messageId, body, signature }: ForecastQuestion,
  dependencies: ForecastDependencies,
): Promise<Forecast> {
  const seen = watchOrders(dependencies);
  const nowMs = dependencies.now();
  // As the first receive of a new message, which a redriven one is.
  const waiting = { sentAtMs: nowMs, sinceMs: nowMs, requeues: 0 };
  const received = { messageId: dependencies.newId(), attempt: 1, body, signature, waiting };
  const outcome = await processMessage(received, { ...dependencies, ...WITHOUT_EFFECT, ...seen.dependencies });
  const orders = seen.created.size;
  const { cart, changedAtMs } = seen.version() ?? {};
  const traces = cart === undefined || orders === 0 ? [] : await dependencies.tracesOf(cart);
  const isOutdated = traces.some((trace) => isOfLaterVersion(trace, changedAtMs ?? 0));
  return {
    messageId,
    orders,
    ...(changedAtMs === undefined ? {} : { changedAtMs }),
    ...(isOutdated
      ? { kind: 'pointless', codes: [], reason: 'a newer version of the cart is known' }
      : withDoubt(judge(outcome, orders), seen.isLookedUp())),
  };
}

/** The cart has an order that only a person can change or cancel. */
const AFTER_SEND: ReadonlySet<FaultCode> = new Set(['E_CART_CHANGED_AFTER_SEND', 'E_CART_CANCELLED_AFTER_SEND']);

type Judgement = Pick<Forecast, 'kind' | 'codes' | 'reason'>;

/**
 * When the message is tried, its look-up may find an order of an earlier attempt. The message then records or reports that
 * order.
 */
function withDoubt(judgement: Judgement, isLookedUp: boolean): Judgement {
  const { kind, reason } = judgement;
  if (!isLookedUp || (kind !== 'ordered' && kind !== 'pointless')) return judgement;
  return {
    ...judgement,
    kind: kind === 'pointless' ? 'unknown' : kind,
    reason: `${reason}, unless 11VMS holds the order from an earlier attempt`,
  };
}

function judge(outcome: Outcome, orders: number): Judgement {
  switch (outcome.kind) {
    case 'done': {
      const reason = orders === 1 ? '1 order would be created' : `${orders} orders would be created`;
      return { kind: 'ordered', codes: [], reason };
    }
    case 'skipped':
      return { kind: 'pointless', codes: [], reason: outcome.reason };
    case 'dead-letter': {
      const { faults } = outcome;
      const { codes, reason } = inWords(faults);
      if (codes.every((code) => code === 'E_INT_MESSAGE')) return { kind: 'unreadable', codes, reason };
      if (orders > 0 || !codes.every((code) => AFTER_SEND.has(code))) return { kind: 'fails', codes, reason };
      return { kind: 'pointless', codes, reason: codes.map((code) => FAULTS[code].meaning).join('; ') };
    }
    case 'retry':
    case 'requeued':
      return { kind: 'unknown', ...inWords(outcome.faults) };
  }
}

const SHOWN_FAULTS = 3;

/** Without the values of the cart. */
function inWords(faults: readonly Fault[]): { readonly codes: FaultCode[]; readonly reason: string } {
  const texts = [...new Set(faults.map(findingForLog))];
  const more = texts.length > SHOWN_FAULTS ? [`and ${texts.length - SHOWN_FAULTS} more`] : [];
  return {
    codes: [...new Set(faults.map(({ code }) => code))],
    reason: [...texts.slice(0, SHOWN_FAULTS), ...more].join('; '),
  };
}

/** A ledger and an 11VMS that only note what an attempt would do. */
function watchOrders({ ledger, orders }: Pick<ForecastDependencies, 'ledger' | 'orders'>) {
  const created = new Set<string>();
  const claimed = new Set<string>();
  let version: { readonly cart: CartKey; readonly changedAtMs: number } | undefined;
  let isLookedUp = false;
  const readOnly: Ledger = {
    async claim(claim) {
      version = { cart: claim.cart, changedAtMs: claim.changedAtMs };
      const result = await ledger.foresee(claim);
      if (result.kind === 'claimed') claimed.add(claim.externalId);
      return result;
    },
    created: nothing,
    rejected: nothing,
    unknown: nothing,
    released: nothing,
    confirmed: nothing,
    recordSkip: nothing,
  };
  const uncalled: VmsOrders = {
    hasNoLookUp: orders.hasNoLookUp,
    async create({ externalId }) {
      created.add(externalId);
      return { kind: 'created', health: 'processed', id: 'not created', number: undefined };
    },
    async lookUp(externalId) {
      // Before it is posted again, an order is looked up; most often nothing is found, and it is posted.
      if (claimed.has(externalId) && !orders.hasNoLookUp) {
        isLookedUp = true;
        return { kind: 'absent', health: 'judged' };
      }
      // To compare it with a newer version. Only 11VMS knows whether the order itself has changed.
      const fault = { code: 'E_CART_CHANGED_AFTER_SEND', message: 'not looked up' } as const;
      return { kind: 'impossible', health: 'judged', fault };
    },
    probe: async () => ({ kind: 'absent', health: 'judged' }),
  };
  return {
    created,
    dependencies: { ledger: readOnly, orders: uncalled },
    version: () => version,
    isLookedUp: () => isLookedUp,
  };
}

const nothing = async (): Promise<void> => undefined;

const SILENT_LOG: Log = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => SILENT_LOG,
};
const SILENT_METER: Meter = { count: () => undefined, milliseconds: () => undefined, seconds: () => undefined };

const WITHOUT_EFFECT = {
  log: SILENT_LOG,
  meter: SILENT_METER,
  verdicts: { read: async () => undefined, record: nothing, withdraw: nothing },
  breaker: { open: async () => false },
  health: { observe: () => undefined, failsForOthers: () => false, refusedAlone: () => false, note: () => undefined },
  requeue: nothing,
  pausedBecause: undefined,
} satisfies Partial<MessageDependencies>;
