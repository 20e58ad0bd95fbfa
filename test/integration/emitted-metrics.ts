/** Reads EMF, the log lines from which CloudWatch makes metrics. */
import * as z from 'zod';

export interface EmittedMetric {
  readonly name: string;
  /** The names of its dimensions, sorted. */
  readonly dimensions: readonly string[];
  readonly values: readonly number[];
}

const emf = z.looseObject({
  _aws: z.object({
    CloudWatchMetrics: z.array(
      z.object({ Dimensions: z.array(z.array(z.string())), Metrics: z.array(z.object({ Name: z.string() })) }),
    ),
  }),
});
const numbers = z.union([z.number().transform((value) => [value]), z.array(z.number())]);

/** The metrics among lines of output, one for each line and name. */
export function emittedMetrics(lines: readonly string[]): EmittedMetric[] {
  return lines
    .filter((line) => line.startsWith('{"_aws"'))
    .flatMap((line) => {
      const entry = emf.parse(JSON.parse(line));
      return entry['_aws'].CloudWatchMetrics.flatMap(({ Dimensions, Metrics }) =>
        Metrics.map(({ Name }) => ({
          name: Name,
          dimensions: Dimensions.flat().sort(),
          values: numbers.parse(entry[Name]),
        })),
      );
    });
}
