/** One pace for all calls to 11VMS: each call waits after a throttle, and no call waits past its deadline. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createPacer, type Pacer } from '../../functions/create-purchase-orders/delivery/pacer.ts';

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

test('while nothing is throttled, each call has a turn at once', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  for (let call = 0; call < 50; call++) expect(await pacer.turn(NEVER)).toBe(true);
  expect(time.now()).toBe(1000);
  expect(pacer.pausedForMs()).toBe(0);
});

test('after a throttle each call waits as long as 11VMS asked for', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  pacer.throttled(5000);
  expect(pacer.pausedForMs()).toBe(5000);
  expect(await pacer.turn(NEVER)).toBe(true);
  expect(time.now()).toBe(6000);
  expect(pacer.pausedForMs()).toBe(0);
});

test('without a time from 11VMS the pause is a second', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  pacer.throttled(undefined);
  await pacer.turn(NEVER);
  expect(time.now()).toBe(2000);
});

test('a call that cannot have a turn before its deadline is refused at once, without waiting', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  pacer.throttled(5000);
  expect(await pacer.turn(5999)).toBe(false);
  expect(time.now()).toBe(1000);
  expect(await pacer.turn(6000)).toBe(true);
});

test('a deadline that has passed gives no turn, even when nothing is throttled', async () => {
  const time = fakeTime();
  expect(await createPacer(time).turn(999)).toBe(false);
});

test('a shorter pause does not end a longer one', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  pacer.throttled(5000);
  pacer.throttled(0);
  expect(pacer.pausedForMs()).toBe(5000);
  await pacer.turn(NEVER);
  expect(time.now()).toBe(6000);
});

test('a throttle while calls wait makes them wait longer', async () => {
  const timers = fakeTimers();
  const pacer = createPacer(timers);
  const starts: number[] = [];
  const call = async (): Promise<void> => {
    if (await pacer.turn(NEVER)) starts.push(timers.now());
    if (starts.length === 1) pacer.throttled(3000);
  };
  pacer.throttled(1000);
  const calls = Promise.all([call(), call(), call()]);
  await timers.runAll();
  await calls;
  expect(starts[0]).toBe(1000);
  expect(starts[1]).toBeGreaterThanOrEqual(4000);
  expect(starts[2]).toBeGreaterThanOrEqual(4000);
});

test('after the pause, calls follow each other at a distance; one throttled batch counts once', async () => {
  const distances: number[] = [];
  for (const [calls, retryAfterMs] of [
    [1, 1000],
    [10, 1000],
    [10, 0],
  ]) {
    const time = fakeTime();
    const pacer = createPacer(time);
    for (let call = 0; call < (calls ?? 0); call++) {
      pacer.throttled(retryAfterMs);
      time.pass(5);
    }
    await pacer.turn(NEVER);
    const first = time.now();
    await pacer.turn(NEVER);
    distances.push(time.now() - first);
  }
  expect(distances[0]).toBeGreaterThan(0);
  // The pace recovers by the millisecond: the last batch was seen one millisecond later.
  for (const distance of distances) expect(distance / (distances[0] ?? 0)).toBeCloseTo(1, 1);
});

test('under repeated throttles the pace slows down, but never below one call in 10 s', async () => {
  const distances: number[] = [];
  for (const rounds of [1, 5, 10, 20, 40]) {
    const time = fakeTime();
    const pacer = createPacer(time);
    for (let round = 0; round < rounds; round++) {
      pacer.throttled(1000);
      time.pass(1000);
    }
    await pacer.turn(NEVER);
    const first = time.now();
    await pacer.turn(NEVER);
    distances.push(Math.round(time.now() - first));
  }
  expect(distances).toEqual(distances.toSorted((a, b) => a - b));
  expect(distances.at(0)).toBe(250);
  expect(distances.at(-1)).toBe(distances.at(-2));
  expect(distances.at(-1)).toBeGreaterThan(7000);
  expect(distances.at(-1)).toBeLessThanOrEqual(10_000);
});

/** How many calls have a turn within a second from now. */
async function callsInASecond(pacer: Pacer, time: ReturnType<typeof fakeTime>): Promise<number> {
  const endMs = time.now() + 1000;
  let calls = 0;
  while (await pacer.turn(endMs)) {
    calls++;
    // Where calls are not spaced, only the calls themselves take time.
    if (calls === 1000) break;
  }
  time.pass(Math.max(0, endMs - time.now()));
  return calls;
}

test('the slow start doubles the pace until calls are no longer spaced', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  pacer.throttled(1);
  const calls: number[] = [];
  for (let second = 0; second < 4; second++) calls.push(await callsInASecond(pacer, time));
  expect(calls[0]).toBeLessThan(30);
  expect(calls[1]).toBeGreaterThan((calls[0] ?? 0) * 2);
  expect(calls.at(-1)).toBe(1000);
});

test('after a second throttle the pace recovers to just below the one that was too fast, and stays there', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  pacer.throttled(1000);
  time.pass(2000);
  // The pace is 40 calls a second by now, and none of these was accepted.
  pacer.throttled(1000);
  time.pass(1000);
  const calls: number[] = [];
  for (let second = 0; second < 30; second++) calls.push(await callsInASecond(pacer, time));
  expect(calls[0]).toBeGreaterThan(25);
  expect(calls[0]).toBeLessThan(32);
  expect(calls[15]).toBeGreaterThan(37);
  expect(Math.max(...calls)).toBeLessThanOrEqual(41);
});

test('a throttle slows the pace down little after long acceptance, and much after none', async () => {
  const paces: number[] = [];
  for (const acceptedPerSecond of [40, 0]) {
    const time = fakeTime();
    const pacer = createPacer(time);
    pacer.throttled(1000);
    time.pass(2000);
    pacer.throttled(1000);
    for (let second = 0; second < 30; second++) {
      time.pass(1000);
      for (let call = 0; call < acceptedPerSecond; call++) pacer.succeeded();
    }
    pacer.throttled(1000);
    time.pass(1000);
    paces.push(await callsInASecond(pacer, time));
  }
  const [little = 0, much = 0] = paces;
  expect(little).toBeGreaterThan(34);
  expect(much).toBeLessThan(32);
});

test('half an hour after the last throttle, calls are no longer spaced', async () => {
  const time = fakeTime();
  const pacer = createPacer(time);
  for (let round = 0; round < 60; round++) {
    pacer.throttled(60_000);
    time.pass(61_000);
  }
  time.pass(30 * 60_000);
  expect(await callsInASecond(pacer, time)).toBe(1000);
});

test('environments that are throttled together resume at different times', async () => {
  const starts: number[] = [];
  for (const share of [0, 0.5, 0.9]) {
    const time = { ...fakeTime(), random: () => share };
    const pacer = createPacer(time);
    pacer.throttled(1000);
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
          pausedUntilMs = Math.max(pausedUntilMs, time.now() + (ms ?? 1000));
          pacer.throttled(ms);
        }
        if (kind === 'succeeded') pacer.succeeded();
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
