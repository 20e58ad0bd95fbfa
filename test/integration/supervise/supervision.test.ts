/** The event source mapping follows the breaker, whatever crashes, interferes or runs at the same time. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { HoldEnded } from '../../../functions/supervise-consumption/supervise-consumption.ts';
import { commitThenReset } from '../recording-proxy.ts';
import { lambdaError, openSupervisorFixture, type SupervisorFixture } from './supervisor-fixture.ts';
import { BY_HAND } from '../fixture.ts';

let fixture: SupervisorFixture;
beforeAll(async () => {
  fixture = await openSupervisorFixture();
});
beforeEach(() => fixture.reset());
afterAll(() => fixture.close());

const OPEN = { state: 'OPEN', reason: 'it is down', sinceMs: 1_795_000_000_000 } as const;
const unhealthy = {
  healthy: false,
  obstacle: 'trial',
  tried: true,
  reason: 'E_TGT_UNAVAILABLE: 11VMS answered 503',
} as const;
const count = (name: string): number => fixture.calls.filter((call) => call === name).length;
const pausedMetric = (): string[] => fixture.takeOutput().match(/"ConsumptionPaused":\d/g) ?? [];
const secondsToTheNextTrial = async (): Promise<number> =>
  Math.round(((await fixture.item()).nextTrialAtMs ?? 0) / 1000 - Date.now() / 1000);

/** Lets an hour pass before each of some runs. */
async function reconcileCarts(times: number): Promise<void> {
  for (let run = 0; run < times; run++) {
    await fixture.letTimePass();
    await fixture.run();
  }
}

describe('while the breaker is closed, a run', () => {
  test('reads the breaker, counts that carts flow, and does nothing', async () => {
    expect(await fixture.run()).toEqual({ state: 'CLOSED', reason: '' });
    expect(fixture.calls).toEqual(['GetItem']);
    expect(pausedMetric()).toEqual(['"ConsumptionPaused":0']);
  });

  test('never enables a mapping that a person disabled in the console', async () => {
    fixture.mapping.state = 'Disabled';
    await fixture.run();
    expect(fixture.mapping.state).toBe('Disabled');
  });
});

describe('while the breaker is open, a run', () => {
  test('disables the mapping, reports since when and why, and asks for a trial', async () => {
    await fixture.put(OPEN);
    fixture.trial = () => unhealthy;
    expect(await fixture.run()).toMatchObject({
      state: 'OPEN',
      reason: 'it is down',
      since: '2026-11-18T11:06:40.000Z',
    });
    expect(fixture.mapping.state).toBe('Disabled');
    expect(pausedMetric()).toEqual(['"ConsumptionPaused":1']);
    expect(count('Invoke')).toBe(1);
    expect(await fixture.item()).toMatchObject({ state: 'OPEN', mappingPaused: true, failedTrials: 1 });
  });

  test('waits longer after each bad trial: 60 s and doubling, a quarter of an hour at most', async () => {
    await fixture.put(OPEN);
    fixture.trial = () => unhealthy;
    const waits: number[] = [];
    for (let run = 0; run < 6; run++) {
      await reconcileCarts(1);
      waits.push(await secondsToTheNextTrial());
    }
    for (const [index, wait] of [60, 120, 240, 480, 900, 900].entries()) {
      expect(Math.abs((waits[index] ?? 0) - wait)).toBeLessThanOrEqual(5);
    }
    expect(count('Invoke')).toBe(6);
    await fixture.run();
    expect(count('Invoke')).toBe(6);
  });

  test.each<[string, () => void]>([
    [
      'without a cart',
      () => {
        fixture.trial = () => ({
          healthy: false,
          obstacle: 'probe',
          tried: false,
          reason: '11VMS answered 503 to a probe',
        });
      },
    ],
    [
      'that Lambda throttled',
      () => {
        fixture.proxies.lambda.intercept(async (call) => {
          const answer = await fixture.serve(call);
          return call.path.includes('/functions/') ? lambdaError(429, 'TooManyRequestsException') : answer;
        });
      },
    ],
  ])('tries again in the next minute after a trial %s, since none has lost a receive by it', async (_what, untried) => {
    await fixture.put(OPEN);
    fixture.trial = () => unhealthy;
    await reconcileCarts(2);
    untried();
    await fixture.letTimePass();
    const before = count('Invoke');
    for (let run = 1; run <= 3; run++) {
      await fixture.run();
      expect(count('Invoke')).toBe(before + run);
      expect(await fixture.item()).toMatchObject({ state: 'OPEN', failedTrials: 2 });
    }
  });

  test('disables the mapping again when a deployment has enabled it', async () => {
    await fixture.put(OPEN);
    fixture.trial = () => unhealthy;
    await fixture.run();
    fixture.mapping.state = 'Enabled';
    await fixture.run();
    expect(fixture.mapping.state).toBe('Disabled');
  });

  test('closes it after a good trial, and enables the mapping', async () => {
    await fixture.put(OPEN);
    expect(await fixture.run()).toMatchObject({ state: 'CLOSED', reason: '' });
    expect(await fixture.item()).toMatchObject({ state: 'CLOSED', reason: '', mappingPaused: false, failedTrials: 0 });
    expect(fixture.mapping.state).toBe('Enabled');
    expect(fixture.calls.filter((call) => call.startsWith('PutMapping'))).toEqual([
      'PutMapping false',
      'PutMapping true',
    ]);
    expect(pausedMetric()).toEqual(['"ConsumptionPaused":0']);
  });

  test('leaves a mapping disabled that a person had disabled before', async () => {
    await fixture.put(OPEN);
    fixture.mapping.state = 'Disabled';
    expect(await fixture.run()).toMatchObject({ state: 'CLOSED' });
    await reconcileCarts(2);
    expect(fixture.mapping.state).toBe('Disabled');
  });

  test('counts a worker that fails at its trial, or gives no answer, as a bad trial', async () => {
    await fixture.put(OPEN);
    for (const answer of [
      { status: 200, body: '{"errorMessage":"dead"}', error: 'Unhandled' },
      { status: 200, body: 'null' },
    ]) {
      fixture.proxies.lambda.intercept(async (call) => {
        const { error } = { error: undefined, ...answer };
        if (!call.path.includes('/functions/')) return fixture.serve(call);
        return { ...answer, headers: error === undefined ? {} : { 'x-amz-function-error': error } };
      });
      await reconcileCarts(1);
      expect(await fixture.item()).toMatchObject({ state: 'OPEN' });
      expect(fixture.mapping.state).toBe('Disabled');
    }
  });

  test('does not ask for the next trial at once when it died in one, since a trial uses up a receive', async () => {
    await fixture.put(OPEN);
    fixture.proxies.lambda.intercept((call) =>
      call.path.includes('/functions/')
        ? Promise.resolve(lambdaError(403, 'AccessDeniedException'))
        : fixture.serve(call),
    );
    await expect(fixture.run()).rejects.toThrow(/so it is/);
    expect(await secondsToTheNextTrial()).toBeGreaterThan(50);
  });
});

describe('a mapping that is changing at this moment', () => {
  test.each(['ResourceInUseException', 'ResourceConflictException'])('is paused a minute later: %s', async (type) => {
    await fixture.put(OPEN);
    fixture.trial = () => unhealthy;
    fixture.proxies.lambda.intercept((call) =>
      call.method === 'PUT' ? Promise.resolve(lambdaError(400, type)) : fixture.serve(call),
    );
    expect(await fixture.run()).toMatchObject({ state: 'OPEN' });
    fixture.proxies.lambda.intercept((call) => fixture.serve(call));
    await fixture.run();
    expect(fixture.mapping.state).toBe('Disabled');
  });

  test('does not count as resumed: the run fails, and the next one resumes it', async () => {
    await fixture.put({ ...OPEN, mappingPaused: true });
    fixture.mapping.state = 'Disabled';
    fixture.proxies.lambda.intercept((call) =>
      call.method === 'PUT' ? Promise.resolve(lambdaError(400, 'ResourceInUseException')) : fixture.serve(call),
    );
    await expect(fixture.run()).rejects.toThrow(/so it is/);
    fixture.proxies.lambda.intercept((call) => fixture.serve(call));
    await fixture.run();
    expect(fixture.mapping.state).toBe('Enabled');
    expect(await fixture.item()).toMatchObject({ state: 'CLOSED', mappingPaused: false });
  });
});

describe('a run that dies', () => {
  const allCalls = 13;
  /** The given call and all after it fail; `done`: the call takes effect, and only its answer is lost. */
  function dieAt(place: number, isDone: boolean): void {
    let made = 0;
    const breaks = async <Answer>(work: () => Promise<Answer>): Promise<Answer | undefined> => {
      made += 1;
      if (made < place) return work();
      if (made === place && isDone) await work();
      return undefined;
    };
    const gone = lambdaError(403, 'AccessDeniedException');
    fixture.proxies.dynamodb.intercept(async (_call, forward) => (await breaks(forward)) ?? gone);
    fixture.proxies.lambda.intercept(async (call) => (await breaks(() => fixture.serve(call))) ?? gone);
  }
  function live(): void {
    fixture.proxies.dynamodb.intercept((_call, forward) => forward());
    fixture.proxies.lambda.intercept((call) => fixture.serve(call));
  }
  const places = Array.from({ length: allCalls }, (_, index) => index + 1);

  test('calls so many operations, and can die at each', async () => {
    await fixture.put(OPEN);
    await fixture.run();
    expect(fixture.calls).toHaveLength(allCalls);
  });

  test.each([false, true])(
    'anywhere leaves the mapping to the next runs: enabled once 11VMS is healthy (call took effect: %s)',
    async (isDone) => {
      for (const place of places) {
        await fixture.reset();
        await fixture.put(OPEN);
        dieAt(place, isDone);
        await fixture.run().catch(() => undefined);
        live();
        await reconcileCarts(2);
        expect([place, fixture.mapping.state, await fixture.item()]).toMatchObject([
          place,
          'Enabled',
          { state: 'CLOSED', mappingPaused: false },
        ]);
      }
    },
  );

  test('anywhere leaves the mapping disabled while 11VMS is unhealthy', async () => {
    for (const place of places.slice(0, 9)) {
      await fixture.reset();
      await fixture.put(OPEN);
      fixture.trial = () => unhealthy;
      dieAt(place, true);
      await fixture.run().catch(() => undefined);
      live();
      await reconcileCarts(1);
      expect([place, fixture.mapping.state, await fixture.item()]).toMatchObject([
        place,
        'Disabled',
        { state: 'OPEN', mappingPaused: true },
      ]);
      fixture.trial = () => ({ healthy: true });
      await reconcileCarts(2);
      expect([place, fixture.mapping.state]).toEqual([place, 'Enabled']);
    }
  });
});

describe('a run that is frozen and goes on an hour later', () => {
  const allCalls = 13;
  /** `meanwhile` happens while the answer to the given call is on its way. */
  async function runFrozenAt(place: number, meanwhile: () => Promise<void>): Promise<void> {
    let made = 0;
    const freeze = async <Answer>(answered: Promise<Answer>): Promise<Answer> => {
      made += 1;
      if (made !== place) return answered;
      const answer = await answered;
      fixture.skipHour();
      await meanwhile();
      return answer;
    };
    fixture.proxies.dynamodb.intercept((_call, forward) => freeze(forward()));
    fixture.proxies.lambda.intercept((call) => freeze(fixture.serve(call)));
    const error: unknown = await fixture.run().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error === undefined || error instanceof HoldEnded).toBe(true);
    expect(made).toBeGreaterThanOrEqual(place);
  }
  const places = Array.from({ length: allCalls }, (_, index) => index + 1);

  test.each(places)('at call %i leaves on what another run has resumed', async (place) => {
    await fixture.put(OPEN);
    await runFrozenAt(place, async () => {
      await reconcileCarts(1);
      fixture.trial = () => unhealthy;
    });
    await reconcileCarts(1);
    expect(await fixture.item()).toMatchObject({ state: 'CLOSED', mappingPaused: false });
    expect(fixture.mapping.state).toBe('Enabled');
  });

  test.each(places)('at call %i does not hide from others that they must resume', async (place) => {
    await fixture.put(OPEN);
    await runFrozenAt(place, async () => {
      await reconcileCarts(1);
      // 11VMS fails again, and a third run pauses.
      await fixture.put({ ...(await fixture.item()), ...OPEN });
      fixture.trial = () => unhealthy;
      await reconcileCarts(1);
      expect(fixture.mapping.state).toBe('Disabled');
    });
    fixture.trial = () => ({ healthy: true });
    await reconcileCarts(2);
    expect(await fixture.item()).toMatchObject({ state: 'CLOSED', mappingPaused: false });
    expect(fixture.mapping.state).toBe('Enabled');
  });
});

describe('a lost answer of DynamoDB', () => {
  test('to the closing: the same run enables the mapping', async () => {
    await fixture.put(OPEN);
    let lost = 0;
    fixture.proxies.dynamodb.intercept((call, forward) =>
      call.operation === 'UpdateItem' && call.body.includes('"CLOSED"') && lost++ === 0
        ? commitThenReset(call, forward)
        : forward(),
    );
    expect(await fixture.run()).toMatchObject({ state: 'CLOSED' });
    expect(lost).toBe(2);
    expect(fixture.mapping.state).toBe('Enabled');
  });

  test('to the hold: the run continues', async () => {
    await fixture.put(OPEN);
    let lost = 0;
    fixture.proxies.dynamodb.intercept((call, forward) =>
      call.body.includes('SET heldBy') && lost++ === 0 ? commitThenReset(call, forward) : forward(),
    );
    expect(await fixture.run()).toMatchObject({ state: 'CLOSED' });
  });

  test('to a resume by hand: 11VMS is tried at once', async () => {
    await fixture.put({ ...OPEN, state: 'FORCED_OPEN' });
    let lost = 0;
    fixture.proxies.dynamodb.intercept((call, forward) =>
      call.operation === 'UpdateItem' && call.body.includes('FORCED_OPEN') && lost++ === 0
        ? commitThenReset(call, forward)
        : forward(),
    );
    expect(await fixture.run({ consumption: 'resume', ...BY_HAND })).toMatchObject({ state: 'CLOSED' });
  });
});

describe('runs at the same time', () => {
  test('the second of two reports the state, and leaves the mapping to the first', async () => {
    await fixture.put(OPEN);
    const [tried, goOn] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    fixture.trial = async () => {
      tried.resolve(undefined);
      await goOn.promise;
      return { healthy: true };
    };
    const first = fixture.run();
    await tried.promise;
    const calls = fixture.calls.length;
    expect(await fixture.run()).toMatchObject({ state: 'OPEN' });
    expect(fixture.calls.slice(calls)).toEqual(['GetItem', 'UpdateItem']);
    goOn.resolve(undefined);
    expect(await first).toMatchObject({ state: 'CLOSED' });
    expect(fixture.mapping.state).toBe('Enabled');
    expect(await fixture.item()).not.toHaveProperty('heldBy');
  });

  test('one that read OPEN before another one closed the breaker does not disable the mapping after it', async () => {
    await fixture.put({ ...OPEN, mappingPaused: true });
    fixture.mapping.state = 'Disabled';
    let other: Promise<unknown> | undefined;
    fixture.proxies.dynamodb.intercept(async (call, forward) => {
      if (call.operation !== 'GetItem' || other !== undefined) return forward();
      const read = await forward();
      other = fixture.run();
      await other;
      return read;
    });
    expect(await fixture.run()).toMatchObject({ state: 'CLOSED' });
    expect(fixture.mapping.state).toBe('Enabled');
    await reconcileCarts(1);
    expect(fixture.mapping.state).toBe('Enabled');
  });

  test('a worker that opens the breaker while a run closes it is seen by the next run', async () => {
    await fixture.put({ ...OPEN, mappingPaused: true });
    fixture.mapping.state = 'Disabled';
    fixture.proxies.lambda.intercept(async (call) => {
      if (call.method === 'PUT') await fixture.put({ ...(await fixture.item()), ...OPEN });
      return fixture.serve(call);
    });
    await fixture.run();
    fixture.proxies.lambda.intercept((call) => fixture.serve(call));
    fixture.trial = () => unhealthy;
    await fixture.run();
    expect(fixture.mapping.state).toBe('Disabled');
    expect(await fixture.item()).toMatchObject({ state: 'OPEN', mappingPaused: true });
  });
});

describe('by hand', () => {
  test('a pause disables the mapping, says why, and stays', async () => {
    expect(await fixture.run({ consumption: 'pause', ...BY_HAND, reason: 'release of 11VMS' })).toMatchObject({
      state: 'FORCED_OPEN',
      reason: `release of 11VMS (by ${BY_HAND.by})`,
    });
    await reconcileCarts(3);
    expect(fixture.mapping.state).toBe('Disabled');
    expect(await fixture.item()).toMatchObject({ state: 'FORCED_OPEN' });
    expect(count('Invoke')).toBe(0);
    expect((await fixture.operations()).at(-1)).toMatchObject({
      by: BY_HAND.by,
      reason: 'release of 11VMS',
      action: 'pause',
      outcome: { result: 'done', summary: expect.stringMatching(/^FORCED_OPEN: Consumption is paused/) },
    });
  });

  test('a pause or a resume that the ledger does not take is an error, and changes nothing', async () => {
    await fixture.put(OPEN);
    fixture.proxies.dynamodb.intercept((call, forward) =>
      call.body.includes('OPERATION#') ? Promise.resolve(lambdaError(400, 'ValidationException')) : forward(),
    );
    for (const consumption of ['pause', 'resume']) {
      await expect(fixture.run({ consumption, ...BY_HAND })).rejects.toThrow('so it is');
    }
    expect(await fixture.item()).toEqual({ pk: 'BREAKER#11VMS', sk: 'BREAKER', ...OPEN });
    expect(fixture.mapping.state).toBe('Enabled');
  });

  test('a resume tries 11VMS at once, and consumption continues when 11VMS is healthy', async () => {
    await fixture.run({ consumption: 'pause', ...BY_HAND });
    expect(await fixture.run({ consumption: 'resume', ...BY_HAND })).toMatchObject({ state: 'CLOSED' });
    expect((await fixture.operations()).at(-1)).toMatchObject({
      ...BY_HAND,
      action: 'resume',
      outcome: { result: 'done', summary: 'CLOSED: carts flow' },
    });
    expect(count('Invoke')).toBe(1);
    expect(fixture.mapping.state).toBe('Enabled');
  });

  test('a resume while 11VMS is unhealthy leaves the breaker open, and the next runs go on trying', async () => {
    await fixture.run({ consumption: 'pause', ...BY_HAND });
    fixture.trial = () => unhealthy;
    expect(await fixture.run({ consumption: 'resume', ...BY_HAND })).toMatchObject({ state: 'OPEN' });
    expect((await fixture.operations()).at(-1)).toMatchObject({
      action: 'resume',
      outcome: { result: 'stopped', summary: expect.stringMatching(/^OPEN: Consumption is paused/) },
    });
    expect(fixture.mapping.state).toBe('Disabled');
    fixture.trial = () => ({ healthy: true });
    await reconcileCarts(1);
    expect(fixture.mapping.state).toBe('Enabled');
  });

  test('a resume does not wait for the next trial', async () => {
    await fixture.put({ ...OPEN, failedTrials: 5, nextTrialAtMs: Date.now() + 900_000 });
    expect(await fixture.run({ consumption: 'resume', ...BY_HAND })).toMatchObject({ state: 'CLOSED' });
  });

  test('a resume of running consumption changes nothing', async () => {
    expect(await fixture.run({ consumption: 'resume', ...BY_HAND })).toMatchObject({ state: 'CLOSED' });
    expect(count('Invoke')).toBe(0);
    expect(await fixture.item()).toEqual({});
  });

  test('a pause during a trial wins: the good trial does not close the breaker', async () => {
    await fixture.put(OPEN);
    fixture.trial = async () => {
      expect(await fixture.run({ consumption: 'pause', ...BY_HAND })).toMatchObject({ state: 'FORCED_OPEN' });
      return { healthy: true };
    };
    expect(await fixture.run()).toMatchObject({ state: 'FORCED_OPEN' });
    await reconcileCarts(2);
    expect(fixture.mapping.state).toBe('Disabled');
  });

  test.each([
    [{ consumption: 'stop', ...BY_HAND }, /→ at consumption/],
    [{ consumption: 'pause', ...BY_HAND, because: 'a typo' }, /Unrecognized key: "because"/],
    [{ consumption: 'pause', ...BY_HAND, reason: 7 }, /→ at reason/],
    [{ consumption: 'pause', by: BY_HAND.by }, /→ at reason/],
    [{ consumption: 'resume', reason: BY_HAND.reason }, /→ at by/],
    [{ Consumption: 'pause' }, /Unrecognized key: "Consumption"/],
    [BY_HAND, /Unrecognized keys: "by", "reason"/],
    [{ pause: true }, /Unrecognized key: "pause"/],
    [{ 'detail-type': 'Object Created' }, /→ at \["detail-type"\]/],
    ['pause', /expected object/],
    [[], /expected object/],
  ])('%j is an error that changes nothing, and says what is wrong', async (event, fault) => {
    await fixture.put(OPEN);
    await expect(fixture.run(event)).rejects.toThrow(/nothing was changed: /);
    await expect(fixture.run(event)).rejects.toThrow(fault);
    expect(fixture.calls).toEqual([]);
    expect(fixture.mapping.state).toBe('Enabled');
  });

  test('an event of the schedule starts a normal run', async () => {
    const event = { version: '0', id: '1', 'detail-type': 'Scheduled Event', source: 'aws.scheduler', detail: '{}' };
    expect(await fixture.run(event)).toMatchObject({ state: 'CLOSED' });
  });
});
