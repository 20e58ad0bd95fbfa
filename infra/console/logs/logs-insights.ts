/** Searches the functions' logs by CloudWatch Logs Insights. */
import {
  type CloudWatchLogsClient,
  GetQueryResultsCommand,
  type ResultField,
  StartQueryCommand,
  StopQueryCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describeAwsError } from '../../aws-account.ts';
import { queryText, STORY_FIELDS } from '../../constructs/query-texts.ts';
import {
  type CartInLog,
  type Identifier,
  type LogAnswer,
  type LogLine,
  type LogSearch,
  type LogWindow,
  MAXIMUM_CARTS,
  MAXIMUM_LINES,
  MAXIMUM_RUNS,
  PAUSE_EVENTS,
  type RunInLog,
} from './log-search.ts';

export interface LogsInsightsOptions {
  readonly client: Pick<CloudWatchLogsClient, 'send'>;
  readonly logGroupNames: readonly string[];
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
}

const POLL_MS = 400;
/** A person waits for the page. */
const PATIENCE_MS = 20_000;

/** @param of forms of log-search.ts: nothing else may reach a query */
const condition = ({ kind, value }: Identifier): string =>
  kind === 'supplier' ? `externalId like /^SRM7-\\d+-[^-]+-${value}-/` : `${kind} = "${value}"`;

export const storyQuery = (of: readonly Identifier[]): string =>
  [
    `fields ${STORY_FIELDS.join(', ')}, cartNumber`,
    `filter ${[...of.map(condition), `event in [${PAUSE_EVENTS.map((event) => `"${event}"`).join(', ')}]`].join(' or ')}`,
    'sort @timestamp asc',
    `limit ${MAXIMUM_LINES}`,
  ].join('\n| ');

/** One more than is shown tells whether there is more. */
export const cartsQuery = (of: readonly Identifier[]): string =>
  [
    `filter (${of.map(condition).join(' or ')}) and (ispresent(cartNumber) or ispresent(cartGuid))`,
    'stats latest(@timestamp) as last by cartNumber, cartGuid',
    'sort last desc',
    `limit ${MAXIMUM_CARTS + 1}`,
  ].join('\n| ');

type Row = Readonly<Record<string, string | undefined>>;

const rowOf = (fields: readonly ResultField[]): Row =>
  Object.fromEntries(fields.map(({ field = '', value }) => [field, value === '' ? undefined : value]));

/** `2026-11-27 14:00:00.000`, in UTC. */
const insightsTime = (text = ''): number => Date.parse(`${text.replace(' ', 'T')}Z`);

const lineOf = (row: Row): LogLine => ({
  atMs: insightsTime(row['@timestamp']),
  service: row['service'] ?? '',
  event: row['event'] ?? '',
  sentence: row['message'] ?? '',
  cartNumber: row['cartNumber'],
  messageId: row['messageId'],
  runId: row['runId'],
  externalId: row['externalId'],
  orderNumber: row['orderNumber'],
  attempt: row['attempt'] === undefined ? undefined : Number(row['attempt']),
  reason: row['reason'] ?? row['reasons.0'] ?? row['errorName'],
});

const runOf = (row: Row): RunInLog => ({
  atMs: insightsTime(row['@timestamp']),
  sentence: row['message'] ?? '',
  runId: row['runId'],
  readTo: row['watermark'],
  pages: row['pages'],
  rows: row['rows'],
  queued: row['queued'],
  reason: row['reason'] ?? row['codes.0'] ?? row['errorName'],
});

const cartOf = (row: Row): CartInLog => ({ number: row['cartNumber'], guid: row['cartGuid'] });

export function createLogsInsights({ client, logGroupNames, now, wait }: LogsInsightsOptions): LogSearch {
  async function ask(queryString: string, { fromMs, toMs }: LogWindow): Promise<LogAnswer<readonly Row[]>> {
    const startedMs = now();
    try {
      const { queryId } = await client.send(
        new StartQueryCommand({
          logGroupNames: [...logGroupNames],
          queryString,
          startTime: Math.floor(fromMs / 1000),
          endTime: Math.ceil(toMs / 1000),
        }),
      );
      for (;;) {
        const { status, results = [] } = await client.send(new GetQueryResultsCommand({ queryId }));
        if (status === 'Complete') {
          return { kind: 'answered', value: results.map(rowOf), upToMs: Math.min(toMs, startedMs), isWhole: true };
        }
        if (status !== 'Running' && status !== 'Scheduled') {
          return { kind: 'unanswered', why: `CloudWatch Logs Insights ended the search (${status}): try again` };
        }
        if (now() - startedMs > PATIENCE_MS) {
          await client.send(new StopQueryCommand({ queryId })).catch(() => undefined);
          const seconds = PATIENCE_MS / 1000;
          return {
            kind: 'unanswered',
            why: `CloudWatch Logs Insights did not end the search in ${seconds} s: try again`,
          };
        }
        await wait(POLL_MS);
      }
    } catch (error) {
      return { kind: 'unanswered', why: whyNot(describeAwsError(error)) };
    }
  }

  return {
    async runs(window) {
      const answer = await ask(queryText('runs'), window);
      return answer.kind === 'unanswered'
        ? answer
        : { ...answer, value: answer.value.map(runOf), isWhole: answer.value.length < MAXIMUM_RUNS };
    },
    async story(of, window) {
      const answer = await ask(storyQuery(of), window);
      return answer.kind === 'unanswered'
        ? answer
        : { ...answer, value: answer.value.map(lineOf), isWhole: answer.value.length < MAXIMUM_LINES };
    },
    async cartsBy(of, window) {
      if (of.length === 0) return { kind: 'answered', value: [], upToMs: window.toMs, isWhole: true };
      const answer = await ask(cartsQuery(of), window);
      return answer.kind === 'unanswered'
        ? answer
        : {
            ...answer,
            value: answer.value.slice(0, MAXIMUM_CARTS).map(cartOf),
            isWhole: answer.value.length <= MAXIMUM_CARTS,
          };
    },
  };
}

const whyNot = (reason: string): string =>
  /AccessDenied|NotAuthorized/.test(reason)
    ? `AWS refuses (${reason}): ask for the rights logs:StartQuery, logs:GetQueryResults and logs:StopQuery on the functions' log groups`
    : `CloudWatch Logs Insights gives no answer (${reason}): check the network and the session, and try again`;
