/**
 * Names an answer that is a page, where JSON was expected: the page comes from something before the system, or from its
 * logon. The page is never quoted, not even its title: it may name a person, or repeat what was sent.
 */
import type { HttpResponse } from './http-client.ts';

/** Enough for the head of a page and its first form. */
const CHARACTERS_READ = 100_000;

/** The first that matches counts. The texts are in lower case. */
const KINDS: readonly (readonly [kind: string, sign: RegExp])[] = [
  ['a logon page', /<input\b[^>]{0,500}\btype\s*=\s*["']?password|name\s*=\s*["']?saml(request|response)\b/],
  ['a logon page', /\bsap-system-login\b|\/oauth2?\/(v\d[^/]{0,5}\/)?authorize\b/],
  ['the block page of a firewall', /request (was |is )?(rejected|blocked)|been blocked|access denied|support id\b/],
  ['a maintenance page', /maintenance|wartung|temporarily unavailable|service unavailable/],
  ['a logon page', /<(title|h1)\b[^>]{0,500}>[^<]{0,200}\b(log ?[io]n|log on|sign[ -]?in|anmeld\w{2,5}|sso)\b/],
];

const HOST = /^[a-z0-9.:[\]-]{1,253}$/i;
const LOGON_ADDRESS = /saml|oauth|authorize|\blog-?[io]n\b|\bsign-?in\b|\badfs\b|\bsso\b|\bidp\b/i;

/** What an answer is that is a page or a redirect, to follow "answered 200" in a sentence; else an empty text. */
export function foreignPage(response: HttpResponse): string {
  const { status, body, from } = response;
  if (status >= 300 && status < 400) return redirect(response);
  if (!/^\s*</.test(body)) return '';
  const page = body.slice(0, CHARACTERS_READ).toLowerCase();
  const kind = KINDS.find(([, sign]) => sign.test(page))?.[0];
  const look = kind === undefined ? 'it does not look like a logon page' : `it looks like ${kind}`;
  const form = /<(!doctype html|html|head|body)\b/.test(page.slice(0, 2000)) ? 'HTML' : 'markup';
  return ` with ${form} in place of JSON (${contentType(response)}, from ${from}; ${look})`;
}

/** Whether the message of a fault tells of such an answer. */
export const tellsOfForeignPage = (message: string): boolean =>
  / with (HTML|markup) in place of JSON \(| with a redirect from \S+ to /.test(message);

function contentType(response: HttpResponse): string {
  const type = response.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,60}$/.test(type) ? type : 'no content type';
}

/** Of the address to which it leads, only the host is told: the rest may hold a session or a person's name. */
function redirect(response: HttpResponse): string {
  const location = response.header('location');
  const url = location === undefined ? null : URL.parse(location, `https://${response.from}`);
  if (url === null || !HOST.test(url.host)) return '';
  const isLogon = LOGON_ADDRESS.test(`${url.host}${url.pathname}${url.search}`);
  return ` with a redirect from ${response.from} to ${url.host}${isLogon ? ' (it looks like a logon page)' : ''}`;
}
