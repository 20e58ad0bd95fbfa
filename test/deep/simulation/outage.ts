/**
 * The interface in virtual time during an outage of 11VMS: the real use cases of worker and supervisor, with a queue that
 * has the rules of SQS. Only the adapters to AWS and to the network are simulated.
 */
import { tryOneMessage } from '../../../functions/create-purchase-orders/breaker/trial.ts';
import { superviseConsumption } from '../../../functions/supervise-consumption/supervise-consumption.ts';
import { loadEnvironment } from '../../../infra/environments.ts';
import type { Fault } from '../../../shared/failure.ts';
import { mulberry32 } from '../../simulators/seeded-random.ts';
import { createPagingAlarms, type Page } from './paging-alarms.ts';
import { createVirtualTime } from './virtual-time.ts';
import { createVirtualVms, type OutageKind } from './virtual-vms.ts';
import { cartBody, createVirtualWorker } from './virtual-worker.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The latest time to notice an outage: the next carts come almost five minutes later. */
const JUST_AFTER_EXTRACTION_MS = MINUTE_MS / 2;
/** The pause after an empty receive. It is longer than Lambda's long poll, so that hours pass in a second. */
const POLL_MS = 20_000;

export interface OutagePlan {
  readonly kind: OutageKind;
  readonly seed: number;
  readonly cartsADay: number;
  readonly outageHours: number;
}

export interface OutageResult {
  readonly carts: number;
  /** The number of orders of each cart in 11VMS. It must be 1. */
  readonly ordersPerCart: ReadonlyMap<string, number>;
  readonly deadLetters: readonly { readonly cart: string; readonly verdict: readonly Fault[] | undefined }[];
  readonly leftOnQueue: number;
  readonly breaker: string;
  readonly isEnabled: boolean;
  readonly requeued: number;
  readonly callsInOutage: number;
  /** From the start of the outage until the breaker opened; undefined when it never did. */
  readonly minutesToThePause: number | undefined;
  /** From the start of the outage to the page, and the alarm that paged. */
  readonly page: { readonly afterMinutes: number; readonly alarm: string } | undefined;
  /** From the end of the outage to the last order of a cart that was approved before; 0 when there is none. */
  readonly minutesToTheLastOrder: number;
  readonly longestInvocationMs: number;
  /** Carts that have no order, or more than one. */
  readonly wrong: readonly string[];
}

type Outage = { readonly fromMs: number };
const minutesInto = ({ fromMs }: Outage, atMs: number | undefined): number | undefined =>
  atMs === undefined ? undefined : Math.round((atMs - fromMs) / MINUTE_MS);

function pageOf(outage: Outage, page: Page | undefined): OutageResult['page'] {
  const afterMinutes = minutesInto(outage, page?.atMs);
  return page === undefined || afterMinutes === undefined ? undefined : { afterMinutes, alarm: page.alarm };
}

/** Simulates one hour without an outage, the outage, another hour of approvals, and two hours for the last orders. */
export async function simulateOutage({ kind, seed, cartsADay, outageHours }: OutagePlan): Promise<OutageResult> {
  const landscape = loadEnvironment('prod');
  const { delivery } = landscape;
  const random = mulberry32(seed);
  const startMs = Date.parse('2026-12-07T06:00:00Z');
  const fromMs = startMs + HOUR_MS + JUST_AFTER_EXTRACTION_MS;
  const outage = { fromMs, toMs: fromMs + outageHours * HOUR_MS };
  const endMs = outage.toMs + 3 * HOUR_MS;
  const approvalsEndMs = endMs - 2 * HOUR_MS;
  const time = createVirtualTime(startMs);
  const { now, sleep } = time;
  const timeoutMs = landscape.vms.timeoutSeconds * 1000;
  const isDown = (atMs: number): boolean => atMs >= outage.fromMs && atMs < outage.toMs;
  const vms = createVirtualVms(time, timeoutMs, (atMs) => (isDown(atMs) ? kind : undefined));
  const alarms = createPagingAlarms(time, landscape.notifications.thresholds);
  const worker = createVirtualWorker({ time, random, landscape, doubledShare: 0.01, onMetric: alarms.observe });
  const { queue, verdicts, breaker, counts, meter, log, newId, invocation } = worker;
  const environment = () => worker.environment(vms);

  // The event source mapping is enabled or disabled within a minute of the call.
  const mapping = { wanted: true, actual: true };
  async function followSwitch(): Promise<void> {
    await sleep(random() * MINUTE_MS);
    mapping.actual = mapping.wanted;
  }
  function enable(isEnabled: boolean): Promise<void> {
    if (mapping.wanted !== isEnabled) {
      mapping.wanted = isEnabled;
      void followSwitch();
    }
    return Promise.resolve();
  }

  const approved: { readonly number: string; readonly atMs: number }[] = [];
  async function approve(): Promise<void> {
    while (now() < approvalsEndMs) {
      approved.push({ number: String(3_000_000_000 + approved.length), atMs: now() });
      await sleep((-Math.log(1 - random()) * 24 * HOUR_MS) / cartsADay);
    }
  }

  async function extract(): Promise<void> {
    for (let queued = 0; ; ) {
      await sleep(5 * MINUTE_MS);
      for (const { number } of approved.slice(queued)) queue.send(cartBody(number));
      queued = approved.length;
    }
  }

  async function supervise(): Promise<void> {
    const environments = [environment(), environment()];
    for (;;) {
      await sleep(MINUTE_MS);
      const chosen = environments[random() < 0.5 ? 0 : 1] ?? environment();
      await superviseConsumption({
        breaker,
        consumption: {
          isPaused: () => Promise.resolve(!mapping.wanted),
          pause: () => enable(false),
          resume: () => enable(true),
        },
        trial: () => invocation(() => tryOneMessage(chosen())),
        countWaitingCarts: () => Promise.resolve({ count: 0, visible: 0, visibilityTimeoutMs: 0 }),
        log,
        meter,
        now,
        newId,
        assertHeld: () => undefined,
        leaseMs: 85_000,
        firstTrialDelayMs: 2 * delivery.retryBaseSeconds * 1000,
      });
    }
  }

  const failures: unknown[] = [];
  for (const activity of [
    approve(),
    extract(),
    supervise(),
    ...Array.from({ length: delivery.maximumConcurrency }, () =>
      worker.poll(environment(), POLL_MS, () => mapping.actual),
    ),
  ]) {
    activity.catch((error: unknown) => failures.push(error));
  }
  await time.runUntil(endMs);
  if (failures.length > 0) throw new AggregateError(failures, 'the simulation itself failed');

  const ordersPerCart = new Map(approved.map(({ number }) => [number, 0]));
  let lastMs = outage.toMs;
  const approvedAt = new Map(approved.map(({ number, atMs }) => [number, atMs]));
  for (const { externalId, atMs } of vms.orders) {
    const number = externalId.split('-')[2] ?? '';
    ordersPerCart.set(number, (ordersPerCart.get(number) ?? 0) + 1);
    if ((approvedAt.get(number) ?? endMs) < outage.toMs) lastMs = Math.max(lastMs, atMs);
  }
  const numberIn = (body: string): string => /"cart":\{"number":"(\d+)"/.exec(body)?.[1] ?? '';
  return {
    carts: approved.length,
    ordersPerCart,
    deadLetters: queue.deadLetters.map(({ id, body }) => ({
      cart: numberIn(body),
      verdict: verdicts.found.get(id)?.faults,
    })),
    leftOnQueue: queue.size(),
    breaker: (await breaker.read()).state,
    isEnabled: mapping.actual,
    requeued: counts.get('CartsRequeued') ?? 0,
    minutesToThePause: minutesInto(outage, alarms.pausedAtMs()),
    page: pageOf(outage, alarms.page()),
    callsInOutage: vms.calls.filter(({ atMs }) => isDown(atMs)).length,
    minutesToTheLastOrder: Math.round((lastMs - outage.toMs) / MINUTE_MS),
    longestInvocationMs: Math.max(...worker.invocationsMs),
    wrong: [...ordersPerCart].filter(([, orders]) => orders !== 1).map(([number]) => number),
  };
}
