/** `npm start -- --dry-run`: the landscape's own SRM is read, and its own 11VMS is not asked for anything. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENVIRONMENTS } from '../../../infra/environments.ts';
import { generateCarts } from '../../simulators/carts.ts';
import { type Srm7Simulator, startSrm7 } from '../../simulators/srm7.ts';
import { startVms, type VmsSimulator } from '../../simulators/vms.ts';
import { npmStart, type Run, summaryOf } from './npm-start.ts';

describe('a dry run against the SRM of an environment', () => {
  const directory = mkdtempSync(join(tmpdir(), 'dry-run-'));
  const orders = join(directory, 'orders');
  const EARLIER = 'SRM7-100-1-2-EUR-BE10.json';
  const to = new Date(Date.now() - 10 * 60_000);
  const carts = generateCarts({ count: 60, seed: 5, from: new Date(to.getTime() - 3_600_000), to });
  let srm: Srm7Simulator;
  let vms: VmsSimulator;
  let run: Run;

  beforeAll(async () => {
    [srm, vms] = await Promise.all([startSrm7(), startVms()]);
    srm.addCarts(carts.map(({ row }) => row));
    const { dev } = ENVIRONMENTS;
    const file = join(directory, 'acme.json');
    writeFileSync(
      file,
      JSON.stringify({
        ...dev,
        srm: { ...dev?.srm, baseUrl: srm.url, tokenUrl: srm.tokenUrl },
        vms: {
          ...dev?.vms,
          baseUrl: vms.baseUrl,
          tokenUrl: vms.tokenUrl,
          decimalsAs: 'number',
          fields: { externalId: 'reference', lines: 'items' },
        },
      }),
    );
    const client = { SRM_CLIENT_ID: srm.clientId, SRM_CLIENT_SECRET: srm.clientSecret };
    mkdirSync(orders);
    writeFileSync(join(orders, EARLIER), '{}');
    run = await npmStart(directory, ['--env', file, '--srm', 'env', '--dry-run', '--orders', orders, '--json'], client);
  }, 240_000);
  afterAll(async () => {
    await Promise.all([srm.close(), vms.close()]);
    rmSync(directory, { recursive: true, force: true });
  });

  test('accounts for each cart that SRM holds', () => {
    expect({ status: run.status, stderr: run.status === 0 ? '' : run.stderr }).toEqual({ status: 0, stderr: '' });
    const { dryRun, queued, waiting, unaccounted, orders: created, ...ends } = summaryOf(run);
    expect({ dryRun, queued, waiting, unaccounted }).toEqual({
      dryRun: true,
      queued: srm.approvedCarts().length,
      waiting: 0,
      unaccounted: 0,
    });
    expect(ends.createdInFull).toBeGreaterThan(0);
    // More than half of twenty, which pauses every other run (edge case 80): a dry run is to find them all.
    expect(ends.deadLettered.length).toBeGreaterThan(0.6 * queued);
    expect(created.length).toBeGreaterThanOrEqual(ends.createdInFull);
  });

  test('sends nothing to the 11VMS of the environment, and only reads from its SRM', () => {
    expect(vms.requests).toEqual([]);
    expect(new Set(srm.requests.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`))).toEqual(
      new Set(['POST /oauth/token', 'GET /sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV/ShoppingCartSet']),
    );
  });

  test('--orders writes each order as a file, as the 11VMS of the environment would get it', () => {
    const files = readdirSync(orders)
      .filter((name) => name !== EARLIER)
      .toSorted();
    const { orders: created } = summaryOf(run);

    expect(files).toEqual(created.map(({ externalId }) => `${externalId}.json`).toSorted());
    for (const name of files) {
      expect(JSON.parse(readFileSync(join(orders, name), 'utf8'))).toMatchObject({
        externalSystem: 'SRM7',
        reference: name.replace(/\.json$/, ''),
        totals: { netAmount: expect.any(Number) },
        items: expect.arrayContaining([expect.objectContaining({ lineNumber: expect.any(Number) })]),
      });
      // They hold names and addresses.
      expect(statSync(join(orders, name)).mode & 0o777).toBe(0o600);
    }
  });

  test('--orders tells of files that an earlier run left in its directory', () => {
    expect(run.stderr).toMatch(/orders +\d+ files in \S+orders, beside 1 other file that this run did not write\n/);
  });

  test('shows a person the orders that would be sent: beside --json on stderr', () => {
    const { orders: created } = summaryOf(run);
    const [, list = ''] = /Dry run: these orders would be sent\n([\s\S]*?)\n\n/.exec(run.stderr) ?? [];

    expect(run.stderr).toContain('dry run: the simulator takes the orders, and nothing is sent');
    expect(list.split('\n').length).toBe(Math.min(created.length, 20) + (created.length > 20 ? 1 : 0));
    expect(list).toMatch(/^ {2}SRM7-100-\d+-\S+ +\d+\.\d+ [A-Z]{3} {2}\d+ lines?, supplier \S+$/m);
  });
});
