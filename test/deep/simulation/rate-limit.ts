/** The rate limit of 11VMS, and a check that callers respect it. */
import type { HttpClient, HttpResponse } from '../../../shared/http-client.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface RateLimit {
  readonly callsPerSecond: number;
  /** The size of the token bucket. */
  readonly burst: number;
  readonly retryAfterSeconds: number;
}

export interface LimitedCalls {
  /** The connection of one execution environment. */
  connect(): HttpClient;
  readonly throttled: () => number;
  /** Calls of an environment before the end of its Retry-After. */
  readonly tooEarly: () => number;
}

/** One token bucket for all environments. A call that finds it empty is refused. */
export function limitCalls(target: HttpClient, time: VirtualTime, answerMs: number, limit: RateLimit): LimitedCalls {
  const takeToken = createTokenBucket(time, limit);
  let throttled = 0;
  let tooEarly = 0;
  const refusal: HttpResponse = {
    status: 429,
    body: '',
    header: (name) => (name === 'retry-after' ? String(limit.retryAfterSeconds) : undefined),
  };
  return {
    throttled: () => throttled,
    tooEarly: () => tooEarly,
    connect() {
      let waitUntilMs = 0;
      return {
        async request(request) {
          if (time.now() < waitUntilMs) tooEarly++;
          if (takeToken()) return target.request(request);
          throttled++;
          await time.sleep(answerMs);
          // Retry-After counts from the answer: calls that were sent before could not know it.
          waitUntilMs = Math.max(waitUntilMs, time.now() + limit.retryAfterSeconds * 1000);
          return refusal;
        },
      };
    },
  };
}

function createTokenBucket({ now }: VirtualTime, { callsPerSecond, burst }: RateLimit): () => boolean {
  let tokens = burst;
  let filledAtMs = now();
  return () => {
    tokens = Math.min(burst, tokens + ((now() - filledAtMs) * callsPerSecond) / 1000);
    filledAtMs = now();
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
