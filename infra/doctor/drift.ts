/** Names what is deployed otherwise than the entry says. */
import { isDeepStrictEqual } from 'node:util';

/** A setting as the entry gives it, and as it is deployed; undefined where it is not set. */
export interface Setting {
  readonly name: string;
  readonly expected: unknown;
  readonly deployed: unknown;
}

/**
 * A clause for each setting that differs. A deployed value is shown only where it is a number: a text that was typed
 * into the console may be a secret.
 */
export const differences = (settings: readonly Setting[]): string[] =>
  settings
    .filter(({ expected, deployed }) => !isDeepStrictEqual(comparable(expected), comparable(deployed)))
    .map(({ name, expected, deployed }) => `${name} is ${shown(deployed)}, and the entry says ${said(expected)}`);

/** AWS answers numbers as texts, and the other way round. */
function comparable(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, comparable(part)]));
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const said = (value: unknown): string => (value === undefined ? 'nothing of it' : textOf(value));

function shown(value: unknown): string {
  if (value === undefined) return 'not set';
  return /^-?\d{1,12}$/.test(textOf(value)) ? textOf(value) : 'another value';
}
