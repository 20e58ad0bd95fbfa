import {
  type CartDraft,
  countedLines,
  draftAttachments,
  isEligible,
  moneyText,
  shareOrder,
  type SrmRow,
  totalMinor,
} from './cart-draft.ts';
import { cartFields, type CartOddity, onCart } from './cart-oddity.ts';
import { wordings } from './cart-vocabulary.ts';
import { between, pick } from './seeded-random.ts';

const skippedCarts: readonly CartOddity[] = [
  {
    // Edge case 20.
    name: 'version row',
    share: 0.012,
    apply: onCart((cart, random) => {
      cart.versionType = pick(random, ['C', 'H']);
    }),
  },
  {
    // Rule 1; edge case 18, for a cart without an order.
    name: 'cart deleted',
    share: 0.006,
    apply: onCart((cart) => {
      cart.deleted = true;
    }),
  },
  {
    // Edge case 15.
    name: 'every item dropped',
    share: 0.008,
    apply: onCart((cart, random) => {
      for (const line of cart.lines) {
        line.dropped ??= pick(random, ['deleted', 'rejected', 'awaiting']);
        line.edits = [];
      }
    }),
  },
];

const peopleOddities: readonly CartOddity[] = [
  {
    // Edge case 21, mapping row 6.
    name: 'released automatically',
    share: 0.05,
    apply: onCart((cart, random) => {
      cart.approval = 'automatic';
      const approvedAt = pick(random, [null, '']);
      cart.edits.push(() => ({ ApprovedAt: approvedAt }));
    }),
  },
  // Edge case 21: only the time of the approval is known.
  { name: 'approver unknown', share: 0.02, apply: cartFields({ ApprovedBy: '', ApproverEmail: '' }) },
  // Mapping row 24.
  {
    name: 'approved by a system user',
    share: 0.05,
    apply: onCart((cart, random) => {
      cart.approval = { systemUser: pick(random, ['WF-BATCH', 'WF-BATCH', 'wf-batch', 'SAPSYS', 'DDIC']) };
    }),
  },
  // Mapping rows 21 and 22; rules.md, "References".
  { name: 'requester is the creator', share: 0.03, apply: cartFields({ RequesterId: '' }, { RequesterId: ' ' }) },
  {
    name: 'requester without e-mail',
    share: 0.03,
    apply: cartFields({ RequesterEmail: '' }, { RequesterEmail: null }),
  },
  { name: 'requester in lower case', share: 0.015, apply: cartFields({ RequesterId: 'jdupont' }) },
  {
    name: 'e-mail malformed',
    share: 0.02,
    apply: cartFields({ RequesterEmail: 'j.dupont at example.test' }, { ApproverEmail: '<m.martin@example.test>' }),
  },
  {
    // The last of these oddities, because a requester needs an id or an e-mail.
    name: 'requester by e-mail only',
    share: 0.02,
    apply: onCart((cart) => {
      cart.edits.push(() => ({ RequesterId: '', CreatedBy: '', RequesterEmail: cart.requester.email }));
    }),
  },
];

const headerTexts = ['PmntTrms', 'ProcGroup', 'RequesterName', 'ApproverEmail', 'Description', 'Tzone'];
const headerFlags = ['VersionType', 'DelInd', 'DocClosed'];
const productTexts = ['VendorName', 'PartnerProd', 'ManuProd', 'OrderedProd', 'IncotermKey', 'IncotermLoc'];
const referenceTexts = ['ExtDemid', 'ExtDemPosid', 'CtrId', 'CtrItem', 'BeObjectId', 'TaxCode'];
const itemTexts = [...productTexts, ...referenceTexts];
const itemFlags = ['OutlineInd', 'DelInd', 'LimitInd', 'Unlimited', 'SourceRelInd'];

/** These fields, blank. */
const filled = (names: readonly string[], blank: string): SrmRow =>
  Object.fromEntries(names.map((name) => [name, blank]));

/** The fields among these that were empty, blank. */
const refilled = (row: SrmRow, names: readonly string[], blank: string): SrmRow =>
  filled(
    names.filter((name) => row[name] === ''),
    blank,
  );

const fieldOddities: readonly CartOddity[] = [
  // Edge case 46.
  {
    name: 'blank optional fields',
    share: 0.03,
    apply: onCart((cart, random) => {
      const blank = pick(random, [' ', '   ', '\t', '\u00a0', '\r\n']);
      cart.edits.push((row) => ({ ...filled(headerTexts, blank), ...refilled(row, headerFlags, blank) }));
      for (const line of cart.lines) {
        line.edits.push((row) => ({ ...filled(itemTexts, blank), ...refilled(row, itemFlags, blank) }));
      }
    }),
  },
  {
    // source-srm7.md, "Empty": usually "", but null means the same.
    name: 'null optional fields',
    share: 0.02,
    apply: cartFields({ Description: null, DescrLanguage: null, PmntTrms: null, ProcOrg: null, RequesterName: null }),
  },
  // source-srm7.md, "Fields": optional navigations.
  {
    name: 'optional navigations left out',
    share: 0.02,
    apply: onCart((cart) => {
      cart.edits.push(({ Partners }) => ({
        Texts: undefined,
        Attachments: undefined,
        ...(cart.address === null ? { Partners: undefined } : { Partners }),
      }));
    }),
  },
  {
    // Edge case 85.
    name: 'property unknown',
    share: 0.02,
    apply: onCart((cart) => {
      cart.edits.push(() => ({ ZzPlant: '0010', ZzNavigation: { results: [] } }));
      for (const line of cart.lines) {
        line.edits.push(() => ({ ZzFund: null }));
      }
    }),
  },
  // Mapping rows 16 and 17: with and without the HR prefix.
  { name: 'organization without prefix', share: 0.02, apply: cartFields({ ProcOrg: '50000123', ProcGroup: '456' }) },
];

const styleOddities: readonly CartOddity[] = [
  {
    // source-srm7.md, "Identifiers as numbers".
    name: 'number written otherwise',
    share: 0.03,
    apply: onCart((cart, random) => {
      const written = pick<(number: string) => unknown>(random, [
        (number) => Number(number),
        (number) => `${number} `,
        (number) => `\ufeff${number}\u00a0`,
      ]);
      cart.edits.push(({ ObjectId }) => ({ ObjectId: written(String(ObjectId)) }));
    }),
  },
  {
    // source-srm7.md, "Edm.Guid / Binary / CHAR32".
    name: 'GUIDs as 32 digits',
    share: 0.03,
    apply: onCart((cart) => {
      cart.guidStyle = 'hex';
    }),
  },
  {
    name: 'GUIDs as base64',
    share: 0.03,
    apply: onCart((cart) => {
      cart.guidStyle = 'base64';
    }),
  },
  {
    // source-srm7.md, "Boolean".
    name: 'flags as booleans',
    share: 0.04,
    apply: onCart((cart) => {
      cart.booleanFlags = true;
    }),
  },
  {
    // source-srm7.md, "Edm.DateTimeOffset".
    name: 'instants with an offset',
    share: 0.02,
    apply: onCart((cart, random) => {
      cart.offsetMinutes = pick(random, [60, 120, -300, 330]);
    }),
  },
];

/** Whether the cart becomes one order and has no dropped line. Then its total is that of the order. Outline rows do not count. */
function isComparable({ lines, currency }: CartDraft): boolean {
  const [first, ...others] = lines.filter(({ dropped }) => dropped !== 'outline');
  return (
    first?.currency === currency &&
    others.every((line) => shareOrder(line, first)) &&
    [first, ...others].every(isEligible)
  );
}

const totalOddities: readonly CartOddity[] = [
  {
    // Mapping row 31: one minor unit for each line.
    name: 'total off within the tolerance',
    share: 0.02,
    apply: onCart((cart, random) => {
      const off = BigInt(countedLines(cart).length) * pick(random, [1n, -1n]);
      const total = totalMinor(cart) + off;
      cart.edits.push(() => ({ TotalValue: moneyText(total < 0n ? 0n : total, cart.currency) }));
    }),
  },
  {
    // Mapping row 31: with a second order or a dropped line the totals are not compared.
    name: 'total not comparable',
    share: 0.1,
    apply: (cart) => {
      if (isComparable(cart)) {
        return false;
      }
      cart.edits.push(() => ({ TotalValue: '1.000' }));
      return true;
    },
  },
];

const deliveryOddities: readonly CartOddity[] = [
  {
    // Edge case 50: partner functions too are numbers with or without leading zeros.
    name: 'partner function without its zeros',
    share: 0.02,
    apply: onCart((cart) => {
      cart.edits.push(({ Partners }) => ({ Partners: withShortFunctions(Partners) }));
      for (const line of cart.lines) {
        line.edits.push(({ Partners }) => ({ Partners: withShortFunctions(Partners) }));
      }
    }),
  },
  {
    // rules.md, "Addresses": a header address, and one line with another.
    name: 'one line delivered elsewhere',
    share: 0.04,
    apply: (cart, random) => {
      const [home, elsewhere] = cart.company.addresses;
      const line = pick(random, cart.lines);
      if (home === undefined || elsewhere === undefined || cart.address === null) {
        return false;
      }
      line.address = cart.address === home ? elsewhere : home;
      return true;
    },
  },
];

function withShortFunctions(partners: unknown): unknown {
  const results = typeof partners === 'object' && partners !== null && 'results' in partners ? partners.results : [];
  return {
    results: Array.isArray(results)
      ? results.map((partner: SrmRow) => ({ ...partner, PartnerFct: String(partner['PartnerFct']).replace(/^0+/, '') }))
      : [],
  };
}

const attachmentOddities: readonly CartOddity[] = [
  {
    // Mapping row 64.
    name: 'attachments internal',
    share: 0.02,
    apply: onCart((cart, random) => {
      cart.attachments = draftAttachments(random, between(random, 1, 3)).map((file) => ({ ...file, internal: true }));
    }),
  },
  {
    // rules.md, "Defaults": at most 50.
    name: 'attachments beyond fifty',
    share: 0.01,
    apply: onCart((cart, random) => {
      cart.attachments = draftAttachments(random, between(random, 51, 60)).map((file) => ({
        ...file,
        internal: false,
      }));
    }),
  },
  {
    // Mapping row 64: no file name.
    name: 'attachment without a name',
    share: 0.015,
    apply: onCart((cart, random) => {
      cart.attachments = [
        ...draftAttachments(random, 2),
        { fileName: '', mimeType: '', sizeBytes: 0, internal: false },
      ];
    }),
  },
  {
    // Mapping row 63: every type, and invalid languages.
    name: 'notes of all types',
    share: 0.03,
    apply: onCart((cart, random) => {
      cart.notes = ['NOTE', 'INTN', 'VEND', 'ZAPP', ''].map((type) => {
        const wording = pick(random, wordings);
        return { type, wording: { ...wording, language: pick(random, [wording.language, '', '1', 'Z1', 'ENG']) } };
      });
    }),
  },
];

/** Oddities of the header, and of the service's way of writing. */
export const headerOddities: readonly CartOddity[] = [
  ...skippedCarts,
  ...peopleOddities,
  ...fieldOddities,
  ...styleOddities,
  ...totalOddities,
  ...deliveryOddities,
  ...attachmentOddities,
];
