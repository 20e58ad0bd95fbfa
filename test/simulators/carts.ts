import { type CartDraft, draftCart, isEligible, type LineDraft, type SrmRow } from './cart-draft.ts';
import { type CartFlaw, cartFlaws } from './cart-flaws.ts';
import { addOddities } from './cart-oddities.ts';
import { cartDraftToRow } from './cart-rows.ts';
import { currencies, type Vendor, vendors } from './cart-vocabulary.ts';
import { hash32, mulberry32, type Random } from './seeded-random.ts';

export interface CartsOptions {
  readonly count: number;
  readonly seed: number;
  /** The start of ChangedAt, which ascends with the carts. */
  readonly from: Date;
  /** The end of ChangedAt, exclusive. */
  readonly to: Date;
  /** The share of carts with one fault each. The faults of the catalogue take turns. */
  readonly faultyShare?: number;
  /** The SAP client. It is a part of every externalId. */
  readonly client?: string;
  /** The suppliers to draw from. */
  readonly vendors?: readonly Vendor[];
  /** The currencies to draw from. */
  readonly currencies?: readonly string[];
}

/** A cart with the result that a correct interface must have. */
export interface GeneratedCart {
  readonly row: SrmRow;
  readonly number: string;
  /** With dashes, as in the row. */
  readonly guid: string;
  /** `dead-letter`: the message fails, but groups without the fault become orders. */
  readonly expected: 'orders' | 'skip' | 'dead-letter';
  /** The reason codes of a dead letter. */
  readonly codes?: readonly string[];
  readonly orders: number;
  readonly externalIds: readonly string[];
  /** The name of its flaw, which makes it faulty. */
  readonly flaw?: string;
  /** The names of its oddities, which are unusual but valid. */
  readonly oddities: readonly string[];
}

export function generateCarts(options: CartsOptions): GeneratedCart[] {
  return [...cartStream(options)];
}

/** Generates the same carts one by one, so that a million need little memory. */
export function* cartStream(options: CartsOptions): Generator<GeneratedCart, void, undefined> {
  for (let index = 0; index < options.count; index += 1) {
    yield generateCart(options, index);
  }
}

function generateCart(options: CartsOptions, index: number): GeneratedCart {
  const key = `${options.seed} ${index}`;
  const random = mulberry32(hash32(`cart ${key}`));
  const flaw = flawOf(options, index);
  const changedAtMs = changedAt(options, index, random);
  const draft = draftCart(random, {
    changedAtMs,
    vendors: options.vendors ?? vendors,
    currencies: options.currencies ?? currencies,
    ...(flaw === undefined ? {} : { firstLine: flaw.firstLine }),
  });
  // A faulty cart gets no oddities, so that its dead letter shows the fault alone.
  const oddities = flaw === undefined ? addOddities(draft, key) : [];
  const [first] = draft.lines;
  if (flaw !== undefined && first !== undefined) {
    flaw.spoil(draft, first, random);
  }
  const number = cartNumber(options.seed, index);
  const guid = cartGuid(options.seed, index);
  let entity = -1;
  const nextGuid = (): string => {
    entity += 1;
    return entity === 0 ? guid : guid.slice(0, -8) + hex(entity, 8);
  };
  const row = cartDraftToRow(draft, { number, nextGuid }, random);
  const expected = expectation(draft, flaw, `SRM7-${options.client ?? '100'}-${number}`);
  return { row, number, guid, ...expected, ...(flaw === undefined ? {} : { flaw: flaw.name }), oddities };
}

function expectation(
  draft: CartDraft,
  flaw: CartFlaw | undefined,
  prefix: string,
): Pick<GeneratedCart, 'expected' | 'codes' | 'orders' | 'externalIds'> {
  if (isSkipped(draft)) {
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

/** Rules 1 and 2: not the active version, deleted, or without an eligible line. */
function isSkipped({ versionType, deleted, lines }: CartDraft): boolean {
  return versionType !== '' || deleted || !lines.some(isEligible);
}

function externalId(prefix: string, { vendor, currency }: LineDraft, { companyCode }: CartDraft): string {
  return `${prefix}-${vendor?.id.replace(/^0+/, '') ?? ''}-${currency}-${companyCode}`;
}

/** Spreads faulty carts evenly, so that a small run has its share too. The flaws take turns. */
function flawOf({ seed, faultyShare = 0.04 }: CartsOptions, index: number): CartFlaw | undefined {
  const phase = mulberry32(hash32(`flaws ${seed}`))();
  const turn = Math.floor(index * faultyShare + phase);
  if (Math.floor((index + 1) * faultyShare + phase) === turn) {
    return undefined;
  }
  const flaw = cartFlaws[turn % cartFlaws.length];
  const round = Math.floor(turn / cartFlaws.length);
  return flaw?.rare === true && round % roundsBetweenRare !== 0 ? cartFlaws[0] : flaw;
}

/** A rare flaw has its turn once in so many rounds. */
const roundsBetweenRare = 20;

/** SRM writes whole seconds, so several carts may have the same. */
function changedAt({ count, from, to }: CartsOptions, index: number, random: Random): number {
  const start = from.getTime();
  const exact = start + ((index + random()) * (to.getTime() - start)) / count;
  return Math.max(start, Math.floor(exact / 1000) * 1000);
}

const cartsBySeed = 10_000_000;

function cartNumber(seed: number, index: number): string {
  return String(1_000_000_000 + (seed % 800) * cartsBySeed + index);
}

/** Unique by seed and cart; the last eight digits number its entities. The hash leaves carts of one second unordered. */
function cartGuid(seed: number, index: number): string {
  const cart = hex(index, 8);
  const scramble = hex(hash32(`guid ${seed} ${index}`), 4);
  return `005056a5-${scramble}-${hex(seed, 4)}-${cart.slice(0, 4)}-${cart.slice(4)}00000000`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0').slice(-digits);
}
