/** The name of an order is read back into the parts that it was made of. */
import { describe, expect, test } from '@jest/globals';
import { externalIdOf, readExternalId } from '../../shared/external-id.ts';
import fc from '../properties.ts';

const part = fc.stringMatching(/^[A-Z0-9._]{1,10}$/);
const supplier = fc.stringMatching(/^[A-Z0-9]{1,5}(-[A-Z0-9]{1,4}){0,2}$/);

describe('the name of an order', () => {
  test('is read back into its parts, also where the supplier holds hyphens', () => {
    const client = fc.stringMatching(/^\d{3}$/);
    const name = fc.record({ client, cartNumber: part, supplier, currency: part, company: part });
    fc.assert(
      fc.property(name, (one) => {
        expect(readExternalId(externalIdOf(one))).toEqual(one);
      }),
    );
  });

  test.each([
    '',
    'SRM7',
    'SRM7-101-1-2-EUR',
    'SRM7-1x1-1-2-EUR-BE10',
    'X SRM7-101-1-2-EUR-BE10',
    'SRM7-101--2-EUR-BE10',
  ])('is not %j', (text) => {
    expect(readExternalId(text)).toBeUndefined();
  });
});
