/** An HTTP client that answers as told and remembers what it was asked: so the adapters themselves say what they send. */
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
      return { status, body, header: (name) => headers[name] };
    },
  };
}
