/**
 * Refuses what no page of this console sends, before anything else looks at the request. `hono/csrf` is not enough: it
 * compares Origin with the request's own Host, so that a rebound name passes, and it looks at forms alone.
 */
import { foreignCaller } from '../loopback-guard.ts';

/** Returns why the request is refused; undefined for one that may go on. @param host `127.0.0.1:PORT`, as the browser writes it. */
export function refusalOf(request: Request, host: string): string | undefined {
  const { method, headers } = request;
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site');
  // Equality, and nothing cleverer: a prefix or a pattern lets 127.0.0.1:1.evil.example through. A request line may name
  // another host than the header does.
  const isOwn = (named: string): boolean => named === host && new URL(request.url).host === host;
  const foreign = foreignCaller({ host: headers.get('host'), origin }, isOwn);
  if (foreign !== undefined) return foreign;
  if (method === 'GET' || method === 'HEAD') {
    // A link from elsewhere, such as a ticket, opens a page; nothing else from elsewhere is answered.
    const isNavigation = headers.get('sec-fetch-mode') === 'navigate' && headers.get('sec-fetch-dest') === 'document';
    const isOwnPage = site === null || site === 'same-origin' || site === 'none';
    return isOwnPage || isNavigation ? undefined : 'another site asks for this page';
  }
  if (method !== 'POST') return `${method} is not understood`;
  // A browser always sends the origin of a POST; a program that sends none shows no page.
  if (origin === null) return 'no Origin: only this console sends forms';
  return site === null || site === 'same-origin' ? undefined : 'another site sent this form';
}

/** Of every answer, also of a refusal. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
};
