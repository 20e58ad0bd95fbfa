/**
 * Value maps that an entry keeps in CSV files beside it: `"codes": { "file": "suppliers.csv" }`. The first row names the
 * columns; `source` and `target` are read, others are for people.
 */
import { isAbsolute, join, normalize } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import * as z from 'zod';
import type { ValueMapName } from '../shared/translation-settings.ts';
import { NoJsonFile, readJsonText } from './json-file.ts';
import type { Mistake } from './setting-mistakes.ts';

/** Where the codes of a map stand in an entry, and what they become. */
const FILE_MAPS: Readonly<Record<ValueMapName, { readonly below: readonly string[]; readonly isNumber?: true }>> = {
  businessUnit: { below: [] },
  supplier: { below: ['codes'] },
  category: { below: ['codes'] },
  tax: { below: ['codes'] },
  unit: { below: [] },
  currencyDecimals: { below: [], isNumber: true },
  country: { below: [] },
  accountCategory: { below: [] },
  status: { below: [] },
  textType: { below: [] },
};
const isFileMap = (name: string): name is ValueMapName => Object.hasOwn(FILE_MAPS, name);
/** A map that may come from a file, and whether its codes stand in a field `codes` when they are written out. */
export const FILE_MAP_NAMES: ReadonlyMap<string, boolean> = new Map(
  Object.entries(FILE_MAPS).map(([name, { below }]) => [name, below.length > 0]),
);

const reference = z.strictObject({ file: z.string() });
const entryWithMaps = z.looseObject({
  translation: z.looseObject({ valueMaps: z.record(z.string(), z.unknown()) }),
});
const mapWithCodes = z.looseObject({ codes: reference });

export interface FilledEntry {
  /** With the codes in the place of their files. */
  readonly entry: unknown;
  readonly mistakes: readonly Mistake[];
  /** What is allowed, and probably not meant. */
  readonly warnings: readonly string[];
  /** The file and row of a code, by its path in the entry: `suppliers.csv, row 7`. */
  readonly rowOf: (path: readonly PropertyKey[]) => string | undefined;
}

/** Reads the CSV files that an entry names. @param folder That of the entry. */
export function withValueMapFiles(entry: unknown, folder: string): FilledEntry {
  const parsed = entryWithMaps.safeParse(entry).data;
  const maps: Record<string, unknown> = {};
  const mistakes: Mistake[] = [];
  const warnings: string[] = [];
  const rows = new Map<string, string>();
  for (const [name, given] of Object.entries(parsed?.translation.valueMaps ?? {})) {
    const map = mapWithCodes.safeParse(given).data;
    if (map === undefined || !isFileMap(name)) continue;
    const { below, isNumber = false } = FILE_MAPS[name];
    const path = ['translation', 'valueMaps', name];
    const read = readCodes(map.codes.file, folder, isNumber);
    mistakes.push(...read.mistakes.map((message) => ({ message, path: [...path, 'codes', 'file'] })));
    warnings.push(...read.warnings);
    for (const [code, row] of read.rows) rows.set(JSON.stringify([...path, ...below, code]), row);
    // Without codes, the map is left out: that it is missing is no mistake of its own.
    maps[name] = read.codes === undefined ? undefined : below.length > 0 ? { ...map, codes: read.codes } : read.codes;
  }
  if (parsed === undefined || Object.keys(maps).length === 0) {
    return { entry, mistakes, warnings, rowOf: () => undefined };
  }
  const valueMaps = Object.fromEntries(
    Object.entries({ ...parsed.translation.valueMaps, ...maps }).filter(([, map]) => map !== undefined),
  );
  return {
    entry: { ...parsed, translation: { ...parsed.translation, valueMaps } },
    mistakes,
    warnings,
    rowOf: (path) => rows.get(JSON.stringify(path)),
  };
}

interface CodesRead {
  /** Undefined where the file could not be read. */
  readonly codes: Readonly<Record<string, string | number>> | undefined;
  /** Code to `suppliers.csv, row 7`. */
  readonly rows: ReadonlyMap<string, string>;
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
}

const unread = (mistake: string): CodesRead => ({
  codes: undefined,
  rows: new Map(),
  mistakes: [mistake],
  warnings: [],
});

function readCodes(file: string, folder: string, isNumber: boolean): CodesRead {
  const below = normalize(file);
  if (file === '' || isAbsolute(file) || file.includes('\\') || /^\.\.(?:\/|$)/.test(below.replaceAll('\\', '/'))) {
    return unread('must be a CSV file in the folder of the entry or below it, written with /, such as suppliers.csv');
  }
  let rows: readonly Row[];
  try {
    rows = parseRows(readJsonText(join(folder, file)));
  } catch (error) {
    if (error instanceof NoJsonFile) return unread(`${file} ${error.message}`);
    if (!(error instanceof CsvError)) throw error;
    return unread(`${file} is no CSV at line ${String(error['lines'])}: ${QUOTE_MISTAKES[error.code] ?? error.code}`);
  }
  const [header, ...body] = rows.filter(({ cells }) => cells.some((cell) => cell !== ''));
  if (header === undefined) return unread(`${file} is empty: ${HEADER}`);
  const names = header.cells.map((name) => name.toLowerCase());
  const wrong = COLUMNS.filter((column) => names.filter((name) => name === column).length !== 1);
  if (wrong.length > 0) {
    return unread(
      `${file} has no${names.includes(wrong[0] ?? '') ? ' single' : ''} column ${wrong.join(' and ')}: ${HEADER}`,
    );
  }
  return codesOf(body, { file, names, isNumber });
}

const COLUMNS = ['source', 'target'];
const HEADER = 'its first row must name the columns source (the code in SRM) and target (what it becomes), each once';

const QUOTE_MISTAKES: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a " is opened and never closed',
  CSV_INVALID_CLOSING_QUOTE: 'after the closing " of a cell must come the next cell; a " inside a cell is written ""',
  INVALID_OPENING_QUOTE: 'a cell that holds a " begins and ends with one; the " inside is written ""',
};

interface Row {
  /** As a spreadsheet counts. */
  readonly number: number;
  readonly cells: readonly string[];
}

function parseRows(text: string): Row[] {
  // Excel's own line, which says what separates the cells.
  const [line = '', told] = /^sep=(.)(?:\r\n|\n|\r)/i.exec(text) ?? [];
  const [first = ''] = text.split(/[\r\n]/, 1);
  const count = (mark: string): number => first.split(mark).length;
  // Where the comma is the mark of decimals, spreadsheets separate cells by semicolons.
  const [commonest = ','] = [',', ';', '\t'].toSorted((one, other) => count(other) - count(one));
  const rows = parse(text.slice(line.length), {
    delimiter: told ?? commonest,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    trim: true,
  });
  return rows.map((cells, index) => ({ number: index + (line === '' ? 1 : 2), cells }));
}

/** What a spreadsheet makes of a long number. */
const SCIENTIFIC = /^\d([.,]\d+)?E\+\d+$/i;

function codesOf(
  rows: readonly Row[],
  { file, names, isNumber }: { readonly file: string; readonly names: readonly string[]; readonly isNumber: boolean },
): CodesRead {
  const mistakes: string[] = [];
  const found = new Map<string, { readonly number: number; readonly target: string }>();
  for (const { number, cells } of rows) {
    const place = `${file}, row ${number}`;
    const [source = '', target = ''] = COLUMNS.map((column) => cells[names.indexOf(column)] ?? '');
    const earlier = found.get(source);
    const codes = [source, target];
    if (cells.slice(names.length).some((cell) => cell !== '')) {
      mistakes.push(
        `${place} has more cells than the first row: put a text that holds the mark between cells into quotes`,
      );
    }
    for (const [index, code] of codes.entries()) {
      if (code === '') mistakes.push(`${place}: ${COLUMNS[index] ?? ''} is empty: fill the cell, or delete the row`);
      else if (SCIENTIFIC.test(code))
        mistakes.push(
          `${place}: ${COLUMNS[index] ?? ''} is ${code}, which a spreadsheet made of a long number: format the column as text, and write the number again`,
        );
    }
    if (isNumber && target !== '' && !/^\d+$/.test(target))
      mistakes.push(`${place}: target must be a whole number, such as 2`);
    if (earlier !== undefined && earlier.target !== target)
      mistakes.push(`${place}: ${source} has another target in row ${earlier.number}: delete one of the two`);
    if (source !== '' && target !== '' && earlier === undefined) found.set(source, { number, target });
  }
  if (rows.length === 0) mistakes.push(`${file} has no codes below its first row`);
  const warning = shortened([...found.values()], file);
  return {
    codes: Object.fromEntries([...found].map(([source, { target }]) => [source, isNumber ? Number(target) : target])),
    rows: new Map([...found].map(([source, { number }]) => [source, `${file}, row ${number}`])),
    mistakes,
    warnings: warning === undefined ? [] : [warning],
  };
}

/**
 * Whether a spreadsheet probably ate leading zeros: most targets are numbers of one length, and some are shorter. The codes
 * in SRM are compared without leading zeros, so that there nothing is lost.
 */
function shortened(
  codes: readonly { readonly number: number; readonly target: string }[],
  file: string,
): string | undefined {
  const numbers = codes.filter(({ target }) => /^\d+$/.test(target));
  const longest = Math.max(0, ...numbers.map(({ target }) => target.length));
  const short = numbers.filter(({ target }) => target.length < longest);
  const [first] = short;
  if (first === undefined || short.length * 2 >= numbers.length || numbers.length * 2 < codes.length) return undefined;
  return `${file}: ${short.length} of ${codes.length} targets have fewer digits than the others, the first in row ${first.number}: a spreadsheet drops leading zeros. Compare them with 11VMS; format the column as text`;
}
