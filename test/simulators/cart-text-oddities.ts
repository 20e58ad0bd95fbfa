import { anyLine, type CartOddity, onCart, onLine } from './cart-oddity.ts';
import { noises, wordings } from './cart-vocabulary.ts';
import { between, pick, type Random } from './seeded-random.ts';

/** Adds noise at the start, between the characters and at the end of a text. */
function noisy(text: string, random: Random): string {
  const points = Array.from(text);
  const at = between(random, 0, points.length);
  const inside = [...points.slice(0, at), pick(random, noises), pick(random, noises), ...points.slice(at)].join('');
  return pick(random, noises) + inside + pick(random, noises);
}

/** A text of so many code points. Each needs two UTF-16 units. */
const emojis = (codePoints: number): string => '🧪🌱'.repeat(codePoints / 2);

const dirtyTexts: readonly CartOddity[] = [
  {
    // Edge cases 43 and 44.
    name: 'noise in the title',
    share: 0.03,
    apply: onCart((cart, random) => {
      cart.title = noisy(cart.title, random);
    }),
  },
  {
    name: 'noise in a description',
    share: 0.03,
    apply: onLine(anyLine, (line, random) => {
      line.article = { ...line.article, description: noisy(line.article.description, random) };
    }),
  },
  {
    name: 'noise in line texts',
    share: 0.04,
    apply: onLine(anyLine, (line, random) => {
      const texts = line.texts.length === 0 ? [pick(random, wordings)] : line.texts;
      line.texts = texts.map(({ language, text }) => ({ language, text: noisy(text, random) }));
    }),
  },
  {
    name: 'noise in names',
    share: 0.03,
    apply: onCart((cart, random) => {
      cart.requester = { ...cart.requester, name: noisy(cart.requester.name, random) };
      cart.address = cart.address === null ? null : { ...cart.address, name: noisy(cart.address.name, random) };
    }),
  },
  {
    name: 'noise in notes and file names',
    share: 0.03,
    apply: onCart((cart, random) => {
      const wording = pick(random, wordings);
      cart.notes = [...cart.notes, { type: 'NOTE', wording: { ...wording, text: noisy(wording.text, random) } }];
      cart.attachments = cart.attachments.map((file) => ({ ...file, fileName: noisy(file.fileName, random) }));
    }),
  },
  {
    // Edge case 43: the cleaned text is empty.
    name: 'text of noise only',
    share: 0.015,
    apply: onLine(anyLine, (line) => {
      line.texts = [{ language: 'EN', text: '\u0000\ufeff\r\n\u00a0\u0007' }];
    }),
  },
  {
    // rules.md, "Texts": NFC.
    name: 'text decomposed',
    share: 0.02,
    apply: onCart((cart) => {
      cart.title = 'Crème brûlée, naïve façade, Łódź'.normalize('NFD');
    }),
  },
];

const longTexts: readonly CartOddity[] = [
  {
    // Edge case 45: as long as the field of SRM; it is cut.
    name: 'line text of 32,000 characters',
    share: 0.01,
    apply: onLine(anyLine, (line, random) => {
      const { language, text } = pick(random, wordings);
      line.texts = [{ language, text: `${text}\r\n`.repeat(32_000 / 20).slice(0, 32_000) }];
    }),
  },
  {
    // Edge case 44: lengths are in code points, and a code point is never cut.
    name: 'line text of 4,002 code points',
    share: 0.01,
    apply: onLine(anyLine, (line) => {
      line.texts = [{ language: 'EN', text: emojis(4002) }];
    }),
  },
  {
    // Edge case 45: fits exactly.
    name: 'line text of 4,000 code points',
    share: 0.01,
    apply: onLine(anyLine, (line) => {
      line.texts = [{ language: 'EN', text: emojis(4000) }];
    }),
  },
  {
    // rules.md, "Texts": titles, descriptions and names that are too long are cut.
    name: 'title and names too long',
    share: 0.015,
    apply: onCart((cart) => {
      cart.title = emojis(122);
      cart.requester = { ...cart.requester, name: 'Ñandú '.repeat(14) };
      for (const line of cart.lines) {
        line.vendor = line.vendor === null ? null : { ...line.vendor, name: '星空開発株式会社'.repeat(16) };
      }
    }),
  },
  {
    name: 'description too long',
    share: 0.015,
    apply: onLine(anyLine, (line) => {
      line.article = { ...line.article, description: `${line.article.description} `.padEnd(256, 'é') };
    }),
  },
  {
    name: 'note too long',
    share: 0.01,
    apply: onCart((cart) => {
      cart.notes = [{ type: 'VEND', wording: { language: 'F', text: `${emojis(4000)}!` } }];
    }),
  },
  {
    // Rule 4: the row is over the limit of SQS, so the message holds only its key. The order is within its limit.
    name: 'row beyond a mebibyte',
    share: 0.002,
    apply: onCart((cart) => {
      const text = 'Lastenheft, Seite für Seite. '.repeat(1100).slice(0, 32_000);
      cart.notes = Array.from({ length: 34 }, () => ({ type: 'ZAPP', wording: { language: 'D', text } }));
    }),
  },
];

const languageOddities: readonly CartOddity[] = [
  {
    // Edge case 47, mapping row 39: the language of the cart, or else English, or else the first.
    name: 'line text in many languages',
    share: 0.03,
    apply: onLine(anyLine, (line, random) => {
      const from = between(random, 0, wordings.length - 1);
      line.texts = [...wordings.slice(from), ...wordings.slice(0, from)];
    }),
  },
  {
    name: 'cart language unknown',
    share: 0.02,
    apply: onCart((cart, random) => {
      cart.language = pick(random, ['', '1', 'Z', 'en', 'ENG']);
    }),
  },
  {
    // Mapping row 11.
    name: 'title empty',
    share: 0.03,
    apply: onCart((cart) => {
      cart.title = '';
    }),
  },
];

/** Oddities of texts. */
export const textOddities: readonly CartOddity[] = [...dirtyTexts, ...longTexts, ...languageOddities];
