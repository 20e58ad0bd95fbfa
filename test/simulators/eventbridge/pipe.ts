/**
 * The pipes of a synthesized template, from a DynamoDB stream to an event bus: a record that passes a filter becomes one
 * event. Source: EventBridge's user guide, "Amazon EventBridge Pipes". A property that is not known here throws.
 */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type DeployedNames, deployed } from './deployed-template.ts';
import { matchesPattern } from './pattern.ts';
import { renderTemplate } from './target-input.ts';

const pipeProperties = z.strictObject({
  Description: z.string().optional(),
  RoleArn: z.string(),
  Source: z.string(),
  SourceParameters: z.strictObject({
    DynamoDBStreamParameters: z.strictObject({
      BatchSize: z.number().int().min(1).max(10_000),
      DeadLetterConfig: z.strictObject({ Arn: z.string() }),
      MaximumRecordAgeInSeconds: z.number().int().min(60).max(86_400),
      /** -1: as often as it takes, until the record is too old. */
      MaximumRetryAttempts: z.number().int().min(-1).max(10_000),
      OnPartialBatchItemFailure: z.literal('AUTOMATIC_BISECT'),
      StartingPosition: z.enum(['LATEST', 'TRIM_HORIZON']),
    }),
    FilterCriteria: z.strictObject({
      Filters: z
        .array(z.strictObject({ Pattern: z.string() }))
        .min(1)
        .max(5),
    }),
  }),
  Target: z.string(),
  TargetParameters: z.strictObject({
    EventBridgeEventBusParameters: z.strictObject({ DetailType: z.string().max(128), Source: z.string() }),
    InputTemplate: z.string().min(1).max(8192),
  }),
});

const templateSchema = z.object({
  Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: z.unknown() })),
});

/** An image, in DynamoDB's own JSON. */
export type Image = Readonly<Record<string, unknown>>;

/** A record of a stream with both images. */
export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE';
  readonly eventVersion: '1.1';
  readonly eventSource: 'aws:dynamodb';
  readonly dynamodb: {
    readonly Keys: Image;
    readonly NewImage?: Image;
    readonly OldImage?: Image;
    readonly StreamViewType: 'NEW_AND_OLD_IMAGES';
  };
}

/** The record of a change; undefined where nothing changed: a write that leaves an item as it is has no record. */
export function streamRecord(before: Image | undefined, after: Image | undefined): StreamRecord | undefined {
  const image = after ?? before;
  if (image === undefined || JSON.stringify(before) === JSON.stringify(after)) return undefined;
  const { pk, sk } = image;
  return {
    eventID: randomUUID(),
    eventName: before === undefined ? 'INSERT' : after === undefined ? 'REMOVE' : 'MODIFY',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    dynamodb: {
      Keys: { pk, sk },
      ...(after === undefined ? {} : { NewImage: after }),
      ...(before === undefined ? {} : { OldImage: before }),
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
  };
}

/** An event as the bus has it: each repetition gets another `id`, which is EventBridge's own. */
export interface BusEvent {
  readonly id: string;
  readonly source: string;
  readonly 'detail-type': string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Pipes {
  /** @throws {Error} for a template that makes no JSON object of the record. */
  eventsOf(record: StreamRecord): BusEvent[];
}

export function createPipes(template: unknown, names: DeployedNames = {}): Pipes {
  const pipes = Object.values(templateSchema.parse(template).Resources).flatMap(({ Type, Properties }) =>
    Type === 'AWS::Pipes::Pipe' ? [pipeProperties.parse(deployed(Properties, names))] : [],
  );
  return {
    eventsOf: (record) =>
      pipes.flatMap(({ SourceParameters, TargetParameters }) => {
        const patterns = SourceParameters.FilterCriteria.Filters.map(({ Pattern }): unknown => JSON.parse(Pattern));
        // Each is read, so that a fault in one shows in any case.
        const matched = patterns.map((pattern) => matchesPattern(pattern, record));
        if (!matched.includes(true)) return [];
        const { InputTemplate, EventBridgeEventBusParameters: bus } = TargetParameters;
        // Nobody knows what a pipe makes of a path that is not there: no template may have one.
        const detail = renderTemplate({ InputTemplate, InputPathsMap: {} }, record, { missing: 'refused' });
        return [
          {
            version: '0',
            id: randomUUID(),
            'detail-type': bus.DetailType,
            source: bus.Source,
            account: '123456789012',
            time: new Date().toISOString(),
            region: 'eu-west-1',
            resources: [],
            detail: z.record(z.string(), z.unknown()).parse(JSON.parse(detail)),
          },
        ];
      }),
  };
}
