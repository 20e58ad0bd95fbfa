/** One pace for all calls to 11VMS: it falls by the share of refused calls, and no call waits past its deadline. */
import { expect, test } from '@jest/globals';
import { createPacer, type Pacer } from '../../functions/create-purchase-orders/delivery/pacer.ts';
import fc from '../properties.ts';
import { mulberry32 } from '../simulators/seeded-random.ts';

/** A clock that only the waiting calls move. */
function fakeTime() {
  let nowMs = 1000;
  return {
    now: () => nowMs,
    random: () => 0,
    sleep: (milliseconds: number): Promise<void> => {
      nowMs += milliseconds;
      return Promise.resolve();
    },
    pass(milliseconds: number): void {
      nowMs += milliseconds;
    },
  };
}

/** Waiting calls that wake in order of time, as several calls of one batch do. */
function fakeTimers() {
  let nowMs = 0;
  const sleepers: { atMs: number; wake: () => void }[] = [];
  return {
    now: () => nowMs,
    random: () => 0,
    sleep: (milliseconds: number): Promise<void> =>
      new Promise((wake) => void sleepers.push({ atMs: nowMs + milliseconds, wake })),
    async runAll(): Promise<void> {
      for (;;) {
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
        sleepers.sort((a, b) => a.atMs - b.atMs);
        const next = sleepers.shift();
        if (next === undefined) return;
        nowMs = next.atMs;
        next.wake();
      }
    },
  };
}

const NEVER = Number.POSITIVE_INFINITY;

/** Ten calls of a batch, all refused. */
function refuseBatch(pacer: Pacer, retryAfterMs: number | undefined): void {
  for (let call = 0; call < 10; call++) pacer.throttled(retryAfterMs);
}

/** Calls as fast as the pacer lets, at most 100 a second. Each is refused with this probability. */
async function callWithChance(pacer: Pacer, time: ReturnType<typeof fakeTime>, calls: number, share: number) {
  const random = mulberry32(1);
  const begunMs = time.now();
  for (let call = 0; call < calls; call++) {
    await pacer.turn(NEVER);
    if (random() < share) pacer.throttled(1000);
    else pacer.succeeded();
    time.pass(10);
  }
  return (calls * 1000) / (time.now() - begunMs);
}

/** How many calls have a turn within a second from now. */
async function callsInASecond(pacer: Pacer, time: ReturnType<typeof fakeTime>): Promise<number> {
  const endMs = time.now() + 1000;
  let calls = 0;
  while (await pacer.turn(endMs)) calls++;
  time.pass(Math.max(0, endMs - time.now()));
  return calls;
}

test('while nothing is throttled, the calls of a batch have a turn at once', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  for (let call = 0; call < 50; call++) expect(await pacer.turn(NEVER)).toBe(true);
  expect(time.now()).toBe(1000);
  expect(pacer.pausedForMs()).toBe(0);
});

test('a refused call among taken ones holds no other call back, whatever its Retry-After', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  pacer.succeeded();
  expect(pacer.throttled(60_000)).toBe(false);
  expect(pacer.pausedForMs()).toBe(0);
  for (let call = 0; call < 10; call++) await pacer.turn(NEVER);
  expect(time.now()).toBe(1000);
});

test.each([0.01, 0.05, 0.1, 0.2])('calls that are refused by chance (%p of them) cost no pace', async (share) => {
  const time = fakeTime();
  expect(await callWithChance(createPacer(time), time, 10_000, share)).toBeGreaterThan(90);
});

test('a first call that is refused pauses: nothing is known yet but that', async () => {
  const pacer = createPacer(fakeTime());
  expect(pacer.throttled(5000)).toBe(true);
  expect(pacer.pausedForMs()).toBe(5000);
});

test('while half of the calls are refused, the pace falls to a tenth and less', async () => {
  const time = fakeTime();
  expect(await callWithChance(createPacer(time), time, 1000, 0.5)).toBeLessThan(10);
});

test.each([
  ['as long as 11VMS asks for', 5000, 5000],
  ['without a time from 11VMS for a second', undefined, 1000],
  ['and for a second when it asks for no time', 0, 1000],
])('when a whole batch is refused, all calls pause: %s', async (_, retryAfterMs, pauseMs) => {
  const time = fakeTime();
  const pacer = createPacer(time);
  refuseBatch(pacer, retryAfterMs);
  expect(pacer.pausedForMs()).toBe(pauseMs);
  expect(pacer.throttled(0)).toBe(true);
  expect(pacer.pausedForMs()).toBe(pauseMs);
  expect(await pacer.turn(NEVER)).toBe(true);
  expect(time.now()).toBe(1000 + pauseMs);
  expect(pacer.pausedForMs()).toBe(0);
});

test('what was refused during a pause was sent before it: it lengthens the pause, and does not slow down further', async () => {
  const paces: number[] = [];
  for (const later of [0, 50]) {
    const time = fakeTime();
    const pacer = createPacer(time);
    refuseBatch(pacer, 1000);
    for (let call = 0; call < later; call++) expect(pacer.throttled(2000)).toBe(true);
    expect(pacer.pausedForMs()).toBe(later === 0 ? 1000 : 2000);
    time.pass(3000);
    paces.push(await callsInASecond(pacer, time));
  }
  expect(paces[0]).toBe(paces[1]);
});

test('after pause upon pause calls come 10 s apart, and never further', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  for (let pause = 0; pause < 40; pause++) {
    refuseBatch(pacer, 1000);
    await pacer.turn(NEVER);
  }
  const first = time.now();
  await pacer.turn(NEVER);
  expect(time.now() - first).toBe(10_000);
});

test('after the hardest throttling the pace comes back within minutes of taken calls', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  for (let pause = 0; pause < 40; pause++) refuseBatch(pacer, 60_000);
  time.pass(60_000);
  const begunMs = time.now();
  for (let call = 0; call < 500; call++) {
    await pacer.turn(NEVER);
    pacer.succeeded();
    time.pass(10);
  }
  expect(time.now() - begunMs).toBeLessThan(5 * 60_000);
  expect(await callWithChance(pacer, time, 1000, 0)).toBeGreaterThan(90);
});

test('a call that cannot have a turn before its deadline is refused at once, without waiting', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  refuseBatch(pacer, 5000);
  expect(await pacer.turn(5999)).toBe(false);
  expect(time.now()).toBe(1000);
  expect(await pacer.turn(6000)).toBe(true);
});

test('a deadline that has passed gives no turn, even when nothing is throttled', async () => {
  const time = fakeTime();
  expect(await createPacer(time).turn(999)).toBe(false);
});

test('a pause that begins while calls wait makes them wait longer', async () => {
  const timers = fakeTimers();
  const pacer = createPacer(timers);
  const starts: number[] = [];
  const call = async (): Promise<void> => {
    if (await pacer.turn(NEVER)) starts.push(timers.now());
    if (starts.length === 1) refuseBatch(pacer, 3000);
  };
  refuseBatch(pacer, 1000);
  const calls = Promise.all([call(), call(), call()]);
  await timers.runAll();
  await calls;
  expect(starts[0]).toBe(1000);
  expect(starts[1]).toBeGreaterThanOrEqual(4000);
  expect(starts[2]).toBeGreaterThanOrEqual(4000);
});

test('environments that are throttled together resume at different times', async () => {
  const starts: number[] = [];
  for (const share of [0, 0.5, 0.9]) {
    const time = { ...fakeTime(), random: () => share };
    const pacer = createPacer(time);
    refuseBatch(pacer, 1000);
    await pacer.turn(NEVER);
    starts.push(time.now());
  }
  expect(starts[0]).toBe(2000);
  expect(new Set(starts).size).toBe(3);
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
});

test('no turn is ever given inside a pause, nor after the deadline', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('throttled' as const), ms: fc.option(fc.nat(10_000), { nil: undefined }) }),
    fc.record({ kind: fc.constant('turn' as const), ms: fc.nat(20_000) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(5000) }),
    fc.record({ kind: fc.constant('succeeded' as const), ms: fc.constant(0) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const time = fakeTime();
      const pacer = createPacer(time);
      let pausedUntilMs = 0;
      for (const { kind, ms } of steps) {
        if (kind === 'throttled') {
          const untilMs = time.now() + Math.max(ms ?? 0, 1000);
          if (pacer.throttled(ms)) pausedUntilMs = Math.max(pausedUntilMs, untilMs);
        }
        if (kind === 'succeeded') pacer.succeeded();
        expect(pacer.pausedForMs()).toBe(Math.max(0, pausedUntilMs - time.now()));
        if (kind === 'pass') time.pass(ms ?? 0);
        if (kind !== 'turn') continue;
        const deadlineMs = time.now() + (ms ?? 0);
        if (!(await pacer.turn(deadlineMs))) continue;
        expect(time.now()).toBeGreaterThanOrEqual(pausedUntilMs);
        expect(time.now()).toBeLessThanOrEqual(deadlineMs);
      }
    }),
  );
});
