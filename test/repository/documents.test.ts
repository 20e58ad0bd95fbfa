/** Everything that the documents name exists: links, headings, files, scripts and their options. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { readSample } from '../../infra/docs/samples.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n');

const files = [
  'README.md',
  ...['.github', 'functions', 'infra', 'shared', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) =>
      `${folder}/${path}`.replaceAll('\\', '/'),
    ),
  ),
];
const documents = files.filter((path) => path.endsWith('.md')).map((path) => ({ path, text: read(path) }));
const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');
/** Texts in backticks. */
const quotedIn = (text: string): string[] =>
  [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, quoted = '']) => quoted);

/** The possible targets of a link in a document, as GitHub names its headings. */
function anchorsOf(text: string): Set<string> {
  const slugs = new Map<string, number>();
  const headings = [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const earlier = slugs.get(slug) ?? 0;
    slugs.set(slug, earlier + 1);
    return earlier === 0 ? slug : `${slug}-${earlier}`;
  });
  return new Set([...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)]);
}

describe('a link of a document', () => {
  const links = documents.flatMap(({ path, text }) =>
    [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .map((link) => {
        const [file = '', anchor] = link.split('#');
        return { path, link, anchor, target: file === '' ? path : posix.join(posix.dirname(path), file) };
      }),
  );

  test('leads to a file or folder of the project', () => {
    expect(links.length).toBeGreaterThan(60);
    const dead = links.filter(({ target }) => target.startsWith('..') || !existsSync(join(root, target)));
    expect(dead.map(({ path, link }) => `${path}: ${link}`)).toEqual([]);
  });

  test('to a heading leads to one that exists', () => {
    const deep = links.filter(({ anchor, target }) => anchor !== undefined && target.endsWith('.md'));
    expect(deep.length).toBeGreaterThan(10);
    const dead = deep.filter(
      ({ anchor = '', target }) => existsSync(join(root, target)) && !anchorsOf(read(target)).has(anchor),
    );
    expect(dead.map(({ path, link }) => `${path}: ${link}`)).toEqual([]);
  });
});

test('each quoted file and folder exists, by its path or the end of it', () => {
  const folders = new Set(files.map((path) => `${posix.dirname(path)}/`));
  const names = [...files, ...folders, 'shared/', 'infra/', 'test/', 'functions/'].map((path) => `/${path}`);
  const quoted = documents.flatMap(({ path, text }) =>
    quotedIn(text)
      .filter((name) => /^[\w./-]+\.(ts|md)$|^[a-z][\w-]*(\/[\w-]+)*\/$/.test(name))
      .map((name) => ({ path, name })),
  );

  expect(quoted.length).toBeGreaterThan(50);
  const missing = quoted.filter(({ name }) => !names.some((path) => path.endsWith(`/${name}`)));
  expect(missing.map(({ path, name }) => `${path}: ${name}`)).toEqual([]);
});

test('each quoted name that follows a quoted file stands in that file', () => {
  const pairs = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/`([\w./-]+\.ts)` \(`(\w+)`\)/g)].map(([, file = '', name = '']) => ({ path, file, name })),
  );
  const sources = (file: string): string[] => files.filter((path) => `/${path}`.endsWith(`/${file}`)).map(read);

  expect(pairs.length).toBeGreaterThan(6);
  const missing = pairs.filter(
    ({ file, name }) => !sources(file).some((text) => new RegExp(`\\b${name}\\b`).test(text)),
  );
  expect(missing.map(({ path, file, name }) => `${path}: ${name} is not in ${file}`)).toEqual([]);
});

test('the documents name who acts, and use no indefinite pronoun for a person', () => {
  const words = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\b(whoever|(?:no|some|any|every)body)\b(?!@)/gi)].map(([, word = '']) => `${path}: ${word}`),
  );

  expect(words).toEqual([]);
});

test('no quoted text holds an escape, which a page shows as it stands there', () => {
  const escaped = documents.flatMap(({ path, text }) =>
    quotedIn(text)
      .filter((quoted) => /&(?:lt|gt|amp|quot|#\d+);/.test(quoted))
      .map((quoted) => `${path}: ${quoted}`),
  );

  expect(escaped).toEqual([]);
});

describe('a command in the documents', () => {
  const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));
  const commands = documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\bnpm (start|test|run)\b([^\n`#&|]*)/g)].map(([, verb = '', rest = '']) => {
      const [ours = '', theirs = ''] = `${rest} `.split(' -- ');
      const name = ours.split(' ').find((word) => word !== '' && !word.startsWith('-'));
      const script = verb === 'run' ? (name ?? '') : verb;
      return { path, script, options: theirs.match(/(?<!\S)--[a-z-]+/g) ?? [] };
    }),
  );

  test('is a script of package.json', () => {
    expect(commands.length).toBeGreaterThan(30);
    const unknown = commands.filter(({ script }) => !Object.hasOwn(scripts, script));
    expect(unknown.map(({ path, script }) => `${path}: ${script}`)).toEqual([]);
  });

  test('of CDK names its environment: without one the app refuses to be synthesized, even for a bootstrap', () => {
    const cdk = documents.flatMap(({ text }) => text.match(/npx cdk \w+[^\n`]*/g) ?? []);

    expect(cdk.length).toBeGreaterThan(1);
    expect(cdk.filter((line) => !/ -c env=\S/.test(line))).toEqual([]);
  });

  test('has only options that its --help prints', () => {
    const withOptions = commands.filter(
      ({ script, options }) => options.length > 0 && optionsOf(scripts[script]).length > 0,
    );
    expect(new Set(withOptions.map(({ script }) => script)).size).toBeGreaterThan(3);
    const unknown = withOptions.flatMap(({ path, script, options }) =>
      options
        .filter((option) => !optionsOf(scripts[script]).includes(option))
        .map((option) => `${path}: ${script} ${option}`),
    );
    expect(unknown).toEqual([]);
  });
});

/** The options in the help text of one of our own commands; empty for a command of another package. */
function optionsOf(script = ''): string[] {
  const main = /^node .*?(\S+\/main\.ts)$/.exec(script)?.[1];
  if (main === undefined) return [];
  const options = join(dirname(main), 'options.ts');
  const help = read(existsSync(join(root, options)) ? options : main);
  return [...help.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, option = '']) => option);
}

describe('README.md', () => {
  const readme = read('README.md');

  test('has at most a thousand words', () => {
    const words = readme.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word));

    expect(words.length).toBeLessThanOrEqual(1000);
    expect(words.length).toBeGreaterThan(500);
  });

  test('shows an order that is cut from the sample', () => {
    const { lines, ...order } = z
      .looseObject({ lines: z.array(z.looseObject({ lineNumber: z.number() })).min(1) })
      .parse(JSON.parse(/```json\n([^`]+)```/.exec(readme)?.[1] ?? ''));

    expect(readSample('11vms-purchase-order.json')).toMatchObject({
      ...order,
      lines: expect.arrayContaining(lines.map((line) => expect.objectContaining(line))),
    });
    expect(Object.keys(order).length).toBeGreaterThan(3);
  });

  test('links to the document of each function', () => {
    const functions = readdirSync(join(root, 'functions'));

    expect(functions.filter((name) => !readme.includes(`](functions/${name}/`))).toEqual([]);
    expect(functions.filter((name) => !files.includes(`functions/${name}/README.md`))).toEqual([]);
  });
});

test('the glossary has at most 15 words, a line each', () => {
  const [, ...lines] = read('shared/contract/glossary.md')
    .split('\n')
    .filter((line) => line !== '');
  const entries = lines.filter((line) => line.startsWith('- '));

  expect(entries.length).toBeGreaterThan(9);
  expect(entries.length).toBeLessThanOrEqual(15);
  expect(lines.filter((line) => !line.startsWith('- '))).toHaveLength(1);
  expect(entries.filter((line) => !/^- \*\*[a-z ]+\*\*: .+\.$/.test(line))).toEqual([]);
});

/** A file with a secret is left lying, and a value on a command line stays in the history of the shell. */
test('every command that writes a secret reads it from standard input, and has one home in the code', () => {
  const sources = files.filter((path) => /\.(md|ts|json|html)$/.test(path) && !path.startsWith('test/'));
  const commands = sources.flatMap((path) =>
    [...read(path).matchAll(/--secret-string(?: +(\S+?)(?=[`'";,\s]|$))?/gm)].map(([, from]) => ({ path, from })),
  );

  expect(commands.length).toBeGreaterThan(4);
  expect(commands.filter(({ from }) => from !== 'file:///dev/stdin')).toEqual([]);
  expect(commands.filter(({ path }) => path.endsWith('.ts')).map(({ path }) => path)).toEqual([
    'shared/secret-command.ts',
  ]);
});
