/** A local Lambda: it starts an execution environment for each parallel invocation, and reuses the warm ones. */
import { randomUUID } from 'node:crypto';
import { ExecutionEnvironment, type InvocationResult, type LambdaOptions } from './execution-environment.ts';
import type { FunctionDescription } from './provision.ts';

/** A function that can be invoked in parallel without a limit: the caller limits the concurrency. */
export class LambdaFunction {
  readonly description: FunctionDescription;
  readonly #options: LambdaOptions;
  readonly #environments = new Set<ExecutionEnvironment>();
  readonly #idle: ExecutionEnvironment[] = [];
  #closed = false;
  /** Ends child processes with this process: a child in an endless loop would not see that its parent is gone. */
  readonly #killAll = (): void => {
    for (const environment of this.#environments) void environment.kill();
  };

  /** @throws {Error} when the template needs another Node version than this process has. */
  constructor(description: FunctionDescription, options: LambdaOptions) {
    const [major = ''] = process.versions.node.split('.');
    if (description.runtime !== `nodejs${major}.x`) {
      throw new Error(
        `${description.logicalId} needs ${description.runtime}, but this process is Node ${major}. Start it with an npm script: npm uses the project's own Node.`,
      );
    }
    this.description = description;
    this.#options = options;
    process.once('exit', this.#killAll);
  }

  /** Invokes it synchronously. Never rejects. `timeoutMs` shortens the time-out of the function. */
  async invoke(event: unknown, timeoutMs = this.description.timeoutMs): Promise<InvocationResult> {
    const requestId = randomUUID();
    if (this.#closed) {
      return { requestId, durationMs: 0, kind: 'crashed', reason: `${this.description.name} is closed` };
    }
    const environment = this.#idle.pop() ?? this.#start();
    const started = performance.now();
    const outcome = await environment.invoke(requestId, event, timeoutMs);
    // As on Lambda, an environment is reused after its handler threw, and never after its process ended.
    if (environment.alive) this.#idle.push(environment);
    return { requestId, durationMs: Math.round(performance.now() - started), ...outcome };
  }

  /** Ends the processes of this function. Running invocations end as crashed. */
  async close(): Promise<void> {
    this.#closed = true;
    process.off('exit', this.#killAll);
    await Promise.all([...this.#environments].map((environment) => environment.kill()));
  }

  #start(): ExecutionEnvironment {
    const environment = new ExecutionEnvironment(this.description, this.#options, () => {
      this.#environments.delete(environment);
      const index = this.#idle.indexOf(environment);
      if (index !== -1) this.#idle.splice(index, 1);
    });
    this.#environments.add(environment);
    return environment;
  }
}
