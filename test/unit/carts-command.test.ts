/** The command line of `npm run carts`, and its tables: options, errors, and cells that no spreadsheet calculates. */
import { describe, expect, test } from '@jest/globals';
import { HELP, parseOptions } from '../../infra/carts/options.ts';
import { asCsv, asTable } from '../../infra/carts/tables.ts';
import { UsageError } from '../../infra/command-line.ts';
import fc from '../properties.ts';

const parsed = (args: string) => parseOptions(['--env', 'dev', ...args.split(' ')]);
function refusal(...args: readonly string[]): string {
  try {
    parseOptions(args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`${args.join(' ')} was taken`);
}

describe('the options of carts', () => {
  test.each<[string, unknown]>([
    ['--cart 1010000123', { kind: 'cart', number: '1010000123' }],
    ['--cart 0001010000123', { kind: 'cart', number: '1010000123' }],
    [
      '--cart 005056a5-09b3-1ee1-bee5-000000000001',
      { kind: 'cart', number: undefined, guid: '005056a5-09b3-1ee1-bee5-000000000001' },
    ],
    ['--day 2026-11-27', { kind: 'day', day: '2026-11-27' }],
    ['--state skipped', { kind: 'state', state: 'skipped', day: undefined }],
    ['--state dead-lettered --day 2026-11-27', { kind: 'state', state: 'dead-lettered', day: '2026-11-27' }],
    ['--state dead-lettered --code e_map_uom', { kind: 'state', state: 'dead-lettered', code: 'E_MAP_UOM' }],
    ['--waiting', { kind: 'waiting', scanMegabytes: undefined }],
    ['--waiting --scan 500', { kind: 'waiting', scanMegabytes: 500 }],
  ])('%s asks one question', (args, question) => {
    expect(parsed(args)).toMatchObject({ environment: 'dev', question, format: 'text' });
  });

  test('choose the format, the profile, and where no stack is asked', () => {
    expect(parsed('--day 2026-11-27 --csv --profile p')).toMatchObject({ format: 'csv', profile: 'p' });
    expect(parsed('--waiting --json --table t --queue https://sqs.example/1/u')).toMatchObject({
      format: 'json',
      tableName: 't',
      queueUrl: 'https://sqs.example/1/u',
    });
    expect(parsed('--help')).toBeUndefined();
  });

  test.each([
    [['--waiting'], 'Which environment? Add --env NAME'],
    [['--env', 'dev'], 'Which carts? --cart, --day, --state or --waiting.'],
    [['--env', 'dev', '--cart', '1', '--waiting'], 'Ask one question: --cart, --day, --state or --waiting.'],
    [['--env', 'dev', '--cart', '1', '--day', '2026-11-27'], 'Ask one question'],
    [
      ['--env', 'dev', '--cart', 'two words'],
      '--cart takes the number of a cart, such as 1010000123, not "two words".',
    ],
    [['--env', 'dev', '--day', '2026-02-30'], '--day takes a day such as 2026-11-27, not "2026-02-30".'],
    [['--env', 'dev', '--day', '27.11.2026'], '--day takes a day'],
    [['--env', 'dev', '--state', 'lost'], '--state takes dead-lettered, skipped, ordered, not "lost".'],
    [['--env', 'dev', '--state', 'dead-lettered', '--code', 'UOM'], '--code takes a reason code of'],
    [['--env', 'dev', '--state', 'skipped', '--code', 'E_MAP_UOM'], '--code is for --state dead-lettered.'],
    [['--env', 'dev', '--cart', '1', '--code', 'E_MAP_UOM'], '--code is for --state dead-lettered.'],
    [['--env', 'dev', '--waiting', '--scan', '0'], '--scan takes a whole number from 1'],
    [['--env', 'dev', '--state', 'skipped', '--scan', '1'], '--scan is for --waiting.'],
    [['--env', 'dev', '--cart', '1', '--csv'], '--csv is for lists: --day or --state.'],
    [['--env', 'dev', '--state', 'skipped', '--csv', '--json'], 'Give --csv or --json, not both.'],
    // The SDK would sign a call to it, in clear.
    [
      ['--env', 'dev', '--waiting', '--queue', 'http://sqs.example/1/u'],
      '--queue takes a URL that must be https (plain http is for loopback only), not "http://sqs.example/1/u".',
    ],
    [
      ['--env', 'dev', '--waiting', '--queue', 'https://me:hunter2@sqs.example/1/u'],
      '--queue takes a URL that must not hold a user or password.\n',
    ],
    [['--env', 'dev', '--delete'], "Unknown option '--delete'"],
  ])('%j is refused with a reason', (args, message) => {
    expect(refusal(...args)).toContain(message);
    expect(refusal(...args)).toContain('See npm run carts -- --help.');
  });

  test('are all in the help', () => {
    for (const option of 'cart day state code waiting env profile table queue csv json help'.split(' ')) {
      expect(HELP).toMatch(new RegExp(`^ +--${option}\\b`, 'm'));
    }
    expect(Math.max(...HELP.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120);
  });
});

describe('CSV', () => {
  test.each([
    ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['a,b', '"a,b"'],
    ['a\nb', '"a\nb"'],
    ['a=b', 'a=b'],
  ])('of %j is the cell %j', (value, cell) => {
    expect(asCsv(['x'], [{ x: value }])).toBe(`x\r\n${cell}\r\n`);
  });

  test('gives every text back to a reader of RFC 4180, and no cell begins a formula', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\r', '\n', '=', '+', '-', '@', '\t', "'", ' ') });
    fc.assert(
      fc.property(fc.array(fc.record({ x: cell, y: cell }), { maxLength: 4 }), (rows) => {
        const read = readCsv(asCsv(['x', 'y'], rows)).slice(1);

        expect(read.flat().filter((text) => /^[=+\-@\t\r]/.test(text))).toEqual([]);
        expect(read.map((line) => line.map((text) => text.replace(/^'(?=[=+\-@\t\r])/, '')))).toEqual(
          rows.map(({ x, y }) => [x, y].map((text) => text.replace(/^'(?=[=+\-@\t\r])/, ''))),
        );
      }),
    );
  });
});

/** A reader by the grammar of RFC 4180. */
function readCsv(csv: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (const [, quoted, plain = '', end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    record.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    records.push(record);
    record = [];
  }
  return records;
}

test('a table aligns its columns, and no cell can move the cursor of a terminal', () => {
  expect(
    asTable(
      [
        { cart: '1', why: 'a\u001b[2Jb' },
        { cart: '1010000123', why: 'c\nd' },
      ],
      '  ',
    ),
  ).toBe('  cart        why\n  1           a\ufffd[2Jb\n  1010000123  c\ufffdd\n');
});
