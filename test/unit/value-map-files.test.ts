/** Value maps that an environment file keeps in CSV files, as spreadsheets write them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Environment, ENVIRONMENTS, loadEnvironment, loadWithWarnings } from '../../infra/environments.ts';

const directory = mkdtempSync(join(tmpdir(), 'value-map-files-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let warnings: string[];
beforeEach(() => {
  warnings = [];
});

/** The entry dev with value maps of its own, beside the files that it names. */
function load(valueMaps: object, files: Readonly<Record<string, string | Buffer>>): Environment {
  const folder = mkdtempSync(join(directory, 'entry-'));
  mkdirSync(join(folder, 'maps'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const { dev } = ENVIRONMENTS;
  const translation = { valueMaps: { ...dev?.translation.valueMaps, ...valueMaps } };
  writeFileSync(join(folder, 'acme.json'), JSON.stringify({ ...dev, name: 'acme', translation }));
  return loadWithWarnings(join(folder, 'acme.json'), (warning) => warnings.push(warning));
}

const inFile = (file: string) => ({ codes: { file } });
const suppliers = { supplier: { mode: 'mapped', ...inFile('suppliers.csv') } };

function mistakesOf(valueMaps: object, files: Readonly<Record<string, string | Buffer>>): string[] {
  try {
    load(valueMaps, files);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return error.message.split('\n').slice(1);
  }
  throw new Error('was taken');
}

const CODES = { '100234': 'SUP-00871', '100777': 'SUP, "quoted"' };

describe('a value map from a CSV file', () => {
  test.each<[string, string | Buffer]>([
    ['of RFC 4180', 'source,target\r\n100234,SUP-00871\r\n100777,"SUP, ""quoted"""\r\n'],
    ['with a byte order mark', '\uFEFFsource,target\n100234,SUP-00871\n100777,"SUP, ""quoted"""'],
    ['as European spreadsheets write it', '\uFEFFsource;target\r\n100234;SUP-00871\r\n100777;"SUP, ""quoted"""\r\n'],
    ['with tabs', 'source\ttarget\n100234\tSUP-00871\n100777\t"SUP, ""quoted"""\n'],
    [
      "with Excel's line about the mark between cells",
      'sep=;\r\nsource;target\r\n100234;SUP-00871\r\n100777;"SUP, ""quoted"""\r\n',
    ],
    ['with ends of lines of two kinds', 'source;target\n100234;SUP-00871\r\n100777;"SUP, ""quoted"""\r\n'],
    [
      'with other columns, capitals, blanks and empty rows',
      ' Name ,TARGET, Source\n"Nordlys, Paris",SUP-00871 ,100234\n,,\n\n x,"SUP, ""quoted""",100777\n,,\n',
    ],
    ['that says the same twice', 'source;target\n100234;SUP-00871\n100777;"SUP, ""quoted"""\n100234;SUP-00871\n'],
  ])('%s', (_what, content) => {
    expect(load(suppliers, { 'suppliers.csv': content }).translation.valueMaps.supplier).toEqual({
      mode: 'mapped',
      codes: CODES,
    });
    expect(warnings).toEqual([]);
  });

  test('may be any of the maps, in a folder below the entry, and is added to its default as a map in the entry is', () => {
    const files = {
      'maps/units.csv': 'source,target\nKAR,CT\n',
      'decimals.csv': 'source,target\nEUR,2\nJPY,0\n',
      'status.csv': 'source,target\nI1129,approved\nZ0001,rejected\n',
      'business.csv': 'source,target\nBE10/7,BU-7\n',
      'countries.csv': 'source,target\nXK,RS\n',
      'categories.csv': 'source,target\nCC,COST_CENTRE\n',
      'texts.csv': 'source,target\nNOTE,HEADER\n',
      'tax.csv': 'source,target\nV0,NONE\n',
    };
    const given = {
      extend: { status: true, currencyDecimals: false, accountCategory: false, textType: false },
      unit: inFile('maps/units.csv'),
      currencyDecimals: inFile('decimals.csv'),
      status: inFile('status.csv'),
      businessUnit: inFile('business.csv'),
      country: inFile('countries.csv'),
      accountCategory: inFile('categories.csv'),
      textType: inFile('texts.csv'),
      tax: { mode: 'identity', ...inFile('tax.csv') },
      category: { mode: 'mapped', ...inFile('tax.csv') },
    };

    expect(load(given, files).translation.valueMaps).toMatchObject({
      unit: { KAR: 'CT', ST: 'EA' },
      currencyDecimals: { EUR: 2, JPY: 0 },
      status: { Z0001: 'rejected', I1016: 'rejected' },
      businessUnit: { 'BE10/7': 'BU-7' },
      country: { XK: 'RS', BE: 'BE' },
      accountCategory: { CC: 'COST_CENTRE' },
      textType: { NOTE: 'HEADER' },
      tax: { mode: 'identity', codes: { V0: 'NONE' } },
      category: { mode: 'mapped', codes: { V0: 'NONE' } },
    });
  });

  test('that says nothing needs no file: a code may be called file', () => {
    const supplier = { mode: 'identity', codes: { FILE: 'SUP', FILE2: 'SUP-2' } };

    expect(load({ supplier }, {}).translation.valueMaps.supplier).toEqual(supplier);
  });
});

describe('mistakes of a CSV file', () => {
  const HEADER = 'its first row must name the columns source (the code in SRM) and target (what it becomes), each once';

  test.each<[string, string | Buffer, string]>([
    ['a missing column', 'source;goal\n1;A\n', `suppliers.csv has no column target: ${HEADER}`],
    ['no first row with names', '100234;SUP\n', `suppliers.csv has no column source and target: ${HEADER}`],
    ['a column twice', 'source,target,Target\n1,A,B\n', `suppliers.csv has no single column target: ${HEADER}`],
    ['nothing', ' \n', `suppliers.csv is empty: ${HEADER}`],
    ['only names', 'source,target\n,\n', 'suppliers.csv has no codes below its first row'],
    [
      'an open quote',
      'source,target\n1,"A\n2,B\n',
      'suppliers.csv is no CSV at line 3: a " is opened and never closed',
    ],
    [
      'a quote inside a cell',
      'source,target\n1,"A"B\n',
      'suppliers.csv is no CSV at line 2: after the closing " of a cell must come the next cell; a " inside a cell is written ""',
    ],
    [
      'a quote that opens late',
      'source,target\n1,A"B"\n',
      'suppliers.csv is no CSV at line 2: a cell that holds a " begins and ends with one; the " inside is written ""',
    ],
    [
      'UTF-16',
      Buffer.from('\uFEFFsource,target\n', 'utf16le'),
      'suppliers.csv is UTF-16, which PowerShell writes with ">": save it as UTF-8',
    ],
    [
      'the old code page of Windows',
      Buffer.from('source;target;name\n1;A;Caf\xe9\n', 'latin1'),
      'suppliers.csv is not UTF-8 at line 2, column 8: save it as UTF-8',
    ],
  ])('%s is told, and what to do', (_what, content, message) => {
    const lines = mistakesOf(suppliers, { 'suppliers.csv': content });

    expect(lines.slice(0, 2)).toEqual([`✖ ${message}`, '  → at translation.valueMaps.supplier.codes.file']);
  });

  test('all are told at once, with their rows as a spreadsheet counts, beside those of other files and of the entry', () => {
    const lines = mistakesOf(
      { ...suppliers, businessUnit: inFile('units.csv'), currencyDecimals: inFile('decimals.csv'), maximum: 3 },
      {
        'suppliers.csv':
          'sep=;\nsource;target\n100234;A\n\n;B\n100777;\n100234;C\n0000100888;D\n1,23E+11;E\n100999;F;G\n',
        'units.csv': `source,target\nBE10,${'B'.repeat(21)}\n`,
        'decimals.csv': 'source,target\nEUR,two\n',
      },
    );

    expect(lines.filter((line) => line.startsWith('✖'))).toEqual(
      expect.arrayContaining([
        '✖ suppliers.csv, row 5: source is empty: fill the cell, or delete the row',
        '✖ suppliers.csv, row 6: target is empty: fill the cell, or delete the row',
        '✖ suppliers.csv, row 7: 100234 has another target in row 3: delete one of the two',
        '✖ must have no leading zeros: the interface compares vendor numbers without them, such as 100777 (suppliers.csv, row 8)',
        '✖ suppliers.csv, row 9: source is 1,23E+11, which a spreadsheet made of a long number: format the column as text, and write the number again',
        '✖ suppliers.csv, row 10 has more cells than the first row: put a text that holds the mark between cells into quotes',
        '✖ must have at most 20 characters (units.csv, row 2)',
        '✖ decimals.csv, row 2: target must be a whole number, such as 2',
        '✖ the field "maximum" is unknown: here are known extend, businessUnit, supplier, category, tax, unit, currencyDecimals, country, accountCategory, status, textType, partnerFunction',
      ]),
    );
  });

  test('a file that is missing is told, and the map that it should fill is not told as missing', () => {
    expect(mistakesOf({ businessUnit: inFile('units.csv') }, {})).toEqual([
      expect.stringMatching(/^✖ units\.csv cannot be read: .*ENOENT/),
      '  → at translation.valueMaps.businessUnit.codes.file',
    ]);
  });

  test.each(['../units.csv', 'maps/../../units.csv', '/etc/units.csv', 'maps\\units.csv', '..', ''])(
    'a file outside the folder of the entry is refused: %j',
    (file) => {
      expect(mistakesOf({ businessUnit: inFile(file) }, {})[0]).toBe(
        '✖ must be a CSV file in the folder of the entry or below it, written with /, such as suppliers.csv',
      );
    },
  );
});

test('targets that look as if a spreadsheet had eaten their leading zeros are taken with a warning', () => {
  const rows = Array.from({ length: 9 }, (_, index) => `C${index},00${871 + index}\n`).join('');

  load({ businessUnit: inFile('units.csv') }, { 'units.csv': `source,target\n${rows}C10,871\n` });
  expect(warnings).toEqual([
    'units.csv: 1 of 10 targets have fewer digits than the others, the first in row 11: a spreadsheet drops leading zeros. Compare them with 11VMS; format the column as text',
  ]);
});

test('an environment by its name has no files', () => {
  expect(loadEnvironment('dev').translation.valueMaps.businessUnit).toEqual({ BE10: 'BU-BE-BRU' });
});
