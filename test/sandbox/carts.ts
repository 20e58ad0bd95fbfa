import { type CartDraft, draftCart, isEligible, type LineDraft, type LineKind } from './cart-draft.ts';
import { cartDraftToRow, type SrmCartRow } from './cart-rows.ts';
import { inactiveVendor } from './cart-vocabulary.ts';
import { chance, hash32, mulberry32, pick, type Random } from './seeded-random.ts';

/** Which carts to invent. */
export interface CartsOptions {
  readonly count: number;
  readonly seed: number;
  /** ChangedAt runs from here, in the order of the carts, */
  readonly from: Date;
  /** to here, exclusive. */
  readonly to: Date;
  /** The share of carts with one fault each; the documented faults take turns. */
  readonly faultyShare?: number;
  /** The SAP client, which is part of every externalId. */
  readonly client?: string;
}

/** A cart with what a correct interface makes of it. */
export interface GeneratedCart {
  readonly row: SrmCartRow;
  readonly number: string;
  /** With dashes, as in the row. */
  readonly guid: string;
  /** `dead-letter`: the message fails, though groups without the fault become orders. */
  readonly expected: 'orders' | 'skip' | 'dead-letter';
  /** The reason codes of a dead letter. */
  readonly codes?: readonly string[];
  /** How many orders come of it. */
  readonly orders: number;
  /** The externalIds of those orders. */
  readonly externalIds: readonly string[];
}

/** Invents carts, all at once. */
export function generateCarts(options: CartsOptions): GeneratedCart[] {
  return [...cartStream(options)];
}

/** Invents the same carts one by one, so that a million can pass without being held. */
export function* cartStream(options: CartsOptions): Generator<GeneratedCart, void, undefined> {
  for (let index = 0; index < options.count; index += 1) {
    yield generateCart(options, index);
  }
}

/** One fault, as the rules document it, and what it needs to be there. */
interface Flaw {
  readonly code: string;
  /** The kind of the first line, which is the one that is spoilt. */
  readonly firstLine: LineKind;
  /** Whether no order can come of the cart, or only none of the spoilt line's group. */
  readonly wholeCart: boolean;
  readonly spoil: (cart: CartDraft, line: LineDraft, random: Random) => void;
}

const flaws: readonly Flaw[] = [
  {
    code: 'E_MAP_COMPANY',
    firstLine: 'MATERIAL',
    wholeCart: true,
    spoil: (cart) => {
      cart.companyCode = 'ZZ99';
    },
  },
  {
    code: 'E_SUPPLIER_MISSING',
    firstLine: 'MATERIAL',
    wholeCart: false,
    spoil: (_cart, line, random) => {
      // A preferred vendor is no supplier.
      line.preferredVendor = chance(random, 0.5) ? line.vendor : null;
      line.vendor = null;
    },
  },
  {
    code: 'E_ACC_SPLIT_NOT_100',
    firstLine: 'LABOUR',
    wholeCart: false,
    spoil: (_cart, line) => {
      line.accounting = [costCentre('0000101234', 6000n), costCentre('0000101235', 3000n)];
    },
  },
  {
    code: 'E_MAP_UOM',
    firstLine: 'MATERIAL',
    wholeCart: false,
    spoil: (_cart, line) => {
      line.unit = 'ZZZ';
    },
  },
  {
    code: 'E_ACC_OBJECT_MISSING',
    firstLine: 'MATERIAL',
    wholeCart: false,
    spoil: (_cart, line) => {
      line.accounting = [costCentre('', 10_000n)];
    },
  },
  {
    code: 'E_TGT_VALIDATION',
    firstLine: 'LABOUR',
    wholeCart: false,
    spoil: (_cart, line) => {
      line.vendor = inactiveVendor;
    },
  },
  {
    code: 'E_SRC_SCHEMA',
    firstLine: 'MATERIAL',
    wholeCart: true,
    spoil: (cart, _line, random) => {
      cart.brokenItems = pick<unknown>(random, [{ results: 'none' }, { results: { Guid: '' } }, 'X', 7]);
    },
  },
  {
    code: 'E_DATE_RANGE',
    firstLine: 'LABOUR',
    wholeCart: false,
    spoil: (_cart, line) => {
      line.endMs = (line.startMs ?? 0) - 24 * 60 * 60 * 1000;
    },
  },
  {
    code: 'E_QTY_INVALID',
    firstLine: 'MATERIAL',
    wholeCart: false,
    spoil: (_cart, line) => {
      // Nothing for nothing: the amounts still agree, so that the quantity alone is wrong.
      line.quantityThousandths = 0n;
      line.valueMinor = 0n;
      line.taxMinor = 0n;
    },
  },
];

function costCentre(object: string, percentHundredths: bigint): LineDraft['accounting'][number] {
  const rest = { part: '', glAccount: '0000615200', profitCentre: '', deleted: false };
  return { category: 'CC', object, percentHundredths, ...rest };
}

function generateCart(options: CartsOptions, index: number): GeneratedCart {
  const random = mulberry32(hash32(`cart ${options.seed} ${index}`));
  const flaw = flawOf(options, index);
  const changedAtMs = changedAt(options, index, random);
  const draft = draftCart(random, { changedAtMs, ...(flaw === undefined ? {} : { firstLine: flaw.firstLine }) });
  const [first] = draft.lines;
  if (flaw !== undefined && first !== undefined) {
    flaw.spoil(draft, first, random);
  }
  const number = cartNumber(options.seed, index);
  const guid = cartGuid(options.seed, index, 0);
  let entity = -1;
  const nextGuid = (): string => {
    entity += 1;
    return cartGuid(options.seed, index, entity);
  };
  const row = cartDraftToRow(draft, { number, nextGuid }, random);
  return { row, number, guid, ...expectation(draft, flaw, `SRM7-${options.client ?? '100'}-${number}`) };
}

function expectation(
  draft: CartDraft,
  flaw: Flaw | undefined,
  prefix: string,
): Pick<GeneratedCart, 'expected' | 'codes' | 'orders' | 'externalIds'> {
  if (draft.versionType !== '') {
    return { expected: 'skip', orders: 0, externalIds: [] };
  }
  const externalIds = new Set(draft.lines.filter(isEligible).map((line) => externalId(prefix, line, draft)));
  if (flaw === undefined) {
    return { expected: 'orders', orders: externalIds.size, externalIds: [...externalIds] };
  }
  const [spoilt] = draft.lines;
  if (flaw.wholeCart) {
    externalIds.clear();
  } else if (spoilt !== undefined) {
    externalIds.delete(externalId(prefix, spoilt, draft));
  }
  return { expected: 'dead-letter', codes: [flaw.code], orders: externalIds.size, externalIds: [...externalIds] };
}

function externalId(prefix: string, { vendor, currency }: LineDraft, { companyCode }: CartDraft): string {
  return `${prefix}-${vendor?.id.replace(/^0+/, '') ?? ''}-${currency}-${companyCode}`;
}

/** Spreads faulty carts evenly, so that a small run has its share too, and gives each fault its turn. */
function flawOf({ seed, faultyShare = 0.04 }: CartsOptions, index: number): Flaw | undefined {
  const phase = mulberry32(hash32(`flaws ${seed}`))();
  const turn = Math.floor(index * faultyShare + phase);
  return Math.floor((index + 1) * faultyShare + phase) > turn ? flaws[turn % flaws.length] : undefined;
}

/** SRM stamps whole seconds, so carts of a busy second share one. */
function changedAt({ count, from, to }: CartsOptions, index: number, random: Random): number {
  const start = from.getTime();
  const exact = start + ((index + random()) * (to.getTime() - start)) / count;
  return Math.max(start, Math.floor(exact / 1000) * 1000);
}

const cartsBySeed = 10_000_000;

function cartNumber(seed: number, index: number): string {
  return String(1_000_000_000 + (seed % 800) * cartsBySeed + index);
}

/** Unique by seed, cart and entity; the scramble keeps GUIDs of one second from being in order. */
function cartGuid(seed: number, index: number, entity: number): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0').slice(-digits);
  const cart = hex(index, 8);
  const scramble = hex(hash32(`guid ${seed} ${index}`), 4);
  return `005056a5-${scramble}-${hex(seed, 4)}-${cart.slice(0, 4)}-${cart.slice(4)}${hex(entity, 8)}`;
}
