/** SQS's own redrive of all dead letters, without plan and canary: for more than a plan can hold. */
import type { MoveTasks } from './move-tasks.ts';
import { Refused } from './redrive.ts';

export interface RedriveAllResult {
  readonly status: 'started' | 'cancelled';
  readonly summary: string;
}

/** As a redrive of ours: the breaker has time to open. */
const MESSAGES_PER_SECOND = 10;

export async function redriveAll({ moveTasks }: { readonly moveTasks: MoveTasks }): Promise<RedriveAllResult> {
  await moveTasks.start(MESSAGES_PER_SECOND);
  return {
    status: 'started',
    summary: `SQS moves all dead letters, ${MESSAGES_PER_SECOND} a second; "moveTask" of the list shows how far it is`,
  };
}

export async function cancelRedriveAll({ moveTasks }: { readonly moveTasks: MoveTasks }): Promise<RedriveAllResult> {
  const task = await moveTasks.last();
  if (task?.isActive !== true || task.handle === undefined)
    throw new Refused('SQS moves no dead letters: there is nothing to cancel');
  await moveTasks.cancel(task.handle);
  return { status: 'cancelled', summary: `SQS had moved about ${task.moved}; what it moved stays on the cart queue` };
}
