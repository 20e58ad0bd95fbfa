/**
 * Simulates the operations of STS, CloudFormation, CloudWatch, Lambda, SNS and EventBridge Scheduler that deploy and doctor
 * call, over their real protocols on loopback. A test can change each answer. No emulator on npm has these operations.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import * as z from 'zod';

/** What a metric counted once. */
export interface SimulatedDatapoint {
  metric: string;
  /** The values of its dimensions. */
  of: readonly string[];
  atMs: number;
  value: number;
}

export interface SimulatedAlarm {
  name: string;
  isComposite: boolean;
  state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
  isEnabled: boolean;
}

export interface AwsState {
  account: string;
  /** Where the stack is. */
  region: string;
  /** Regions that refuse the caller, as one does that is not enabled for the account. */
  closedRegions: Set<string>;
  /** How GetCallerIdentity is refused. */
  credentialsError: string | undefined;
  stack:
    | {
        status: string;
        /** Against deletion. */
        isProtected?: boolean;
        template?: string;
        outputs: Record<string, string>;
        resources: { type: string; physicalId: string; logicalId?: string }[];
      }
    | undefined;
  stackCreatedMs: number;
  /** By UUID. */
  mappings: Record<string, Record<string, unknown>>;
  /** By name: what GetFunctionConfiguration answers, and the reserved concurrency. */
  functions: Record<string, { configuration: Record<string, unknown>; reservedConcurrency?: number }>;
  /** By name: what an invocation answers. */
  answers: Record<string, object>;
  /** By `group/name`. */
  schedules: Record<string, Record<string, unknown>>;
  alarms: SimulatedAlarm[];
  datapoints: SimulatedDatapoint[];
  /** Of each answer with data of a metric. */
  metricStatus: 'Complete' | 'PartialData' | 'InternalError';
  /** The filters of a log group, by its name: where each sends to. */
  subscriptionFilters: Record<string, { name: string; pattern: string; destinationArn: string }[]>;
  /** By ARN of the topic. */
  subscriptions: Record<string, { protocol: string; endpoint: string; arn: string }[]>;
  /** The log groups that the caller may search: a query that names another one is refused whole. */
  searchable: Set<string>;
  /** Operations that the caller has no right to. */
  denied: Set<string>;
  /** Operations that are never answered. */
  silent: Set<string>;
}

export interface AwsSimulator {
  readonly state: AwsState;
  /** Every operation that was called. */
  readonly operations: readonly string[];
  /** The queries for data of metrics, of each call. */
  readonly metricQueries: readonly (readonly unknown[])[];
  /** Every invocation of a function, with its event. */
  readonly invocations: readonly { readonly name: string; readonly event: unknown }[];
  /** The variables that lead the SDK to this simulator. */
  readonly variables: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const alarmsRequest = z.object({ AlarmNamePrefix: z.string() });
const metricsRequest = z.object({
  StartTime: z.number(),
  EndTime: z.number(),
  MetricDataQueries: z.array(
    z.object({
      Id: z.string(),
      MetricStat: z.object({
        Metric: z.object({ MetricName: z.string(), Dimensions: z.array(z.object({ Value: z.string() })) }),
        Period: z.number(),
        Stat: z.enum(['Sum', 'SampleCount', 'Maximum', 'p95']),
      }),
    }),
  ),
});

/** CloudWatch gives a datapoint the start of its period. */
const periodOf = (atMs: number, seconds: number): number => Math.floor(atMs / 1000 / seconds) * seconds;

interface Call {
  readonly operation: string;
  readonly isForm: boolean;
  readonly region: string;
  readonly parameters: URLSearchParams;
  readonly json: unknown;
}

/** Lambda and Scheduler name the operation in the path, CloudWatch in a header, the others in the form. */
function readCall({ headers }: IncomingMessage, url: URL, body: string): Call {
  const [, region = ''] = /Credential=[^/]+\/\d+\/([\w-]+)\//.exec(headers.authorization ?? '') ?? [];
  const target = String(headers['x-amz-target'] ?? '').split('.')[1];
  if (target !== undefined) {
    return { operation: target, isForm: false, region, parameters: new URLSearchParams(), json: JSON.parse(body) };
  }
  const [, place = '', id = '', detail = ''] =
    /^\/(?:[\d-]{10}\/)?(event-source-mappings|schedules|functions)\/([^/]+)\/?(configuration|concurrency|invocations)?\/?$/.exec(
      url.pathname,
    ) ?? [];
  const isForm = place === '';
  const parameters = new URLSearchParams(isForm ? body : url.search);
  parameters.set('id', decodeURIComponent(id));
  const byPath =
    place === 'functions'
      ? detail === 'invocations'
        ? 'Invoke'
        : `GetFunction${detail === 'concurrency' ? 'Concurrency' : 'Configuration'}`
      : place === 'schedules'
        ? 'GetSchedule'
        : 'GetEventSourceMapping';
  const operation = isForm ? (parameters.get('Action') ?? '') : byPath;
  return { operation, isForm, region, parameters, json: operation === 'Invoke' ? JSON.parse(body) : undefined };
}

export async function startAwsSimulator(): Promise<AwsSimulator> {
  const state: AwsState = {
    account: '123456789012',
    region: 'eu-west-1',
    closedRegions: new Set(),
    credentialsError: undefined,
    stack: undefined,
    stackCreatedMs: Date.parse('2026-11-20T00:00:00Z'),
    mappings: {},
    functions: {},
    answers: {},
    schedules: {},
    alarms: [],
    datapoints: [],
    metricStatus: 'Complete',
    subscriptionFilters: {},
    subscriptions: {},
    searchable: new Set(),
    denied: new Set(),
    silent: new Set(),
  };
  const operations: string[] = [];
  const metricQueries: (readonly unknown[])[] = [];
  const invocations: { name: string; event: unknown }[] = [];

  function answer({ operation, parameters, region, json }: Call): { xml: string } | { json: object } {
    operations.push(operation);
    if (state.closedRegions.has(region)) {
      throw new AwsError('InvalidClientTokenId', 'The security token included in the request is invalid', 403);
    }
    if (state.denied.has(operation)) {
      // AWS quotes a session token in this message; the token must not appear anywhere.
      const message = `User: arn:aws:iam::${state.account}:user/x is not authorized to perform: aws:${operation} on resource: * hunter2`;
      throw new AwsError('AccessDenied', message, 403);
    }
    const parameter = (name: string): string => parameters.get(name) ?? '';
    switch (operation) {
      case 'GetCallerIdentity':
        if (state.credentialsError !== undefined) {
          throw new AwsError(state.credentialsError, 'x-amz-security-token:hunter2 is not valid', 403);
        }
        return {
          xml: `<Arn>arn:aws:iam::${state.account}:user/operator</Arn><UserId>u</UserId><Account>${state.account}</Account>`,
        };
      case 'DescribeStacks': {
        const name = parameter('StackName');
        if (state.stack === undefined || region !== state.region)
          throw new AwsError('ValidationError', `Stack with id ${name} does not exist`);
        const outputs = Object.entries(state.stack.outputs).map(
          ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
        );
        return {
          xml:
            `<Stacks><member><StackName>${name}</StackName><CreationTime>${new Date(state.stackCreatedMs).toISOString()}</CreationTime>` +
            `<StackStatus>${state.stack.status}</StackStatus>` +
            `<EnableTerminationProtection>${state.stack.isProtected === true}</EnableTerminationProtection><Outputs>${outputs.join('')}</Outputs></member></Stacks>`,
        };
      }
      case 'GetTemplate': {
        const text = (state.stack?.template ?? '{}').replaceAll('&', '&amp;').replaceAll('<', '&lt;');
        return { xml: `<TemplateBody>${text}</TemplateBody>` };
      }
      case 'DescribeSecret':
        // Tests that need secrets have an emulator of them.
        throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
      case 'ListStackResources': {
        const resources = (state.stack?.resources ?? []).map(
          ({ type, physicalId, logicalId }, index) =>
            `<member><LogicalResourceId>${logicalId ?? `R${index}`}</LogicalResourceId><PhysicalResourceId>${physicalId}</PhysicalResourceId>` +
            `<ResourceType>${type}</ResourceType><ResourceStatus>CREATE_COMPLETE</ResourceStatus>` +
            `<LastUpdatedTimestamp>2026-11-20T00:00:00Z</LastUpdatedTimestamp></member>`,
        );
        // Two pages, as for a large stack.
        const half = parameter('NextToken') === '' ? resources.slice(0, 2) : resources.slice(2);
        const more = parameter('NextToken') === '' && resources.length > 2 ? '<NextToken>2</NextToken>' : '';
        return { xml: `<StackResourceSummaries>${half.join('')}</StackResourceSummaries>${more}` };
      }
      case 'ListSubscriptionsByTopic': {
        const topic = parameter('TopicArn');
        const members = (state.subscriptions[topic] ?? []).map(
          ({ protocol, endpoint, arn }) =>
            `<member><TopicArn>${topic}</TopicArn><Protocol>${protocol}</Protocol><Endpoint>${endpoint}</Endpoint>` +
            `<SubscriptionArn>${arn}</SubscriptionArn><Owner>${state.account}</Owner></member>`,
        );
        return { xml: `<Subscriptions>${members.join('')}</Subscriptions>` };
      }
      case 'GetEventSourceMapping': {
        const mapping = state.mappings[parameter('id')];
        if (mapping === undefined) throw new AwsError('ResourceNotFoundException', 'The resource does not exist.', 404);
        return { json: { UUID: parameter('id'), ...mapping } };
      }
      case 'GetSchedule': {
        const schedule = state.schedules[`${parameter('groupName')}/${parameter('id')}`];
        if (schedule === undefined) throw new AwsError('ResourceNotFoundException', 'Schedule does not exist.', 404);
        return { json: { Name: parameter('id'), ...schedule } };
      }
      case 'Invoke':
        invocations.push({ name: parameter('id'), event: json });
        return { json: state.answers[parameter('id')] ?? {} };
      case 'GetFunctionConfiguration':
      case 'GetFunctionConcurrency': {
        const deployed = state.functions[parameter('id')];
        if (deployed === undefined) throw new AwsError('ResourceNotFoundException', 'Function not found', 404);
        const { configuration, reservedConcurrency } = deployed;
        if (operation === 'GetFunctionConfiguration') return { json: configuration };
        return { json: reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: reservedConcurrency } };
      }
      case 'DescribeAlarms': {
        const { AlarmNamePrefix: prefix } = alarmsRequest.parse(json);
        const [metricAlarms, compositeAlarms] = [false, true].map((isComposite) =>
          state.alarms
            .filter((alarm) => alarm.isComposite === isComposite && alarm.name.startsWith(prefix))
            .map(({ name, state: value, isEnabled }) => ({
              AlarmName: name,
              StateValue: value,
              ActionsEnabled: isEnabled,
              StateUpdatedTimestamp: Date.parse('2026-12-10T11:30:00Z') / 1000,
            })),
        );
        return { json: { MetricAlarms: metricAlarms, CompositeAlarms: compositeAlarms } };
      }
      case 'GetMetricData': {
        const { MetricDataQueries: queries, StartTime: start, EndTime: end } = metricsRequest.parse(json);
        metricQueries.push(z.object({ MetricDataQueries: z.array(z.unknown()) }).parse(json).MetricDataQueries);
        return {
          json: {
            MetricDataResults: queries.map(({ Id, MetricStat: { Metric: metric, Period: period, Stat: stat } }) => {
              const of = metric.Dimensions.map(({ Value }) => Value);
              const counted = state.datapoints.filter(
                (point) =>
                  point.metric === metric.MetricName &&
                  point.of.join() === of.join() &&
                  point.atMs >= start * 1000 &&
                  point.atMs < end * 1000,
              );
              const times = [...new Set(counted.map(({ atMs }) => periodOf(atMs, period)))].toSorted((a, b) => b - a);
              const valueAt = (time: number): number =>
                counted
                  .filter(({ atMs }) => periodOf(atMs, period) === time)
                  .reduce(
                    (sum, { value }) =>
                      // The percentile of the few points of a test.
                      stat === 'Maximum' || stat === 'p95'
                        ? Math.max(sum, value)
                        : sum + (stat === 'SampleCount' ? 1 : value),
                    0,
                  );
              return { Id, Timestamps: times, Values: times.map(valueAt), StatusCode: state.metricStatus };
            }),
          },
        };
      }
      case 'DescribeSubscriptionFilters': {
        const { logGroupName } = z.object({ logGroupName: z.string() }).parse(json);
        const filters = (state.subscriptionFilters[logGroupName] ?? []).map(({ name, pattern, destinationArn }) => ({
          filterName: name,
          filterPattern: pattern,
          destinationArn,
          logGroupName,
        }));
        return { json: { subscriptionFilters: filters } };
      }
      case 'StartQuery': {
        const { logGroupNames } = z.object({ logGroupNames: z.array(z.string()).min(1) }).parse(json);
        const foreign = logGroupNames.filter((name) => !state.searchable.has(name));
        if (foreign.length > 0) throw new AwsError('AccessDeniedException', `no StartQuery on ${foreign.join()}`, 400);
        return { json: { queryId: 'q' } };
      }
      case 'GetQueryResults':
        return { json: { status: 'Complete', results: [] } };
      default:
        throw new AwsError('UnknownOperation', `The simulator does not know ${operation}`);
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const url = new URL(request.url ?? '/', 'http://aws');
    const call = readCall(request, url, body);
    const { operation, isForm } = call;
    if (state.silent.has(operation)) return;
    try {
      send(response, 200, answer(call), operation);
    } catch (error) {
      const answer = error instanceof AwsError ? error : new AwsError('InternalFailure', String(error), 500);
      if (isForm) {
        const xml = `<Error><Type>Sender</Type><Code>${answer.code}</Code><Message>${answer.message}</Message></Error>`;
        response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(`<ErrorResponse>${xml}</ErrorResponse>`);
      } else {
        response
          .writeHead(answer.status, { 'content-type': 'application/json', 'x-amzn-errortype': answer.code })
          .end(JSON.stringify({ message: answer.message }));
      }
    }
  }

  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const services = ['STS', 'CLOUDFORMATION', 'CLOUDWATCH', 'LAMBDA', 'SNS', 'SCHEDULER', 'CLOUDWATCH_LOGS'];
  return {
    state,
    operations,
    metricQueries,
    invocations,
    variables: Object.fromEntries(services.map((name) => [`AWS_ENDPOINT_URL_${name}`, `http://127.0.0.1:${port}`])),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function send(
  response: ServerResponse,
  status: number,
  answer: { xml: string } | { json: object },
  operation: string,
): void {
  if ('json' in answer) {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.json));
    return;
  }
  const result = `<${operation}Result>${answer.xml}</${operation}Result>`;
  const metadata = '<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>';
  response
    .writeHead(status, { 'content-type': 'text/xml' })
    .end(`<${operation}Response>${result}${metadata}</${operation}Response>`);
}
