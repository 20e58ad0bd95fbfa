/** The only code that speaks the Lambda API: the event source mapping, and the worker's trial of one message. */
import {
  GetEventSourceMappingCommand,
  InvokeCommand,
  type LambdaClient,
  ResourceConflictException,
  ResourceInUseException,
  TooManyRequestsException,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { type TrialResult, trialResult } from '../../shared/circuit-breaker.ts';
import { tryParseJson } from '../../shared/exact-json.ts';

/** The event source mapping between the queue and the worker. Every call may be repeated. */
export interface Consumption {
  /** Whether the mapping is disabled or being disabled. */
  isPaused(): Promise<boolean>;
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** The states of a mapping, each with the state before it. */
const ENABLED = ['Enabled', 'Enabling'];
const DISABLED = ['Disabled', 'Disabling'];

/** `assertHeld` is called right before the mapping is changed. */
export function createConsumption(lambda: LambdaClient, mappingId: string, assertHeld: () => void): Consumption {
  async function isIn(states: readonly string[]): Promise<boolean> {
    const { State: state = '' } = await lambda.send(new GetEventSourceMappingCommand({ UUID: mappingId }));
    return states.includes(state);
  }

  async function enable(isEnabled: boolean): Promise<void> {
    if (await isIn(isEnabled ? ENABLED : DISABLED)) return;
    assertHeld();
    try {
      await lambda.send(new UpdateEventSourceMappingCommand({ UUID: mappingId, Enabled: isEnabled }));
    } catch (error) {
      // The mapping is changing right now. A pause is repeated within a minute; a resume must not count as done.
      const isChanging = error instanceof ResourceInUseException || error instanceof ResourceConflictException;
      if (!isChanging || isEnabled) throw error;
    }
  }
  return { isPaused: () => isIn(DISABLED), pause: () => enable(false), resume: () => enable(true) };
}

/** Has the worker probe 11VMS and try one message. Without an answer it may have tried one. */
export async function askForTrial(lambda: LambdaClient, workerName: string): Promise<TrialResult> {
  const answer = await lambda
    .send(new InvokeCommand({ FunctionName: workerName, Payload: new TextEncoder().encode('{"trial":true}') }))
    .catch((error: unknown) => {
      if (error instanceof TooManyRequestsException) return undefined;
      throw error;
    });
  if (answer === undefined) return noAnswer('Lambda throttled the trial', false);
  if (answer.FunctionError !== undefined) return noAnswer('the worker failed at its trial');
  const parsed = trialResult.safeParse(tryParseJson(new TextDecoder().decode(answer.Payload)));
  return parsed.success ? parsed.data : noAnswer('the worker gave no answer to its trial');
}

const noAnswer = (reason: string, tried = true): TrialResult => ({ healthy: false, obstacle: 'worker', tried, reason });
