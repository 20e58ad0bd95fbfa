/**
 * Whether carts are being consumed: one item of the ledger's table, pk `BREAKER#11VMS`, sk `BREAKER`.
 *
 * | state       | meaning                                             | left by                                        |
 * |-------------|-----------------------------------------------------|------------------------------------------------|
 * | CLOSED      | carts flow (also: no item)                          | the worker opens it; a person forces it open   |
 * | OPEN        | 11VMS refuses us or is down: consumption is paused  | the supervisor, after a probe and a trial      |
 * | FORCED_OPEN | paused until a person resumes                       | a person: to OPEN, so that it is tried first   |
 *
 * A state that another version of this interface wrote reads as FORCED_OPEN: nothing is lost while a person is asked.
 *
 * `mappingPaused` says that the event source mapping is disabled by us: only then do we enable it again.
 */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { PARTITIONS } from './ledger-keys.ts';
import type { LedgerTable } from './ledger-table.ts';

const STATES = ['CLOSED', 'OPEN', 'FORCED_OPEN'] as const;
export type BreakerState = (typeof STATES)[number];

/** What a probe or a trial said, in words for a person. */
const spoken = z.object({ atMs: z.number(), answer: z.string() });

const breakerItem = z.object({
  state: z.enum(STATES).default('CLOSED').catch('FORCED_OPEN'),
  /** Why it is open, in words for a person. */
  reason: z.string().default(''),
  sinceMs: z.number().default(0),
  mappingPaused: z.boolean().default(false),
  /** Failed trials since it opened: each makes the next one wait longer. */
  failedTrials: z.number().default(0),
  nextTrialAtMs: z.number().default(0),
  lastProbe: spoken.optional().catch(undefined),
  /** `visibleAtMs`: when its message can be received again, if it went back to the queue. */
  lastTrial: spoken.extend({ visibleAtMs: z.number().optional() }).optional().catch(undefined),
});
export type BreakerItem = z.infer<typeof breakerItem>;

/**
 * Why a trial does not end the pause. Only `probe` and `trial` show that 11VMS is unhealthy:
 *
 * | obstacle    | what happened                                                                        |
 * |-------------|--------------------------------------------------------------------------------------|
 * | probe       | 11VMS failed a probe, or refused it; no message was tried                            |
 * | trial       | the probe was answered; with a message, 11VMS failed or refused us                   |
 * | probe-wait  | to the probe, 11VMS asks to wait, or no time was left to ask it                      |
 * | trial-wait  | the probe was answered; the same with a message                                      |
 * | ledger      | the probe was answered; the ledger did not answer, so that no order could be created |
 * | hidden      | the probe was answered; all messages wait for their next receive                     |
 * | out-of-time | the probe was answered; no message showed anything in the time of a trial            |
 * | worker      | the worker gave no answer                                                            |
 */
const OBSTACLES = ['probe', 'trial', 'probe-wait', 'trial-wait', 'ledger', 'hidden', 'out-of-time', 'worker'] as const;

/**
 * The result of a trial: the worker's answer to the supervisor. `tried`: a message was tried and lost a receive by it;
 * otherwise the wait for the next trial does not grow.
 */
export const trialResult = z.discriminatedUnion('healthy', [
  z.object({ healthy: z.literal(true) }),
  z.object({
    healthy: z.literal(false),
    obstacle: z.enum(OBSTACLES),
    tried: z.boolean(),
    reason: z.string(),
    /** When the message that was tried last can be received again. */
    visibleAtMs: z.number().optional(),
  }),
]);
export type TrialResult = z.infer<typeof trialResult>;

export type TrialRecord = Partial<Pick<BreakerItem, 'failedTrials' | 'nextTrialAtMs' | 'lastProbe' | 'lastTrial'>>;

/** The breaker's stored state. Every write is one conditional update. */
export interface BreakerRecord {
  read(): Promise<BreakerItem>;
  /** CLOSED to OPEN or FORCED_OPEN. False when it was not closed. */
  open(state: Exclude<BreakerState, 'CLOSED'>, reason: string, nowMs: number): Promise<boolean>;
  /** From any state to FORCED_OPEN, by a person. */
  force(reason: string, nowMs: number): Promise<void>;
  /** To OPEN, by a person: the next supervision probes, tries one message, and resumes. False when it was closed. */
  letResume(nowMs: number): Promise<boolean>;
  mappingPaused(isPaused: boolean): Promise<void>;
  postponeTrial(failedTrials: number, nextTrialAtMs: number): Promise<void>;
  /** What a trial said. A schedule replaces that of {@link postponeTrial}: the trial did not count. */
  recordTrial(trial: TrialRecord): Promise<void>;
  /** Only one supervision acts at a time. Returns the item; undefined while another supervision holds it. */
  hold(holder: string, nowMs: number, untilMs: number): Promise<BreakerItem | undefined>;
  letGo(holder: string): Promise<void>;
  /** OPEN to CLOSED. False when it is no longer OPEN. */
  close(nowMs: number): Promise<boolean>;
}

/** A sentence, not a payload. */
const MAXIMUM_REASON = 500;
export const boundedReason = (reason: string): string => reason.slice(0, MAXIMUM_REASON).toWellFormed();

const KEY = { pk: `${PARTITIONS.breaker}11VMS`, sk: 'BREAKER' };

export function createBreakerRecord(table: LedgerTable): BreakerRecord {
  /** One update; false when the condition on the state does not hold. `undefined` is the state of a missing item. */
  async function update(changes: Partial<BreakerItem>, from?: readonly (BreakerState | undefined)[]): Promise<boolean> {
    const changeId = randomUUID();
    const values = { ...changes, changeId };
    const names = Object.keys(values);
    const states = from?.filter((state) => state !== undefined) ?? [];
    const conditions = [
      ...(states.length === 0 ? [] : [`#state IN (${states.map((_, index) => `:from${index}`).join(', ')})`]),
      ...(from?.includes(undefined) === true ? ['attribute_not_exists(#state)'] : []),
    ];
    const { kind } = await table.updateItem(KEY, {
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      ...(conditions.length === 0 ? {} : { ConditionExpression: conditions.join(' OR ') }),
      ExpressionAttributeNames: Object.fromEntries(
        [...names, ...(conditions.length === 0 ? [] : ['state'])].map((name) => [`#${name}`, name]),
      ),
      ExpressionAttributeValues: {
        ...Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])),
        ...Object.fromEntries(states.map((state, index) => [`:from${index}`, state])),
      },
    });
    // Our own change: DynamoDB's first answer was lost, and the SDK repeated the update.
    return kind === 'written' || (await table.getItem(KEY))?.['changeId'] === changeId;
  }

  const opened = (state: BreakerState, reason: string, nowMs: number): Partial<BreakerItem> => ({
    state,
    reason: boundedReason(reason),
    sinceMs: nowMs,
    failedTrials: 0,
    nextTrialAtMs: nowMs,
  });

  return {
    async read() {
      return breakerItem.parse((await table.getItem(KEY)) ?? {});
    },
    open: (state, reason, nowMs) => update(opened(state, reason, nowMs), [undefined, 'CLOSED']),
    async force(reason, nowMs) {
      await update(opened('FORCED_OPEN', reason, nowMs));
    },
    async letResume(nowMs) {
      const { kind } = await table.updateItem(KEY, {
        UpdateExpression: 'SET #state = :open, nextTrialAtMs = :now',
        // Also from a state that this version does not know.
        ConditionExpression: 'attribute_exists(#state) AND #state <> :closed',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':open': 'OPEN', ':closed': 'CLOSED', ':now': nowMs },
      });
      return kind === 'written';
    },
    async hold(holder, nowMs, untilMs) {
      const result = await table.updateItem(KEY, {
        UpdateExpression: 'SET heldBy = :holder, heldUntilMs = :until',
        // The last alternative: our own hold, written although its answer was lost.
        ConditionExpression: 'attribute_not_exists(heldUntilMs) OR heldUntilMs < :now OR heldBy = :holder',
        ExpressionAttributeValues: { ':holder': holder, ':until': untilMs, ':now': nowMs },
        ReturnValues: 'ALL_NEW',
      });
      return result.kind === 'refused' ? undefined : breakerItem.parse(result.item);
    },
    async letGo(holder) {
      await table.updateItem(KEY, {
        UpdateExpression: 'REMOVE heldBy, heldUntilMs',
        ConditionExpression: 'heldBy = :holder',
        ExpressionAttributeValues: { ':holder': holder },
      });
    },
    async mappingPaused(isPaused) {
      await update({ mappingPaused: isPaused });
    },
    async postponeTrial(failedTrials, nextTrialAtMs) {
      await update({ failedTrials, nextTrialAtMs }, ['OPEN']);
    },
    async recordTrial(trial) {
      if (Object.keys(trial).length > 0) await update(trial, ['OPEN']);
    },
    close: (nowMs) => update({ state: 'CLOSED', reason: '', sinceMs: nowMs, failedTrials: 0 }, ['OPEN']),
  };
}
