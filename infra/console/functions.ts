/** Invokes the interface's functions, as the runbook's command lines do. */
import { InvokeCommand, LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { asJsonObject, tryParseJson } from '../../shared/exact-json.ts';
import { describeAwsError } from '../aws-account.ts';
import { type Functions, InvocationFailed, type Invoked } from './sources.ts';

/** Longer than Lambda lets any function run: a repeated invocation would be a second act. */
const PATIENCE_MS = 910_000;

export function createFunctions(
  settings: LambdaClientConfig,
  names: Readonly<Record<Invoked, string>>,
): Functions & { close(): void } {
  const lambda = new LambdaClient({
    ...settings,
    maxAttempts: 1,
    requestHandler: { requestTimeout: PATIENCE_MS, connectionTimeout: 5000 },
  });
  return {
    async invoke(name, event) {
      const answer = await lambda
        .send(new InvokeCommand({ FunctionName: names[name], Payload: JSON.stringify(event) }))
        .catch((error: unknown) => {
          const reason = describeAwsError(error);
          const advice = /AccessDenied|NotAuthorized/.test(reason)
            ? 'your role may not invoke it: this needs the operator policy of the stack'
            : 'whether it ran is not known';
          throw new InvocationFailed(`The ${name} gave no answer (${reason}): ${advice}.`);
        });
      const payload = tryParseJson(Buffer.from(answer.Payload ?? []).toString());
      if (answer.FunctionError === undefined) return payload;
      const { errorMessage } = asJsonObject(payload) ?? {};
      throw new InvocationFailed(
        `The ${name} refused or failed: ${typeof errorMessage === 'string' ? errorMessage : answer.FunctionError}`,
      );
    },
    close() {
      lambda.destroy();
    },
  };
}
