/** The text that a person pastes into a ticket. It holds identifiers, codes and times: nothing that a cart holds. */
import type { FaultCode } from '../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';
import { instantText } from '../../shared/standing-sentence.ts';
import { ownerText } from '../owners.ts';
import type { Environment } from '../environments.ts';

export interface TicketFacts {
  readonly environment: Pick<Environment, 'name' | 'owners'> & {
    readonly srm: Pick<Environment['srm'], 'client'>;
    readonly notifications: Pick<Environment['notifications'], 'runbookUrl'>;
  };
  /** Its number; where it has none, its GUID. */
  readonly cart: string;
  /** What became of the cart, in one word. */
  readonly word: string;
  readonly messageIds: readonly string[];
  readonly externalIds: readonly string[];
  /** Each once. Their values are left out: a ticket is read by many. */
  readonly codes: readonly FaultCode[];
  readonly firstSeenMs: number | undefined;
  readonly lastSeenMs: number | undefined;
  /** The anchor of a heading of the runbook. */
  readonly runbook: string;
}

export function ticketText(facts: TicketFacts): string {
  const { environment, cart, word, messageIds, externalIds, codes, firstSeenMs, lastSeenMs, runbook } = facts;
  const lines = [
    ['Environment', environment.name],
    ['Cart', `${cart} (SAP client ${environment.srm.client})`],
    ['Standing', word],
    ...messageIds.map((id) => ['Message id', id]),
    ...externalIds.map((id) => ['External id', id]),
    ...codes.flatMap((code) => [
      ['Code', `${code}: ${FAULT_CATALOGUE[code].meaning}`],
      ['Owner', ownerText(environment, FAULT_CATALOGUE[code].owner)],
      ['What to do', FAULT_CATALOGUE[code].action],
    ]),
    ...(firstSeenMs === undefined ? [] : [['First seen', `${instantText(firstSeenMs)} (UTC)`]]),
    ...(lastSeenMs === undefined ? [] : [['Last seen', `${instantText(lastSeenMs)} (UTC)`]]),
    ['Runbook', `${environment.notifications.runbookUrl}#${runbook}`],
  ];
  return lines.map(([name, text]) => `${name}: ${text}\n`).join('');
}
