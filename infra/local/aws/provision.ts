/** Creates the resources of a synthesized template on the emulators, from the template alone. */
import { CreateTableCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { CreateQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { type AwsClients, type Endpoints, LOCAL_ACCOUNT } from './aws-clients.ts';
import {
  functionProperties,
  IGNORED_TYPES,
  mappingProperties,
  meaningfulProperties,
  queueProperties,
  scheduleProperties,
  secretProperties,
  tableProperties,
} from './resource-properties.ts';
import { type Provisioned, Resolver, type Template } from './template.ts';

export interface QueueDescription {
  readonly logicalId: string;
  readonly name: string;
  readonly url: string;
  readonly arn: string;
  readonly deadLetterArn: string | undefined;
}

export interface TableDescription {
  readonly logicalId: string;
  readonly name: string;
}

export interface FunctionDescription {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly runtime: string;
  readonly codeDirectory: string;
  readonly handler: string;
  readonly timeoutMs: number;
  readonly memoryMegabytes: number;
  readonly variables: Readonly<Record<string, string>>;
}

export interface MappingDescription {
  readonly logicalId: string;
  readonly queue: QueueDescription;
  readonly target: FunctionDescription;
  readonly enabled: boolean;
  readonly batchSize: number;
  readonly batchingWindowMs: number;
  readonly maximumConcurrency: number;
  readonly reportsBatchItemFailures: boolean;
}

export interface ScheduleDescription {
  readonly logicalId: string;
  readonly arn: string;
  readonly target: FunctionDescription;
  readonly enabled: boolean;
  readonly expression: string;
  readonly timeZone: string;
  readonly input: string | undefined;
}

export interface ProvisionedStack {
  readonly queues: readonly QueueDescription[];
  readonly tables: readonly TableDescription[];
  readonly functions: readonly FunctionDescription[];
  readonly mappings: readonly MappingDescription[];
  readonly schedules: readonly ScheduleDescription[];
  readonly outputs: Readonly<Record<string, string>>;
}

/** `secrets` holds secret strings by secret name: a template never holds them. */
export interface ProvisionOptions {
  readonly clients: AwsClients;
  readonly endpoints: Endpoints;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Creates the template's resources. @throws {Error} that names the logical id and what is not supported. */
export async function provision(template: Template, options: ProvisionOptions): Promise<ProvisionedStack> {
  return await new Provisioner(template, options).provision();
}

type CreateResource = (logicalId: string, properties: unknown) => Promise<Provisioned>;

class Provisioner {
  readonly #template: Template;
  readonly #options: ProvisionOptions;
  readonly #resolver: Resolver;
  readonly #done = new Map<string, Provisioned>();
  readonly #underWay: string[] = [];
  readonly #queues: QueueDescription[] = [];
  readonly #tables: TableDescription[] = [];
  readonly #functions: FunctionDescription[] = [];
  readonly #mappings: MappingDescription[] = [];
  readonly #schedules: ScheduleDescription[] = [];
  readonly #create: Readonly<Record<string, CreateResource>> = {
    'AWS::DynamoDB::Table': (logicalId, properties) => this.#createTable(logicalId, properties),
    'AWS::Lambda::EventSourceMapping': (logicalId, properties) => this.#describeMapping(logicalId, properties),
    'AWS::Lambda::Function': (logicalId, properties) => this.#describeFunction(logicalId, properties),
    'AWS::SQS::Queue': (logicalId, properties) => this.#createQueue(logicalId, properties),
    'AWS::Scheduler::Schedule': (logicalId, properties) => this.#describeSchedule(logicalId, properties),
    'AWS::SecretsManager::Secret': (logicalId, properties) => this.#createSecret(logicalId, properties),
  };

  constructor(template: Template, options: ProvisionOptions) {
    this.#template = template;
    this.#options = options;
    this.#resolver = new Resolver(template, (logicalId, path) => this.#provisioned(logicalId, path));
  }

  async provision(): Promise<ProvisionedStack> {
    for (const [logicalId, { Type: type }] of this.#template.resources) {
      if (!IGNORED_TYPES.has(type)) await this.#provisioned(logicalId, logicalId);
    }
    const outputs: Record<string, string> = {};
    for (const [name, value] of this.#template.outputs) {
      // Outputs that refer to an ignored resource, such as a dashboard, are left out.
      if (!this.#isAboutIgnored(value)) outputs[name] = String(await this.#resolver.resolve(value, `Outputs.${name}`));
    }
    return {
      queues: this.#queues,
      tables: this.#tables,
      functions: this.#functions,
      mappings: this.#mappings,
      schedules: this.#schedules,
      outputs,
    };
  }

  /** Whether a value refers, at any depth, to a resource that is not provisioned locally. */
  #isAboutIgnored(value: unknown): boolean {
    const mentioned = [...JSON.stringify(value).matchAll(/"(?:Ref|Fn::GetAtt)":\[?"(\w+)"/g)];
    return mentioned.some(([, id = '']) => IGNORED_TYPES.has(this.#template.resources.get(id)?.Type ?? ''));
  }

  /** Provisions first what a resource refers to, so that the order of the template does not matter. */
  async #provisioned(logicalId: string, path: string): Promise<Provisioned> {
    const known = this.#done.get(logicalId);
    if (known !== undefined) return known;
    const resource = this.#template.resources.get(logicalId);
    if (resource === undefined) throw new Error(`${path}: the template has no resource "${logicalId}".`);
    const { Type: type, Properties: properties, Condition: condition } = resource;
    const create = Object.hasOwn(this.#create, type) ? this.#create[type] : undefined;
    if (create === undefined) {
      throw new Error(
        IGNORED_TYPES.has(type)
          ? `${path}: refers to ${logicalId}, but ${type} is not provisioned locally.`
          : `${logicalId}: the local run does not know ${type}. Provision it in infra/local/aws/provision.ts, or list it as ignored in infra/local/aws/resource-properties.ts.`,
      );
    }
    if (condition !== undefined) throw new Error(`${logicalId}: conditions (${condition}) are not supported locally.`);
    if (this.#underWay.includes(logicalId)) {
      throw new Error(`${path}: circular reference ${[...this.#underWay, logicalId].join(' -> ')}.`);
    }
    this.#underWay.push(logicalId);
    const resolved = await this.#resolver.resolve(meaningfulProperties(type, properties), `${logicalId}.Properties`);
    const provisioned = await create(logicalId, resolved).catch((error: unknown) => {
      const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      throw new Error(`${logicalId} (${type}) cannot be provisioned locally: ${reason}`, { cause: error });
    });
    this.#underWay.pop();
    this.#done.set(logicalId, provisioned);
    return provisioned;
  }

  async #createQueue(logicalId: string, properties: unknown): Promise<Provisioned> {
    const { QueueName: name = this.#physicalName(logicalId, 80), ...attributes } = queueProperties.parse(properties);
    const { sqs } = this.#options.clients;
    const { QueueUrl = '' } = await sqs.send(
      new CreateQueueCommand({ QueueName: name, Attributes: asQueueAttributes(attributes) }),
    );
    // fauxqs names its host sqs.<region>.localhost, which not every machine resolves; the SDK connects to the queue's URL.
    const url = new URL(new URL(QueueUrl).pathname, this.#options.endpoints.sqs).href;
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
    );
    const arn = Attributes?.QueueArn ?? '';
    this.#queues.push({ logicalId, name, url, arn, deadLetterArn: attributes.RedrivePolicy?.deadLetterTargetArn });
    return { ref: url, attributes: { Arn: arn, QueueName: name, QueueUrl: url } };
  }

  async #createTable(logicalId: string, properties: unknown): Promise<Provisioned> {
    const { TableName: name = this.#physicalName(logicalId, 255), ...table } = tableProperties.parse(properties);
    const { dynamodb } = this.#options.clients;
    await dynamodb.send(new CreateTableCommand({ TableName: name, ...table }));
    while ((await dynamodb.send(new DescribeTableCommand({ TableName: name }))).Table?.TableStatus !== 'ACTIVE') {
      await delay(5);
    }
    this.#tables.push({ logicalId, name });
    return { ref: name, attributes: { Arn: this.#arn('dynamodb', `table/${name}`) } };
  }

  async #createSecret(logicalId: string, properties: unknown): Promise<Provisioned> {
    const { Name: name = this.#physicalName(logicalId, 512), GenerateSecretString: generated } =
      secretProperties.parse(properties);
    const { clients, secrets } = this.#options;
    const random =
      generated && randomBytes(generated.PasswordLength).toString('hex').slice(0, generated.PasswordLength);
    const value = Object.hasOwn(secrets, name) ? secrets[name] : random;
    if (value === undefined) {
      throw new Error(`the secret "${name}" has no value: pass one in the option "secrets" of startLocalStack`);
    }
    const created = await clients.secretsManager.send(new CreateSecretCommand({ Name: name, SecretString: value }));
    const arn = created.ARN ?? '';
    return { ref: arn, attributes: { Id: arn } };
  }

  async #describeFunction(logicalId: string, properties: unknown): Promise<Provisioned> {
    const parsed = functionProperties.parse(properties);
    const codeDirectory = this.#template.assetDirectories.get(parsed.Code.S3Key);
    if (codeDirectory === undefined) throw new Error(`its code ${parsed.Code.S3Key} is not an asset of the assembly`);
    const name = parsed.FunctionName ?? this.#physicalName(logicalId, 64);
    const arn = this.#arn('lambda', `function:${name}`);
    this.#functions.push({
      logicalId,
      name,
      arn,
      runtime: parsed.Runtime,
      codeDirectory,
      handler: parsed.Handler,
      timeoutMs: parsed.Timeout * 1000,
      memoryMegabytes: parsed.MemorySize,
      variables: parsed.Environment?.Variables ?? {},
    });
    return { ref: name, attributes: { Arn: arn } };
  }

  async #describeMapping(logicalId: string, properties: unknown): Promise<Provisioned> {
    const parsed = mappingProperties.parse(properties);
    const queue = this.#queues.find(({ arn }) => arn === parsed.EventSourceArn);
    if (queue === undefined)
      throw new Error(`its EventSourceArn ${parsed.EventSourceArn} is not a queue of this template`);
    this.#mappings.push({
      logicalId,
      queue,
      target: this.#functionBy(parsed.FunctionName),
      enabled: parsed.Enabled,
      batchSize: parsed.BatchSize,
      batchingWindowMs: parsed.MaximumBatchingWindowInSeconds * 1000,
      maximumConcurrency: parsed.ScalingConfig.MaximumConcurrency,
      reportsBatchItemFailures: parsed.FunctionResponseTypes.includes('ReportBatchItemFailures'),
    });
    return { ref: logicalId, attributes: { Id: logicalId } };
  }

  async #describeSchedule(logicalId: string, properties: unknown): Promise<Provisioned> {
    const parsed = scheduleProperties.parse(properties);
    const name = parsed.Name ?? this.#physicalName(logicalId, 64);
    const arn = this.#arn('scheduler', `schedule/default/${name}`);
    this.#schedules.push({
      logicalId,
      arn,
      target: this.#functionBy(parsed.Target.Arn),
      enabled: parsed.State === 'ENABLED',
      expression: parsed.ScheduleExpression,
      timeZone: parsed.ScheduleExpressionTimezone,
      input: parsed.Target.Input,
    });
    return { ref: name, attributes: { Arn: arn } };
  }

  #functionBy(nameOrArn: string): FunctionDescription {
    const target = this.#functions.find(({ name, arn }) => nameOrArn === name || nameOrArn === arn);
    if (target === undefined) throw new Error(`its target ${nameOrArn} is not a function of this template`);
    return target;
  }

  #arn(service: string, resource: string): string {
    return `arn:aws:${service}:${this.#template.region}:${LOCAL_ACCOUNT}:${resource}`;
  }

  #physicalName(logicalId: string, maximum: number): string {
    return `${this.#template.stackName.slice(0, maximum - logicalId.length - 1)}-${logicalId}`;
  }
}

/** SQS takes every attribute as a string, and policies as JSON. */
function asQueueAttributes(properties: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}
