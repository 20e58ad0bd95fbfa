/** SQS's own redrive of all dead letters to the queue from which they came: a task that SQS runs by itself. */
import {
  CancelMessageMoveTaskCommand,
  ListMessageMoveTasksCommand,
  type SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';

export interface MoveTask {
  /** RUNNING, COMPLETED, CANCELLING, CANCELLED or FAILED. */
  readonly status: string;
  /** Also in a status that this version does not know. */
  readonly isActive: boolean;
  readonly startedAtMs: number | undefined;
  /** Approximate numbers; SQS corrects them for some minutes after the end. */
  readonly moved: number;
  readonly toMove: number | undefined;
  readonly failureReason: string | undefined;
  /** For its cancellation. */
  readonly handle: string | undefined;
}

export interface MoveTasks {
  /** The last one, which also a person may have started; undefined where there was none. */
  last(): Promise<MoveTask | undefined>;
  start(messagesPerSecond: number): Promise<void>;
  cancel(handle: string): Promise<void>;
}

const ENDED = ['COMPLETED', 'CANCELLED', 'FAILED'];

export function createMoveTasks(sqs: SQSClient, queueArn: string): MoveTasks {
  return {
    async last() {
      try {
        const { Results: [task] = [] } = await sqs.send(
          new ListMessageMoveTasksCommand({ SourceArn: queueArn, MaxResults: 1 }),
        );
        if (task === undefined) return undefined;
        const { Status: status = 'UNKNOWN' } = task;
        return {
          status,
          isActive: !ENDED.includes(status),
          startedAtMs: task.StartedTimestamp,
          moved: task.ApproximateNumberOfMessagesMoved ?? 0,
          toMove: task.ApproximateNumberOfMessagesToMove,
          failureReason: task.FailureReason,
          handle: task.TaskHandle,
        };
      } catch (error) {
        // An emulator without move tasks has none that could run.
        if (error instanceof Error && error.name === 'InvalidAction') return undefined;
        throw error;
      }
    },
    async start(messagesPerSecond) {
      await sqs.send(
        new StartMessageMoveTaskCommand({ SourceArn: queueArn, MaxNumberOfMessagesPerSecond: messagesPerSecond }),
      );
    },
    async cancel(handle) {
      await sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle: handle }));
    },
  };
}
