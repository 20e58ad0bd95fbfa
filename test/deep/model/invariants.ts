/** What must hold in every state that can be reached, whatever happened on the way. */
import type { FaultCode } from '../../../shared/failure.ts';
import { type AttemptProgress, VERSIONS } from './attempt-replay.ts';
import {
  copyOf,
  isAtRest,
  readingOf,
  type Message,
  type Scenario,
  type Step,
  type SystemState,
} from './system-state.ts';

/** What led to a state: the step, and the end of an attempt where it ended by it. */
export interface Happened extends Pick<Step, 'postedBy' | 'deleted'> {
  readonly ended: Extract<AttemptProgress, { kind: 'ends' }> | undefined;
}

export interface Invariant {
  readonly name: string;
  /** Where it is promised at all; everywhere, unless a scenario says otherwise. */
  readonly isPromised: (scenario: Scenario) => boolean;
  /** Where there is something to check; undefined elsewhere. `step` led from `before` to `system`. */
  readonly holds: (system: SystemState, before: SystemState, step: Happened) => boolean | undefined;
}

const everywhere = (): boolean => true;
/** No ledger can stop a process that works on after its lease: these hold as long as leases outlive attempts. */
const withoutZombies = ({ zombies }: Scenario): boolean => !zombies;
/** Codes by which a dead letter says that the order may or may not exist. */
const AMBIGUOUS: readonly FaultCode[] = ['E_TGT_TIMEOUT_UNKNOWN', 'E_TGT_DISGUISED_ERROR', 'E_TGT_RESPONSE_SCHEMA'];

/** Nothing is lost when the message is. */
const isCaredFor = ({ id, version }: Message, { orders, item, messages }: SystemState): boolean =>
  orders.length > 0 ||
  (item !== undefined && item.changedAtMs > VERSIONS[version].changedAtMs) ||
  messages.some((other) => other.id === copyOf(id)) ||
  messages.some(
    (other) =>
      readingOf(other.id) !== readingOf(id) && other.version === version && isDeadLetterOfReading(other, messages),
  );

/** In the dead-letter queue, on its way there, or redriven from it. */
const isDeadLetterOfReading = ({ id, place }: Message, messages: readonly Message[]): boolean =>
  place !== 'deleted' && messages.some((other) => readingOf(other.id) === readingOf(id) && other.verdict !== undefined);

export const INVARIANTS: readonly Invariant[] = [
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
    name: 'an order that exists, or may yet come, is known: CREATED, or marked to be looked up first',
    isPromised: everywhere,
    holds: ({ item, orders, late }) =>
      orders.length + late.length === 0 ? undefined : item?.state === 'CREATED' || item?.mayExist === true,
  },
  {
    name: 'a POST leaves only while its attempt holds the claim',
    isPromised: withoutZombies,
    holds: (_system, { item }, { postedBy }) =>
      postedBy === undefined
        ? undefined
        : item?.state === 'POSTING' && item.attemptId === postedBy.start.attemptId && item.leaseUntilMs >= 0,
  },
  {
    name: 'nothing is posted after CREATED',
    isPromised: withoutZombies,
    holds: (_system, { item }, { postedBy }) => (postedBy === undefined ? undefined : item?.state !== 'CREATED'),
  },
  {
    name: 'a message is deleted only when its order exists, a newer version is known, or a copy or another dead letter is left',
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
    name: 'no attempt ends by an error that nobody foresaw',
    isPromised: everywhere,
    holds: (_system, _before, { ended }) =>
      ended === undefined ? undefined : !ended.codes.includes('E_INT_UNEXPECTED'),
  },
  {
    name: 'at rest, every message is done, or dead with a verdict that says why',
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
    // A redelivery that overlaps may come to its verdict while another attempt still works: then the verdict cannot know.
    // Nor can it where a copy is worked on beside it: what it ends at may be its verdict from before the copy's turn.
    name: 'at rest without a look-up, an unknown outcome has a dead letter that says AMBIGUOUS, or was cut short by us',
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
