/** The small parts of which pages are made. */
import { html, raw } from 'hono/html';
import { instantText } from '../../shared/standing-sentence.ts';
import type { Html } from './page.ts';

export { html };

/** Nothing, where markup may stand. */
export const NOTHING: Html = html``;

/** A number as people read it: 12,345. */
export const numberText = (count: number): string => count.toLocaleString('en-GB');

export const plural = (count: number, what: string, several = `${what}s`): string =>
  `${numberText(count)} ${count === 1 ? what : several}`;

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;

/** A length of time in its two largest units: `2 d 4 h`. */
export function durationText(ms: number): string {
  const parts: string[] = [];
  let left = Math.max(0, Math.floor(ms));
  for (const [length, unit] of UNITS) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? '0 s' : parts.join(' ');
}

/** `3 min ago`, `in 2 d 4 h` */
const agoText = (ms: number, nowMs: number): string =>
  ms <= nowMs ? `${durationText(nowMs - ms)} ago` : `in ${durationText(ms - nowMs)}`;

/** `2026-11-27 14:00:00 UTC` */
export const utcText = (ms: number): string => instantText(ms).replace('T', ' ').replace('Z', ' UTC');

/** An instant in UTC; a script adds the reader's own zone. */
export const instant = (ms: number): Html => html`<time datetime="${new Date(ms).toISOString()}">${utcText(ms)}</time>`;

/** An instant, with how long ago it was. */
export const time = (ms: number, nowMs: number): Html => html`${instant(ms)} <small>(${agoText(ms, nowMs)})</small>`;

/** What a status says beside its word; colour and shape follow from it. */
export type StatusKind =
  | 'positive'
  | 'information'
  | 'critical'
  | 'negative'
  | 'neutral'
  | 'pending'
  | 'open'
  | 'closed';

/** A shape for each kind: a person need not tell colours apart. */
const SHAPES: Readonly<Record<StatusKind, string>> = {
  positive: '<circle cx="8" cy="8" r="6.5"/><path d="M5 8.2l2.2 2.2L11 6.2"/>',
  information: '<circle cx="8" cy="8" r="6.5"/><path d="M8 4.5V8l2.5 1.8"/>',
  critical: '<path d="M8 1.8l6.7 12H1.3z"/><path d="M8 6v4M8 11.6v.4"/>',
  negative: '<circle cx="8" cy="8" r="6.5"/><path d="M5.5 5.5l5 5m0-5l-5 5"/>',
  neutral: '<circle cx="8" cy="8" r="6.5"/><path d="M5 8h6"/>',
  pending: '<path d="M3 8h9M8.5 4.5L12 8l-3.500 3.500"/><circle cx="8" cy="8" r="7.200"/>',
  open: '<circle cx="8" cy="8" r="6.5"/><path d="M6 6.200a2 2 0 1 1 2.700 2L8 9v.8M8 11.600v.3"/>',
  closed: '<rect x="2" y="3" width="12" height="10" rx="1"/><path d="M2 6h12M6.500 8.500h3"/>',
};

/** A status is a shape and a word. */
export const status = (kind: StatusKind, word: string): Html =>
  html`<span class="status ${kind}"><svg viewBox="0 0 16 16" aria-hidden="true">${raw(SHAPES[kind])}</svg>${word}</span>`;

/** An identifier that a person may copy. */
export const identifier = (text: string): Html => html`<code data-copy>${text}</code>`;

/** A notice above the content; `role` has a screen reader say it at once. */
export const notice = (kind: StatusKind, text: Html | string): Html =>
  html`<p class="notice ${kind}" role="status">${text}</p>`;

/** The path of a page with a query; parts that are undefined or empty are left out. */
export function linkTo(path: string, query: Readonly<Record<string, string | number | undefined>> = {}): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}
