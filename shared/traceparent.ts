/** The trace of Lambda's invocation, passed on to the systems as W3C Trace Context has it. */
import type { HttpClient } from './http-client.ts';

/**
 * The header's value for a trace as X-Ray writes it, `Root=1-<8>-<24>;Parent=<16>;Sampled=<0|1>`, in any order and among
 * other parts. Undefined where a part is missing or malformed, and for ids of zeros, which the standard forbids.
 */
export function traceparent(trace = ''): string | undefined {
  const [, seconds = '', unique = ''] = /(?:^|;)Root=1-([\da-f]{8})-([\da-f]{24})(?:;|$)/.exec(trace) ?? [];
  const [, parent = ''] = /(?:^|;)Parent=([\da-f]{16})(?:;|$)/.exec(trace) ?? [];
  const isSampled = /(?:^|;)Sampled=1(?:;|$)/.test(trace);
  const areIds = [seconds + unique, parent].every((id) => /[^0]/.test(id));
  return areIds ? `00-${seconds}${unique}-${parent}-${isSampled ? '01' : '00'}` : undefined;
}

/**
 * A client whose calls carry the trace. It is read for each call: Lambda sets another one for each invocation.
 *
 * @param variables the environment of the process, which Lambda changes
 */
export function withTraceparent(http: HttpClient, variables: Readonly<Record<string, string | undefined>>): HttpClient {
  return {
    request(request) {
      const value = traceparent(variables['_X_AMZN_TRACE_ID']);
      return http.request(
        value === undefined ? request : { ...request, headers: { ...request.headers, traceparent: value } },
      );
    },
  };
}
