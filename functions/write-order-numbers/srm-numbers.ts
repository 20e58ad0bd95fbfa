/**
 * The only code that writes to SRM: one property of a cart, through SAP Gateway's protection against cross-site request
 * forgery. Source: source-srm7.md, "Order numbers back".
 */
import { InterfaceError } from '../../shared/failure.ts';
import { foreignPage } from '../../shared/foreign-page.ts';
import { type HttpClient, HttpError, type HttpResponse, retryAfterMs } from '../../shared/http-client.ts';
import { isJudgedByService } from '../../shared/sap-error.ts';

export interface SrmNumbersSettings {
  readonly servicePath: string;
  readonly client: string;
  readonly language: string;
  /** Below the service; `{cart}` is the number of the cart. */
  readonly path: string;
  /** `POST`: a MERGE in a POST, for a gateway that lets no PATCH through. */
  readonly method: 'PATCH' | 'POST';
  readonly property: string;
}

export type WriteResult =
  | { readonly kind: 'written' }
  /** It is refused again, however often it is tried. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Unless it may be about the cart alone, no other would fare better now: SRM, its proxy or its token endpoint is unhealthy. */
  | {
      readonly kind: 'postponed';
      readonly reason: string;
      readonly afterMs: number | undefined;
      readonly isAboutCart: boolean;
    };

export interface SrmNumbers {
  /** Never throws. It sets a value: a repetition changes nothing. */
  write(cartNumber: string, numbers: string, correlationId: string): Promise<WriteResult>;
}

/** A token counts only with the cookies of the answer that gave it. A service without the protection gives none. */
interface Session {
  readonly token: string | undefined;
  readonly cookies: readonly string[];
}

export function createSrmNumbers(
  { servicePath, client, language, path, method, property }: SrmNumbersSettings,
  { http, now }: { readonly http: HttpClient; readonly now: () => number },
): SrmNumbers {
  const query = new URLSearchParams({ 'sap-client': client }).toString();
  const logon = { 'sap-client': client, 'sap-language': language };
  /** For as long as SRM takes it: its session outlives a message. */
  let session: Session | undefined;

  /** @throws {WriteFailed} when SRM does not answer as a service. */
  async function openSession(correlationId: string): Promise<Session> {
    const response = await http.request({
      method: 'GET',
      path: `${servicePath}/?${query}`,
      headers: { ...logon, Accept: 'application/json', 'X-Correlation-ID': correlationId, 'X-CSRF-Token': 'Fetch' },
    });
    const { status } = response;
    // A service that does not show its root (404, 405) may take a write without a token.
    const isAnswer = status < 300 || status === 404 || status === 405;
    if (!isAnswer || foreignPage(response) !== '') throw new WriteFailed(response);
    const token = response.header('x-csrf-token');
    return { token: isRequired(token) ? undefined : token, cookies: response.cookies ?? [] };
  }

  const send = (cartNumber: string, numbers: string, { token, cookies }: Session, correlationId: string) =>
    http.request({
      method,
      path: `${servicePath}${path.replaceAll('{cart}', keyText(cartNumber))}?${query}`,
      headers: {
        ...logon,
        Accept: 'application/json',
        'Content-Type': 'application/json',
        'X-Correlation-ID': correlationId,
        // The number is ours alone: whatever else was changed in the cart meanwhile stays.
        'If-Match': '*',
        ...(method === 'POST' ? { 'X-HTTP-Method': 'MERGE' } : {}),
        ...(token === undefined ? {} : { 'X-CSRF-Token': token }),
        ...(cookies.length === 0 ? {} : { Cookie: cookies.join('; ') }),
      },
      body: JSON.stringify({ [property]: numbers }),
    });

  async function attempt(cartNumber: string, numbers: string, correlationId: string): Promise<WriteResult> {
    for (let tries = 1; ; tries += 1) {
      session ??= await openSession(correlationId);
      const response = await send(cartNumber, numbers, session, correlationId);
      const isTokenVoid = response.status === 403 && isRequired(response.header('x-csrf-token'));
      if (isTokenVoid) session = undefined;
      if (isTokenVoid && tries < 2) continue;
      const result = judge(response, now());
      // Its cookies may name a server that is gone, or a log-on that has ended: the next write begins a new one.
      if (result.kind === 'postponed') session = undefined;
      return result;
    }
  }

  return {
    async write(cartNumber, numbers, correlationId) {
      try {
        return await attempt(cartNumber, numbers, correlationId);
      } catch (error) {
        if (error instanceof WriteFailed) return postponed(error.response, now());
        if (error instanceof InterfaceError) {
          return { kind: 'postponed', reason: error.fault.message, afterMs: error.retryAfterMs, isAboutCart: false };
        }
        if (error instanceof HttpError) {
          session = undefined;
          const reason = `SRM did not answer (${error.code})`;
          return { kind: 'postponed', reason, afterMs: undefined, isAboutCart: false };
        }
        throw error;
      }
    },
  };
}

class WriteFailed extends Error {
  readonly response: HttpResponse;

  constructor(response: HttpResponse) {
    super(`SRM answered ${response.status} to the request for a CSRF token`);
    this.response = response;
  }
}

const isRequired = (token: string | undefined): boolean => token?.toLowerCase() === 'required';

/** The number in a key of OData: a quote is doubled, then all is encoded. */
const keyText = (cartNumber: string): string =>
  encodeURIComponent(cartNumber.replaceAll("'", "''")).replaceAll("'", '%27');

/** They concern us, or the moment: log-on, throttling. */
const PASSING = [401, 407, 408, 425, 429];
/** They concern this cart, and may pass: a right that is missing, a change by others, a person who keeps it open. */
const PASSING_FOR_CART = [403, 409, 412, 423, 428];

function judge(response: HttpResponse, nowMs: number): WriteResult {
  const { status } = response;
  const isRedirect = status >= 300 && status < 400;
  if (isRedirect || foreignPage(response) !== '' || status >= 500 || PASSING.includes(status)) {
    return postponed(response, nowMs);
  }
  if (PASSING_FOR_CART.includes(status)) {
    return { ...postponed(response, nowMs), isAboutCart: !isRequired(response.header('x-csrf-token')) };
  }
  if (status === 404 && !isJudgedByService(response)) {
    const reason = 'SRM answered 404, and does not say that it does not know the cart';
    // A route that was lost fails every cart; but where the service has no errors of SAP's form, this may be its own answer.
    return { ...postponed(response, nowMs), reason, isAboutCart: true };
  }
  if (status < 300) return { kind: 'written' };
  // Never the text of the body: it may name the person to whom the cart belongs.
  return { kind: 'refused', reason: `SRM answered ${status}${status === 404 ? ': it does not know the cart' : ''}` };
}

function postponed(response: HttpResponse, nowMs: number): Extract<WriteResult, { kind: 'postponed' }> {
  const reason = `SRM answered ${response.status}${foreignPage(response)}`;
  return { kind: 'postponed', reason, afterMs: retryAfterMs(response, nowMs), isAboutCart: false };
}
