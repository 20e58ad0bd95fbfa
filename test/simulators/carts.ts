import { type CartDraft, draftCart, isEligible, type LineDraft, type SrmRow } from './cart-draft.ts';
import { type CartFlaw, cartFlaws } from './cart-flaws.ts';
import { addOddities } from './cart-oddities.ts';
import { cartDraftToRow } from './cart-rows.ts';
import { hash32, mulberry32, type Random } from './seeded-random.ts';

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
  readonly row: SrmRow;
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
  /** What is wrong with it, by the name of the flaw. */
  readonly flaw?: string;
  /** What is unusual about it and must be taken, by the names of the oddities. */
  readonly oddities: readonly string[];
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

function generateCart(options: CartsOptions, index: number): GeneratedCart {
  const key = `${options.seed} ${index}`;
  const random = mulberry32(hash32(`cart ${key}`));
  const flaw = flawOf(options, index);
  const changedAtMs = changedAt(options, index, random);
  const draft = draftCart(random, { changedAtMs, ...(flaw === undefined ? {} : { firstLine: flaw.firstLine }) });
  // A dead letter shows its fault and nothing else.
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

/** Rules 1 and 2: not the active version, deleted, or without a line to order. */
function isSkipped({ versionType, deleted, lines }: CartDraft): boolean {
  return versionType !== '' || deleted || !lines.some(isEligible);
}

function externalId(prefix: string, { vendor, currency }: LineDraft, { companyCode }: CartDraft): string {
  return `${prefix}-${vendor?.id.replace(/^0+/, '') ?? ''}-${currency}-${companyCode}`;
}

/** Spreads faulty carts evenly, so that a small run has its share too, and gives each fault its turn. */
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

/** How many rounds of faults have one turn of the large ones. */
const roundsBetweenRare = 20;

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

/** Unique by seed and cart, and with the last eight digits by entity; the scramble keeps those of a second unordered. */
function cartGuid(seed: number, index: number): string {
  const cart = hex(index, 8);
  const scramble = hex(hash32(`guid ${seed} ${index}`), 4);
  return `005056a5-${scramble}-${hex(seed, 4)}-${cart.slice(0, 4)}-${cart.slice(4)}00000000`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0').slice(-digits);
}
