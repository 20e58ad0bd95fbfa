/** Where the pages' facts come from. The same adapters serve an account and the local run, which has its own endpoints. */
import type { LookUpResult } from '../../functions/create-purchase-orders/delivery/answers.ts';
import type { MoveTask } from '../../functions/redrive-dead-letters/move-tasks.ts';
import type { ByHand } from '../../shared/operations.ts';
import type { OpenedLedger, QueueCounts } from '../carts/open-ledger.ts';
import type { Environment } from '../environments.ts';
import type { CartSettings } from './deployed-settings.ts';
import type { LogSearch } from './logs/log-search.ts';

/** The functions that a person may invoke. */
export const INVOKED = ['extractor', 'supervisor', 'reconciler', 'redriver'] as const;
export type Invoked = (typeof INVOKED)[number];

/** Why a function did not do what was asked. The message is for the person who asked. */
export class InvocationFailed extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvocationFailed';
  }
}

export interface Functions {
  /** Once, without a repetition. @throws {InvocationFailed} */
  invoke(name: Invoked, event: object): Promise<unknown>;
}

export interface AlarmState {
  /** Without the stack's name: the heading of the runbook. */
  readonly name: string;
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
  readonly sinceMs: number | undefined;
  readonly isPage: boolean;
}

/** What happened in one hour; `waiting` is the most messages that were on the queue. Undefined: not measured. */
export interface HourOfCarts {
  readonly hourMs: number;
  readonly created: number;
  readonly deadLettered: number;
  readonly waiting: number | undefined;
}

export interface Health {
  /** Undefined where there are no alarms: in the local run. */
  alarms(): Promise<readonly AlarmState[] | undefined>;
  /** The last 24 hours, oldest first. */
  lastHours(nowMs: number): Promise<readonly HourOfCarts[]>;
  /** Since when the oldest message waits; undefined where none does, or where that is not measured. */
  oldestWaitMs(nowMs: number): Promise<number | undefined>;
  deadLetterCounts(): Promise<QueueCounts>;
  /** SQS's last move of all dead letters; undefined where there was none. */
  moveTask(): Promise<MoveTask | undefined>;
}

/** Who reads, and where. Always visible. */
export interface Place {
  /** The environment as `--env` names it. */
  readonly environmentName: string;
  readonly account: string;
  readonly region: string;
  /** The caller, by its ARN. */
  readonly identity: string;
  /** Which version runs, since when and by whom, in words; undefined where the stack does not say. */
  readonly deployment: string | undefined;
}

export interface Sources {
  readonly environment: Environment;
  readonly place: Place;
  /** When the session of this identity ends: each login moves it. Undefined where it does not end. */
  endOfSession(): Promise<number | undefined>;
  readonly ledger: OpenedLedger;
  readonly functions: Functions;
  readonly health: Health;
  /** By which the deployed worker translates. @throws {UnreadableSettings} */
  deployedSettings(): Promise<CartSettings>;
  /**
   * The body of a dead letter, which holds personal data. Who looks at it, and why, is kept first. Undefined where no message
   * of this id can be seen: another reader may hold it. Only for a person who may operate.
   */
  deadLetter(messageId: string, byHand: ByHand): Promise<string | undefined>;
  /** The order that 11VMS holds, with the connection's own secret. Only for a person who may operate. */
  lookUpOrder(externalId: string): Promise<LookUpResult>;
  readonly logs: LogSearch;
}
