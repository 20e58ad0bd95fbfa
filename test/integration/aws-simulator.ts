/**
 * Simulates the operations of STS, CloudFormation, Lambda, SNS and EventBridge Scheduler that deploy and doctor call,
 * over their real protocols on loopback. A test can change each answer. No emulator on npm has these operations.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

export interface AwsState {
  account: string;
  /** How GetCallerIdentity is refused. */
  credentialsError: string | undefined;
  stack:
    | {
        status: string;
        /** Against deletion. */
        isProtected?: boolean;
        outputs: Record<string, string>;
        resources: { type: string; physicalId: string }[];
      }
    | undefined;
  /** By UUID. */
  mappings: Record<string, { State: string; LastProcessingResult?: string }>;
  /** By `group/name`. */
  schedules: Record<string, 'ENABLED' | 'DISABLED'>;
  /** By ARN of the topic. */
  subscriptions: Record<string, { protocol: string; endpoint: string; arn: string }[]>;
  /** Operations that the caller has no right to. */
  denied: Set<string>;
  /** Operations that are never answered. */
  silent: Set<string>;
}

export interface AwsSimulator {
  readonly state: AwsState;
  /** Every operation that was called. */
  readonly operations: readonly string[];
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

export async function startAwsSimulator(): Promise<AwsSimulator> {
  const state: AwsState = {
    account: '123456789012',
    credentialsError: undefined,
    stack: undefined,
    mappings: {},
    schedules: {},
    subscriptions: {},
    denied: new Set(),
    silent: new Set(),
  };
  const operations: string[] = [];

  function answer(operation: string, parameters: URLSearchParams): { xml: string } | { json: object } {
    operations.push(operation);
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
        if (state.stack === undefined) throw new AwsError('ValidationError', `Stack with id ${name} does not exist`);
        const outputs = Object.entries(state.stack.outputs).map(
          ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
        );
        return {
          xml:
            `<Stacks><member><StackName>${name}</StackName><CreationTime>2026-11-20T00:00:00Z</CreationTime>` +
            `<StackStatus>${state.stack.status}</StackStatus>` +
            `<EnableTerminationProtection>${state.stack.isProtected === true}</EnableTerminationProtection><Outputs>${outputs.join('')}</Outputs></member></Stacks>`,
        };
      }
      case 'ListStackResources': {
        const resources = (state.stack?.resources ?? []).map(
          ({ type, physicalId }, index) =>
            `<member><LogicalResourceId>R${index}</LogicalResourceId><PhysicalResourceId>${physicalId}</PhysicalResourceId>` +
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
        return { json: { Name: parameter('id'), State: schedule } };
      }
      default:
        throw new AwsError('UnknownOperation', `The simulator does not know ${operation}`);
    }
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const url = new URL(request.url ?? '/', 'http://aws');
    // Lambda and Scheduler name the operation in the path, the others in the form.
    const [, place = '', id = ''] =
      /^\/(?:2015-03-31\/)?(event-source-mappings|schedules)\/(.+?)\/?$/.exec(url.pathname) ?? [];
    const isForm = place === '';
    const parameters = new URLSearchParams(isForm ? body : url.search);
    parameters.set('id', decodeURIComponent(id));
    const byPath = place === 'schedules' ? 'GetSchedule' : 'GetEventSourceMapping';
    const operation = isForm ? (parameters.get('Action') ?? '') : byPath;
    if (state.silent.has(operation)) return;
    try {
      send(response, 200, answer(operation, parameters), operation);
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
  const services = ['STS', 'CLOUDFORMATION', 'LAMBDA', 'SNS', 'SCHEDULER'];
  return {
    state,
    operations,
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
