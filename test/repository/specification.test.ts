/** The specification in shared/contract/specification: what code, tests and documents cite of it exists. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';

const root = join(import.meta.dirname, '..', '..');
const specification = 'shared/contract/specification';
const mapping = 'functions/create-purchase-orders/translation/mapping.csv';

const filesBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .replaceAll('\\', '/'),
    );
const files = ['README.md', ...['functions', 'infra', 'shared', 'test'].flatMap(filesBelow)];
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n');

/** A citation may stand on two lines of a comment: each text is one line here. */
const citing = files
  .filter((path) => /\.(ts|md|yml)$/.test(path) && path !== 'test/repository/specification.test.ts')
  .map((path) => ({ path, text: textOf(path).replaceAll(/\n\s*(?:\* |\/\/ )?\s*/g, ' ') }));

interface Citation {
  readonly path: string;
  readonly cited: string;
}
const citations = (pattern: RegExp, numbersOf: (text: string) => readonly number[]): Citation[] =>
  citing.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].flatMap(([, list = '']) =>
      numbersOf(list).map((cited) => ({ path, cited: `${cited}` })),
    ),
  );
/** `13 to 15, 18 and 20`: each number of it. */
const LIST = String.raw`(\d+(?:(?:,? and |, | to )\d+)*)`;
const EDGE_CASES = new RegExp(String.raw`\bedge cases? ${LIST}`, 'gi');
const MAPPING_ROWS = new RegExp(String.raw`\bmapping rows? ${LIST}`, 'gi');
const RULES = new RegExp(String.raw`\brules? ${LIST}`, 'gi');

/** The numbers of a list, with those between the ends of a range. */
function allNumbers(list: string): number[] {
  return list.split(/,? and |, /).flatMap((part) => {
    const [first = 0, last = first] = part.split(' to ').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
/** The numbers that are written out: a range names none of the cases inside it. */
const ownNumbers = (list: string): number[] =>
  list
    .split(/,? and |, /)
    .filter((part) => !part.includes(' to '))
    .map(Number);

const anchors = (name: string): string[] =>
  filesBelow(specification).flatMap((path) =>
    [...textOf(path).matchAll(/<a id="([a-z-]+)-(\d+)"><\/a>/g)].flatMap(([, kind, number = '']) =>
      kind === name ? [number] : [],
    ),
  );
const unresolved = (found: readonly Citation[], known: readonly string[]): Citation[] => {
  expect(found).not.toEqual([]);
  return found.filter(({ cited }) => !known.includes(cited));
};

describe('each citation leads somewhere:', () => {
  test('edge cases', () => {
    const known = anchors('edge-case');

    expect(known).toEqual(Array.from({ length: 86 }, (_, index) => `${index + 1}`));
    expect(unresolved(citations(EDGE_CASES, allNumbers), known)).toEqual([]);
  });

  test('rules', () => {
    expect(unresolved(citations(RULES, allNumbers), anchors('rule'))).toEqual([]);
  });

  test('mapping rows, of the spreadsheet or of a check that one of its rules names', () => {
    const known = [...textOf(mapping).matchAll(/^(\d+),|\(row (\d+)\)/gm)].map(([, row, check]) => row ?? check ?? '');

    expect(unresolved(citations(MAPPING_ROWS, allNumbers), known)).toEqual([]);
  });

  test('documents', () => {
    const known = files.map((path) => basename(path));
    const cited = citing.flatMap(({ path, text }) =>
      // Any other CSV file is the example of one of a user's own.
      [...text.matchAll(/[\w-]+\.md\b|\bmapping\.csv\b/g)].map(([name]) => ({ path, cited: name })),
    );

    expect(unresolved(cited, known)).toEqual([]);
  });

  test('sections of a document, by a heading or the first cell of a table', () => {
    const sectionsOf = (path: string): string[] =>
      [...textOf(path).matchAll(/^(?:#+ (.+)|\| ([^|]+) \|)/gm)].map(([, heading, cell]) => heading ?? cell ?? '');
    const known = files
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) => sectionsOf(path).map((section) => `${basename(path)}, "${section}"`));
    const cited = citing.flatMap(({ path, text }) =>
      [...text.matchAll(/([\w-]+\.md), ((?:(?:, | and )?"[^"]+")+)/g)].flatMap(([, name = '', quotes = '']) =>
        [...quotes.matchAll(/"[^"]+"/g)].map(([section]) => ({ path, cited: `${name}, ${section}` })),
      ),
    );

    expect(unresolved(cited, known)).toEqual([]);
  });

  test('links of the specification', () => {
    const headings = (path: string): string[] =>
      [...textOf(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      );
    const links = filesBelow(specification).flatMap((path) =>
      [...textOf(path).matchAll(/\]\(([^)#]*)#?([^)]*)\)/g)].map(([link, target = '', anchor = '']) => ({
        link: `${path} ${link}`,
        target: target === '' ? path : join(specification, target).replaceAll('\\', '/'),
        anchor,
      })),
    );
    const broken = links.filter(
      ({ target, anchor }) => !files.includes(target) || (anchor !== '' && !headings(target).includes(anchor)),
    );

    expect(links.length).toBeGreaterThan(10);
    expect(broken.map(({ link }) => link)).toEqual([]);
  });
});

test('each edge case is named by a test', () => {
  const tests = citing.filter(({ path }) => path.endsWith('.test.ts'));
  const cited = tests.flatMap(({ text }) =>
    [...text.matchAll(EDGE_CASES)].flatMap(([, list = '']) => ownNumbers(list).map(String)),
  );
  // There, the title of each test begins with the number of its case.
  const titled = [
    ...textOf('test/unit/translation/edge-cases.test.ts').matchAll(/(?:^ +|test\(|\]\)\()'(\d+): /gm),
  ].map(([, number = '']) => number);
  const named = new Set([...cited, ...titled]);

  // A case that no test can name stands here, with its reason.
  expect(anchors('edge-case').filter((number) => !named.has(number))).toEqual([]);
});

test('the reason codes are those of the catalogue', () => {
  const [, list = ''] = /## Reason codes, by family\n\n([^.]+)\./.exec(textOf(`${specification}/rules.md`)) ?? [];
  const codes = list.split(/;\s*/).flatMap((family) => {
    const [, prefix, members = ''] = /^(\w+)\{(.+)\}$/.exec(family) ?? [];
    return prefix === undefined ? [family] : members.split(',').map((member) => prefix + member);
  });

  expect(codes.toSorted()).toEqual(Object.keys(FAULT_CATALOGUE).toSorted());
});
