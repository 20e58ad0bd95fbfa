/** The text for a ticket: what it holds, and that nothing of a cart's contents is in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type HeadingContext, runbookHeadingOf } from '../../../infra/console/runbook-heading.ts';
import { type TicketFacts, ticketText } from '../../../infra/console/ticket.ts';
import type { FaultCode } from '../../../shared/failure.ts';
import type { Standing } from '../../../shared/standing.ts';

const facts: TicketFacts = {
  environment: {
    name: 'prod',
    owners: { mapping: { name: 'Catalogue', contact: '#catalogue' } },
    srm: { client: '100' },
    notifications: { runbookUrl: 'https://wiki/runbook' },
  },
  cart: '1010000123',
  word: 'dead-lettered',
  messageIds: ['11111111-2222-3333-4444-555555555555'],
  externalIds: ['SRM7-100-1010000123-100234-EUR-BE10'],
  codes: ['E_MAP_UOM'],
  firstSeenMs: Date.UTC(2026, 10, 27, 8),
  lastSeenMs: Date.UTC(2026, 10, 27, 9),
  runbook: 'redrive',
};

test('says environment, identifiers, code, owner, what to do, first and last seen, and the chapter of the runbook', () => {
  expect(ticketText(facts)).toBe(
    [
      'Environment: prod',
      'Cart: 1010000123 (SAP client 100)',
      'Standing: dead-lettered',
      'Message id: 11111111-2222-3333-4444-555555555555',
      'External id: SRM7-100-1010000123-100234-EUR-BE10',
      'Code: E_MAP_UOM: The unit of measure is not in the value map',
      'Owner: mapping owner (Catalogue, #catalogue)',
      "What to do: Add the unit to translation.valueMaps.unit in infra/environments.ts, or in the environment's own file, deploy, then redrive.",
      'First seen: 2026-11-27T08:00:00Z (UTC)',
      'Last seen: 2026-11-27T09:00:00Z (UTC)',
      'Runbook: https://wiki/runbook#redrive',
      '',
    ].join('\n'),
  );
});

test('leaves out what is not known', () => {
  const text = ticketText({
    ...facts,
    messageIds: [],
    externalIds: [],
    codes: [],
    firstSeenMs: undefined,
    lastSeenMs: undefined,
  });

  expect(text).not.toMatch(/id:|Code|Owner|seen|undefined/);
});

describe('the chapter of the runbook', () => {
  const headings = readFileSync(join(import.meta.dirname, '..', '..', '..', 'infra', 'runbook.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('##'))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );
  const dead = (code: FaultCode): Standing => ({
    word: 'dead-lettered',
    faults: [{ code, message: 'm' }],
    sinceMs: 0,
    keptUntilMs: 0,
    messageIds: [],
  });
  const waiting: Standing = { word: 'waiting', sinceMs: 0, isOverdue: false };
  const inProgress: Standing = { word: 'in-progress', untilMs: 0 };
  const context = { isPaused: false, hasNoLookUp: false };
  const withoutLookUp = { hasNoLookUp: true };
  test.each<[Standing, Partial<HeadingContext>, string]>([
    [{ word: 'never-read' }, {}, 'find-a-cart'],
    [waiting, {}, 'cart-waiting-too-long'],
    [waiting, { isPaused: true }, 'consumption-paused'],
    [{ word: 'partly-ordered', created: [], missing: 1, rest: inProgress }, {}, 'cart-waiting-too-long'],
    [dead('E_MAP_UOM'), withoutLookUp, 'redrive'],
    [dead('E_TGT_TIMEOUT_UNKNOWN'), withoutLookUp, 'unknown-outcome-without-a-look-up'],
    // With a look-up, a redrive finds out itself what became of the order.
    [dead('E_TGT_TIMEOUT_UNKNOWN'), {}, 'redrive'],
    [dead('E_INT_SIGNATURE'), {}, 'a-message-that-is-not-signed'],
  ])('of %j, with %j, is %s, and exists', (standing, some, heading) => {
    expect(runbookHeadingOf(standing, { ...context, ...some })).toBe(heading);
    expect(headings).toContain(heading);
  });
});
