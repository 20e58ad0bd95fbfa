/**
 * The plan of a redrive: which dead letters are selected, and what would become of each with today's settings. It moves
 * nothing and holds nothing; its hash names exactly what it showed.
 */
import type { Forecast, ForecastQuestion } from '../../shared/forecast.ts';
import { readSignature } from '../../shared/message-signature.ts';
import { type ClosingDependencies, isOfClosedCart } from './closed-cart.ts';
import {
  codesOf,
  type DescribedLetter,
  describeLetter,
  type DescribingDependencies,
  instant,
  isSelected,
  isSent,
  type ShownLetter,
  showLetter,
} from './describe-letter.ts';
import { LOOK_SECONDS } from './list-dead-letters.ts';
import type { PlannedKind, PlannedMessage, PlanRecord } from './plan-record.ts';
import { readDeadLetters, type ReadingDependencies, type Seen } from './read-dead-letters.ts';
import { MOST_LETTERS, type PlanRequest } from './redrive-event.ts';
import type { AskForecasts } from './worker-forecast.ts';

export type PlanningDependencies = ReadingDependencies &
  ClosingDependencies &
  DescribingDependencies & {
    readonly plans: Pick<PlanRecord, 'save'>;
    readonly askForecasts: AskForecasts;
  };

export interface PlannedLetter extends ShownLetter {
  readonly forecast: PlannedKind;
  readonly forecastReason: string;
  readonly forecastCodes: readonly string[];
  /** How many orders would be created. */
  readonly orders: number;
  readonly moves: boolean;
}

export interface ShownPlan extends Seen {
  /** For the redrive; without it where nothing would be moved. */
  readonly planHash?: string;
  readonly validUntil: string;
  readonly selected: number;
  /** Selected, but more than one plan takes: redrive, then plan again. */
  readonly beyond: number;
  /** Asked for by id, and not seen: held by another reader, moved, or deleted. */
  readonly notSeen: readonly string[];
  /** How many messages of each forecast. */
  readonly forecasts: Readonly<Record<string, number>>;
  readonly moves: number;
  readonly orders: number;
  readonly messages: readonly PlannedLetter[];
}

/** A forecast is of its moment: settings, ledger and carts change. */
export const PLAN_LIFETIME_MS = 3600_000;
/** How many bodies wait in memory for one invocation of the worker. */
const WAITING_BYTES = 4_000_000;

export async function planRedrive(
  { selection, everything }: PlanRequest,
  dependencies: PlanningDependencies,
): Promise<ShownPlan> {
  const { plans, askForecasts, now } = dependencies;
  const wantedIds = selection.messageIds;
  const isInsistent = everything && (wantedIds ?? selection.cart) !== undefined;
  // The redrive does not move what a person closes after this time.
  const plannedAtMs = now();
  const letters = new Map<string, DescribedLetter>();
  const ofClosedCarts = new Set<string>();
  const forecasts = new Map<string, Forecast>();
  const beyondIds = new Set<string>();
  let waiting: ForecastQuestion[] = [];
  let waitingBytes = 0;

  async function askWaiting(): Promise<void> {
    const questions = waiting;
    waiting = [];
    waitingBytes = 0;
    if (questions.length === 0) return;
    for (const forecast of await askForecasts(questions)) forecasts.set(forecast.messageId, forecast);
  }

  const seen = await readDeadLetters(
    {
      hideSeconds: LOOK_SECONDS,
      untilMs: now() + LOOK_SECONDS * 1000,
      isEnough: () => wantedIds?.every((id) => letters.has(id)) === true,
    },
    async (received) => {
      const fresh = received.filter(({ messageId }) => !letters.has(messageId) && isWanted(messageId, wantedIds));
      const described = await Promise.all(fresh.map((letter) => describeLetter(letter, dependencies)));
      for (const [index, letter] of described.entries()) {
        if (!isSelected(letter, selection)) continue;
        if (letters.size === MOST_LETTERS) {
          beyondIds.add(letter.messageId);
          continue;
        }
        letters.set(letter.messageId, letter);
        const { changedAtMs, sentAtMs: sinceMs } = letter;
        const isSettled =
          !isSent(letter.record) && (await isOfClosedCart(letter, { changedAtMs, sinceMs }, dependencies));
        if (isSettled) ofClosedCarts.add(letter.messageId);
        if (!isToForecast(letter, { isSettled, isInsistent })) continue;
        const { body = '', attributes } = fresh[index] ?? {};
        waiting.push({ messageId: letter.messageId, body, signature: readSignature(attributes) });
        waitingBytes += body.length;
      }
      if (waitingBytes >= WAITING_BYTES) await askWaiting();
      return [];
    },
    dependencies,
  );
  await askWaiting();

  const messages = [...letters.values()].map((letter) =>
    planLetter(letter, {
      forecast: forecasts.get(letter.messageId),
      isOfClosedCart: ofClosedCarts.has(letter.messageId),
      everything,
    }),
  );
  const moving = messages.filter(({ moves }) => moves);
  const planHash =
    moving.length === 0
      ? undefined
      : await plans.save({
          plannedAtMs,
          selection,
          messages: messages.map((message) => stored(message, letters, forecasts)),
        });
  dependencies.log.info('redrive.planned', { rows: messages.length, expected: moving.length });
  return {
    ...seen,
    ...(planHash === undefined ? {} : { planHash }),
    validUntil: instant(plannedAtMs + PLAN_LIFETIME_MS),
    selected: messages.length + beyondIds.size,
    beyond: beyondIds.size,
    notSeen: wantedIds?.filter((id) => !letters.has(id)) ?? [],
    forecasts: countBy(messages.map(({ forecast }) => forecast)),
    moves: moving.length,
    orders: moving.reduce((sum, { orders }) => sum + orders, 0),
    messages,
  };
}

const isWanted = (messageId: string, wantedIds: readonly string[] | undefined): boolean =>
  wantedIds === undefined || wantedIds.includes(messageId);

/**
 * Nothing is asked about a letter that was sent, nor about one whose cart a person has settled. For a person who insists,
 * only a letter that was itself closed counts as settled.
 */
const isToForecast = (
  { record }: DescribedLetter,
  { isSettled, isInsistent }: { readonly isSettled: boolean; readonly isInsistent: boolean },
): boolean => !isSent(record) && (!isSettled || (isInsistent && !record.isClosed));

const SETTLED = 'a person settled its cart by hand, with another dead letter';

interface Judgement {
  readonly forecast: Forecast | undefined;
  readonly isOfClosedCart: boolean;
  readonly everything: boolean;
}

function planLetter(letter: DescribedLetter, { forecast, isOfClosedCart, everything }: Judgement): PlannedLetter {
  const shown = showLetter(letter);
  const without = (kind: PlannedLetter['forecast'], reason: string, moves: boolean): PlannedLetter => ({
    ...shown,
    forecast: kind,
    forecastReason: reason,
    forecastCodes: [],
    orders: 0,
    moves,
  });
  if (isSent(letter.record)) return without('sent', 'an earlier redrive sent it: what is left of it is deleted', true);
  if (letter.record.isClosed) return without('closed', 'a person settled it by hand', false);
  if (isOfClosedCart && forecast === undefined) return without('closed', `${SETTLED}: close this one, too`, false);
  if (forecast === undefined) return without('unknown', 'the worker gave no forecast', false);
  const { kind, reason, codes, orders } = forecast;
  const isHopeful = kind === 'ordered' || kind === 'unknown';
  return {
    ...shown,
    forecast: kind,
    forecastReason: isOfClosedCart ? `${SETTLED}; ${reason}` : reason,
    forecastCodes: codes,
    orders,
    moves: everything || isHopeful,
  };
}

function stored(
  { messageId, forecast, orders, moves }: PlannedLetter,
  letters: ReadonlyMap<string, DescribedLetter>,
  forecasts: ReadonlyMap<string, Forecast>,
): PlannedMessage {
  const letter = letters.get(messageId);
  const changedAtMs = forecasts.get(messageId)?.changedAtMs ?? letter?.changedAtMs;
  return {
    messageId,
    client: letter?.cart.client ?? '',
    ...(letter?.cart.number === undefined ? {} : { number: letter.cart.number }),
    ...(letter?.cart.guid === undefined ? {} : { guid: letter.cart.guid }),
    ...(changedAtMs === undefined ? {} : { changedAtMs }),
    codes: letter === undefined ? [] : codesOf(letter),
    forecast,
    orders,
    moves,
  };
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
