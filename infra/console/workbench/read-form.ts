/** What a person gave the workbench: a cart from somewhere, and values to try. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SAMPLES_DIRECTORY } from '../../docs/samples.ts';
import { decodeJson, NoJsonFile } from '../../json-file.ts';
import { isValueMapName, type TriedValue } from '../../preview/try-values.ts';
import { fieldOf } from '../acts.ts';

/** Much more than a page of carts; a larger text would make a page that no browser shows. */
const MOST_MEGABYTES = 4;
const MOST_BYTES = MOST_MEGABYTES * 1024 * 1024;

/** What was given cannot be used. The message says why, and quotes nothing of it. */
export class UnusableForm extends Error {}

const SAMPLES = join(import.meta.dirname, '..', '..', '..', SAMPLES_DIRECTORY);

/** The samples of this project that hold carts. */
export const SAMPLE_NAMES: readonly string[] = readdirSync(SAMPLES).filter((name) =>
  /^srm7-.*carts.*\.json$/.test(name),
);

export interface GivenText {
  readonly text: string;
  /** Begins a sentence about it. */
  readonly origin: string;
}

/** Undefined where nothing was given. A file goes before a sample, and a sample before a text. @throws {UnusableForm} */
export async function givenText(form: FormData): Promise<GivenText | undefined> {
  const file = form.get('file');
  if (file instanceof File && file.size > 0) {
    checkSize(file.size, 'The file');
    const bytes = Buffer.from(await file.arrayBuffer());
    try {
      return { text: decodeJson(bytes), origin: 'The file' };
    } catch (error) {
      throw error instanceof NoJsonFile ? new UnusableForm(`The file ${error.message}.`) : error;
    }
  }
  const sample = fieldOf(form, 'sample');
  if (SAMPLE_NAMES.includes(sample))
    return { text: readFileSync(join(SAMPLES, sample), 'utf8'), origin: `The sample ${sample}` };
  // A browser sends the lines of a text area with CRLF.
  const text = fieldOf(form, 'text').replaceAll('\r\n', '\n');
  if (text === '') return undefined;
  checkSize(Buffer.byteLength(text), 'The text');
  return { text, origin: 'The text' };
}

function checkSize(bytes: number, what: string): void {
  if (bytes <= MOST_BYTES) return;
  throw new UnusableForm(
    `${what} has ${(bytes / 1024 / 1024).toFixed(1)} MB, and the workbench takes ${MOST_MEGABYTES}: give one cart of it, or use npm run preview, which takes any size.`,
  );
}

const TRY = /^try ([A-Za-z]+) ([\s\S]{1,100})$/;

/** The name of the field in which a value for a code is tried. */
export const tryField = (map: string, code: string): string => `try ${map} ${code}`;

/** Those that are filled. */
export function triedValues(form: FormData): TriedValue[] {
  return [...form.keys()].flatMap((name) => {
    const [, map = '', code = ''] = TRY.exec(name) ?? [];
    const value = fieldOf(form, name);
    return isValueMapName(map) && value !== '' ? [{ map, code, value }] : [];
  });
}
