/** `npm start` against an 11VMS that cannot look orders up: it holds what one of the contract would hold, or a person decides. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENVIRONMENTS, parseEnvironment } from '../../../infra/environments.ts';
import { type GeneratedCart, generateCarts } from '../../simulators/carts.ts';
import { startSrm7 } from '../../simulators/srm7.ts';
import { startVms, type VmsSimulator } from '../../simulators/vms.ts';
import { ordersOf, translate } from '../../unit/translation/sample-carts.ts';
import { npmStart, type Run, summaryOf } from './npm-start.ts';

const directory = mkdtempSync(join(tmpdir(), 'other-vms-'));

const SETTINGS = {
  collectionPath: '/v3/orders',
  decimalsAs: 'number',
  lookUpBy: 'none',
  idAt: '/data/orderId',
  fields: {
    externalId: 'reference',
    'supplier.code': 'supplierCode',
    lines: 'items',
    'lines.unitOfMeasure': 'uom',
  },
} as const;

interface Landscape {
  readonly run: Run;
  readonly vms: VmsSimulator;
  readonly carts: readonly GeneratedCart[];
}

async function runIn(settings: object, seed: number): Promise<Landscape> {
  const nowMs = Date.now();
  const carts = generateCarts({
    count: 20,
    seed,
    from: new Date(nowMs - 6 * 3_600_000),
    to: new Date(nowMs - 60_000),
    faultyShare: 0.3,
  });
  const local = Object(ENVIRONMENTS['local']);
  const entry = { ...local, name: 'other', vms: { ...local.vms, ...settings } };
  const srm = await startSrm7({ carts: carts.map((cart) => cart.row) });
  const vms = await startVms({
    // Complete, as the interface has them.
    ...parseEnvironment(entry, 'The landscape').vms,
    disturbances: 'typical',
    seed,
    inactiveSuppliers: ['SUP-INACTIVE'],
  });
  const path = join(directory, `${seed}.json`);
  const connected = {
    ...entry,
    srm: { ...local.srm, tokenUrl: srm.tokenUrl },
    vms: { ...entry.vms, tokenUrl: vms.tokenUrl },
  };
  writeFileSync(path, JSON.stringify(connected));
  const run = await npmStart(directory, ['--json', '--env', path, '--srm', srm.url, '--vms', vms.baseUrl], {
    SRM_CLIENT_ID: srm.clientId,
    SRM_CLIENT_SECRET: srm.clientSecret,
    VMS_CLIENT_ID: vms.clientId,
    VMS_CLIENT_SECRET: vms.clientSecret,
  });
  await Promise.all([srm.close(), vms.close()]);
  return { run, vms, carts };
}

describe('an 11VMS with an id deep in its answer, and no look-up', () => {
  let landscape: Landscape;
  beforeAll(async () => {
    landscape = await runIn(SETTINGS, 40);
  }, 240_000);

  test('account for every cart', () => {
    const { run, carts } = landscape;
    const summary = summaryOf(run);
    expect(summary).toMatchObject({ queued: carts.length, waiting: 0, unaccounted: 0, doubled: [], failure: null });
    expect(
      summary.createdInFull + summary.createdInPart + summary.skipped + summary.deadLettered.length,
    ).toBeGreaterThanOrEqual(carts.length);
  });

  test('hold the orders that an 11VMS of the contract would hold', () => {
    const { run, vms, carts } = landscape;
    const held = vms.orders().map(({ order }) => order);
    const ambiguous = summaryOf(run).deadLettered.filter(({ codes }) => codes.includes('E_TGT_TIMEOUT_UNKNOWN'));
    const wanted = carts
      .flatMap((cart) =>
        ordersOf(translate(cart.row)).filter(({ externalId }) => cart.externalIds.includes(externalId)),
      )
      // Without a look-up a person decides: 11VMS holds the order, or has never taken it.
      .filter(
        ({ externalId, sourceDocument }) =>
          held.some((order) => order.externalId === externalId) ||
          ambiguous.every(({ cartNumber }) => cartNumber !== sourceDocument.number),
      );
    const byName = (a: { externalId: string }, b: { externalId: string }): number =>
      a.externalId < b.externalId ? -1 : 1;

    expect(held.toSorted(byName)).toEqual(wanted.toSorted(byName));
    expect(held.length).toBeGreaterThan(8);
    expect(vms.traffic().disturbances).toBeGreaterThan(0);
    expect(vms.traffic().requests.lookup).toBe(0);
  });
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});
