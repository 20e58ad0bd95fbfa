/** Asks the deployed worker what would become of messages: it alone has the settings, and may read SRM. */
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { tryParseJson } from '../../shared/exact-json.ts';
import { type Forecast, forecastAnswer, type ForecastQuestion } from '../../shared/forecast.ts';
import { packs } from '../../shared/lanes.ts';

/** Lambda takes 6 MB; the rest is for the envelope. */
const INVOCATION_BYTES = 5_500_000;
/** Carts that SRM must give again take a second each. */
const INVOCATION_MESSAGES = 100;

export type AskForecasts = (questions: readonly ForecastQuestion[]) => Promise<readonly Forecast[]>;

/**
 * A message at which the worker dies has no forecast, and takes it from no other.
 * @throws {Error} that says what the worker did, where it answers nothing at all.
 */
export function createAskForecasts(lambda: LambdaClient, workerName: string): AskForecasts {
  /** Undefined where the worker died or ran out of time. */
  async function ask(questions: readonly ForecastQuestion[]): Promise<readonly Forecast[] | undefined> {
    const { FunctionError, Payload } = await lambda.send(
      new InvokeCommand({
        FunctionName: workerName,
        Payload: new TextEncoder().encode(JSON.stringify({ forecast: questions })),
      }),
    );
    if (FunctionError !== undefined) return undefined;
    const { data } = forecastAnswer.safeParse(tryParseJson(new TextDecoder().decode(Payload)));
    if (data === undefined) throw noForecast();
    return data.forecasts;
  }

  async function askInHalves(questions: readonly ForecastQuestion[]): Promise<readonly Forecast[]> {
    if (questions.length === 1) return [];
    const middle = Math.ceil(questions.length / 2);
    const forecasts: Forecast[] = [];
    for (const half of [questions.slice(0, middle), questions.slice(middle)]) {
      forecasts.push(...((await ask(half)) ?? (await askInHalves(half))));
    }
    return forecasts;
  }

  return async (questions) => {
    const forecasts: Forecast[] = [];
    for (const some of packQuestions(questions)) {
      const answer = await ask(some);
      // A worker that dies of no message at all is broken: there is no need to ask it for each.
      if (answer === undefined && (await ask([])) === undefined) throw noForecast();
      forecasts.push(...(answer ?? (await askInHalves(some))));
    }
    return forecasts;
  };
}

const noForecast = (): Error =>
  new Error('The worker gave no forecast: read its log of this minute. Nothing was changed.');

/** Each pack is one invocation. */
const packQuestions = (questions: readonly ForecastQuestion[]): ForecastQuestion[][] =>
  packs(
    questions,
    { items: INVOCATION_MESSAGES, bytes: INVOCATION_BYTES },
    // As it travels: a body is JSON inside JSON, and its quotation marks are escaped.
    (question) => Buffer.byteLength(JSON.stringify(question)) + 1,
  );
