/** Asks the deployed worker what would become of messages: it alone has the settings, and may read SRM. */
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { tryParseJson } from '../../shared/exact-json.ts';
import { type Forecast, forecastAnswer, type ForecastQuestion } from '../../shared/forecast.ts';

/** Lambda takes 6 MB; the rest is for the envelope. */
const INVOCATION_BYTES = 5_500_000;
/** Carts that SRM must give again take a second each. */
const INVOCATION_MESSAGES = 100;

export type AskForecasts = (questions: readonly ForecastQuestion[]) => Promise<readonly Forecast[]>;

/** @throws {Error} that says what the worker did. Without a forecast there is no plan. */
export const createAskForecasts =
  (lambda: LambdaClient, workerName: string): AskForecasts =>
  async (questions) => {
    const forecasts: Forecast[] = [];
    for (const some of packQuestions(questions)) {
      const { FunctionError, Payload } = await lambda.send(
        new InvokeCommand({
          FunctionName: workerName,
          Payload: new TextEncoder().encode(JSON.stringify({ forecast: some })),
        }),
      );
      const parsed = forecastAnswer.safeParse(tryParseJson(new TextDecoder().decode(Payload)));
      if (FunctionError !== undefined || !parsed.success) {
        throw new Error('The worker gave no forecast: read its log of this minute. Nothing was changed.');
      }
      forecasts.push(...parsed.data.forecasts);
    }
    return forecasts;
  };

/** In order; each package is one invocation. */
export function packQuestions(questions: readonly ForecastQuestion[]): ForecastQuestion[][] {
  const packages: ForecastQuestion[][] = [];
  let last: ForecastQuestion[] = [];
  let bytes = 0;
  for (const question of questions) {
    // As it travels: a body is JSON inside JSON, and its quotation marks are escaped.
    const size = Buffer.byteLength(JSON.stringify(question)) + 1;
    if (last.length === INVOCATION_MESSAGES || (last.length > 0 && bytes + size > INVOCATION_BYTES)) {
      packages.push(last);
      last = [];
      bytes = 0;
    }
    last.push(question);
    bytes += size;
  }
  return last.length === 0 ? packages : [...packages, last];
}
