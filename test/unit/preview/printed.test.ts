/** The preview as text, CSV and HTML: all of it is there, and nothing of a cart can become more than text. */
import { describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { asCsv } from '../../../infra/preview/as-csv.ts';
import { asHtml } from '../../../infra/preview/as-html.ts';
import { asText } from '../../../infra/preview/as-text.ts';
import { compareCarts } from '../../../infra/preview/compare-carts.ts';
import { maskCart } from '../../../infra/preview/mask.ts';
import { HELP, parseOptions } from '../../../infra/preview/options.ts';
import { type CartPreview, previewCart } from '../../../infra/preview/preview-cart.ts';
import { sectionsOf } from '../../../infra/preview/source-words.ts';
import type { Preview } from '../../../infra/preview/summary.ts';
import { generateCarts } from '../../simulators/carts.ts';
import {
  cartOf,
  cartWith,
  contractWire,
  itemWith,
  labour,
  material,
  sampleCart,
  settingsWith,
  TODAY,
} from '../translation/sample-carts.ts';

const origin = { client: '100', settings: settingsWith(), wire: contractWire, today: TODAY };
const previewOf = (...carts: readonly unknown[]): Preview => withCarts(carts.map((cart) => previewCart(cart, origin)));
const withCarts = (carts: readonly CartPreview[]): Preview => ({
  input: 'carts.json',
  environment: 'local',
  client: '100',
  today: TODAY,
  isMasked: false,
  notes: [],
  carts,
});

const SCRIPT = '<script>alert("x")</script>';
const hostile = cartOf(
  [
    labour({ Description: `</td></table>${SCRIPT}`, VendorName: '=cmd|"/C calc"!A0' }),
    material({ NumberInt: '2', VendorId: '0000100777', Unit: 'XXX', Description: `"><img src=x onerror=alert(1)>` }),
  ],
  { Description: `${SCRIPT}\u202e\u001b[31m`, RequesterName: "+1+1', & Söhne" },
);
const generated = generateCarts({
  count: 60,
  seed: 3,
  from: new Date('2026-11-20T00:00:00Z'),
  to: new Date('2026-11-21T00:00:00Z'),
  faultyShare: 0.3,
}).map(({ row }) => row);

const against = (cart: unknown): Preview => {
  const here = previewCart(cart, origin);
  const valueMaps = { supplier: { mode: 'identity' as const, codes: { '100234': 'S-1' } }, unit: { ST: 'EA' } };
  const there = previewCart(cart, { ...origin, settings: settingsWith({ valueMaps }) });
  return {
    ...withCarts([here]),
    against: { environment: 'other', differences: [compareCarts(here, there) ?? []].flat() },
  };
};

describe('as text', () => {
  test('each value stands beside its source, mapping row and rule, in 118 columns', () => {
    const text = asText(previewOf(sampleCart), 118);
    expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(118);
    for (const line of [
      /^ +requester\.externalId +JDUPONT +RequesterId JDUPONT +21 the first that is/m,
      /^ +unitOfMeasure +DAY +~Unit TAG +44 LOOKUP unit/m,
      /^ +totals\.grossAmount +41031\.25 +computed +33 net \+ tax$/m,
      /^ +not ordered: line 4 \(Laptop dock \(withdrawn\)\): the line is deleted$/m,
      /^ +left out: incoterms\.code, from IncotermKey DAP \(line 2\)/m,
      /^ +not filled: erpPurchaseOrderNumber, /m,
      /^ {2}Filled in the cart, and read by no rule: ProcessType, /m,
    ]) {
      expect(text).toMatch(line);
    }
  });

  test('several carts begin with a summary; one that splits says how; a fault says who mends it', () => {
    const split = cartOf([labour(), material({ VendorId: '0000100777', Unit: 'XXX' })]);
    const text = asText(previewOf(split, cartWith({ DelInd: 'X' })), 118);
    expect(text).toContain('2 carts: 1 order; 1 skipped; 1 with faults;');
    expect(text).toContain('1 skipped: the cart is deleted');
    expect(text).toMatch(
      /supplier 100234, EUR, company code BE10: line 1\n +supplier 100777, EUR, company code BE10: line 2/,
    );
    expect(text).toMatch(/FAULT E_MAP_UOM: .*"XXX"/);
    expect(text).toMatch(/-> mapping owner: /);
  });

  test('no character of a cart moves the cursor or changes the direction of text', () => {
    const text = asText(previewOf(hostile), 118);
    expect(text).toContain('Cart 1000004711: <script>');
    for (const character of ['\u001b', '\u202e']) expect(text).not.toContain(character);
  });

  test('a comparison shows what differs, and nothing else', () => {
    const text = asText(against(sampleCart), 118);
    expect(text).toContain('1 of 1 cart would differ');
    expect(text).toMatch(/Faults that come with other:\n +FAULT E_MAP_UOM/);
    expect(text).not.toContain('purchasingGroup');
    expect(asText({ ...withCarts([]), against: { environment: 'other', differences: [] } }, 118)).toContain(
      'no cart would differ',
    );
  });
});

const readCsv = (text: string): string[][] => parse(text, { bom: true, recordDelimiter: '\r\n' });
/** What a spreadsheet shows of a cell. */
const shown = (cell: string): string => /^="((?:[^"]|"")*)"$/.exec(cell)?.[1]?.replaceAll('""', '"') ?? cell;

describe('as CSV', () => {
  const csv = asCsv(previewOf(sampleCart, hostile, ...generated));
  const [header = [], ...rows] = readCsv(csv);
  const column = (name: string) => rows.map((cells) => cells[header.indexOf(name)] ?? '');

  test('is read back whole, after a byte order mark', () => {
    expect(csv.startsWith('\ufeffcart,order,line,')).toBe(true);
    expect(csv.endsWith('\r\n')).toBe(true);
    expect(rows.filter(({ length }) => length !== header.length)).toEqual([]);
    const values = previewOf(sampleCart, hostile, ...generated)
      .carts.flatMap(({ groups }) => groups.flatMap(sectionsOf).flatMap(({ fields }) => fields))
      .map(({ value }) => (value === undefined ? '' : String(value)));
    const isField = column('rule').map((rule) => rule !== '');
    const read = column('value').filter((_, index) => isField[index]);
    expect(read.map((cell) => shown(cell).replace(/^'(?=\s*[=+\-@])/, ''))).toEqual(values);
  });

  test('leaves no cell that a spreadsheet calculates or changes', () => {
    const cells = rows.flat().filter((cell) => !/^="([^"]|"")*"$/.test(cell));
    expect(cells.filter((cell) => /^\s*[=+\-@\t\r]/.test(cell))).toEqual([]);
    expect(
      cells.filter(
        (cell) => /^0\d|^\d{12}|^\d+[.,-]\d|^\d+[eE]\d/.test(cell) && !cell.includes('\n') && !/[^\d.,eE-]/.test(cell),
      ),
    ).toEqual([]);
    expect(column('value')).toContain('="0000615200"');
    expect(column('value')).toContain('="=cmd|""/C calc""!A0"');
  });

  test('of a comparison has both environments side by side', () => {
    const [names = [], ...lines] = readCsv(asCsv(against(sampleCart)));
    expect(names).toEqual(expect.arrayContaining(['field', 'local', 'other', 'code']));
    expect(lines).toContainEqual(expect.arrayContaining(['supplier.code', 'SUP-00871', 'S-1', '18']));
    expect(lines.map((cells) => cells[names.indexOf('code')])).toContain('E_MAP_UOM');
  });
});

const VOID_TAGS = ['meta'];

/** Every tag is closed in its order, and no attribute but those that the page writes is there. */
function wellFormed(page: string): { readonly tags: readonly string[]; readonly attributes: readonly string[] } {
  const open: string[] = [];
  const tags: string[] = [];
  const attributes: string[] = [];
  const body = page.replace(/^<!doctype html>\n/, '').replace(/<style>[^<]*<\/style>/, '');
  for (const [token, end, name = '', given = ''] of body.matchAll(
    /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"<>]*")?)*)>|[<>]/g,
  )) {
    if (name === '') throw new Error(`a stray ${token}`);
    if (end === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> closes another element`);
      continue;
    }
    tags.push(name);
    attributes.push(...[...given.matchAll(/\s([a-z-]+)/g)].map(([, attribute = '']) => attribute));
    if (!VOID_TAGS.includes(name)) open.push(name);
  }
  if (open.length > 0) throw new Error(`${open.join(', ')} not closed`);
  return { tags: [...new Set(tags)], attributes: [...new Set(attributes)] };
}

describe('as HTML', () => {
  const page = asHtml(previewOf(hostile, sampleCart, ...generated));

  test('is well-formed, whatever a cart holds, without script, form, image or style of an element', () => {
    for (const one of [page, asHtml(previewOf(hostile)), asHtml(against(sampleCart)), asHtml(previewOf())]) {
      const { tags, attributes } = wellFormed(one);
      expect(tags).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/^(script|img|iframe|form|input|link|object|svg|base)$/)]),
      );
      expect(attributes.filter((name) => name.startsWith('on') || ['style', 'src', 'srcset'].includes(name))).toEqual(
        [],
      );
    }
    expect(page).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;\ufffd');
    for (const character of ['\0', '\u001b', '\u202e']) expect(page).not.toContain(character);
  });

  test('asks for nothing from elsewhere, and no browser would give it', () => {
    expect(
      [...page.matchAll(/(?:href|src|action)="([^"]*)"/g)].every(([, target = '']) => /^#cart-\d+$/.test(target)),
    ).toBe(true);
    expect(page).not.toMatch(/url\(|@import/);
    expect(page).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"`,
    );
  });

  test('says at its top that it contains the data of the cart, or that it is masked', () => {
    const top = (one: string): string => one.slice(one.indexOf('<body>'), one.indexOf('<h1>'));
    expect(top(asHtml(previewOf(sampleCart)))).toContain('This page contains the cart&#39;s data, with personal data');
    const masked = { ...withCarts([maskCart(previewCart(sampleCart, origin))]), isMasked: true };
    expect(top(asHtml(masked))).toContain('are masked');
    expect(asHtml(masked)).not.toMatch(/dupont|Laptop|Rue du Canal/i);
  });

  test('can be read without seeing it: language, title, one h1, headings in order, table headers and captions', () => {
    expect(page).toContain('<html lang="en">');
    expect(page).toMatch(/<title>Preview of 62 carts<\/title>/);
    expect(page.match(/<h1>/g)).toHaveLength(1);
    const levels = [...page.matchAll(/<h([1-6])/g)].map(([, level]) => Number(level));
    expect(levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1)).toEqual([]);
    expect(page.match(/<table/g)?.length).toBe(page.match(/<caption/g)?.length);
    expect(page.match(/<th(?! scope=)[ >]/g)).toBeNull();
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
  });

  test('has the fault at the field that it keeps from being made', () => {
    const [, row = ''] =
      /<th scope="row">unitOfMeasure<\/th>(.*E_MAP_UOM.*)\n/.exec(asHtml(previewOf(itemWith(0, { Unit: 'XXX' })))) ??
      [];
    expect(row).toContain('<i>not made</i> <b class="mark">E_MAP_UOM</b>');
    expect(row).toContain('<span class="quiet">~Unit</span> XXX');
  });
});

describe('the options', () => {
  test('are all in the help, in 120 columns', () => {
    for (const option of 'env against cart mask html csv json output help'.split(' '))
      expect(HELP).toMatch(new RegExp(`^ +--${option}\\b`, 'm'));
    expect(Math.max(...HELP.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120);
  });

  test('are read', () => {
    expect(parseOptions(['cart.json'])).toMatchObject({ input: 'cart.json', environment: 'local', format: 'text' });
    expect(parseOptions(['-', '--env', 'prod', '--cart', '0001', '--csv', '--mask', '-o', 'written'])).toEqual({
      input: '-',
      environment: 'prod',
      against: undefined,
      cart: '1',
      isMasked: true,
      format: 'csv',
      outputFile: 'written',
    });
    expect(parseOptions(['--help'])).toBeUndefined();
  });

  test.each([
    [[], 'Which cart? Give a file, or - for standard input.'],
    [['a.json', 'b.json'], 'One input at a time: a.json, and not also b.json.'],
    [['a.json', '--html', '--json'], 'Give one of --json, --html.'],
    [['a.json', '--env', ''], '--env is empty.'],
    [['a.json', '--send'], "Unknown option '--send'"],
  ])('%j is refused with a reason', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
