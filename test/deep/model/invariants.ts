/** The invariants of every reachable state. */
import type { FaultCode } from '../../../shared/failure.ts';
import { type Standing, standingOf } from '../../../shared/standing.ts';
import type { Trace } from '../../../shared/traces.ts';
import { AFTER_LEASE_MS, ALWAYS_MS, type AttemptProgress, faultOf, VERSIONS } from './attempt-replay.ts';
import { copyOf, isAtRest, type Message, type Scenario, type Step, type SystemState } from './system-state.ts';

/** The step to a state, and the attempt that it ended, if any. */
export interface Happened extends Pick<Step, 'postedBy' | 'deleted'> {
  readonly ended: Extract<AttemptProgress, { kind: 'ends' }> | undefined;
}

export interface Invariant {
  readonly name: string;
  /** The scenarios in which the invariant is promised. */
  readonly isPromised: (scenario: Scenario) => boolean;
  /** Undefined when there is nothing to check. `step` led from `before` to `system`. */
  readonly holds: (system: SystemState, before: SystemState, step: Happened) => boolean | undefined;
}

const everywhere = (): boolean => true;
const withoutFreezes = ({ freezes }: Scenario): boolean => freezes === 'never';
/** A ledger alone cannot stop an attempt that continues after its lease: the check before sending must. */
const withinLease = ({ freezes }: Scenario): boolean => freezes !== 'unchecked';
/** Codes of a dead letter whose order may or may not exist. */
const AMBIGUOUS: readonly FaultCode[] = ['E_TGT_TIMEOUT_UNKNOWN', 'E_TGT_DISGUISED_ERROR', 'E_TGT_RESPONSE_SCHEMA'];

/** The message, or the dead letter, may be deleted: nothing is lost with it. */
const isCaredFor = ({ id, version }: Message, { orders, item, messages }: SystemState): boolean =>
  orders.length > 0 ||
  (item !== undefined && item.changedAtMs > VERSIONS[version].changedAtMs) ||
  messages.some((other) => other.id === copyOf(id) || other.redrivenFrom === id);

/**
 * What the table holds in this state: each version is recorded as queued, beside the order and the verdicts. The model has no
 * clock, so that no claim is later than a verdict.
 */
function tracesIn({ item, messages }: SystemState): Trace[] {
  const traces: Trace[] = messages.map(({ version }) => ({
    kind: 'queued',
    changedAtMs: VERSIONS[version].changedAtMs,
    isVersionKnown: true,
    runId: 'model',
    queuedAtMs: ALWAYS_MS,
  }));
  if (item !== undefined) {
    const times = { firstClaimedAtMs: ALWAYS_MS, claimedAtMs: ALWAYS_MS };
    traces.push({
      ...item,
      ...times,
      kind: 'order',
      externalId: 'order',
      isVersionKnown: true,
      receive: 1,
      ordersOfCart: 1,
    });
  }
  for (const { id, version, redrive } of messages) {
    if (redrive === undefined) continue;
    const record = { by: '', reason: '', startedAtMs: ALWAYS_MS, changedAtMs: VERSIONS[version].changedAtMs };
    traces.push({ ...record, ...redrive, kind: 'redrive', messageId: id, isVersionKnown: true });
  }
  for (const { id, version, verdict } of messages) {
    if (verdict === undefined || verdict.state === 'WITHDRAWN') continue;
    traces.push({
      kind: 'verdict',
      messageId: id,
      state: verdict.state,
      changedAtMs: VERSIONS[version].changedAtMs,
      isVersionKnown: true,
      recordedAtMs: ALWAYS_MS,
      faults: verdict.codes.map(faultOf),
    });
  }
  return traces;
}

const standingIn = (system: SystemState, nowMs = ALWAYS_MS): Standing => standingOf(tracesIn(system), { nowMs });

const isOrdered = ({ word }: Standing): boolean => word === 'ordered' || word === 'cured';

/** The order is known to be that of the newest version of the cart. */
const isCreated = ({ item, messages }: SystemState): boolean =>
  item?.state === 'CREATED' && messages.every(({ version }) => VERSIONS[version].changedAtMs <= item.changedAtMs);

export const INVARIANTS: readonly Invariant[] = [
  {
    name: 'the standing says that the cart is ordered, if and only if the order of its newest version was created',
    isPromised: everywhere,
    holds: (system, before) => {
      // Only these two decide: most steps change neither.
      if (system.item === before.item && system.messages === before.messages) return undefined;
      return isOrdered(standingIn(system)) === isCreated(system);
    },
  },
  {
    // An attempt that outlives its lease may create the order and delete its message without the claim: until the
    // reconciliation the ledger does not know the order.
    name: 'at rest, the standing says that the cart is ordered or dead-lettered',
    isPromised: withoutFreezes,
    holds: (system) => {
      if (!isAtRest(system)) return undefined;
      const standing = standingIn(system, AFTER_LEASE_MS);
      // Without a verdict the ledger cannot know.
      const mayBeUnknown = system.messages.some(({ isExcused }) => isExcused);
      return isOrdered(standing) || standing.word === 'dead-lettered' || mayBeUnknown;
    },
  },
  {
    // An attempt that outlives its lease may delete its message after another one has begun the last receive, and crashed.
    name: 'at rest, the standing says that the cart is dead-lettered only when a message lies in the dead-letter queue',
    isPromised: withoutFreezes,
    holds: (system) =>
      isAtRest(system) && standingIn(system, AFTER_LEASE_MS).word === 'dead-lettered'
        ? system.messages.some(({ place }) => place === 'dead')
        : undefined,
  },
  {
    name: '11VMS holds at most one order',
    isPromised: everywhere,
    holds: ({ orders }) => orders.length <= 1,
  },
  {
    name: 'CREATED means that 11VMS holds the order',
    isPromised: everywhere,
    holds: ({ item, orders }) => (item?.state === 'CREATED' ? orders.length > 0 : undefined),
  },
  {
    name: 'CREATED is final',
    isPromised: everywhere,
    holds: ({ item }, { item: before }) =>
      before?.state === 'CREATED' ? item?.state === 'CREATED' && item.orderId === before.orderId : undefined,
  },
  {
    name: 'an order that exists or may still be committed is CREATED, or marked to be looked up first',
    isPromised: everywhere,
    holds: ({ item, orders, late }) =>
      orders.length + late.length === 0 ? undefined : item?.state === 'CREATED' || item?.mayExist === true,
  },
  {
    name: 'an attempt posts only while it holds the claim',
    isPromised: withinLease,
    holds: (_system, { item }, { postedBy }) =>
      postedBy === undefined
        ? undefined
        : item?.state === 'POSTING' && item.attemptId === postedBy.start.attemptId && item.leaseUntilMs >= 0,
  },
  {
    name: 'nothing is posted after CREATED',
    isPromised: withinLease,
    holds: (_system, { item }, { postedBy }) => (postedBy === undefined ? undefined : item?.state !== 'CREATED'),
  },
  {
    name: 'a message is deleted only when its order exists, a newer version is known, or a copy or its redrive was queued',
    isPromised: everywhere,
    holds: (system, _before, { deleted }) => (deleted === undefined ? undefined : isCaredFor(deleted, system)),
  },
  {
    name: 'a verdict is withdrawn only when the order exists, a newer version is known, or a copy is queued',
    isPromised: everywhere,
    holds: (system) => {
      const withdrawn = system.messages.filter(({ verdict }) => verdict?.state === 'WITHDRAWN');
      return withdrawn.length === 0 ? undefined : withdrawn.every((message) => isCaredFor(message, system));
    },
  },
  {
    name: 'an order of ours is never taken for that of another',
    isPromised: everywhere,
    holds: (_system, _before, { ended }) =>
      ended === undefined ? undefined : !ended.codes.includes('E_TGT_DUPLICATE_DIFFERENT'),
  },
  {
    name: 'no attempt ends by an unexpected error',
    isPromised: everywhere,
    holds: (_system, _before, { ended }) =>
      ended === undefined ? undefined : !ended.codes.includes('E_INT_UNEXPECTED'),
  },
  {
    name: 'at rest, every message is deleted, or a dead letter with a verdict',
    isPromised: everywhere,
    holds: (system) =>
      isAtRest(system)
        ? system.messages.every(
            ({ place, verdict, isExcused }) => place === 'deleted' || verdict !== undefined || isExcused,
          )
        : undefined,
  },
  {
    name: 'at rest, the order exists, or a message of the cart lies in the dead-letter queue',
    isPromised: everywhere,
    holds: (system) =>
      isAtRest(system) ? system.orders.length > 0 || system.messages.some(({ place }) => place === 'dead') : undefined,
  },
  {
    // With overlapping receives or copies a verdict may be written while another attempt still works. Such a verdict
    // cannot know the unknown outcome, so the invariant is not promised then.
    name: 'at rest without a look-up, an unknown outcome has a dead letter with an AMBIGUOUS or E_INT code',
    isPromised: ({ lookUp, overlaps, copies }) => lookUp === 'none' && !overlaps && copies === 0,
    holds: (system) => {
      if (!isAtRest(system) || system.item?.state !== 'UNKNOWN') return undefined;
      const isExplained = (code: FaultCode): boolean => AMBIGUOUS.includes(code) || code.startsWith('E_INT_');
      return system.messages.some(
        ({ place, verdict, isExcused }) => place === 'dead' && (isExcused || verdict?.codes.some(isExplained) === true),
      );
    },
  },
];
