/** What a pause says of itself: to the person who asks, in the log, and in the breaker's record. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { TrialResult } from '../../../shared/circuit-breaker.ts';
import { LOG_EVENTS } from '../../../shared/log-events.ts';
import { lambdaError, openSupervisorFixture, type SupervisorFixture } from './supervisor-fixture.ts';
import { BY_HAND } from '../fixture.ts';

let fixture: SupervisorFixture;
beforeAll(async () => {
  fixture = await openSupervisorFixture();
});
beforeEach(() => fixture.reset());
afterAll(() => fixture.close());

type Obstacle = Extract<TrialResult, { healthy: false }>['obstacle'];
const SINCE_MS = Date.now() - 60_000;
const SINCE = new Date(SINCE_MS).toISOString();
const OPEN = { state: 'OPEN', reason: 'E_TGT_UNAVAILABLE: 11VMS answered 503', sinceMs: SINCE_MS } as const;
const bad = (
  obstacle: Obstacle,
  reason: string,
  more: { tried?: boolean; visibleAtMs?: number } = {},
): TrialResult => ({
  healthy: false,
  obstacle,
  tried: false,
  reason,
  ...more,
});
/** The next minute, with its day where that is not today. */
function clock(ms: number): string {
  const [day = '', time = ''] = new Date(Math.ceil(ms / 60_000) * 60_000).toISOString().split('T');
  return `${new Date().toISOString().startsWith(day) ? '' : `${day} `}${time.slice(0, 5)} UTC`;
}
const lines = (): Record<string, unknown>[] =>
  fixture
    .takeOutput()
    .split('\n')
    .filter((line) => line.includes('"event":"consumption.'))
    .map((line) => JSON.parse(line));
const isoNow = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

describe('a pause says', () => {
  test('why, since when, how many carts wait, what probe and trial said and when, and when the next trial follows', async () => {
    await fixture.put(OPEN);
    await fixture.queue(2);
    await fixture.queue(1, 60);
    fixture.trial = () =>
      bad('trial', 'E_TGT_AUTH: 11VMS answered 403', { tried: true, visibleAtMs: Date.now() + 30_000 });
    const startMs = Date.now();
    const result = await fixture.run();
    expect(result).toEqual({
      state: 'OPEN',
      reason: 'E_TGT_UNAVAILABLE: 11VMS answered 503',
      since: SINCE,
      cartsWaiting: 3,
      lastProbe: { at: isoNow, answer: 'answered' },
      lastTrial: { at: isoNow, answer: 'E_TGT_AUTH: 11VMS answered 403' },
      nextTrialAt: isoNow,
      summary: expect.stringMatching(
        /^Consumption is paused since .*\d\d:\d\d UTC: E_TGT_UNAVAILABLE: 11VMS answered 503\. 3 carts wait\. Last probe .*\d\d:\d\d UTC: answered\. Last trial .*\d\d:\d\d UTC: E_TGT_AUTH: 11VMS answered 403\. Next trial within two minutes\.$/,
      ),
    });
    const { nextTrialAt = '' } = Object(result);
    expect(Math.abs(Date.parse(nextTrialAt) - startMs - 60_000)).toBeLessThan(5000);
    expect(await fixture.item()).toMatchObject({
      lastProbe: { atMs: expect.any(Number), answer: 'answered' },
      lastTrial: {
        atMs: expect.any(Number),
        answer: 'E_TGT_AUTH: 11VMS answered 403',
        visibleAtMs: expect.any(Number),
      },
    });
    expect(lines()).toMatchObject([
      {
        event: 'consumption.still-paused',
        reason: 'E_TGT_AUTH: 11VMS answered 403',
        pausedSince: SINCE,
        cartsWaiting: 3,
        nextTrialAt,
      },
    ]);
    // Asked again before the next trial, it says the same, and tries nothing.
    expect(await fixture.run()).toMatchObject({
      cartsWaiting: 3,
      lastTrial: { answer: 'E_TGT_AUTH: 11VMS answered 403' },
    });
    expect(fixture.calls.filter((call) => call === 'Invoke')).toHaveLength(1);
  });

  test('what the probe said where no message was tried, and keeps the last trial', async () => {
    await fixture.put(OPEN);
    fixture.trial = () => bad('trial', 'it failed', { tried: true });
    await fixture.run();
    await fixture.letTimePass();
    fixture.trial = () => bad('probe', 'E_TGT_UNAVAILABLE: 11VMS answered 502 to a probe');
    expect(await fixture.run()).toMatchObject({
      lastProbe: { answer: 'E_TGT_UNAVAILABLE: 11VMS answered 502 to a probe' },
      lastTrial: { answer: 'it failed' },
    });
  });

  test('nothing of an earlier pause', async () => {
    await fixture.put({
      ...OPEN,
      nextTrialAtMs: Date.now() + 600_000,
      lastProbe: { atMs: SINCE_MS - 1, answer: 'of yesterday' },
      lastTrial: { atMs: SINCE_MS - 1, answer: 'of yesterday' },
    });
    const result = await fixture.run();
    expect(JSON.stringify(result)).not.toContain('yesterday');
    expect(result).toMatchObject({ summary: expect.stringContaining('No probe yet. No trial yet. Next trial at ') });
  });

  test('that only a person ends it, where a person paused', async () => {
    await fixture.queue(1);
    const result = await fixture.run({ consumption: 'pause', ...BY_HAND, reason: 'release of 11VMS' });
    expect(result).toEqual({
      state: 'FORCED_OPEN',
      reason: `release of 11VMS (by ${BY_HAND.by})`,
      since: isoNow,
      cartsWaiting: 1,
      summary: expect.stringMatching(
        /: release of 11VMS \(by arn:aws:sts:\S+\)\. 1 cart waits\. Only a person ends this pause: "Pause and resume" in the runbook\.$/,
      ),
    });
  });

  test('the rest where SQS does not answer, and goes on', async () => {
    await fixture.put(OPEN);
    fixture.proxies.sqs.intercept(() => Promise.resolve(lambdaError(403, 'AccessDeniedException')));
    fixture.trial = () => bad('trial', 'it failed', { tried: true });
    const result = await fixture.run();
    expect(result).toMatchObject({
      state: 'OPEN',
      summary: expect.stringContaining('How many carts wait is not known.'),
    });
    expect(result).not.toHaveProperty('cartsWaiting');
    expect(lines().map(({ event }) => event)).toContain('consumption.carts-not-counted');
  });

  test('no more than a sentence of what was answered', async () => {
    await fixture.put(OPEN);
    fixture.trial = () => bad('trial', 'x'.repeat(5000), { tried: true });
    await fixture.run();
    expect((await fixture.item()).lastTrial?.answer).toHaveLength(500);
  });
});

describe('"11VMS is not healthy yet" is said', () => {
  test.each<[Obstacle, boolean]>([
    ['probe', true],
    ['trial', true],
    ['probe-wait', false],
    ['trial-wait', false],
    ['ledger', false],
    ['hidden', false],
    ['out-of-time', false],
    ['worker', false],
  ])('of the obstacle %s: %s', async (obstacle, isSaid) => {
    await fixture.put(OPEN);
    fixture.trial = () => bad(obstacle, 'so it is');
    await fixture.run({ consumption: 'resume', ...BY_HAND });
    const said = lines().map(({ message }) => message);
    expect(said.includes(LOG_EVENTS['consumption.still-paused'])).toBe(isSaid);
    expect(said.includes(LOG_EVENTS['consumption.trial-inconclusive'])).toBe(!isSaid);
  });

  test('not of a worker that Lambda throttled', async () => {
    await fixture.put(OPEN);
    fixture.proxies.lambda.intercept(async (call) => {
      const answer = await fixture.serve(call);
      return call.path.includes('/functions/') ? lambdaError(429, 'TooManyRequestsException') : answer;
    });
    expect(await fixture.run()).toMatchObject({
      summary: expect.stringContaining('Not tried: Lambda throttled the trial. Next trial within two minutes.'),
    });
    expect(await fixture.item()).not.toHaveProperty('lastProbe');
  });
});

describe('a resume while all messages are hidden', () => {
  const hidden = (): TrialResult =>
    bad('hidden', 'no cart could be tried: those on the queue wait for their next receive');

  test('says before when nothing can be tried, where the only cart is that of the last trial', async () => {
    const visibleAtMs = Date.now() + 420_000;
    await fixture.put({ ...OPEN, lastTrial: { atMs: Date.now() - 1000, answer: 'it failed', visibleAtMs } });
    await fixture.queue(1, 420);
    fixture.trial = hidden;
    expect(await fixture.run({ consumption: 'resume', ...BY_HAND })).toMatchObject({
      state: 'OPEN',
      lastTrial: { answer: 'it failed' },
      summary: expect.stringContaining(
        `11VMS answered the probe, but nothing can be tried before ${clock(visibleAtMs)}: the only cart waits for its next attempt`,
      ),
    });
    expect(lines().map(({ event }) => event)).toEqual(['consumption.trial-inconclusive']);
  });

  test('says until when at the latest, where one of several is that of the last trial', async () => {
    const visibleAtMs = Date.now() + 420_000;
    await fixture.put({ ...OPEN, lastTrial: { atMs: Date.now() - 1000, answer: 'it failed', visibleAtMs } });
    await fixture.queue(3, 420);
    fixture.trial = hidden;
    expect(await fixture.run({ consumption: 'resume', ...BY_HAND })).toMatchObject({
      cartsWaiting: 3,
      summary: expect.stringContaining(
        `nothing can be tried now: each cart on the queue waits for its next attempt, the first of them until ${clock(visibleAtMs)} at the latest`,
      ),
    });
  });

  test('says the longest delay, where nothing is known of them', async () => {
    await fixture.put(OPEN);
    await fixture.queue(2, 30);
    fixture.trial = hidden;
    const beforeMs = Date.now();
    const { summary } = Object(await fixture.run({ consumption: 'resume', ...BY_HAND }));
    const latest = [beforeMs, Date.now()].map((ms) => clock(ms + 900_000));
    expect(latest.some((time) => String(summary).includes(`until ${time} at the latest`))).toBe(true);
  });

  test('is tried again by the next run, and waits no longer for it', async () => {
    await fixture.put({ ...OPEN, failedTrials: 4, nextTrialAtMs: Date.now() + 900_000 });
    fixture.trial = hidden;
    await fixture.run({ consumption: 'resume', ...BY_HAND });
    expect(await fixture.item()).toMatchObject({ failedTrials: 4 });
    fixture.trial = () => ({ healthy: true });
    expect(await fixture.run()).toMatchObject({ state: 'CLOSED' });
  });
});

test('a resume during a trial is not undone by the record of that trial', async () => {
  await fixture.put({ ...OPEN, failedTrials: 5 });
  fixture.trial = async () => {
    await fixture.run({ consumption: 'resume', ...BY_HAND });
    return bad('trial', 'it failed', { tried: true });
  };
  await fixture.run();
  fixture.trial = () => ({ healthy: true });
  expect(await fixture.run()).toMatchObject({ state: 'CLOSED' });
});
