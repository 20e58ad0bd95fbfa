/** Writes the file of a new environment: the settings that it needs, and every other one in a comment. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { environmentSettings, type Setting } from '../docs/environments.ts';
import { type Json, type JsonObject, isJsonObject } from '../docs/json-text.ts';
import { checkEntry } from '../environments.ts';
import { describeMistakes, type Mistake, nearest } from '../setting-mistakes.ts';
import { FILE_MAP_NAMES } from '../value-map-files.ts';
import { commentedEntry } from './commented-entry.ts';
import type { EnvOptions } from './options.ts';

/** No file was written. The message says why, and what to do. */
export class NotWritten extends Error {}

export class Interrupted extends NotWritten {
  constructor() {
    super('Nothing was written.');
    this.name = 'Interrupted';
  }
}

export interface Surroundings {
  readonly say: (line: string) => void;
  /** Asks the user; undefined without a terminal. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  readonly now: () => number;
}

type NewEntry = Extract<EnvOptions, { readonly action: 'new' }>;
/** Path to value. */
type Values = Map<string, Json>;

/** @throws {NotWritten} */
export async function writeNewEntry({ name, file, given }: NewEntry, surroundings: Surroundings): Promise<void> {
  const { say, ask, now } = surroundings;
  // Before the questions, not after them.
  if (existsSync(file)) throw new NotWritten(`${file} exists, and is not overwritten: choose another --file.`);
  const settings = environmentSettings();
  const schema = relative(dirname(file), join(import.meta.dirname, '..', 'environments.schema.json'));
  const values: Values = new Map<string, Json>([
    ['$schema', schema.replaceAll('\\', '/')],
    ['name', name],
  ]);
  const mistakesAt = (path: string): readonly Mistake[] =>
    mistakesOf(values, file).filter((mistake) => `${mistake.path.map(String).join('.')}.`.startsWith(`${path}.`));
  for (const [path, text] of given) values.set(path, valueOf(settingAt(path, settings), text));
  const wrong = [...values.keys()].flatMap(mistakesAt);
  if (wrong.length > 0)
    throw new NotWritten(`These settings are wrong; nothing was written:\n${describeMistakes(wrong)}`);

  const missing: Setting[] = [];
  for (const setting of requiredOf(settings).filter(({ path }) => !values.has(path))) {
    const { path } = setting;
    const suggestion = SUGGESTIONS[path]?.(values, now());
    if (ask !== undefined) {
      await answerTo(setting, suggestion, { values, mistakesAt, say, ask });
    } else if (suggestion === undefined) {
      missing.push(setting);
    } else {
      values.set(path, suggestion);
      say(`taken: ${path} = ${suggestion}`);
    }
  }
  if (missing.length > 0) {
    const options = missing.map(({ path, meaning }) => `  --set ${path}=...   ${meaning}`);
    throw new NotWritten(
      `No terminal is attached to ask. These settings are missing; nothing was written:\n${options.join('\n')}`,
    );
  }
  const mistakes = mistakesOf(values, file);
  if (mistakes.length > 0) {
    throw new NotWritten(`These settings do not go together; nothing was written:\n${describeMistakes(mistakes)}`);
  }
  write(file, commentedEntry(settings, values));
  say(`\nwritten: ${file}, with every other setting in a comment. Next:`);
  const next = [
    ['npm start -- --env FILE', 'run it on this machine'],
    ['npm run env -- check FILE', 'after each change'],
    ['npm run doctor -- --env FILE --contract', 'what your SRM sends, and the setting that fits'],
    ['npm start -- --env FILE --srm env --dry-run', 'what would be ordered; sends nothing'],
    ['npm run deploy -- --env FILE', 'infra/deploying.md'],
  ] as const;
  for (const [command, what] of next) say(`  ${command.padEnd(46).replace('FILE', file)}${what}`);
}

interface Asking extends Required<Pick<Surroundings, 'say'>> {
  readonly values: Values;
  readonly mistakesAt: (path: string) => readonly Mistake[];
  readonly ask: (question: string) => Promise<string>;
}

/** Asks until the answer is right. */
async function answerTo(
  setting: Setting,
  suggestion: string | undefined,
  { values, mistakesAt, say, ask }: Asking,
): Promise<void> {
  const { path, meaning } = setting;
  say(`\n${path}: ${meaning}${setting.type === 'object' ? ' Written A=B,C=D, or as the name of a CSV file.' : ''}`);
  for (;;) {
    const answer = (await ask(suggestion === undefined ? '> ' : `(${suggestion}) > `)).trim();
    const text = answer === '' ? suggestion : answer;
    if (text === undefined) continue;
    values.set(path, valueOf(setting, text));
    const mistakes = mistakesAt(path);
    if (mistakes.length === 0) return;
    values.delete(path);
    for (const { message } of mistakes) say(`  ${message}`);
  }
}

/** What most landscapes want. */
const SUGGESTIONS: Readonly<Record<string, (values: ReadonlyMap<string, Json>, nowMs: number) => string | undefined>> =
  {
    'srm.tokenUrl': (values) => tokenUrl(textOf(values, 'srm.baseUrl')),
    'vms.tokenUrl': (values) => tokenUrl(textOf(values, 'vms.baseUrl')),
    'srm.secretName': (values) => `${textOf(values, 'name')}/srm`,
    'vms.secretName': (values) => `${textOf(values, 'name')}/11vms`,
    'extraction.schedule': () => 'rate(5 minutes)',
    'extraction.firstWatermark': (_values, nowMs) => new Date(nowMs).toISOString().replace(/:\d{2}\.\d{3}Z$/, ':00Z'),
  };

const textOf = (values: ReadonlyMap<string, Json>, path: string): string => {
  const value = values.get(path);
  return typeof value === 'string' ? value : '';
};

const tokenUrl = (baseUrl: string): string | undefined =>
  baseUrl === '' ? undefined : `${new URL(baseUrl).origin}/oauth/token`;

/** A section that may be left out asks for nothing. */
function requiredOf(settings: readonly Setting[]): readonly Setting[] {
  const optional = settings
    .filter((setting) => setting.isSection && setting.default === 'none')
    .map(({ path }) => path);
  return settings.filter(
    ({ path, isSection, default: byDefault }) =>
      !isSection && byDefault === 'required' && !optional.some((section) => path.startsWith(`${section}.`)),
  );
}

function settingAt(path: string, settings: readonly Setting[]): Setting {
  const known = settings.filter(({ isSection }) => !isSection);
  const setting = known.find((one) => one.path === path);
  if (setting !== undefined) return setting;
  const near = nearest(
    path,
    known.map((one) => one.path),
  );
  throw new NotWritten(
    `The setting ${path} is unknown${near === undefined ? ': infra/environments.md lists them' : `; did you mean ${near}?`} Nothing was written.`,
  );
}

/** What was typed, as the schema wants it. What it does not want stays a text, which the check refuses in words. */
function valueOf({ path, type }: Setting, text: string): Json {
  if (/^[[{]/.test(text)) {
    try {
      const json: Json = JSON.parse(text);
      return json;
    } catch {
      return text;
    }
  }
  if (type === 'integer' && /^-?\d+$/.test(text)) return Number(text);
  if (type === 'boolean' && /^(true|false)$/.test(text)) return text === 'true';
  const parts = text.split(',').map((part) => part.trim());
  if (type === 'array') return parts;
  if (type !== 'object') return text;
  const hasMode = FILE_MAP_NAMES.get(path.split('.').at(-1) ?? '') === true;
  const pairs = parts.map((part) => /^([^=]+?) *= *(.+)$/.exec(part));
  const codes: JsonObject | undefined = text.endsWith('.csv')
    ? { file: text }
    : pairs.includes(null)
      ? undefined
      : Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', pair?.[2] ?? '']));
  if (codes === undefined) return text;
  if (hasMode) return { mode: 'mapped', codes };
  return text.endsWith('.csv') ? { codes } : codes;
}

/** The entry that the values make. */
function entryOf(values: ReadonlyMap<string, Json>): JsonObject {
  // Each section that may be empty is there, so that only what is really missing is told.
  const sections = environmentSettings().filter(({ isSection, default: text }) => isSection && text === 'required');
  const pairs: (readonly [string, Json])[] = [...sections.map(({ path }) => [path, {}] as const), ...values];
  return pairs.reduce<JsonObject>((entry, [path, value]) => withValue(entry, path.split('.'), value), {});
}

function withValue(owner: JsonObject, [name = '', ...rest]: readonly string[], value: Json): JsonObject {
  const own = owner[name];
  return { ...owner, [name]: rest.length === 0 ? value : withValue(isJsonObject(own) ? own : {}, rest, value) };
}

function mistakesOf(values: ReadonlyMap<string, Json>, file: string): readonly Mistake[] {
  const checked = checkEntry({ json: entryOf(values), repeated: [] }, file);
  return 'mistakes' in checked ? checked.mistakes : [];
}

/** In one step, so that Ctrl-C leaves no half of it. */
function write(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), 'code');
    if (code !== 'EEXIST') rmSync(file, { force: true });
    throw new NotWritten(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
