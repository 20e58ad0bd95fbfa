/** Who can fix a fault, as people read it. */
import { expect, test } from '@jest/globals';
import { ENVIRONMENTS, loadEnvironment, parseEnvironment } from '../../infra/environments.ts';
import { ownerText } from '../../infra/owners.ts';
import type { FaultOwner } from '../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';

const team = (name: string) => ({ name, contact: `#${name.toLowerCase()}` });
const named = parseEnvironment(
  {
    ...ENVIRONMENTS['dev'],
    owners: { mapping: team('Mapping'), srm: team('Basis'), vms: team('Vendors'), buyer: team('Purchasing') },
  },
  'this test',
);

test.each<[FaultOwner, string]>([
  ['mapping owner', 'mapping owner (Mapping, #mapping)'],
  ['SRM team', 'SRM team (Basis, #basis)'],
  ['11VMS team', '11VMS team (Vendors, #vendors)'],
  ['buyer', 'buyer (Purchasing, #purchasing)'],
  // Whoever runs the interface reads this text.
  ['interface team', 'interface team'],
])('%s is named as the environment says', (owner, text) => {
  expect(ownerText(named, owner)).toBe(text);
});

test('an owner that the environment does not name is called by its role', () => {
  const owners = Object.values(FAULT_CATALOGUE).map(({ owner }) => owner);
  const partly = parseEnvironment({ ...ENVIRONMENTS['dev'], owners: { srm: team('Basis') } }, 'this test');

  for (const owner of owners) expect(ownerText(loadEnvironment('dev'), owner)).toBe(owner);
  expect(ownerText(partly, 'SRM team')).toBe('SRM team (Basis, #basis)');
  expect(ownerText(partly, 'mapping owner')).toBe('mapping owner');
});
