/** The ways in which 11VMS refuses calls with 429, and a check that callers respect its Retry-After. */
import { asJsonObject, tryParseJson } from '../../../shared/exact-json.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../../../shared/http-client.ts';
import type { VirtualTime } from './virtual-time.ts';

/** So many calls a second, as a token bucket that holds `burst` calls. */
interface Rate {
  readonly callsPerSecond: number;
  readonly burst: number;
}

export type Limit =
  | { readonly kind: 'none' }
  | ({ readonly kind: 'rate' } & Rate)
  /** The same, but another caller takes from the bucket, and never slows down. */
  | ({ readonly kind: 'shared rate'; readonly neighbourPerSecond: number } & Rate)
  /** A share of the calls, whatever their rate: what is left of a limit that many callers share. */
  | { readonly kind: 'chance'; readonly share: number }
  | { readonly kind: 'in flight'; readonly calls: number };

export interface LimitedCalls extends HttpClient {
  readonly throttled: () => number;
  /** Repeated calls for an order before the end of its Retry-After. */
  readonly tooEarly: () => number;
}

interface LimitOptions {
  readonly target: HttpClient;
  readonly time: VirtualTime;
  readonly random: () => number;
  readonly answerMs: number;
  readonly limit: Limit;
  /** Undefined: 11VMS does not say how long to wait. */
  readonly retryAfterSeconds: number | undefined;
}

export function limitCalls({ target, time, random, answerMs, limit, retryAfterSeconds }: LimitOptions): LimitedCalls {
  let inFlight = 0;
  let throttled = 0;
  let tooEarly = 0;
  const waitUntilMs = new Map<string, number>();
  const isTaken = gate(limit, time, random, () => inFlight);
  const refusal: HttpResponse = {
    status: 429,
    body: '',
    from: 'virtual 11VMS',
    header: (name) => (name === 'retry-after' ? retryAfterSeconds?.toString() : undefined),
  };

  async function refuse(order: string): Promise<HttpResponse> {
    throttled++;
    await time.sleep(answerMs);
    waitUntilMs.set(order, time.now() + (retryAfterSeconds ?? 0) * 1000);
    return refusal;
  }

  return {
    throttled: () => throttled,
    tooEarly: () => tooEarly,
    async request(request) {
      const order = orderOf(request);
      if (time.now() < (waitUntilMs.get(order) ?? 0)) tooEarly++;
      if (!isTaken()) return refuse(order);
      inFlight++;
      try {
        return await target.request(request);
      } finally {
        inFlight--;
      }
    },
  };
}

function orderOf({ path, body = '' }: HttpRequest): string {
  const externalId = asJsonObject(tryParseJson(body))?.['externalId'];
  return typeof externalId === 'string' ? externalId : path;
}

function gate(limit: Limit, time: VirtualTime, random: () => number, inFlight: () => number): () => boolean {
  switch (limit.kind) {
    case 'none':
      return () => true;
    case 'rate':
      return tokenBucket(time, limit);
    case 'shared rate':
      return sharedBucket(time, random, limit);
    case 'chance':
      return () => random() >= limit.share;
    case 'in flight':
      return () => inFlight() < limit.calls;
  }
}

function tokenBucket({ now }: Pick<VirtualTime, 'now'>, { callsPerSecond, burst }: Rate): () => boolean {
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

/** The neighbour's calls come at random moments. They are drawn when ours comes: until then nobody sees them. */
function sharedBucket(
  time: VirtualTime,
  random: () => number,
  { neighbourPerSecond, ...rate }: Rate & { readonly neighbourPerSecond: number },
): () => boolean {
  let drawnUntilMs = time.now();
  const takeToken = tokenBucket({ now: () => drawnUntilMs }, rate);
  let nextCallMs = drawnUntilMs;
  return () => {
    while (nextCallMs <= time.now()) {
      drawnUntilMs = nextCallMs;
      takeToken();
      nextCallMs += (-Math.log(1 - random()) * 1000) / neighbourPerSecond;
    }
    drawnUntilMs = time.now();
    return takeToken();
  };
}
