/** A local Lambda: as many execution environments as are needed at once, used again while they are warm. */
import { randomUUID } from 'node:crypto';
import { ExecutionEnvironment, type InvocationResult, type LambdaOptions } from './execution-environment.ts';
import type { FunctionDescription } from './provision.ts';

/** A function that can be invoked, as often at once as is asked: who invokes limits the concurrency. */
export class LambdaFunction {
  readonly description: FunctionDescription;
  readonly #options: LambdaOptions;
  readonly #environments = new Set<ExecutionEnvironment>();
  readonly #idle: ExecutionEnvironment[] = [];
  #closed = false;
  /** A process that never comes back to its event loop would not notice that its parent is gone. */
  readonly #killAll = (): void => {
    for (const environment of this.#environments) void environment.kill();
  };

  /** @throws {Error} when the template asks for another Node than this process runs on. */
  constructor(description: FunctionDescription, options: LambdaOptions) {
    const [major = ''] = process.versions.node.split('.');
    if (description.runtime !== `nodejs${major}.x`) {
      throw new Error(
        `${description.logicalId} runs on ${description.runtime}, but this is Node ${major}: start with npm, whose scripts use the project's own Node.`,
      );
    }
    this.description = description;
    this.#options = options;
    process.once('exit', this.#killAll);
  }

  /** Invokes it synchronously; never rejects, whatever the function does. It may be given less time than its own. */
  async invoke(event: unknown, timeoutMs = this.description.timeoutMs): Promise<InvocationResult> {
    const requestId = randomUUID();
    if (this.#closed) {
      return { requestId, durationMs: 0, kind: 'crashed', reason: `${this.description.name} is closed` };
    }
    const environment = this.#idle.pop() ?? this.#start();
    const started = performance.now();
    const outcome = await environment.invoke(requestId, event, timeoutMs);
    // Lambda keeps an environment whose handler threw; one that died or was killed is gone.
    if (environment.alive) this.#idle.push(environment);
    return { requestId, durationMs: Math.round(performance.now() - started), ...outcome };
  }

  /** Ends this function's processes; what was under way counts as crashed. */
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
