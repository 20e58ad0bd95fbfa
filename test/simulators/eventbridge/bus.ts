/**
 * The rules of a synthesized template, at work: an event goes to the targets whose rule matches, and to an API
 * destination by a real HTTP request with the authentication of its connection. Sources: EventBridge's user guide, "API
 * destinations", "Connections", "How EventBridge retries delivering events". A property that is not known here throws:
 * what is not simulated must not pass as tested.
 */
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import { type DeployedNames, deployed, withSecrets } from './deployed-template.ts';
import { matchesPattern } from './pattern.ts';
import { inputTransformer, type MissingValue, renderTemplate, valueAt } from './target-input.ts';

const plainParameter = z.strictObject({
  Key: z.string(),
  Value: z.string(),
  IsValueSecret: z.boolean().default(false),
});
const parameters = z.strictObject({
  BodyParameters: z.array(plainParameter).default([]),
  HeaderParameters: z.array(plainParameter).default([]),
  QueryStringParameters: z.array(plainParameter).default([]),
});
type Parameters = z.infer<typeof parameters>;
const NO_PARAMETERS: Parameters = { BodyParameters: [], HeaderParameters: [], QueryStringParameters: [] };

const connectionProperties = z.strictObject({
  Name: z.string().optional(),
  Description: z.string().optional(),
  AuthorizationType: z.enum(['API_KEY', 'BASIC', 'OAUTH_CLIENT_CREDENTIALS']),
  AuthParameters: z.strictObject({
    ApiKeyAuthParameters: z.strictObject({ ApiKeyName: z.string(), ApiKeyValue: z.string() }).optional(),
    BasicAuthParameters: z.strictObject({ Username: z.string(), Password: z.string() }).optional(),
    OAuthParameters: z
      .strictObject({
        AuthorizationEndpoint: z.url(),
        ClientParameters: z.strictObject({ ClientID: z.string(), ClientSecret: z.string() }),
        HttpMethod: z.enum(['GET', 'POST', 'PUT']),
        OAuthHttpParameters: parameters.optional(),
      })
      .optional(),
    InvocationHttpParameters: parameters.optional(),
  }),
});
type Connection = z.infer<typeof connectionProperties>;

const destinationProperties = z.strictObject({
  Name: z.string().optional(),
  Description: z.string().optional(),
  ConnectionArn: z.string(),
  HttpMethod: z.enum(['POST', 'PUT', 'PATCH', 'GET', 'DELETE', 'HEAD', 'OPTIONS']),
  InvocationEndpoint: z.url().startsWith('https://'),
  InvocationRateLimitPerSecond: z.number().int().min(1).default(300),
});
type Destination = z.infer<typeof destinationProperties>;

const targetProperties = z.strictObject({
  Id: z.string(),
  Arn: z.string(),
  RoleArn: z.string().optional(),
  Input: z.string().optional(),
  InputPath: z.string().optional(),
  InputTransformer: inputTransformer.optional(),
  HttpParameters: z
    .strictObject({
      HeaderParameters: z.record(z.string(), z.string()).default({}),
      QueryStringParameters: z.record(z.string(), z.string()).default({}),
    })
    .optional(),
  DeadLetterConfig: z.strictObject({ Arn: z.string() }).optional(),
  RetryPolicy: z
    .strictObject({
      MaximumRetryAttempts: z.number().int().min(0).max(185),
      MaximumEventAgeInSeconds: z.number().int().min(60).max(86_400),
    })
    .optional(),
});
type Target = z.infer<typeof targetProperties>;

const ruleProperties = z.strictObject({
  Name: z.string().optional(),
  Description: z.string().optional(),
  EventBusName: z.string().default('default'),
  EventPattern: z.record(z.string(), z.unknown()),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
  // Five targets a rule.
  Targets: z.array(targetProperties).max(5),
});

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: z.record(z.string(), z.unknown()).default({}) }),
  ),
});

export interface BusOptions extends DeployedNames {
  /** The server on loopback that stands in for a host, such as `{ 'events.pagerduty.com': 'http://127.0.0.1:4711' }`. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly missing?: MissingValue;
  /** How the token endpoint gets the client: no document of EventBridge says it. `body` by default. */
  readonly clientIn?: 'basic' | 'body';
  /** EventBridge ends a request after five seconds. */
  readonly timeoutMs?: number;
  /** Waits between attempts; 0 by default. */
  readonly retryPauseMs?: number;
  /** Attempts beyond these, or those of the rule if they are fewer, are not simulated; 3 by default. */
  readonly maximumAttempts?: number;
}

export interface Delivery {
  /** The logical id of the rule. */
  readonly rule: string;
  /** The ARN of the target. */
  readonly target: string;
  /** The input of the target, before a connection adds its parameters. */
  readonly input: string;
  /**
   * `delivered` by HTTP; `dead letter` after the last attempt, or at once where another would not help; `lost` where
   * that has no dead-letter queue; `not simulated` for a target that is no API destination.
   */
  readonly end: 'delivered' | 'dead letter' | 'lost' | 'not simulated';
  /** The ARN of the dead-letter queue. */
  readonly deadLetterQueue?: string;
  /** The status of each attempt; `timeout`, `no connection` or `invalid JSON` where there is none. */
  readonly attempts: readonly (number | string)[];
}

export interface Bus {
  /** @throws {Error} where the template asks for what is not simulated. */
  send(event: unknown, busName?: string): Promise<Delivery[]>;
}

/** Statuses that EventBridge tries again; it gives up at once with any other that is no success. */
const isTriedAgain = (status: number | string): boolean =>
  typeof status === 'string' ? status !== 'invalid JSON' : [401, 407, 409, 429].includes(status) || status >= 500;

export function createBus(template: unknown, options: BusOptions): Bus {
  const { Resources } = templateSchema.parse(template);
  const all = <Properties>(type: string, schema: z.ZodType<Properties>): Map<string, Properties> =>
    new Map(
      Object.entries(Resources).flatMap(([id, { Type, Properties }]) =>
        Type === type ? [[id, schema.parse(deployed(Properties, options))] as const] : [],
      ),
    );
  const rules = all('AWS::Events::Rule', ruleProperties.partial({ EventPattern: true }));
  const connections = byArn(all('AWS::Events::Connection', connectionProperties), options);
  const destinations = byArn(all('AWS::Events::ApiDestination', destinationProperties), options);
  const invoke = invoker(options);

  const deliver = async (rule: string, target: Target, event: unknown): Promise<Delivery> => {
    const input = inputOf(target, event, options);
    const about = { rule, target: target.Arn, input };
    const destination = destinations.get(target.Arn);
    if (destination === undefined) return { ...about, end: 'not simulated', attempts: [] };
    const connection = connections.get(destination.ConnectionArn);
    if (connection === undefined) throw new Error(`${rule}: no connection ${destination.ConnectionArn}`);
    const allowed = Math.min((target.RetryPolicy?.MaximumRetryAttempts ?? 185) + 1, options.maximumAttempts ?? 3);
    const attempts: (number | string)[] = [];
    for (let attempt = 1; attempt <= allowed; attempt += 1) {
      if (attempt > 1) await pause(options.retryPauseMs ?? 0);
      const status = await invoke(destination, connection, target, input);
      attempts.push(status);
      if (typeof status === 'number' && status < 300) return { ...about, end: 'delivered', attempts };
      if (!isTriedAgain(status)) break;
    }
    const deadLetterQueue = target.DeadLetterConfig?.Arn;
    return deadLetterQueue === undefined
      ? { ...about, end: 'lost', attempts }
      : { ...about, end: 'dead letter', deadLetterQueue, attempts };
  };

  return {
    async send(event, busName = 'default') {
      const matching = [...rules].filter(
        ([, { EventBusName, EventPattern, State }]) =>
          State === 'ENABLED' &&
          EventBusName === busName &&
          EventPattern !== undefined &&
          matchesPattern(EventPattern, event),
      );
      const deliveries: Delivery[] = [];
      for (const [rule, { Targets }] of matching) {
        for (const target of Targets) deliveries.push(await deliver(rule, target, event));
      }
      return deliveries;
    },
  };
}

/** By what `Fn::GetAtt: [id, "Arn"]` gives. */
function byArn<Properties>(resources: ReadonlyMap<string, Properties>, names: DeployedNames): Map<string, Properties> {
  return new Map(
    [...resources].map(([id, properties]) => [
      z.string().parse(deployed({ 'Fn::GetAtt': [id, 'Arn'] }, names)),
      properties,
    ]),
  );
}

function inputOf(target: Target, event: unknown, { missing = 'left out' }: BusOptions): string {
  const { Input, InputPath, InputTransformer } = target;
  if (InputTransformer !== undefined) return renderTemplate(InputTransformer, event, { missing });
  if (InputPath !== undefined) return JSON.stringify(valueAt(InputPath, event));
  return Input ?? JSON.stringify(event);
}

type Invoke = (
  destination: Destination,
  connection: Connection,
  target: Target,
  input: string,
) => Promise<number | string>;

function invoker(options: BusOptions): Invoke {
  const secret = (text: string): string => withSecrets(text, options);
  const tokens = new Map<Connection, string>();

  const request = async (address: URL, init: RequestInit): Promise<Response | string> => {
    const loopback = options.hosts[address.hostname];
    if (loopback === undefined) throw new Error(`no server stands in for ${address.hostname}`);
    try {
      return await fetch(new URL(address.pathname + address.search, loopback), {
        ...init,
        redirect: 'manual',
        signal: AbortSignal.timeout(options.timeoutMs ?? 5000),
      });
    } catch (error) {
      return error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'no connection';
    }
  };

  const newToken = async (connection: Connection): Promise<string | undefined> => {
    const { OAuthParameters: oauth } = connection.AuthParameters;
    if (oauth === undefined) throw new Error('the connection has no OAuthParameters');
    const further = oauth.OAuthHttpParameters ?? NO_PARAMETERS;
    const client = [secret(oauth.ClientParameters.ClientID), secret(oauth.ClientParameters.ClientSecret)] as const;
    const form = new URLSearchParams();
    for (const { Key, Value } of further.BodyParameters) form.append(Key, secret(Value));
    const headers = new Headers({ 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' });
    if (options.clientIn === 'basic') {
      headers.set('Authorization', `Basic ${Buffer.from(client.join(':')).toString('base64')}`);
    } else {
      form.set('client_id', client[0]);
      form.set('client_secret', client[1]);
    }
    for (const { Key, Value } of further.HeaderParameters) headers.set(Key, secret(Value));
    const address = new URL(oauth.AuthorizationEndpoint);
    for (const { Key, Value } of further.QueryStringParameters) address.searchParams.append(Key, secret(Value));
    const isGet = oauth.HttpMethod === 'GET';
    if (isGet) for (const [name, value] of form) address.searchParams.append(name, value);
    const response = await request(address, {
      method: oauth.HttpMethod,
      headers,
      ...(isGet ? {} : { body: form.toString() }),
    });
    if (typeof response === 'string' || !response.ok) return undefined;
    return z.object({ access_token: z.string() }).parse(await response.json()).access_token;
  };

  const authorize = async (connection: Connection, headers: Headers): Promise<boolean> => {
    const { ApiKeyAuthParameters: key, BasicAuthParameters: basic } = connection.AuthParameters;
    if (key !== undefined) headers.set(key.ApiKeyName, secret(key.ApiKeyValue));
    if (basic !== undefined) {
      const pair = `${secret(basic.Username)}:${secret(basic.Password)}`;
      headers.set('Authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
    }
    if (connection.AuthorizationType !== 'OAUTH_CLIENT_CREDENTIALS') return true;
    const token = tokens.get(connection) ?? (await newToken(connection));
    if (token === undefined) return false;
    tokens.set(connection, token);
    headers.set('Authorization', `Bearer ${token}`);
    return true;
  };

  return async (destination, connection, target, input) => {
    const added = connection.AuthParameters.InvocationHttpParameters ?? NO_PARAMETERS;
    const headers = new Headers({
      'Content-Type': 'application/json; charset=utf-8',
      'User-Agent': 'Amazon/EventBridge/ApiDestinations',
      Range: 'bytes=0-1048575',
      ...target.HttpParameters?.HeaderParameters,
    });
    const address = new URL(destination.InvocationEndpoint);
    for (const [name, value] of Object.entries(target.HttpParameters?.QueryStringParameters ?? {})) {
      address.searchParams.append(name, value);
    }
    for (const { Key, Value } of added.QueryStringParameters) address.searchParams.append(Key, secret(Value));
    for (const { Key, Value } of added.HeaderParameters) headers.set(Key, secret(Value));
    const body = withBodyParameters(
      input,
      added.BodyParameters.map(({ Key, Value }) => [Key, secret(Value)]),
    );
    if (body === undefined) return 'invalid JSON';
    // No token: the connection is not authorized, and EventBridge tries again.
    if (!(await authorize(connection, headers))) return 401;
    const response = await request(address, { method: destination.HttpMethod, headers, body });
    if (typeof response === 'string') return response;
    await response.arrayBuffer();
    // The next attempt asks for a token.
    if (response.status === 401 || response.status === 407) tokens.delete(connection);
    return response.status;
  };
}

/** Undefined where the input is no JSON, or no object to which parameters could be added. */
function withBodyParameters(input: string, added: readonly (readonly [string, string])[]): string | undefined {
  let body: unknown;
  try {
    body = JSON.parse(input);
  } catch {
    return undefined;
  }
  if (added.length === 0) return input;
  const object = z.record(z.string(), z.unknown()).safeParse(body).data;
  return object === undefined ? undefined : JSON.stringify({ ...object, ...Object.fromEntries(added) });
}
