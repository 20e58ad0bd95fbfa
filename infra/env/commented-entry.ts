/** An entry as the text of a file: what is given, and every other setting in a comment with its meaning and default. */
import type { Setting } from '../docs/environments.ts';
import { isList, type Json } from '../docs/json-text.ts';

/** A part of an object: its lines, without the comma after them. A part that is not live is a comment as a whole. */
interface Part {
  readonly isLive: boolean;
  readonly lines: readonly string[];
}

export function commentedEntry(settings: readonly Setting[], values: ReadonlyMap<string, Json>): string {
  const lines = [
    '// Written by npm run env -- new. A line that begins with // is a comment: a setting in one has its default. Take the // away',
    '// to change it. What each means and takes: infra/environments.md.',
    '{',
    ...indented(joined(partsBelow('', settings, values))),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

const indented = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);
const commented = (lines: readonly string[]): string[] => lines.map((line) => `// ${line}`);

function partsBelow(prefix: string, settings: readonly Setting[], values: ReadonlyMap<string, Json>): Part[] {
  const own = settings.filter(
    ({ path }) =>
      path.startsWith(prefix) && !path.slice(prefix.length).includes('.') && path.slice(prefix.length) !== '',
  );
  // An editor looks for the schema in the first line.
  const sorted = own.toSorted((a, b) => Number(b.path === '$schema') - Number(a.path === '$schema'));
  return sorted.map((setting) => (setting.isSection ? section(setting, settings, values) : field(setting, values)));
}

function field(
  { path, meaning, type, defaultValue, default: byDefault }: Setting,
  values: ReadonlyMap<string, Json>,
): Part {
  const name = path.slice(path.lastIndexOf('.') + 1);
  const value = values.get(path);
  const about = commented(wrapped(meaning));
  if (value !== undefined)
    return { isLive: true, lines: [...about, ...`${JSON.stringify(name)}: ${jsonText(value)}`.split('\n')] };
  const isLong = byDefault.startsWith('[mapping.md]');
  const shown =
    defaultValue === undefined ? (PLACEHOLDERS[type] ?? '""') : jsonText(defaultValue).replaceAll(/\n */g, ' ');
  return {
    isLive: false,
    lines: [
      ...about,
      ...(isLong
        ? [`// ${JSON.stringify(name)}: its default stands in mapping.md`]
        : [`// ${JSON.stringify(name)}: ${shown},`]),
    ],
  };
}

/** Of a setting without a default. */
const PLACEHOLDERS: Readonly<Record<string, string>> = { integer: '0', boolean: 'false', array: '[]', object: '{}' };

/** A section is a comment where it must not be empty and nothing in it is given. */
function section(setting: Setting, settings: readonly Setting[], values: ReadonlyMap<string, Json>): Part {
  const { path, meaning, default: byDefault, defaultValue } = setting;
  const name = path.slice(path.lastIndexOf('.') + 1);
  const isGiven = [...values.keys()].some((key) => key.startsWith(`${path}.`));
  const isLive = isGiven || byDefault === 'required' || JSON.stringify(defaultValue) === '{}';
  const lines = [
    ...commented(wrapped(meaning)),
    `${JSON.stringify(name)}: {`,
    ...indented(joined(partsBelow(`${path}.`, settings, values))),
    '}',
  ];
  return { isLive, lines: isLive ? lines : commented([...lines.slice(0, -1), '},']) };
}

/** Puts the comments before the last field: a reader can then uncomment a setting without adding a comma. */
function joined(parts: readonly Part[]): string[] {
  const last = parts.findLastIndex(({ isLive }) => isLive);
  const ordered = [
    ...parts.slice(0, Math.max(last, 0)),
    ...parts.slice(last + 1),
    ...parts.slice(Math.max(last, 0), last + 1),
  ];
  return ordered.flatMap(({ isLive, lines }, index) =>
    isLive && index < ordered.length - 1 ? [...lines.slice(0, -1), `${lines.at(-1) ?? ''},`] : lines,
  );
}

/** As biome formats it: a list on one line, an object on several. */
const jsonText = (value: Json): string =>
  isList(value)
    ? `[${value.map((element) => JSON.stringify(element)).join(', ')}]`
    : JSON.stringify(value, undefined, 2);

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < 100) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
