/** Who can fix a fault, as people read it: the role of the catalogue, and what the environment says of it. */
import type { FaultOwner } from '../shared/failure.ts';
import type { Environment } from './environments.ts';

type Owners = Pick<Environment, 'owners'>;

/** The interface team has no setting: it reads these texts itself. */
const SETTINGS: Readonly<Record<Exclude<FaultOwner, 'interface team'>, keyof Environment['owners']>> = {
  'mapping owner': 'mapping',
  'SRM team': 'srm',
  '11VMS team': 'vms',
  buyer: 'buyer',
};

/** `SRM team (SAP basis, #sap-basis)`; `SRM team` where the environment does not name it. */
export function ownerText({ owners }: Owners, owner: FaultOwner): string {
  const named = owner === 'interface team' ? undefined : owners[SETTINGS[owner]];
  return named === undefined ? owner : `${owner} (${named.name}, ${named.contact})`;
}

/** Those whom the environment names. */
export const namedOwners = (environment: Owners, owners: readonly FaultOwner[]): string[] =>
  owners.map((owner) => ownerText(environment, owner)).filter((text, index) => text !== owners[index]);
