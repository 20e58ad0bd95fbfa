/** The scenarios of the model. For each, every order of its possible events is explored, within its bounds. */
import type { Scenario } from './system-state.ts';

const careless = {
  messages: [1],
  workers: 2,
  receives: 4,
  redrives: 0,
  redriverRuns: 0,
  copies: 0,
  throttles: 1,
  target: 'careless',
  lookUp: 'works',
  aws: 'fails',
  overlaps: true,
  freezes: 'never',
} as const satisfies Partial<Scenario>;

/** When both readings become dead letters, both are redriven. */
const readTwice = {
  ...careless,
  messages: [1, 1],
  receives: 2,
  redrives: 2,
  throttles: 0,
  target: 'judging',
  aws: 'answers',
  overlaps: false,
} as const satisfies Partial<Scenario>;

/** The redriver may die at any call: that covers the calls that fail, and those whose answer is lost. */
const byRedriver = {
  ...careless,
  workers: 1,
  receives: 1,
  throttles: 0,
  aws: 'answers',
  overlaps: false,
} as const satisfies Partial<Scenario>;

const REDRIVER_SCENARIOS: readonly Scenario[] = [
  {
    ...byRedriver,
    name: 'redriver',
    says: 'one receive, then the dead-letter queue; a run of the redriver, while calls of the worker fail, too',
    redriverRuns: 1,
    aws: 'fails',
  },
  {
    ...byRedriver,
    name: 'redriver beside a move task',
    says: 'the same beside the move task of SQS',
    redriverRuns: 1,
    redrives: 1,
  },
  {
    ...byRedriver,
    name: 'two redrivers',
    says: 'the same with two runs of the redriver, one after the other or at once',
    redriverRuns: 2,
  },
];

export const SCENARIOS: readonly Scenario[] = [
  {
    ...careless,
    name: 'overlapping',
    says: 'one message, received four times with overlaps; 11VMS honours no key and enforces no uniqueness',
  },
  {
    ...careless,
    name: 'four receives',
    says: 'one message, received again only after its attempt has ended or crashed; redriven once from the dead letters',
    overlaps: false,
    redrives: 1,
    copies: 1,
  },
  {
    ...careless,
    name: 'requeued',
    says: 'two receives, which may overlap, and a copy that is requeued while late attempts may still work',
    receives: 2,
    copies: 1,
    throttles: 0,
  },
  {
    ...careless,
    name: 'requeued twice',
    says: 'each receive is the last, and the copy is requeued as a copy again',
    receives: 1,
    copies: 2,
    throttles: 0,
    overlaps: false,
  },
  {
    ...careless,
    name: 'redrive',
    says: 'two receives, which may overlap, then the dead-letter queue; redriven once, while late attempts may still work',
    receives: 2,
    redrives: 1,
    throttles: 0,
  },
  {
    ...careless,
    name: 'cart queued twice',
    says: 'two messages of one cart from two runs of the extractor, processed in parallel',
    messages: [1, 1],
    receives: 2,
    throttles: 0,
    overlaps: false,
  },
  {
    ...readTwice,
    name: 'cart read twice',
    says: 'two readings of one cart, processed in parallel; when both become dead letters, both are redriven',
  },
  {
    ...careless,
    name: 'cart changed',
    says: 'two messages of one cart, the second with newer content, processed in parallel',
    messages: [1, 2],
    receives: 2,
    throttles: 0,
    overlaps: false,
  },
  {
    ...careless,
    name: 'approved again',
    says: 'two messages of one cart, the second approved again without a change to its order',
    messages: [1, 3],
    receives: 2,
    throttles: 0,
    overlaps: false,
  },
  {
    ...careless,
    name: 'no look-up',
    says: '11VMS without a look-up: never two orders, and an unknown outcome is reported as AMBIGUOUS',
    lookUp: 'none',
    overlaps: false,
    redrives: 1,
  },
  {
    ...careless,
    name: 'no look-up, requeued',
    says: 'the same with a copy, processed in parallel with its redriven dead letter: never two orders',
    lookUp: 'none',
    receives: 2,
    redrives: 1,
    copies: 1,
    throttles: 0,
    overlaps: false,
  },
  {
    ...careless,
    name: 'no look-up, overlapping',
    says: 'the same with overlapping receives: never two orders',
    lookUp: 'none',
    receives: 3,
  },
  {
    ...careless,
    name: 'frozen',
    says: 'an attempt stands still anywhere and continues after its lease, whatever another attempt has done meanwhile',
    freezes: 'checked',
    receives: 2,
    throttles: 0,
  },
  {
    ...careless,
    name: 'frozen, changed',
    says: 'the same with two messages of one cart, the second with newer content',
    messages: [1, 2],
    freezes: 'checked',
    receives: 1,
    throttles: 0,
  },
  {
    ...careless,
    name: 'frozen, requeued',
    says: 'the same with one receive and a copy',
    freezes: 'checked',
    receives: 1,
    copies: 1,
    throttles: 0,
  },
  {
    ...careless,
    name: 'frozen, redriven',
    says: 'the same with one receive, redriven from the dead letters',
    freezes: 'checked',
    receives: 1,
    redrives: 1,
    throttles: 0,
  },
  {
    ...careless,
    name: 'frozen, no look-up',
    says: 'the same at an 11VMS without a look-up: never two orders',
    lookUp: 'none',
    freezes: 'checked',
    receives: 2,
    throttles: 0,
  },
  {
    ...careless,
    name: 'frozen, unchecked, unique',
    says: 'an attempt sends after its lease; 11VMS accepts each externalId once',
    target: 'unique',
    freezes: 'unchecked',
    receives: 2,
    throttles: 0,
  },
  ...REDRIVER_SCENARIOS,
];

/**
 * The check before sending is taken out, so that an attempt sends after its lease. This scenario must break an invariant: no
 * ledger can stop the attempt.
 */
export const WITHOUT_CHECK: Scenario = {
  ...careless,
  name: 'frozen, unchecked, careless',
  says: 'an attempt sends after its lease, and 11VMS accepts a second order',
  freezes: 'unchecked',
  receives: 2,
  throttles: 0,
};

/** The one that `npm test` explores. */
export const SMALLEST_SCENARIO: Scenario = {
  ...careless,
  name: 'cart changed, small',
  says: 'an older and a newer version, one receive each',
  messages: [1, 2],
  receives: 1,
  throttles: 0,
  overlaps: false,
};

/** Scenarios with fewer steps than those above. */
export const SMALL_SCENARIOS: readonly Scenario[] = [
  { ...careless, name: 'two receives', says: 'one message, received twice, overlapping', receives: 2, throttles: 0 },
  {
    ...careless,
    name: 'no look-up, small',
    says: '11VMS without a look-up',
    lookUp: 'none',
    receives: 2,
    overlaps: false,
    redrives: 1,
  },
  {
    ...careless,
    name: 'requeued, small',
    says: 'one receive, and its copy',
    receives: 1,
    copies: 1,
    throttles: 0,
  },
  {
    ...readTwice,
    name: 'cart read twice, small',
    says: 'two readings of one cart, one after the other; when both become dead letters, both are redriven',
    workers: 1,
  },
  SMALLEST_SCENARIO,
];
