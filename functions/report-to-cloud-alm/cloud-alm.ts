/** The only code that speaks Cloud ALM's API: inbound metrics for Health Monitoring. */
import * as z from 'zod';
import { tryParseJson } from '../../shared/exact-json.ts';
import { type FailureClass, type FaultCode, InterfaceError } from '../../shared/failure.ts';
import { foreignPage } from '../../shared/foreign-page.ts';
import { type HttpClient, HttpError, type HttpResponse, retryAfterMs } from '../../shared/http-client.ts';
import { otlpMetrics, type RatedMetric } from './health-metrics.ts';

export interface CloudAlm {
  /**
   * Sends metrics; returns the answer's body. With `isDevelopment`, Cloud ALM answers what it understood.
   * @throws {InterfaceError} E_ALM_AUTH, E_ALM_UNAVAILABLE
   */
  push(metrics: readonly RatedMetric[], options?: { readonly isDevelopment?: boolean }): Promise<string>;
}

/** `http` puts the token on each call. */
export function createCloudAlm(http: HttpClient, serviceId: string, now: () => number): CloudAlm {
  return {
    async push(metrics, { isDevelopment = false } = {}) {
      const query = new URLSearchParams({ useCase: 'hm', serviceId, ...(isDevelopment ? { dev: 'true' } : {}) });
      const response = await http
        .request({
          method: 'POST',
          path: `/calm-metrics/v1/metrics?${query.toString()}`,
          headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
          body: JSON.stringify(otlpMetrics(metrics)),
        })
        .catch((error: unknown) => {
          if (error instanceof HttpError)
            throw fault('transient', 'E_ALM_UNAVAILABLE', `did not answer: ${error.message}`);
          throw error;
        });
      assertTaken(response, now());
      return response.body;
    },
  };
}

function fault(failureClass: FailureClass, code: FaultCode, what: string, retryMs?: number): InterfaceError {
  return new InterfaceError(failureClass, { code, message: `Cloud ALM ${what}` }, retryMs);
}

/** OTLP says in a body that points were refused, with the status of a success (its specification, "Partial Success"). */
const partialAnswer = z.object({
  partialSuccess: z.object({ rejectedDataPoints: z.coerce.number().default(0) }).optional(),
});

/** No body is quoted: it may repeat what was sent with it. */
function assertTaken(response: HttpResponse, nowMs: number): void {
  const { status } = response;
  const page = foreignPage(response);
  const answer = `answered ${status}${page}`;
  if (page !== '') throw fault('transient', 'E_ALM_UNAVAILABLE', answer);
  if (status === 401 || status === 403) throw fault('refused', 'E_ALM_AUTH', answer);
  if (status < 200 || status > 299) {
    const isTransient = status >= 500 || status === 429 || status === 408;
    throw fault(isTransient ? 'transient' : 'permanent', 'E_ALM_UNAVAILABLE', answer, retryAfterMs(response, nowMs));
  }
  const rejected = partialAnswer.safeParse(tryParseJson(response.body)).data?.partialSuccess?.rejectedDataPoints ?? 0;
  if (rejected > 0) throw fault('permanent', 'E_ALM_UNAVAILABLE', `${answer}, and refused ${rejected} of the points`);
}
