/** How bodies are packed into batches that SQS takes. */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { packBatches } from '../../shared/cart-queue.ts';
import fc from '../properties.ts';

const MEBIBYTE = 1_048_576;
/** SQS counts the attribute of each message: its name, its type and its value. */
const SIGNATURE = Buffer.byteLength(`signatureStringv1:${createHmac('sha256', 'key').digest('base64url')}`);
const bytes = (batch: readonly string[]): number =>
  batch.reduce((sum, body) => sum + Buffer.byteLength(body) + SIGNATURE, 0);

describe('batches for SQS', () => {
  test('hold ten bodies at most', () => {
    const bodies = Array.from({ length: 21 }, (_, index) => `${index}`);
    expect(packBatches(bodies).map(({ length }) => length)).toEqual([10, 10, 1]);
  });

  test('hold 1 MiB at most with their signatures, to the byte, and bytes are not characters', () => {
    const half = `${'é'.repeat(MEBIBYTE / 4 - SIGNATURE)}${'x'.repeat(SIGNATURE)}`;
    expect(packBatches([half, half]).map(({ length }) => length)).toEqual([2]);
    expect(packBatches([half, `${half}x`]).map(({ length }) => length)).toEqual([1, 1]);
  });

  test('do not exist without bodies', () => {
    expect(packBatches([])).toEqual([]);
  });

  test.each([
    ['at the start', ['L', 'a', 'b'], [['L'], ['a', 'b']]],
    ['in the middle', ['a', 'L', 'b'], [['a'], ['L'], ['b']]],
    ['at the end', ['a', 'b', 'L'], [['a', 'b'], ['L']]],
  ])('hold a body that is too large %s alone, and are never empty', (_, names, batches) => {
    const large = 'L'.repeat(MEBIBYTE + 1);
    const bodies = names.map((name) => (name === 'L' ? large : name));
    expect(packBatches(bodies).map((batch) => batch.map((body) => body[0]))).toEqual(batches);
  });

  const anyBodies = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
      fc
        .tuple(fc.constantFrom('x', 'é', '漢', '😀'), fc.integer({ min: 0, max: 400_000 }))
        .map(([unit, times]) => unit.repeat(times)),
    ),
    { maxLength: 40 },
  );

  test('of any bodies keep their order and lose nothing, and exceed a limit only for a single body that does', () => {
    fc.assert(
      fc.property(anyBodies, (bodies) => {
        const batches = packBatches(bodies);
        // Texts of megabytes are compared by identity: a failing diff of them would take minutes.
        const packed = batches.flat();
        expect(packed.length).toBe(bodies.length);
        expect(packed.every((body, index) => body === bodies[index])).toBe(true);
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(10);
          expect(batch.length === 1 || bytes(batch) <= MEBIBYTE).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('are as few as their order allows: none could take the next body, too', () => {
    fc.assert(
      fc.property(anyBodies, (bodies) => {
        const batches = packBatches(bodies);
        for (const [index, batch] of batches.slice(0, -1).entries()) {
          const [next = ''] = batches[index + 1] ?? [];
          expect(batch.length === 10 || bytes(batch) + bytes([next]) > MEBIBYTE).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });
});
