/** Checks the functions: can they run, are they what the entry says, and did they fail of late? */
import { type MetricDataQuery, paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import { GetFunctionConcurrencyCommand, GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { asJsonObject, tryParseJson } from '../../shared/exact-json.ts';
import { differences, type Setting } from './drift.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { alignAdvice, comparableResources, type ComparableResource, type DeployedContext } from './stack-context.ts';

const FUNCTION = 'AWS::Lambda::Function';
const HOUR_MS = 3_600_000;
const PERIOD_SECONDS = 300;

/** `extractor` for the function that the output ExtractorFunctionName names. */
export const functionName = ({ expected }: DeployedContext, logicalId: string): string =>
  expected.outputOf.get(logicalId)?.replace('FunctionName', '').toLowerCase() ?? logicalId;

export async function checkFunctions(context: DeployedContext): Promise<readonly Finding[]> {
  const functions = comparableResources(context, FUNCTION);
  const [configurations, failures] = await Promise.all([
    Promise.all(functions.map((one) => checkConfiguration(one, context))),
    checkFailures(functions, context),
  ]);
  return [...configurations.flat(), ...failures];
}

const expectedProperties = z.object({
  Timeout: z.number().optional(),
  MemorySize: z.number().optional(),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }).optional(),
});

async function checkConfiguration(
  { physicalId, logicalId, expected }: ComparableResource,
  context: DeployedContext,
): Promise<Finding[]> {
  const what = functionName(context, logicalId);
  const name = { FunctionName: physicalId };
  const [deployed, { ReservedConcurrentExecutions: reserved }] = await Promise.all([
    context.lambda.send(new GetFunctionConfigurationCommand(name)),
    context.lambda.send(new GetFunctionConcurrencyCommand(name)),
  ]);
  const findings: Finding[] = [];
  if (reserved === 0) {
    findings.push(
      fail(
        `${what} has a reserved concurrency of 0: it cannot run`,
        `find out who set it and why, then aws lambda delete-function-concurrency --function-name ${physicalId}`,
      ),
    );
  } else if (reserved !== undefined) {
    findings.push(
      warn(
        `${what} has a reserved concurrency of ${reserved}: Lambda throttles what goes beyond it, and each throttled batch uses up an attempt`,
        `aws lambda delete-function-concurrency --function-name ${physicalId}`,
      ),
    );
  }
  if (deployed.State === 'Failed' || deployed.LastUpdateStatus === 'Failed') {
    findings.push(
      fail(
        `${what} is not usable: ${deployed.StateReasonCode ?? deployed.LastUpdateStatusReasonCode ?? 'its last update failed'}`,
        'read its state in the Lambda console, correct the cause, then deploy again',
      ),
    );
  }
  const { Timeout, MemorySize, Environment } = expectedProperties.parse(expected);
  const variables = Environment?.Variables ?? {};
  const deployedVariables = deployed.Environment?.Variables ?? {};
  const names = [...new Set([...Object.keys(variables), ...Object.keys(deployedVariables)])].toSorted();
  const differing = differences([
    { name: 'timeout', expected: Timeout, deployed: deployed.Timeout },
    { name: 'memory', expected: MemorySize, deployed: deployed.MemorySize },
    ...names.flatMap((one) => settingsOf({ name: one, expected: variables[one], deployed: deployedVariables[one] })),
  ]);
  if (differing.length > 0) findings.push(fail(`${what} differs: ${differing.join('; ')}`, alignAdvice(context)));
  return findings.length > 0 ? findings : [ok(`${what} is deployed as the entry says, with ${names.length} variables`)];
}

/** A variable that holds several settings as JSON is compared setting by setting. */
function settingsOf(variable: Setting): Setting[] {
  const { name, expected, deployed } = variable;
  const [ours, theirs] = [expected, deployed].map((value) =>
    name.endsWith('_DIFFERENCES') && typeof value === 'string' ? asJsonObject(tryParseJson(value)) : undefined,
  );
  if (ours === undefined || theirs === undefined) return [variable];
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])]
    .toSorted()
    .map((part) => ({ name: `${name}.${part}`, expected: ours[part], deployed: theirs[part] }));
}

const METRICS = ['Invocations', 'Errors', 'Throttles'] as const;

/** Errors and throttles of the last hour. */
async function checkFailures(
  functions: readonly ComparableResource[],
  context: DeployedContext,
): Promise<readonly Finding[]> {
  const queries = functions.flatMap(({ physicalId }, index) =>
    METRICS.map(
      (metric): MetricDataQuery => ({
        Id: `${metric.toLowerCase()}${index}`,
        MetricStat: {
          Metric: {
            Namespace: 'AWS/Lambda',
            MetricName: metric,
            Dimensions: [{ Name: 'FunctionName', Value: physicalId }],
          },
          Period: PERIOD_SECONDS,
          Stat: 'Sum',
        },
      }),
    ),
  );
  const sums = new Map<string, number>();
  const endMs = context.now();
  const request = { MetricDataQueries: queries, StartTime: new Date(endMs - HOUR_MS), EndTime: new Date(endMs) };
  for await (const { MetricDataResults: results = [] } of paginateGetMetricData(
    { client: context.cloudwatch },
    request,
  )) {
    for (const { Id: id = '', Values: values = [] } of results) {
      sums.set(
        id,
        values.reduce((sum, value) => sum + value, sums.get(id) ?? 0),
      );
    }
  }
  return functions.flatMap(({ logicalId }, index) => {
    const [invocations = 0, errors = 0, throttles = 0] = METRICS.map((metric) =>
      sums.get(`${metric.toLowerCase()}${index}`),
    );
    return failureFindings(functionName(context, logicalId), { invocations, errors, throttles });
  });
}

interface LastHour {
  readonly invocations: number;
  readonly errors: number;
  readonly throttles: number;
}

const FAILURE_CHAPTERS: Readonly<Record<string, string>> = {
  worker: ' (infra/runbook.md, "worker-crashed")',
  extractor: ' (infra/runbook.md, "scheduled-run-failed")',
  supervisor: ' (infra/runbook.md, "scheduled-run-failed")',
  reconciler: ' (infra/runbook.md, "scheduled-run-failed")',
  reporter: ' (infra/runbook.md, "cloud-alm-not-told")',
};

function failureFindings(what: string, { invocations, errors, throttles }: LastHour): Finding[] {
  const findings: Finding[] = [];
  if (errors > 0) {
    const text = `${what} failed in ${errors} of ${invocations} invocations of the last hour`;
    const advice = `read its log for the reason${FAILURE_CHAPTERS[what] ?? ''}`;
    // A person invokes the redriver, and is told at once why it refuses.
    findings.push(what !== 'redriver' && 2 * errors >= invocations ? fail(text, advice) : warn(text, advice));
  }
  if (throttles > 0) {
    findings.push(
      warn(
        `${what} was throttled ${throttles} times in the last hour`,
        'free concurrency in the account (infra/runbook.md, "functions-throttled")',
      ),
    );
  }
  return findings.length > 0 ? findings : [ok(`${what} ran ${invocations} times in the last hour without an error`)];
}
