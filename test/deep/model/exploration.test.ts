/** The smallest run of the model, a run that must fail, and a check that the documentation of the ledger is its table. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { AttemptTree } from './attempt-replay.ts';
import { explore } from './explore.ts';
import { INVARIANTS } from './invariants.ts';
import { CLAIM_TABLE, SETTLE_TABLE, settleItem } from './reference-ledger.ts';
import { expectEveryInvariant } from './exploration-expectations.ts';
import { SCENARIOS, SMALLEST_SCENARIO, WITHOUT_CHECK } from './scenarios.ts';

/** One tree for all scenarios, because the code does the same after the same history. */
const tree = new AttemptTree();

test(`in every interleaving every invariant holds: ${SMALLEST_SCENARIO.says}`, async () => {
  await expectEveryInvariant(SMALLEST_SCENARIO, tree);
});

test('without the check before sending, an attempt that stood still creates a second order: the model can fail', async () => {
  const { violation } = await explore(WITHOUT_CHECK, tree);
  expect(violation?.invariant).toBe('11VMS holds at most one order');
  expect(violation?.path).toContain('m1#1 stands still until after its lease');
  expect(violation?.path.filter((step) => step.includes('posts; '))).toHaveLength(2);
});

test('every invariant is promised in some scenario of the full exploration', () => {
  const unused = INVARIANTS.filter(({ isPromised }) => !SCENARIOS.some(isPromised));
  expect(unused.map(({ name }) => name)).toEqual([]);
});

describe('the documentation of the ledger', () => {
  const documented = readFileSync(join(import.meta.dirname, '../../../shared/ledger.ts'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(' * |'))
    .map((line) =>
      line
        .slice(4)
        .split('|')
        .map((cell) => cell.trim())
        .filter((cell) => cell !== ''),
    );

  test('has the claim table, row by row', () => {
    const from = documented.findIndex((cells) => cells.join() === 'state,when,becomes,answer');
    expect(documented.slice(from + 2, from + 2 + CLAIM_TABLE.length)).toEqual(
      CLAIM_TABLE.map(({ from, when, to, answer }) => [from.join(', '), when, to ?? '-', answer]),
    );
  });

  test('has every end of a claim', () => {
    const from = documented.findIndex((cells) => cells.join() === 'state,created,rejected,unknown,released');
    const ends = ['created', 'rejected', 'unknown', 'released'] as const;
    const settled = (['POSTING', 'CREATED', 'REJECTED', 'UNKNOWN', 'NEW'] as const).map((state) => {
      const item = {
        state,
        contentHash: '',
        ordersOfCart: 1,
        changedAtMs: 0,
        messageId: '',
        attemptId: 'own',
        attempts: 1,
        leaseUntilMs: 0,
        mayExist: true,
        lookUpFirst: false,
        claimedHashes: new Set<string>(),
        faults: [],
      };
      return [state, ...ends.map((end) => own(settleItem(item, 'own', end, { faults: [] })?.state, state, end))];
    });
    const marks = { unchanged: 'stays', 'as given': 'as given', cleared: 'cleared' } as const;
    const mayExist = ['mayExist', ...ends.map((end) => marks[SETTLE_TABLE[end].mayExist])];
    expect(documented.slice(from + 2, from + 8)).toEqual([...settled, mayExist]);
  });

  const own = (after: string | undefined, before: string, end: keyof typeof SETTLE_TABLE): string =>
    after === before && SETTLE_TABLE[end].to !== before ? '-' : (after ?? '-');
});
