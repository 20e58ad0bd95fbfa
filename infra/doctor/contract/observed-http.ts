/** An HTTP client that keeps the last answer: what came is looked at as it is, beside what the adapter makes of it. */
import type { HttpClient, HttpResponse } from '../../../shared/http-client.ts';

export interface ObservedAnswer {
  readonly response: HttpResponse;
  readonly milliseconds: number;
}

export interface ObservedHttp extends HttpClient {
  last(): ObservedAnswer | undefined;
}

export function observe(http: HttpClient, now: () => number): ObservedHttp {
  let last: ObservedAnswer | undefined;
  return {
    last: () => last,
    async request(request) {
      const startedMs = now();
      last = undefined;
      const response = await http.request(request);
      last = { response, milliseconds: now() - startedMs };
      return response;
    },
  };
}
