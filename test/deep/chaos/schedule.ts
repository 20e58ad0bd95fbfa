/** A disturbance schedule: all disturbances of one run as plain data, drawn from a seed. It can be printed and replayed. */
import * as z from 'zod';
import type { DisturbanceLevel } from '../../../infra/command-line.ts';
import { ALTERATIONS, BODY_FORMS } from '../../simulators/answers.ts';
import type { Disturbance } from '../../simulators/disturbances.ts';
import { between, chance, hash32, mulberry32, pick, type Random } from '../../simulators/seeded-random.ts';

/**
 * The kind of 11VMS: by the contract; or storing a second order for a second POST, and giving orders back in other words; or
 * without a look-up.
 */
const TARGETS = ['strict', 'careless', 'no-look-up'] as const;
export type Target = (typeof TARGETS)[number];

/** The calls and invocations that can be disturbed. */
const PLACES = [
  'srm token',
  'srm page',
  'srm cart',
  '11vms token',
  '11vms create',
  '11vms lookup',
  'dynamodb UpdateItem',
  'dynamodb GetItem',
  'dynamodb PutItem',
  'dynamodb Query',
  'dynamodb BatchGetItem',
  'dynamodb BatchWriteItem',
  'sqs SendMessageBatch',
  'sqs ReceiveMessage',
  'sqs DeleteMessageBatch',
  'sqs ChangeMessageVisibilityBatch',
  'worker invocation',
  'extractor invocation',
  // What an operator does with the dead letters, and every call of the function that does it.
  'operator',
  'redriver call',
] as const;
export type Place = (typeof PLACES)[number];

const when = z.enum(['before', 'after']);
const disturbanceSchema = z.discriminatedUnion('kind', [
  // Disturbances of the simulators (test/simulators/disturbances.ts).
  z.object({
    kind: z.literal('status'),
    status: z.int(),
    body: z.enum(BODY_FORMS).exactOptional(),
    afterCommit: z.boolean().exactOptional(),
    retryAfter: z.string().exactOptional(),
  }),
  z.object({ kind: z.literal('altered'), how: z.enum(ALTERATIONS), status: z.int().exactOptional() }),
  z.object({ kind: z.literal('reset-before') }),
  z.object({ kind: z.literal('reset-after-commit') }),
  z.object({ kind: z.literal('timeout-after-commit'), delayMs: z.int() }),
  z.object({ kind: z.literal('slow'), delayMs: z.int() }),
  z.object({ kind: z.literal('not-json') }),
  z.object({ kind: z.literal('truncated') }),
  // The calling process ends: before the call is forwarded, or after it was done and before its answer.
  z.object({ kind: z.literal('killed'), when }),
  z.object({ kind: z.literal('out-of-memory'), when }),
  z.object({ kind: z.literal('frozen'), forMs: z.int() }),
  // AWS.
  z.object({ kind: z.literal('throttled') }),
  z.object({ kind: z.literal('unavailable') }),
  z.object({ kind: z.literal('in-part') }),
  z.object({ kind: z.literal('delayed'), seconds: z.int() }),
  z.object({ kind: z.literal('delivered-twice') }),
  z.object({ kind: z.literal('invoked-twice') }),
  z.object({ kind: z.literal('cut-short'), toMs: z.int() }),
  // SRM's users: a cart is committed late, with a timestamp that was already read, or is approved again.
  z.object({ kind: z.literal('committed-late'), cart: z.int() }),
  z.object({ kind: z.literal('approved-again'), cart: z.int() }),
  // An operator plans a share of the dead letters and redrives them, in one run or in two at once, for a limited time; or
  // starts the move task of SQS's console; or both.
  z.object({
    kind: z.literal('redrive'),
    share: z.number(),
    everything: z.boolean(),
    runs: z.int(),
    forMs: z.int(),
    besideMoveTask: z.boolean(),
  }),
  z.object({ kind: z.literal('move-task') }),
]);
export type ChaosDisturbance = z.infer<typeof disturbanceSchema>;

const scheduledDisturbanceSchema = z.object({
  at: z.enum(PLACES),
  nth: z.int().min(1),
  disturbance: disturbanceSchema,
});
/** One disturbance, at the nth call of a place. */
export type ScheduledDisturbance = z.infer<typeof scheduledDisturbanceSchema>;

const scheduleSchema = z.object({
  seed: z.int(),
  carts: z.int().min(1),
  target: z.enum(TARGETS),
  disturbances: z.array(scheduledDisturbanceSchema),
});
/** Everything that a run depends on, apart from timing. */
export type Schedule = z.infer<typeof scheduleSchema>;

interface Weighted {
  readonly weight: number;
  readonly draw: (random: Random, carts: number) => ChaosDisturbance;
}

/** The disturbances of a place: the number of calls in a run, and the disturbed share of them under `harsh`. */
interface Plan {
  readonly calls: (carts: number) => number;
  readonly share: number;
  readonly disturbances: readonly Weighted[];
}

const always = (weight: number, disturbance: ChaosDisturbance): Weighted => ({ weight, draw: () => disturbance });
const cart = (weight: number, kind: 'committed-late' | 'approved-again'): Weighted => ({
  weight,
  draw: (random, carts) => ({ kind, cart: between(random, 0, carts - 1) }),
});

const throttledByTarget: ChaosDisturbance = { kind: 'status', status: 429, retryAfter: '1' };
const unavailable: ChaosDisturbance = { kind: 'status', status: 503 };

/** Longer than the 2 s that the worker waits for 11VMS. */
const NO_ANSWER_MS = 2800;

const reads: readonly Weighted[] = [
  always(3, { kind: 'status', status: 429, retryAfter: '1' }),
  always(3, unavailable),
  always(2, { kind: 'status', status: 500, body: 'html' }),
  always(1, { kind: 'status', status: 401 }),
  always(2, { kind: 'reset-before' }),
  always(2, { kind: 'truncated' }),
  always(1, { kind: 'not-json' }),
  always(1, { kind: 'status', status: 200, body: 'html' }),
  always(1, { kind: 'status', status: 200 }),
  always(2, { kind: 'slow', delayMs: 300 }),
];
/** Longer than the time-out of the worker: the runtime ends it during a call. */
const OUT_OF_TIME_MS = 15_000;

const tokens: readonly Weighted[] = [
  always(2, unavailable),
  always(1, { kind: 'status', status: 503, retryAfter: '1' }),
  always(1, { kind: 'status', status: 500, body: 'html' }),
  always(1, { kind: 'status', status: 200, body: 'html' }),
  always(1, { kind: 'reset-before' }),
  always(2, { kind: 'altered', how: 'null-lifetime' }),
  always(1, { kind: 'altered', how: 'empty-lifetime' }),
  always(1, { kind: 'altered', how: 'no-change', status: 201 }),
];
/** The answer never comes in the time of an invocation. */
const hanging: Weighted = always(2, { kind: 'slow', delayMs: OUT_OF_TIME_MS });

/** The same answer before the commit, and after it. */
const aroundCommit = (
  weight: number,
  answer: Omit<Extract<ChaosDisturbance, { kind: 'status' }>, 'kind'>,
): Weighted[] => [
  always(weight, { kind: 'status', ...answer }),
  always(weight, { kind: 'status', ...answer, afterCommit: true }),
];

/** Answers of a gateway or a proxy for itself, which say nothing about the order. */
const ofGateway: readonly Weighted[] = [
  always(1, { kind: 'status', status: 404, body: 'gateway-status' }),
  always(1, { kind: 'status', status: 404, body: 'gateway-code' }),
  ...[400, 404, 405].map((status) => always(1, { kind: 'status', status, body: 'html' })),
];
const dynamodb: readonly Weighted[] = [
  always(3, { kind: 'throttled' }),
  always(2, { kind: 'unavailable' }),
  always(2, { kind: 'reset-before' }),
  always(4, { kind: 'reset-after-commit' }),
];
const sqs: readonly Weighted[] = [
  always(1, { kind: 'throttled' }),
  always(1, { kind: 'unavailable' }),
  always(1, { kind: 'reset-before' }),
  always(2, { kind: 'reset-after-commit' }),
];

const redrive: Weighted = {
  weight: 5,
  draw: (random) => ({
    kind: 'redrive',
    share: pick(random, [0.3, 0.6, 1]),
    everything: chance(random, 0.85),
    runs: chance(random, 0.3) ? 2 : 1,
    // The redriver keeps a reserve of 20 s.
    forMs: pick(random, [22_000, 30_000, 40_000]),
    besideMoveTask: chance(random, 0.25),
  }),
};

const PLANS: Readonly<Record<Place, Plan>> = {
  'srm token': { calls: () => 3, share: 0.1, disturbances: tokens },
  'srm page': {
    calls: (carts) => Math.ceil(carts / 4),
    share: 0.3,
    disturbances: [...reads, cart(8, 'committed-late'), cart(8, 'approved-again')],
  },
  'srm cart': { calls: () => 3, share: 0.2, disturbances: reads },
  '11vms token': { calls: () => 4, share: 0.2, disturbances: [...tokens, hanging] },
  '11vms create': {
    calls: (carts) => carts * 2,
    share: 0.3,
    disturbances: [
      always(6, throttledByTarget),
      always(4, unavailable),
      always(2, { kind: 'status', status: 503, retryAfter: '1', body: 'html' }),
      always(2, { kind: 'status', status: 502, body: 'html' }),
      always(2, { kind: 'status', status: 500 }),
      always(1, { kind: 'status', status: 408 }),
      always(1, { kind: 'status', status: 401 }),
      always(1, { kind: 'status', status: 403 }),
      always(4, { kind: 'status', status: 500, afterCommit: true }),
      always(2, { kind: 'status', status: 502, body: 'html', afterCommit: true }),
      always(2, { kind: 'status', status: 503, retryAfter: '1', afterCommit: true }),
      always(3, { kind: 'reset-before' }),
      always(6, { kind: 'reset-after-commit' }),
      always(4, { kind: 'timeout-after-commit', delayMs: NO_ANSWER_MS }),
      ...aroundCommit(2, { status: 200, body: 'error' }),
      ...aroundCommit(2, { status: 200, body: 'error-and-id' }),
      ...aroundCommit(2, { status: 201, body: 'errors-and-id' }),
      ...aroundCommit(2, { status: 200, body: 'problem-and-id' }),
      ...aroundCommit(2, { status: 200, body: 'words-and-id' }),
      ...aroundCommit(2, { status: 200, body: 'failed-job' }),
      ...aroundCommit(2, { status: 200, body: 'html' }),
      ...aroundCommit(1, { status: 409, body: 'html' }),
      ...aroundCommit(1, { status: 409, body: 'lower-case-code' }),
      ...aroundCommit(1, { status: 409, body: 'nested-code' }),
      ...ofGateway,
      always(2, { kind: 'altered', how: 'null-errors' }),
      always(1, { kind: 'altered', how: 'location-only' }),
      always(1, { kind: 'altered', how: 'absolute-location-only' }),
      always(1, { kind: 'altered', how: 'collection-location-only' }),
      always(1, { kind: 'altered', how: 'unreadable-location-only' }),
      always(1, { kind: 'altered', how: 'no-body' }),
      always(2, { kind: 'truncated' }),
      always(2, { kind: 'slow', delayMs: 300 }),
      // Committed after the time-out of the worker, and before the message can be received again a second later.
      always(3, { kind: 'slow', delayMs: 2300 }),
    ],
  },
  '11vms lookup': {
    calls: (carts) => carts,
    share: 0.2,
    disturbances: [
      ...reads,
      ...ofGateway,
      always(1, { kind: 'status', status: 403 }),
      always(1, { kind: 'status', status: 503, retryAfter: '1' }),
    ],
  },
  'dynamodb UpdateItem': { calls: (carts) => carts * 4, share: 0.06, disturbances: dynamodb },
  'dynamodb GetItem': { calls: (carts) => carts, share: 0.05, disturbances: dynamodb },
  'dynamodb PutItem': { calls: (carts) => Math.ceil(carts / 2), share: 0.1, disturbances: dynamodb },
  'dynamodb Query': { calls: () => 5, share: 0.2, disturbances: dynamodb },
  'dynamodb BatchGetItem': { calls: () => 4, share: 0.15, disturbances: dynamodb },
  'dynamodb BatchWriteItem': { calls: () => 3, share: 0.3, disturbances: dynamodb },
  'sqs SendMessageBatch': {
    calls: (carts) => Math.ceil(carts / 4),
    share: 0.25,
    disturbances: [...sqs, always(3, { kind: 'in-part' }), always(2, { kind: 'delayed', seconds: 3 })],
  },
  'sqs ReceiveMessage': {
    calls: (carts) => Math.ceil(carts / 2),
    share: 0.1,
    disturbances: [...sqs, always(6, { kind: 'delivered-twice' })],
  },
  'sqs DeleteMessageBatch': {
    calls: (carts) => Math.ceil(carts / 4),
    share: 0.2,
    disturbances: [...sqs, always(3, { kind: 'in-part' })],
  },
  'sqs ChangeMessageVisibilityBatch': {
    calls: (carts) => Math.ceil(carts / 4),
    share: 0.1,
    disturbances: [...sqs, always(3, { kind: 'in-part' })],
  },
  'worker invocation': {
    calls: (carts) => Math.ceil(carts / 4),
    share: 0.15,
    disturbances: [
      always(3, { kind: 'invoked-twice' }),
      always(1, { kind: 'cut-short', toMs: 1500 }),
      always(1, { kind: 'cut-short', toMs: 5000 }),
    ],
  },
  'extractor invocation': {
    calls: () => 3,
    share: 0.2,
    // The extractor keeps a reserve of 20 s: with less time it queues no page, with a little more a few.
    disturbances: [
      always(1, { kind: 'cut-short', toMs: 3000 }),
      always(2, { kind: 'cut-short', toMs: 20_150 }),
      always(1, { kind: 'cut-short', toMs: 20_600 }),
    ],
  },
  operator: { calls: () => 3, share: 0.75, disturbances: [redrive, always(1, { kind: 'move-task' })] },
  'redriver call': {
    calls: () => 40,
    share: 0.06,
    disturbances: [
      always(4, { kind: 'killed', when: 'before' }),
      always(4, { kind: 'killed', when: 'after' }),
      always(1, { kind: 'out-of-memory', when: 'after' }),
      always(1, { kind: 'frozen', forMs: 2500 }),
      always(1, { kind: 'frozen', forMs: OUT_OF_TIME_MS }),
    ],
  },
};

/** The calls at which a process is ended. `early` places are calls of the extractor, which makes few. */
const WORKER_CALLS: readonly Place[] = [
  '11vms create',
  '11vms create',
  '11vms create',
  '11vms lookup',
  'dynamodb UpdateItem',
  'dynamodb UpdateItem',
  'dynamodb PutItem',
  'dynamodb GetItem',
  'sqs ChangeMessageVisibilityBatch',
];
const EXTRACTOR_CALLS: readonly Place[] = ['srm page', 'sqs SendMessageBatch', 'dynamodb BatchWriteItem'];

/** What lasts: the same answer to many calls in a row, creates and look-ups. */
const OUTAGES: readonly ChaosDisturbance[] = [
  { kind: 'status', status: 503, retryAfter: '1' },
  { kind: 'status', status: 429, retryAfter: '1' },
  { kind: 'status', status: 200, body: 'html' },
  { kind: 'status', status: 404, body: 'gateway-status' },
  { kind: 'status', status: 403 },
  { kind: 'reset-before' },
];
/** More than the failures that open the breaker; the rest are trials, which come ever later. */
const CALLS_OF_AN_OUTAGE = 8;

const LEVELS = {
  none: { shares: 0, workerEnds: 0, extractorEnds: 0, outages: 0 },
  typical: { shares: 0.25, workerEnds: 1, extractorEnds: 1, outages: 0 },
  harsh: { shares: 1, workerEnds: 3, extractorEnds: 2, outages: 0.3 },
} as const satisfies Record<DisturbanceLevel, object>;

/** The schedule of a seed. */
export function drawSchedule(seed: number, carts: number, level: DisturbanceLevel): Schedule {
  const random = mulberry32(hash32(`chaos ${seed}`));
  const { shares, workerEnds, extractorEnds, outages } = LEVELS[level];
  const target = drawTarget(random, level);
  const disturbances: ScheduledDisturbance[] = [];
  for (const at of PLACES) {
    const plan = PLANS[at];
    for (let nth = 1; nth <= plan.calls(carts); nth++) {
      if (chance(random, plan.share * shares))
        disturbances.push({ at, nth, disturbance: drawDisturbance(plan.disturbances, random, carts) });
    }
  }
  const addEnds = (most: number, calls: readonly Place[], frozenMs: readonly number[]): void => {
    for (let left = between(random, 0, most); left > 0; left--) {
      const at = pick(random, calls);
      const nth = between(random, 1, Math.max(1, Math.ceil(PLANS[at].calls(carts) / 2)));
      disturbances.push({ at, nth, disturbance: drawEnd(random, frozenMs) });
    }
  };
  if (chance(random, outages)) {
    const disturbance = pick(random, OUTAGES);
    const first = between(random, 1, carts);
    for (let call = 0; call < CALLS_OF_AN_OUTAGE; call++) {
      disturbances.push({ at: '11vms create', nth: first + call, disturbance });
      disturbances.push({ at: '11vms lookup', nth: 1 + call, disturbance });
    }
  }
  addEnds(workerEnds, WORKER_CALLS, [400, 2500, OUT_OF_TIME_MS]);
  addEnds(extractorEnds, EXTRACTOR_CALLS, [400, 2500]);
  return { seed, carts, target, disturbances: oneForEachCall(disturbances) };
}

function drawTarget(random: Random, level: DisturbanceLevel): Target {
  const drawn = random();
  if (level === 'none' || drawn < 0.45) return 'strict';
  return drawn < 0.9 ? 'careless' : 'no-look-up';
}

function drawEnd(random: Random, frozenMs: readonly number[]): ChaosDisturbance {
  const moment = chance(random, 0.5) ? 'before' : 'after';
  const drawn = random();
  if (drawn < 0.5) return { kind: 'killed', when: moment };
  if (drawn < 0.7) return { kind: 'out-of-memory', when: moment };
  return { kind: 'frozen', forMs: pick(random, frozenMs) };
}

function drawDisturbance(disturbances: readonly Weighted[], random: Random, carts: number): ChaosDisturbance {
  let left = random() * disturbances.reduce((sum, { weight }) => sum + weight, 0);
  const drawn = disturbances.find(({ weight }) => (left -= weight) < 0) ?? disturbances[0];
  if (drawn === undefined) throw new Error('a place has no disturbances');
  return drawn.draw(random, carts);
}

/** A call has at most one disturbance. The later entry, the end of a process, replaces the earlier. */
function oneForEachCall(disturbances: readonly ScheduledDisturbance[]): ScheduledDisturbance[] {
  return [
    ...new Map(disturbances.map((disturbance) => [`${disturbance.at} ${disturbance.nth}`, disturbance])).values(),
  ];
}

/** The kinds that a simulator carries out. */
const SIMULATOR_KINDS: ReadonlySet<string> = new Set<Disturbance['kind']>([
  'status',
  'altered',
  'reset-before',
  'reset-after-commit',
  'timeout-after-commit',
  'slow',
  'not-json',
  'truncated',
]);

/** The disturbance for a simulator; undefined when a proxy carries it out. */
export function simulatorDisturbance(disturbance: ChaosDisturbance): Disturbance | undefined {
  const isTheirs = (candidate: ChaosDisturbance): candidate is ChaosDisturbance & Disturbance =>
    SIMULATOR_KINDS.has(candidate.kind);
  return isTheirs(disturbance) ? disturbance : undefined;
}

/** The disturbance in a few words, without its numbers of this run. */
export function nameOf(disturbance: ChaosDisturbance): string {
  switch (disturbance.kind) {
    case 'status': {
      const { status, body, afterCommit = false, retryAfter } = disturbance;
      const words = [
        status,
        ...(body === undefined ? [] : [body]),
        ...(retryAfter === undefined ? [] : ['with Retry-After']),
        ...(afterCommit ? ['after commit'] : []),
      ];
      return words.join(' ');
    }
    case 'altered':
      return `altered, ${disturbance.how}`;
    case 'redrive': {
      const { everything, runs, besideMoveTask } = disturbance;
      const words = ['redrive', ...(everything ? ['of everything'] : []), ...(runs > 1 ? ['twice at once'] : [])];
      return [...words, ...(besideMoveTask ? ['beside a move task'] : [])].join(', ');
    }
    default:
      return disturbance.kind;
  }
}

/** A schedule as JSON, with one disturbance in each line. */
export function printSchedule({ disturbances, ...rest }: Schedule): string {
  const lines = disturbances.map((disturbance) => `    ${JSON.stringify(disturbance)}`).join(',\n');
  const head = Object.entries(rest).map(([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},\n`);
  return `{\n${head.join('')}  "disturbances": [${lines === '' ? '' : `\n${lines}\n  `}]\n}\n`;
}

/** Reads the text of printSchedule. @throws {Error} that names the mistakes. */
export function parseSchedule(text: string): Schedule {
  const parsed = scheduleSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(`not a disturbance schedule: ${z.prettifyError(parsed.error)}`);
}
