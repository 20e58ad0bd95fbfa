/** The redrive of a plan, over ports in memory with SQS's semantics: killed at each call, with failures, two at once. */
import { describe, expect, test } from '@jest/globals';
import { bytesOf, packLetters } from '../../../functions/redrive-dead-letters/letter-batches.ts';
import type { MoveTask } from '../../../functions/redrive-dead-letters/move-tasks.ts';
import { approveRedrive, redrive, type RedriveResult } from '../../../functions/redrive-dead-letters/redrive.ts';
import { SQS_LIMIT_BYTES } from '../../../shared/cart-message.ts';
import fc from '../../properties.ts';
import { Killed, World } from './memory-queues.ts';

const act = { by: 'ann', reason: 'unit mapped' };
const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `old-${index}`);

function worldOf(count: number): World {
  const world = new World();
  for (const id of ids(count)) world.addLetter(id);
  return world;
}

const run = (world: World, messageIds: readonly string[], timeLeftMs?: number): Promise<RedriveResult> =>
  redrive(world.plan(messageIds), act, world.dependencies(timeLeftMs));

/** The ids of the dead letters of which a message lies on the cart queue, once for each. */
const sentOf = ({ queue }: World): string[] => queue.map(({ oldMessageId }) => oldMessageId);

/** What holds after a run that was not killed. */
function expectMoved(world: World, moved: readonly string[], left: readonly string[]): void {
  expect([...world.letters.keys()].sort()).toEqual([...left].sort());
  expect(world.visible.sort()).toEqual([...left].sort());
  expect([...new Set(sentOf(world))].sort()).toEqual([...moved].sort());
  expect([...world.listed].sort()).toEqual([...left].sort());
}

const MOVING: MoveTask = {
  status: 'RUNNING',
  isActive: true,
  startedAtMs: 0,
  moved: 0,
  toMove: undefined,
  failureReason: undefined,
  handle: 'h',
};

describe('a redrive', () => {
  test('moves exactly what its plan has shown, one first, and releases all others', async () => {
    const world = worldOf(40);
    const chosen = ['old-3', 'old-17', 'old-39'];
    const result = await run(world, chosen);

    expect(result).toMatchObject({ status: 'complete', moved: 3, ordered: 3, failed: [], open: 0, left: [] });
    expect(result.summary).toBe('3 moved, 3 ordered');
    expectMoved(
      world,
      chosen,
      ids(40).filter((id) => !chosen.includes(id)),
    );
    // Its outcome was known before another was sent.
    const [canary, ...others] = world.queue;
    for (const { sentAtMs } of others) expect(sentAtMs).toBeGreaterThan(canary?.sentAtMs ?? 0);
    expect(world.calls.slice(0, world.calls.indexOf('send')).filter((call) => call === 'send')).toEqual([]);
    expect([...world.redrives.values()].map(({ state }) => state)).toEqual(['DONE', 'DONE', 'DONE']);
    // The worker's verdict on it is never older.
    const sentAtMs = new Map(world.queue.map((message) => [message.messageId, message.sentAtMs]));
    for (const redrive of world.redrives.values()) {
      expect(redrive.sentAtMs).toBeLessThanOrEqual(sentAtMs.get(redrive.newMessageId ?? '') ?? 0);
    }
  });

  test('sends body, attributes and trace byte for byte', async () => {
    const world = new World();
    const letter = {
      body: '{"text":"\\ud83d\\ude00 \u00e9\n"}',
      attributes: {
        requeues: { DataType: 'Number', StringValue: '2' },
        raw: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255]) },
      },
      traceHeader: 'Root=1-5759e988-bd862e3fe1be46a994272793',
    };
    world.addLetter('old-0', letter);
    await run(world, ['old-0']);

    expect(world.queue).toEqual([expect.objectContaining(letter)]);
  });

  test('sends ten a second, and each batch within the bytes of SQS', async () => {
    const world = worldOf(31);
    await run(world, ids(31));

    const times = world.queue.map(({ sentAtMs }) => sentAtMs);
    for (const at of new Set(times)) {
      expect(times.filter((other) => other >= at && other < at + 1000).length).toBeLessThanOrEqual(10);
    }
    expect(sentOf(world)).toHaveLength(31);
  });

  test('stops when the first fails again, whatever the code, and releases all', async () => {
    const world = worldOf(20);
    world.worker = () => ['E_TGT_VALIDATION'];
    const result = await run(world, ids(20));

    expect(result).toMatchObject({ status: 'stopped', moved: 1, failed: [{ codes: ['E_TGT_VALIDATION'] }] });
    expect(result.stoppedBy).toMatch(/^the first message, old-\d+, failed again: E_TGT_VALIDATION$/);
    expect(result.left).toHaveLength(19);
    expectMoved(world, sentOf(world), result.left);
  });

  test('stops when the first has no outcome after five minutes, or when its time is over', async () => {
    for (const timeLeftMs of [900_000, 60_000]) {
      const world = worldOf(3);
      world.worker = () => undefined;
      const startMs = world.nowMs;
      const result = await run(world, ids(3), timeLeftMs);

      expect(result).toMatchObject({
        status: 'stopped',
        moved: 1,
        open: 1,
        stoppedBy: expect.stringMatching(/no outcome yet$/),
      });
      expect(world.nowMs - startMs).toBeLessThan(Math.min(timeLeftMs, 310_000));
      expectMoved(world, sentOf(world), result.left);
    }
  });

  test('goes on when one fails for another reason, and stops at the first that fails for its old one', async () => {
    const world = worldOf(40);
    world.worker = ({ messageId }) =>
      messageId === 'new-3' ? ['E_TGT_VALIDATION'] : messageId === 'new-15' ? ['E_MAP_UOM'] : 'ordered';
    const result = await run(world, ids(40));

    expect(result.stoppedBy).toMatch(/^message old-\d+ failed again: E_MAP_UOM$/);
    expect(result.failed.map(({ newMessageId }) => newMessageId)).toEqual(['new-3', 'new-15']);
    expect(result.moved).toBeGreaterThan(15);
    expect(result.moved).toBeLessThan(40);
    expectMoved(world, sentOf(world), result.left);
  });

  test('sees one that fails among many that have no outcome yet', async () => {
    const world = worldOf(80);
    world.worker = ({ messageId }) =>
      messageId === 'new-0' ? 'ordered' : messageId === 'new-25' ? ['E_MAP_UOM'] : undefined;
    const result = await run(world, ids(80));

    expect(result.stoppedBy).toMatch(/^message old-\d+ failed again: E_MAP_UOM$/);
    expect(result.moved).toBeLessThan(60);
  });

  test('begins with one that would be ordered, not with one that fails by its forecast', async () => {
    const world = worldOf(10);
    const { messages, ...plan } = world.plan(ids(10));
    const forecasts = messages.map((message) => ({
      ...message,
      forecast: message.messageId === 'old-2' ? ('ordered' as const) : ('fails' as const),
    }));
    await redrive({ ...plan, messages: forecasts }, act, world.dependencies());

    expect(world.queue[0]?.oldMessageId).toBe('old-2');
  });

  test('leaves what SQS does not take, and deletes nothing of it', async () => {
    const world = worldOf(12);
    world.refusedSends.add('old-5');
    const result = await run(world, ids(12));

    expect(result).toMatchObject({
      status: 'partly',
      moved: 11,
      notSent: { 'old-5': 'InternalError' },
      left: ['old-5'],
    });
    expectMoved(
      world,
      ids(12).filter((id) => id !== 'old-5'),
      ['old-5'],
    );
  });

  test('stops when SQS does not take the first', async () => {
    const world = worldOf(1);
    world.refusedSends.add('old-0');

    expect(await run(world, ['old-0'])).toMatchObject({
      status: 'stopped',
      moved: 0,
      stoppedBy: 'SQS did not take the first message: InternalError',
    });
    expectMoved(world, [], ['old-0']);
  });

  test('names what SQS did not delete; the next run deletes it, and sends nothing', async () => {
    const world = worldOf(12);
    world.refusedDeletes.add('old-5');
    const result = await run(world, ids(12));
    expect(result).toMatchObject({ status: 'partly', moved: 12, notDeleted: ['old-5'] });

    world.refusedDeletes.clear();
    world.nowMs += 121_000;
    expect(await run(world, ids(12))).toMatchObject({ status: 'partly', moved: 0, completed: 1 });
    expectMoved(world, ids(12), []);
    expect(sentOf(world)).toHaveLength(12);
  });

  test('does not send what it has held for so long that another reader may hold it', async () => {
    const world = worldOf(1);
    world.afterCall = (call) => {
      if (call === 'receive' && world.queue.length === 0) world.nowMs += 61_000;
    };
    expect(await run(world, ['old-0'], 500_000)).toMatchObject({ moved: 0, left: ['old-0'] });
    expect(world.queue).toEqual([]);
  });

  test('moves nothing that another reader holds, and says so', async () => {
    const world = worldOf(3);
    await world.deadLetters.receive(600);
    expect(await run(world, ids(3))).toMatchObject({ status: 'partly', moved: 0, left: ids(3) });
  });

  test('of two at once moves each message once, and nothing is lost', async () => {
    const world = worldOf(30);
    const results = await Promise.all([run(world, ids(30)), run(world, ids(30))]);

    expect(results.reduce((sum, { moved }) => sum + moved, 0)).toBe(30);
    expect(sentOf(world)).toHaveLength(30);
    expectMoved(world, ids(30), []);
  });

  test.each<[string, (world: World) => void, RegExp]>([
    ['its plan is not known', (world) => world.plans.clear(), /^There is no such plan/],
    ['its plan is older than an hour', (world) => void (world.nowMs += 3_600_001), /^The plan is older than an hour/],
    [
      'SQS moves all messages',
      (world) => {
        world.moveTask = MOVING;
      },
      /^SQS moves all dead letters right now/,
    ],
    [
      'consumption is paused',
      (world) => void (world.breakerState = 'OPEN'),
      /^Consumption is paused \(11VMS is down\)/,
    ],
  ])('is refused when %s', async (_why, change, expected) => {
    const world = worldOf(1);
    world.plans.set('a', world.plan(ids(1)));
    const request = { planHash: 'a', force: false };
    await expect(approveRedrive(request, world.dependencies())).resolves.toBeDefined();
    change(world);
    await expect(approveRedrive(request, world.dependencies())).rejects.toThrow(expected);
    await expect(approveRedrive(request, world.dependencies())).rejects.toThrow(/Nothing was changed\.$/);
    expect(world.calls).toEqual([]);
  });

  test('is made while consumption is paused when it is forced', async () => {
    const world = worldOf(1);
    world.plans.set('a', world.plan(ids(1)));
    world.breakerState = 'FORCED_OPEN';
    await expect(approveRedrive({ planHash: 'a', force: true }, world.dependencies())).resolves.toBeDefined();
  });
});

describe('a redrive that is killed', () => {
  /** How many calls a run of 13 of 15 messages makes. */
  async function callsOfWholeRun(): Promise<number> {
    const world = worldOf(15);
    await run(world, ids(13));
    return world.calls.length;
  }

  test.each(['before', 'after'] as const)(
    '%s the effect of any call loses nothing; the next run completes it, and at most one batch is sent twice',
    async (when) => {
      const calls = await callsOfWholeRun();
      expect(calls).toBeGreaterThan(60);
      for (let last = 0; last < calls; last++) {
        const world = worldOf(15);
        const kill = (_call: string, index: number): void => {
          if (index === last) throw new Killed();
        };
        if (when === 'before') world.beforeCall = kill;
        else world.afterCall = kill;
        await expect(run(world, ids(13))).rejects.toThrow(Killed);
        // Each message is a dead letter still, or on the cart queue.
        const somewhere = new Set([...world.letters.keys(), ...sentOf(world)]);
        expect([...somewhere].sort()).toEqual(ids(15).sort());
        // What counts as redriven is on the cart queue.
        for (const id of ids(15)) expect(world.listed.has(id) || sentOf(world).includes(id)).toBe(true);

        world.revive();
        world.nowMs += 121_000;
        const result = await run(world, ids(13));
        expect(result.status === 'complete' || result.left.every((id) => !world.letters.has(id))).toBe(true);
        expectMoved(world, ids(13), ['old-13', 'old-14']);
        expect(sentOf(world).length).toBeLessThanOrEqual(13 + 10);
      }
    },
  );

  test('at any call, again and again, with failures of SQS in between, ends with each message sent and none lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ last: fc.nat(90), after: fc.boolean(), fails: fc.boolean() }), { maxLength: 5 }),
        async (kills) => {
          const world = worldOf(12);
          for (const { last, after, fails } of kills) {
            world.calls.length = 0;
            const end = (_call: string, index: number): void => {
              if (index !== last) return;
              throw fails ? new Error('SQS is down') : new Killed();
            };
            if (after) world.afterCall = end;
            else world.beforeCall = end;
            await run(world, ids(12)).catch(() => undefined);
            const somewhere = new Set([...world.letters.keys(), ...sentOf(world)]);
            expect(somewhere.size).toBe(12);
            world.revive();
            world.nowMs += 121_000;
          }
          await run(world, ids(12));
          expectMoved(world, ids(12), []);
        },
      ),
      { numRuns: 150 },
    );
  });
});

test('batches hold ten letters and 1 MiB at most, attributes counted, in order', () => {
  const letter = fc.record({
    messageId: fc.string(),
    receiptHandle: fc.string(),
    body: fc.nat(SQS_LIMIT_BYTES - 100).map((length) => 'x'.repeat(length)),
    attributes: fc.constantFrom({}, { a: { DataType: 'String', StringValue: '€' } }),
    traceHeader: fc.constant(undefined),
    sentAtMs: fc.constant(undefined),
  });
  fc.assert(
    fc.property(fc.array(letter, { maxLength: 30 }), (letters) => {
      const batches = packLetters(letters);
      expect(batches.flat()).toEqual(letters);
      for (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        expect(batch.length).toBeLessThanOrEqual(10);
        expect(batch.reduce((sum, one) => sum + bytesOf(one), 0)).toBeLessThanOrEqual(SQS_LIMIT_BYTES);
      }
    }),
    { numRuns: 20 },
  );
});
