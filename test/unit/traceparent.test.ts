/** X-Ray's trace as W3C Trace Context has it. */
import { describe, expect, test } from '@jest/globals';
import { traceparent } from '../../shared/traceparent.ts';
import fc from '../properties.ts';

/** Version 00 of https://www.w3.org/TR/trace-context/, "traceparent header": neither id may be all zeros. */
const W3C = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

const hex = (length: number) => fc.stringMatching(new RegExp(`^[\\da-f]{${length}}$`));
const ids = fc.record({ seconds: hex(8), unique: hex(24), parent: hex(16) });
/** Parts that AWS adds, and those that it may add. */
const further = fc.array(
  fc.constantFrom('Lineage=a87bd80c:1|68fd508a:5', 'Self=1-67891233-abcdef012345678912345678', 'Root2=x'),
);

describe('the header', () => {
  test('of the trace in the documents of AWS', () => {
    expect(traceparent('Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1')).toBe(
      '00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01',
    );
  });

  test('is as the standard has it, whatever the order of the parts and whatever stands beside them', () => {
    fc.assert(
      fc.property(
        ids,
        fc.constantFrom('0', '1'),
        further.chain((parts) =>
          fc.shuffledSubarray(['root', 'parent', 'sampled', ...parts], { minLength: parts.length + 3 }),
        ),
        ({ seconds, unique, parent }, sampled, parts) => {
          fc.pre(/[^0]/.test(seconds + unique) && /[^0]/.test(parent));
          const texts: Readonly<Record<string, string>> = {
            root: `Root=1-${seconds}-${unique}`,
            parent: `Parent=${parent}`,
            sampled: `Sampled=${sampled}`,
          };
          const header = traceparent(parts.map((part) => texts[part] ?? part).join(';'));
          expect(header).toMatch(W3C);
          expect(header).toBe(`00-${seconds}${unique}-${parent}-0${sampled}`);
        },
      ),
    );
  });

  test('is absent or as the standard has it, for a trace that is cut off or spoilt anywhere', () => {
    const whole = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1';
    const spoilt = fc.tuple(fc.nat(whole.length), fc.nat(whole.length), fc.string({ maxLength: 3 }));
    const cut = spoilt.map(([from, length, text]) => whole.slice(0, from) + text + whole.slice(from + length));
    fc.assert(
      fc.property(fc.oneof(cut, fc.string()), (trace) => {
        const header = traceparent(trace);
        expect(header === undefined || W3C.test(header)).toBe(true);
      }),
    );
  });

  test.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['no parent', 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0'],
    ['no root', 'Parent=53995c3f42cd8ad8;Sampled=1'],
    ['another version', 'Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'],
    ['a trace of zeros', `Root=1-${'0'.repeat(8)}-${'0'.repeat(24)};Parent=53995c3f42cd8ad8;Sampled=1`],
    ['a parent of zeros', `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=${'0'.repeat(16)};Sampled=1`],
    ['capitals', 'Root=1-5759E988-BD862E3FE1BE46A994272793;Parent=53995C3F42CD8AD8;Sampled=1'],
    ['one digit too many', 'Root=1-5759e988-bd862e3fe1be46a9942727930;Parent=53995c3f42cd8ad8;Sampled=1'],
  ])('is absent for %s', (_, trace) => {
    expect(traceparent(trace)).toBeUndefined();
  });

  test.each(['Sampled=?', ''])('says "not known to be sampled" for "%s"', (sampled) => {
    expect(traceparent(`Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;${sampled}`)).toMatch(/-00$/);
  });
});
