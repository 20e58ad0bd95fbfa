/** An HTTP client that gives one answer and records the requests, so that the documents show what the adapters send. */
import type { HttpClient, HttpRequest } from '../../shared/http-client.ts';

export interface CannedAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface RecordedHttp extends HttpClient {
  readonly requests: readonly HttpRequest[];
}

export function recordHttp({ status, body, headers }: CannedAnswer): RecordedHttp {
  const requests: HttpRequest[] = [];
  return {
    requests,
    async request(request) {
      requests.push(request);
      return { status, body, from: 'recorded', header: (name) => headers[name] };
    },
  };
}
