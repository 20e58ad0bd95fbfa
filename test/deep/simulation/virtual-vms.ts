/** 11VMS in virtual time, with outages. Every accepted POST becomes an order, also a second one. */
import { type HttpClient, HttpError, type HttpRequest, type HttpResponse } from '../../../shared/http-client.ts';
import { InterfaceError } from '../../../shared/failure.ts';
import { asJsonObject, tryParseJson } from '../../../shared/exact-json.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What happens to every call during an outage. With `POST only` the look-up, which is the probe too, stays healthy. */
export const OUTAGE_KINDS = [
  'connection refused',
  '503',
  '503 with Retry-After',
  'HTML with 200',
  'HTML with 404',
  'hanging token endpoint',
  '401',
  '403',
  'no answer after commit',
  'no answer after commit, POST only',
  '500 on POST only',
  '429',
] as const;
export type OutageKind = (typeof OUTAGE_KINDS)[number];
/** Every order is created, and found by its look-up: nobody has to be paged. */
export const HARMLESS_OUTAGE = 'no answer after commit, POST only' satisfies OutageKind;
/** Look-ups are healthy, so that it looks like a fault of single carts at first. */
export const UNCLEAR_OUTAGE = '500 on POST only' satisfies OutageKind;

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
    from: 'virtual 11VMS',
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

  async function noAnswer(request: HttpRequest): Promise<never> {
    work(request);
    await time.sleep(timeoutMs);
    throw new HttpError(request.method, 'ETIMEDOUT', true);
  }

  async function disturbed(what: OutageKind, request: HttpRequest): Promise<HttpResponse> {
    const isLookUp = request.method === 'GET';
    switch (what) {
      case 'connection refused':
        throw new HttpError(request.method, 'ECONNREFUSED', false);
      case '503':
      case '401':
      case '403':
        return answer(Number(what));
      case '503 with Retry-After':
        return answer(503, {}, { 'retry-after': '60' });
      case '429':
        return answer(429, {}, { 'retry-after': '60' });
      case 'HTML with 200':
      case 'HTML with 404':
        return {
          ...answer(Number(what.slice(-3))),
          body: '<!DOCTYPE html><title>The proxy answers for itself</title>',
        };
      case 'hanging token endpoint':
        // The client of OAuth gives up, as shared/oauth-client.ts does. No call to the API follows.
        await time.sleep(timeoutMs);
        throw new InterfaceError('transient', { code: 'E_TGT_UNAVAILABLE', message: 'the token endpoint is silent' });
      case '500 on POST only':
        return isLookUp ? work(request) : answer(500);
      case 'no answer after commit':
        return noAnswer(request);
      case 'no answer after commit, POST only':
        return isLookUp ? work(request) : noAnswer(request);
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
