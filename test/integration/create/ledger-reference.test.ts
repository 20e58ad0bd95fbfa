/**
 * The real ledger, over DynamoDB's protocol, behaves as its documented state table says; the model explores that table.
 */
import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createVerdictRecord } from '../../../functions/create-purchase-orders/verdict/verdict-record.ts';
import type { Fault } from '../../../shared/failure.ts';
import { createLedger, type Foresight, type OrderClaim } from '../../../shared/ledger.ts';
import { createLedgerTable } from '../../../shared/ledger-table.ts';
import {
  CLAIM_TABLE,
  createReferenceRecords,
  type LedgerRecords,
  SETTLE_TABLE,
} from '../../deep/model/reference-ledger.ts';
import fc from '../../properties.ts';
import { openWorkerFixture, type WorkerFixture } from './worker-fixture.ts';

let fixture: WorkerFixture;
let real: LedgerRecords;
let foresight: Foresight;
beforeAll(async () => {
  fixture = await openWorkerFixture();
  const table = createLedgerTable(fixture.systems.clients.dynamodb, fixture.systems.tableName);
  const ledger = createLedger(table);
  foresight = ledger;
  real = { ledger, verdicts: createVerdictRecord(table) };
});
afterAll(() => fixture.close());

const LEASE_MS = 65;
const QUIET_MS = 24;
const fault: Fault = { code: 'E_TGT_UNAVAILABLE', message: 'down' };

type Code = Fault['code'];
type Operation =
  | { readonly kind: 'claim'; readonly attempt: number; readonly message: number; readonly version: number }
  | { readonly kind: 'created' | 'unknown' | 'released' | 'confirmed'; readonly attempt: number }
  | { readonly kind: 'withdrawn'; readonly message: number }
  | {
      readonly kind: 'verdict';
      readonly state: 'PROVISIONAL' | 'FINAL';
      readonly message: number;
      readonly version: number;
      readonly code: Code;
    }
  | { readonly kind: 'rejected'; readonly attempt: number; readonly mayExist: boolean }
  | { readonly kind: 'time passes'; readonly ms: number };

const attempt = fc.integer({ min: 1, max: 3 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: claimOf() },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('created', 'unknown', 'released', 'confirmed'), attempt }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rejected'), attempt, mayExist: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('withdrawn'), message: messageOf() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('verdict'),
      state: fc.constantFrom('PROVISIONAL', 'FINAL'),
      message: messageOf(),
      version: messageOf(),
      code: fc.constantFrom<Code>('E_TGT_UNAVAILABLE', 'E_MAP_UOM'),
    }),
  },
  {
    weight: 2,
    // Around the ends of both times, to the millisecond.
    arbitrary: fc.record({
      kind: fc.constant('time passes'),
      ms: fc.constantFrom(1, QUIET_MS, QUIET_MS + 1, LEASE_MS, LEASE_MS + 1),
    }),
  },
);
function messageOf() {
  return fc.integer({ min: 1, max: 2 });
}
function claimOf() {
  return fc.record({ kind: fc.constant('claim'), attempt, message: messageOf(), version: messageOf() });
}

const faultsOf = (code: Code): Fault[] => [{ code, message: 'so it is' }];

let carts = 0;

/** What each operation returns, in turn, and the item that is left. */
async function play(
  operations: readonly Operation[],
  { ledger: on, verdicts }: LedgerRecords,
  cart: OrderClaim['cart'],
): Promise<unknown[]> {
  let nowMs = 1000;
  const claims = new Map<number, OrderClaim>();
  const claimFor = (attempt: number, message = 1, version = 1): OrderClaim => ({
    cart,
    externalId: `order of ${cart.number}`,
    contentHash: `content ${version}`,
    changedAtMs: version,
    ordersOfCart: version,
    messageId: `message ${message}`,
    receive: 1,
    attemptId: `attempt ${attempt}`,
    nowMs,
    leaseMs: LEASE_MS,
  });
  const keyOf = (message: number, version = 1) => ({
    messageId: `message ${message}`,
    cart: { ...cart, changedAtMs: version },
  });
  const answers: unknown[] = [];
  for (const one of operations) {
    switch (one.kind) {
      case 'claim': {
        const claim = claimFor(one.attempt, one.message, one.version);
        const foreseen = on === real.ledger ? await foresight.foresee(claim) : undefined;
        const answer = await on.claim(claim);
        // Foresight is for another attempt: to the one that holds the order, the claim is answered again.
        const isRepeated = claims.has(one.attempt) && foreseen?.kind === 'held' && answer.kind === 'claimed';
        const isForeseen = foreseen === undefined || isRepeated || isDeepStrictEqual(foreseen, answer);
        claims.set(one.attempt, claim);
        answers.push(isForeseen ? answer : { foreseen, answer });
        break;
      }
      case 'time passes':
        nowMs += one.ms;
        break;
      case 'created':
        await on.created(
          claims.get(one.attempt) ?? claimFor(one.attempt),
          { id: `po_${one.attempt}`, number: 'PO-1' },
          nowMs,
        );
        break;
      case 'rejected':
        await on.rejected(claims.get(one.attempt) ?? claimFor(one.attempt), [fault], one.mayExist);
        break;
      case 'unknown':
        await on.unknown(claims.get(one.attempt) ?? claimFor(one.attempt), fault, nowMs + QUIET_MS);
        break;
      case 'released':
        await on.released(claims.get(one.attempt) ?? claimFor(one.attempt), fault);
        break;
      case 'confirmed':
        await on.confirmed(claims.get(one.attempt) ?? claimFor(one.attempt));
        break;
      case 'verdict':
        await verdicts.record(keyOf(one.message, one.version), {
          state: one.state,
          faults: faultsOf(one.code),
          nowMs,
        });
        break;
      case 'withdrawn':
        await verdicts.withdraw(keyOf(one.message));
        answers.push(await verdicts.read(keyOf(one.message)));
        break;
    }
  }
  answers.push(await verdicts.read(keyOf(1)));
  return answers;
}

/** What the reference does not have: no claim reads it. */
const TIMES_AND_LISTS: ReadonlySet<string> = new Set([
  'pk',
  'sk',
  'receive',
  'claimedAtMs',
  'firstClaimedAtMs',
  'createdAtMs',
  'event',
  'listedAs',
  'listedAtMs',
]);

/** The stored item in the form of the reference. */
async function storedItem(cart: OrderClaim['cart']): Promise<unknown> {
  const pk = `CART#${cart.client}#${cart.number}`;
  const { clients, tableName } = fixture.systems;
  const Key = marshall({ pk, sk: `ORDER#order of ${cart.number}` });
  const { Item } = await clients.dynamodb.send(new GetItemCommand({ TableName: tableName, Key }));
  if (Item === undefined) return undefined;
  const fields = Object.entries(unmarshall(Item));
  return Object.fromEntries(fields.filter(([name]) => !TIMES_AND_LISTS.has(name)));
}

test('for every sequence of operations, ledger and table agree on each result and on the item that is left', async () => {
  const rows = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 16 }), async (operations) => {
      carts += 1;
      const cart = { client: '100', number: `reference-${carts}` };
      const reference = createReferenceRecords();
      const expected = await play(operations, reference, cart);
      expect(await play(operations, real, cart)).toEqual(expected);
      const [item] = [...reference.items.values()];
      expect(await storedItem(cart)).toEqual(item);
      for (const { kind } of operations) rows.add(kind);
      for (const answer of expected.flat()) rows.add(String(Object(answer).kind));
    }),
    { numRuns: 120, seed: 11 },
  );
  // Coverage: the table gave each of its results and wrote each of its states.
  const wanted = [...CLAIM_TABLE.map(({ answer }) => answer), ...Object.keys(SETTLE_TABLE), 'confirmed', 'withdrawn'];
  expect(wanted.filter((kind) => !rows.has(kind))).toEqual([]);
});

test('the table decides every claim, and only the last row of a state holds without a condition', () => {
  for (const state of ['none', 'NEW', 'POSTING', 'CREATED', 'REJECTED', 'UNKNOWN'] as const) {
    const rows = CLAIM_TABLE.filter(({ from }) => from.includes(state));
    expect(rows.at(-1)?.when).toMatch(/^(always|otherwise)$/);
    expect(rows.slice(0, -1).filter(({ when }) => /^(always|otherwise)$/.test(when))).toEqual([]);
  }
});
