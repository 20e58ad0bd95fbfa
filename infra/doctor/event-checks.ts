/**
 * Checks what leaves the interface as events: the subscribers' clients and token endpoints, and whether events left for the
 * orders and dead letters of the last day. Whether EventBridge calls a connection authorized and a pipe running only its console says.
 */
import { paginateGetMetricData } from '@aws-sdk/client-cloudwatch';
import * as z from 'zod';
import { readConnectionSecret, SecretUnusable } from '../../shared/connection-secret.ts';
import { tryParseJson } from '../../shared/exact-json.ts';
import { createHttpClient, HttpError } from '../../shared/http-client.ts';
import { METRIC_NAMESPACE, METRICS, SERVICE_NAMES } from '../../shared/metric-names.ts';
import { describeAwsError } from '../aws-account.ts';
import type { Environment } from '../environments.ts';
import { fail, type Finding, notChecked, ok, runCheck } from './finding.ts';
import { deployCommand, type DeployedContext, resourcesOf } from './stack-context.ts';

type Subscriber = NonNullable<Environment['events']>['subscribers'][string];

export async function checkEvents(context: DeployedContext): Promise<readonly Finding[]> {
  const { events } = context.environment;
  const subscribers = Object.entries(events?.subscribers ?? {}).map(([name, own]) =>
    checkSubscriber(name, own, context),
  );
  const findings = await Promise.all([...subscribers, checkPipes(context)]);
  return findings.flat();
}

/** The secret as CloudFormation read it into the connection, and a token as the connection asks for it. */
async function checkSubscriber(
  name: string,
  subscriber: Subscriber,
  context: DeployedContext,
): Promise<readonly Finding[]> {
  const { secretName, tokenUrl } = subscriber;
  const what = `subscriber ${name}`;
  const token = `${what}: its token`;
  const form = { name: secretName, mutualTls: false, privateCa: false, apiKey: false };
  const write = `write { "clientId", "clientSecret" } under a new secret name, set secretName of the subscriber to it, then ${deployCommand(context)}`;
  let client: Client | undefined;
  const secret = await runCheck(
    `${what}: its secret`,
    context.timeoutMs,
    async () => {
      client = await readConnectionSecret(context.secrets, form);
      return [ok(`${what}: its secret ${secretName} holds { "clientId", "clientSecret" }`)];
    },
    (error) =>
      error instanceof SecretUnusable
        ? fail(`${what}: ${error.problem}`, write)
        : fail(`${what}: its secret ${secretName} cannot be read (${describeAwsError(error)})`, 'check your rights'),
  );
  if (client === undefined) return [...secret, notChecked(token, `the secret of the ${what}`)];
  const known = client;
  const given = await runCheck(
    token,
    context.timeoutMs,
    async () => {
      // No document says in which of the two ways EventBridge shows the client.
      const statuses = [await askForToken(subscriber, known, 'body', context)];
      if (statuses[0] !== 200) statuses.push(await askForToken(subscriber, known, 'header', context));
      if (statuses.includes(200)) return [ok(`${token} is given by ${tokenUrl}`)];
      return [
        fail(
          `${token} is refused by ${tokenUrl} (${statuses.join(', ')}): EventBridge calls the connection deauthorized, and delivers nothing`,
          `check tokenUrl and scope; ${write}`,
        ),
      ];
    },
    (error) =>
      fail(
        `${token}: ${tokenUrl} gives no answer (${error instanceof HttpError ? error.code : describeAwsError(error)})`,
        'check tokenUrl, and whether this machine may reach it',
      ),
  );
  return [...secret, ...given];
}

interface Client {
  readonly clientId: string;
  readonly clientSecret: string;
}

const tokenAnswer = z.object({ access_token: z.string().min(1) });

/** 200 for a usable token, else the status. The answer is never quoted. */
async function askForToken(
  { tokenUrl, scope }: Subscriber,
  { clientId, clientSecret }: Client,
  way: 'body' | 'header',
  { timeoutMs, now }: DeployedContext,
): Promise<number | string> {
  const url = new URL(tokenUrl);
  const http = createHttpClient({ baseUrl: url.origin, timeoutMs, maximumResponseBytes: 65_536, now });
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    ...(scope === '' ? {} : { scope }),
    ...(way === 'body' ? { client_id: clientId, client_secret: clientSecret } : {}),
  });
  const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
  const { status, body } = await http.request({
    method: 'POST',
    path: url.pathname + url.search,
    headers: {
      'Content-Type': 'application/x-www-form-urlencoded',
      Accept: 'application/json',
      ...(way === 'header' ? { Authorization: basic } : {}),
    },
    body: form.toString(),
  });
  if (status !== 200) return status;
  return tokenAnswer.safeParse(tryParseJson(body)).success ? 200 : '200 without a token';
}

const HOUR_MS = 3_600_000;
/** A metric is minutes late, and so is a delivery that is tried again. */
const LATE_MS = 30 * 60_000;

/** A pipe runs within seconds. The worker counts at the end of its batch, a little later than the pipe may have run. */
const BEHIND_MS = 15 * 60_000;
const PERIOD_SECONDS = 300;

const PIPES = [
  { of: 'created orders', idPart: 'PurchaseOrderCreated', metric: METRICS.ordersCreated, what: 'orders were created' },
  {
    of: 'dead letters',
    idPart: 'ShoppingCartDeadLettered',
    metric: METRICS.cartsDeadLettered,
    what: 'carts were dead-lettered',
  },
] as const;

async function checkPipes(context: DeployedContext): Promise<readonly Finding[]> {
  const { events } = context.environment;
  // Order numbers alone need no event of a dead letter.
  return Promise.all((events === undefined ? PIPES.slice(0, 1) : PIPES).map((pipe) => checkPipe(pipe, context)));
}

/** A pipe that stands still counts no failure: it shows only against what was counted since it last ran. */
async function checkPipe(
  { of, idPart, metric, what }: (typeof PIPES)[number],
  context: DeployedContext,
): Promise<Finding> {
  const { cloudwatch, environment, now } = context;
  const pipe = resourcesOf(context, 'AWS::Pipes::Pipe').find(({ logicalId }) => logicalId.includes(idPart));
  if (pipe === undefined) return fail(`pipe of ${of} is missing`, deployCommand(context));
  const worker = [
    { Name: 'service', Value: SERVICE_NAMES.worker },
    { Name: 'environment', Value: environment.name },
  ];
  const query = (Id: string, Namespace: string, MetricName: string, Dimensions: { Name: string; Value: string }[]) => ({
    Id,
    MetricStat: { Metric: { Namespace, MetricName, Dimensions }, Period: PERIOD_SECONDS, Stat: 'Sum' },
  });
  const request = {
    StartTime: new Date(now() - 24 * HOUR_MS),
    EndTime: new Date(now() - LATE_MS),
    MetricDataQueries: [
      query('counted', METRIC_NAMESPACE, metric, worker),
      query('piped', 'AWS/EventBridge/Pipes', 'Invocations', [{ Name: 'PipeName', Value: pipe.physicalId }]),
    ],
  };
  const counted: { readonly atMs: number; readonly count: number }[] = [];
  let ranAtMs = 0;
  for await (const { MetricDataResults: results = [] } of paginateGetMetricData({ client: cloudwatch }, request)) {
    for (const { Id: id, Timestamps: times = [], Values: values = [] } of results) {
      const points = times.map((time, index) => ({ atMs: time.getTime(), count: values[index] ?? 0 }));
      if (id === 'counted') counted.push(...points);
      else ranAtMs = Math.max(ranAtMs, ...points.flatMap(({ atMs, count }) => (count > 0 ? [atMs] : [])));
    }
  }
  const sum = (points: typeof counted): number => points.reduce((total, { count }) => total + count, 0);
  const all = sum(counted);
  const missed = sum(counted.filter(({ atMs }) => atMs > ranAtMs + BEHIND_MS));
  if (all === 0) return ok(`events: no ${what.replace(/s were/, ' was')} in the last day, and none had to leave`);
  if (missed === 0) return ok(`events: the pipe of ${of} runs: ${all} ${what} in the last day`);
  const since = ranAtMs === 0 ? 'in the last day' : `since ${new Date(ranAtMs).toISOString()}`;
  return fail(
    `events: ${missed} ${what} ${since}, and the pipe ${pipe.physicalId} did not run once`,
    'see in EventBridge whether it is Running, and whether the stream of the ledger was disabled (infra/runbook.md, "events-standing-still")',
  );
}
