/**
 * `npm start` in a landscape of which both systems differ in nearly all that settings allow. The simulators get their own
 * words for it, and not the environment entry.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ENVIRONMENTS } from '../../../infra/environments.ts';
import { generateCarts } from '../../simulators/carts.ts';
import { type Srm7Simulator, startSrm7 } from '../../simulators/srm7.ts';
import { startVms, type VmsSimulator } from '../../simulators/vms.ts';
import { ordersOf, translate } from '../../unit/translation/sample-carts.ts';
import { npmStart, type Run, summaryOf } from './npm-start.ts';

const SRM_FIELDS = {
  ObjectId: 'ScNumber',
  ChangedAt: 'LastChangedOn',
  Items: 'Positions',
  'Items.NumberInt': 'ItemNo',
  'Items.VendorId': 'SupplierNo',
  'Items.Accounting': 'Assignments',
  'Items.Accounting.CostCtr': 'CostCenter',
} as const;
const VMS_FIELDS = {
  externalId: 'reference',
  'supplier.code': 'supplierCode',
  'supplier.externalCode': 'supplierNumber',
  'supplier.name': 'supplierName',
  'businessUnit.code': 'unit',
  orderDate: 'dates.ordered',
  lines: 'items',
  'lines.unitOfMeasure': 'uom',
  'lines.category': 'material.group',
  'lines.accounting': 'accounts',
  'lines.accounting.glAccount': 'ledgerAccount',
} as const;

describe('a landscape with a flat supplier, numbers, own names, skip-top, API key, audience and Location only', () => {
  const directory = mkdtempSync(join(tmpdir(), 'other-landscape-'));
  const to = new Date(Date.now() - 60_000);
  const carts = generateCarts({
    count: 20,
    seed: 21,
    from: new Date(to.getTime() - 6 * 3_600_000),
    to,
    faultyShare: 0.3,
  });
  let srm: Srm7Simulator;
  let vms: VmsSimulator;
  let run: Run;

  beforeAll(async () => {
    srm = await startSrm7({
      clientCheck: 'body',
      tokenParameters: { audience: 'https://srm.acme.test/api' },
      headers: { 'X-Tenant': 'acme' },
      apiKey: { header: 'X-Gateway-Key', value: 'hunter2-hunter2' },
      servicePath: '/sap/opu/odata/acme/ZPROC_CARTS_SRV',
      entitySet: 'CartSet',
      keyProperty: 'CartGuid',
      fields: SRM_FIELDS,
      paging: 'skip-top',
      pageSize: 7,
      disturbances: 'typical',
      seed: 4,
    });
    srm.addCarts(carts.map(({ row }) => row));
    vms = await startVms({
      collectionPath: '/v3/orders',
      lookUpBy: '/v3/orders/by-reference/{externalId}',
      idAt: 'Location',
      decimalsAs: 'number',
      fields: VMS_FIELDS,
      inactiveSuppliers: ['SUP-INACTIVE'],
      disturbances: 'typical',
      seed: 4,
    });
    const { local } = ENVIRONMENTS;
    const file = join(directory, 'acme.json');
    const entry = {
      ...local,
      name: 'acme',
      srm: {
        ...local?.srm,
        baseUrl: srm.url,
        tokenUrl: srm.tokenUrl,
        clientAuthentication: 'body',
        tokenParameters: { audience: 'https://srm.acme.test/api' },
        headers: { 'X-Tenant': 'acme' },
        apiKeyHeader: 'X-Gateway-Key',
        servicePath: '/sap/opu/odata/acme/ZPROC_CARTS_SRV',
        entitySet: 'CartSet',
        keyProperty: 'CartGuid',
        fields: SRM_FIELDS,
        paging: 'skip-top',
        pageSize: 7,
      },
      vms: {
        ...local?.vms,
        baseUrl: vms.baseUrl,
        tokenUrl: vms.tokenUrl,
        collectionPath: '/v3/orders',
        lookUpBy: '/v3/orders/by-reference/{externalId}',
        idAt: 'Location',
        decimalsAs: 'number',
        fields: VMS_FIELDS,
      },
    };
    writeFileSync(file, JSON.stringify(entry));
    run = await npmStart(directory, ['--env', file, '--srm', 'env', '--vms', 'env', '--json'], {
      SRM_CLIENT_ID: srm.clientId,
      SRM_CLIENT_SECRET: srm.clientSecret,
      SRM_API_KEY: 'hunter2-hunter2',
      VMS_CLIENT_ID: vms.clientId,
      VMS_CLIENT_SECRET: vms.clientSecret,
    });
  }, 240_000);
  afterAll(async () => {
    await Promise.all([srm.close(), vms.close()]);
    rmSync(directory, { recursive: true, force: true });
  });

  test('accounts for every cart, and tells nobody the key', () => {
    expect(summaryOf(run)).toMatchObject({
      queued: carts.length,
      waiting: 0,
      unaccounted: 0,
      doubled: [],
      failure: null,
    });
    expect(run.stdout + run.stderr).not.toContain('hunter2');
  });

  test('holds the orders that the usual landscape would hold', () => {
    const wanted = carts.flatMap((cart) =>
      ordersOf(translate(cart.row)).filter(({ externalId }) => cart.externalIds.includes(externalId)),
    );
    const byId = (a: { externalId: string }, b: { externalId: string }): number =>
      a.externalId < b.externalId ? -1 : 1;
    const held = vms.orders().map(({ order }) => order);

    expect(held.toSorted(byId)).toEqual(wanted.toSorted(byId));
    expect(held.length).toBeGreaterThan(8);
    const { disturbances, requests } = vms.traffic();
    expect({ isDisturbed: disturbances > 0, looksUp: requests.lookup > 0 }).toEqual({
      isDisturbed: true,
      looksUp: true,
    });
  });
});
