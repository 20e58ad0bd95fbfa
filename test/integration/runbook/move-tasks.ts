/** The move tasks of SQS, which the emulator lacks: a proxy before it that answers their calls. */
import * as z from 'zod';
import { tryParseJson } from '../../../shared/exact-json.ts';
import type { LocalStack } from '../../../infra/local/aws/local-stack.ts';
import { type RecordingProxy, type Reply, startRecordingProxy } from '../recording-proxy.ts';

interface Task {
  readonly TaskHandle: string;
  readonly SourceArn: string;
  readonly StartedTimestamp: number;
  Status: 'RUNNING' | 'COMPLETED' | 'CANCELLED';
  ApproximateNumberOfMessagesMoved: number;
}

export interface MoveTaskProxy extends Pick<RecordingProxy, 'url' | 'close'> {
  /** Whose queues it moves. */
  stack: Pick<LocalStack, 'queues'> | undefined;
  /** Whether a task that is started waits; then it is cancelled, or never ends. */
  isSlow: boolean;
}

const sent = z.object({ SourceArn: z.string().default(''), TaskHandle: z.string().default('') });

export async function startMoveTaskProxy(upstream: string): Promise<MoveTaskProxy> {
  const proxy = await startRecordingProxy(upstream);
  const tasks: Task[] = [];
  const moving: MoveTaskProxy = { url: proxy.url, close: () => proxy.close(), stack: undefined, isSlow: false };

  async function start(SourceArn: string): Promise<object> {
    const queue = moving.stack?.queues.find(({ deadLetterArn }) => deadLetterArn === SourceArn);
    if (queue === undefined) throw new Error(`${SourceArn} is no dead-letter queue`);
    const TaskHandle = `task ${tasks.length}`;
    const task: Task = {
      TaskHandle,
      SourceArn,
      StartedTimestamp: Date.now(),
      Status: 'RUNNING',
      ApproximateNumberOfMessagesMoved: 0,
    };
    tasks.unshift(task);
    if (moving.isSlow) return { TaskHandle };
    task.ApproximateNumberOfMessagesMoved = await queue.redriveDeadLetters();
    task.Status = 'COMPLETED';
    return { TaskHandle };
  }

  function cancel(handle: string): object {
    const task = tasks.find(({ TaskHandle }) => TaskHandle === handle);
    if (task?.Status !== 'RUNNING') throw new Error(`${handle} does not run`);
    task.Status = 'CANCELLED';
    return { ApproximateNumberOfMessagesMoved: 0 };
  }

  proxy.intercept(async ({ operation, body }, forward) => {
    const { SourceArn, TaskHandle } = sent.catch({ SourceArn: '', TaskHandle: '' }).parse(tryParseJson(body));
    const answered = (answer: object): Reply => ({
      status: 200,
      headers: { 'content-type': 'application/x-amz-json-1.0' },
      body: JSON.stringify(answer),
    });
    if (operation === 'StartMessageMoveTask') return answered(await start(SourceArn));
    if (operation === 'CancelMessageMoveTask') return answered(cancel(TaskHandle));
    if (operation !== 'ListMessageMoveTasks') return forward();
    // The newest one, unless the call asks for more.
    return answered({ Results: tasks.filter((task) => task.SourceArn === SourceArn).slice(0, 1) });
  });
  return moving;
}
