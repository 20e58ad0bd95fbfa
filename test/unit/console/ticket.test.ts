/** The text for a ticket: what it holds, and that nothing of a cart's contents is in it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { runbookHeadingOf } from '../../../infra/console/runbook-heading.ts';
import { type TicketFacts, ticketText } from '../../../infra/console/ticket.ts';
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
  const dead = (code: 'E_MAP_UOM' | 'E_TGT_TIMEOUT_UNKNOWN'): Standing => ({
    word: 'dead-lettered',
    faults: [{ code, message: 'm' }],
    sinceMs: 0,
    keptUntilMs: 0,
    messageIds: [],
  });
  test.each<[Standing, boolean]>([
    [{ word: 'never-read' }, false],
    [{ word: 'waiting', sinceMs: 0, isOverdue: false }, false],
    [{ word: 'waiting', sinceMs: 0, isOverdue: false }, true],
    [{ word: 'partly-ordered', created: [], missing: 1, rest: { word: 'in-progress', untilMs: 0 } }, false],
    [dead('E_MAP_UOM'), false],
    [dead('E_TGT_TIMEOUT_UNKNOWN'), false],
  ])('of %j exists', (standing, isPaused) => {
    expect(headings).toContain(runbookHeadingOf(standing, isPaused));
  });
});
