/** What SAP Gateway says of itself in an error. Source: source-srm7.md, "Errors and limits". */
import { asJsonObject, tryParseJson } from './exact-json.ts';
import type { HttpResponse } from './http-client.ts';

/** As in /IWFND/CM_BEC/026: in upper case. A text for people is not taken, which may name one. */
const messageKey = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[A-Z0-9_/-]{1,64}$/.test(value) ? value : undefined;

/** SAP's own code and transaction id, which lead to /IWFND/ERROR_LOG; never its text. */
function sapErrorOf(response: HttpResponse): {
  readonly code: string | undefined;
  readonly transaction: string | undefined;
} {
  const error = asJsonObject(asJsonObject(tryParseJson(response.body))?.['error']);
  return {
    code: messageKey(error?.['code']),
    transaction: messageKey(asJsonObject(error?.['innererror'])?.['transactionid']),
  };
}

/**
 * Whether the service itself refuses the request. A gateway that lost its route, or SAP's own one that does not find the
 * service (/IWFND/MED/), answers 404, too; that says nothing about the request.
 */
export function isJudgedByService(response: HttpResponse): boolean {
  const { code } = sapErrorOf(response);
  return code !== undefined && !code.startsWith('/IWFND/MED/');
}

/** To follow "answered 404" in a sentence; empty where SAP did not say it. */
export function sapError(response: HttpResponse): string {
  const { code, transaction } = sapErrorOf(response);
  const parts = [code, transaction === undefined ? undefined : `transaction ${transaction}`].filter(
    (part) => part !== undefined,
  );
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
