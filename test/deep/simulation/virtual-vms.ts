/** 11VMS in virtual time, with outages. Every accepted POST becomes an order, also a second one. */
import { type HttpClient, HttpError, type HttpRequest, type HttpResponse } from '../../../shared/http-client.ts';
import { asJsonObject, tryParseJson } from '../../../shared/exact-json.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What happens to every call during an outage. With `POST only` the look-up stays healthy. */
export type OutageKind =
  | 'unreachable'
  | '503'
  | '500 on POST only'
  | '401'
  | '403'
  | 'no answer after commit'
  | 'no answer after commit, POST only'
  | '429';
export const OUTAGE_KINDS: readonly OutageKind[] = [
  'unreachable',
  '503',
  '500 on POST only',
  '401',
  '403',
  'no answer after commit',
  'no answer after commit, POST only',
  '429',
];

export interface VirtualVms extends HttpClient {
  /** In order of creation, duplicates included. */
  readonly orders: readonly { readonly externalId: string; readonly atMs: number; readonly content: object }[];
  readonly calls: { readonly atMs: number; readonly method: string }[];
}

const ANSWER_MS = 300;

export function createVirtualVms(
  time: VirtualTime,
  timeoutMs: number,
  outageAt: (atMs: number) => OutageKind | undefined,
  answerMs = ANSWER_MS,
): VirtualVms {
  const orders: { externalId: string; atMs: number; content: object }[] = [];
  const calls: { atMs: number; method: string }[] = [];
  const answer = (status: number, body: unknown = {}, headers: Record<string, string> = {}): HttpResponse => ({
    status,
    body: JSON.stringify(body),
    header: (name) => headers[name],
  });

  function work({ method, path, body = '' }: HttpRequest): HttpResponse {
    if (method === 'GET') {
      const wanted = decodeURIComponent(path.split('externalId=')[1] ?? '');
      const items = orders.filter(({ externalId }) => externalId === wanted);
      return answer(200, {
        items: items.map(({ externalId, content }) => ({ ...content, id: externalId, externalId })),
      });
    }
    const content = asJsonObject(tryParseJson(body)) ?? {};
    const externalId = String(content['externalId']);
    orders.push({ externalId, atMs: time.now(), content });
    return answer(201, { id: externalId, number: `PO-${orders.length}`, externalId });
  }

  async function disturbed(what: OutageKind, request: HttpRequest): Promise<HttpResponse> {
    const isLookUp = request.method === 'GET';
    switch (what) {
      case 'unreachable':
        throw new HttpError('POST', 'ECONNREFUSED', false);
      case '503':
        return answer(503);
      case '500 on POST only':
        return isLookUp ? work(request) : answer(500);
      case '401':
      case '403':
        return answer(Number(what));
      case '429':
        return answer(429, {}, { 'retry-after': '60' });
      case 'no answer after commit':
      case 'no answer after commit, POST only':
        if (isLookUp && what !== 'no answer after commit') return work(request);
        work(request);
        await time.sleep(timeoutMs);
        throw new HttpError(request.method, 'ETIMEDOUT', true);
    }
  }

  return {
    orders,
    calls,
    async request(request) {
      calls.push({ atMs: time.now(), method: request.method });
      await time.sleep(answerMs);
      const what = outageAt(time.now());
      return what === undefined ? work(request) : disturbed(what, request);
    },
  };
}
