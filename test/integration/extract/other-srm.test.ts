/**
 * An SRM that differs, by settings of the environment entry alone: the simulator is made from the entry, as in the
 * local run, and the functions get the variables that the stack makes of it.
 */
import { expect, test } from '@jest/globals';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { srmVariables } from '../../../infra/constructs/interface-function.ts';
import { ENVIRONMENTS, type Environment, parseEnvironment } from '../../../infra/environments.ts';
import { READ_PROPERTIES } from '../../../shared/srm-service.ts';
import { simulatedSrm } from '../../../infra/local/run/systems.ts';
import type { Srm7Options } from '../../simulators/srm7.ts';
import {
  cartsFrom,
  DAY,
  type Extractor,
  guidsOf,
  HOUR,
  MINUTE,
  rowsOf,
  SECOND,
  thisSecond,
  useFixture,
} from './extractor-fixture.ts';
import { BY_HAND } from '../fixture.ts';

const fixture = useFixture();

const entryWith = (settings: object): Environment['srm'] =>
  parseEnvironment({ ...ENVIRONMENTS['dev'], srm: { ...ENVIRONMENTS['dev']?.srm, ...settings } }, 'the entry').srm;

/** The variables of the stack, but for where the simulator listens and its secret lies. */
function variablesOf(srm: Environment['srm']) {
  const { SRM_BASE_URL: _, SRM_TOKEN_URL: __, SRM_SECRET: ___, SRM_CLIENT: ____, ...variables } = srmVariables(srm);
  return variables;
}

/** None of its items has a GUID in base64, for which the simulator has no link. */
const SEED = 21;
let secrets = 0;

/** @param functionSettings what the functions believe */
async function openOtherSrm(settings: object, functionSettings = settings, simulated: Srm7Options = {}) {
  const { client: _, ...options } = { ...simulatedSrm(entryWith(settings)), ...simulated };
  const SRM_SECRET = `srm-${++secrets}`;
  const extractor = await fixture.open({
    ...options,
    variables: { ...variablesOf(entryWith(functionSettings)), SRM_SECRET },
  });
  const { clientId, clientSecret, apiKey } = extractor.srm;
  await fixture.putSecret(SRM_SECRET, JSON.stringify({ clientId, clientSecret, apiKey }));
  const carts = cartsFrom(thisSecond() - 30 * MINUTE, 6, SECOND, SEED);
  extractor.srm.addCarts(rowsOf(carts));
  return { extractor, carts, SRM_SECRET };
}

test('whose token endpoint wants an audience', async () => {
  const tokenParameters = { audience: 'https://srm.example.com/', resource: 'urn:srm' };
  const { extractor, carts } = await openOtherSrm({ tokenParameters });

  await extractor.run();

  expect(await extractor.guids()).toEqual(guidsOf(carts));
});

test('whose token endpoint wants an audience refuses a token without, and the fault names the settings', async () => {
  const { extractor } = await openOtherSrm({ tokenParameters: { audience: 'https://srm.example.com/' } }, {});

  await expect(extractor.run()).rejects.toMatchObject({
    failureClass: 'refused',
    fault: { code: 'E_SRC_AUTH', message: expect.stringContaining('tokenParameters of srm') },
  });
});

const gateway = { headers: { 'X-Tenant': 'acme' }, apiKeyHeader: 'Ocp-Apim-Subscription-Key' };

test('behind a gateway that wants a header and a key', async () => {
  const { extractor, carts } = await openOtherSrm(gateway);

  await extractor.run();

  expect(await extractor.guids()).toEqual(guidsOf(carts));
});

// Its fixture looks for the key in all that is logged and thrown.
test.each([401, 403] as const)(
  'behind a gateway that answers %i to a wrong key: refused, and the next run has the new one',
  async (refusal) => {
    const apiKey = { header: gateway.apiKeyHeader, value: 'an-old-gateway-key', refusal };
    const { extractor, carts, SRM_SECRET } = await openOtherSrm(gateway, gateway, { apiKey });
    extractor.srm.setApiKey('a-new-gateway-key');

    await expect(extractor.run()).rejects.toMatchObject({
      failureClass: 'refused',
      fault: { code: 'E_SRC_AUTH', message: `SRM answered ${refusal}` },
    });
    const { clientId, clientSecret } = extractor.srm;
    const SecretString = JSON.stringify({ clientId, clientSecret, apiKey: 'a-new-gateway-key' });
    await fixture
      .systems()
      .clients.secretsManager.send(new PutSecretValueCommand({ SecretId: SRM_SECRET, SecretString }));
    await extractor.run();

    expect(await extractor.guids()).toEqual(guidsOf(carts));
    expect(fixture.shown().join()).not.toContain('a-new-gateway-key');
  },
);

test('behind a gateway that wants a key: a secret without one is named, and how to write it', async () => {
  const { extractor } = await openOtherSrm({ headers: gateway.headers }, gateway);

  await expect(extractor.run()).rejects.toMatchObject({
    failureClass: 'refused',
    fault: {
      code: 'E_SRC_AUTH',
      message: expect.stringMatching(/^the secret srm-\d+ is not complete: apiKey is missing; /),
    },
  });
});

test('the token endpoint gets neither the fixed headers nor the key of the gateway', async () => {
  const { extractor } = await openOtherSrm(gateway);
  const desk = await fixture.serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":"x"}');
  });

  await expect(extractor.run({ variables: { SRM_TOKEN_URL: `${desk.url}/token` } })).rejects.toThrow('E_SRC_AUTH');

  expect(desk.requests.map(({ url }) => url)).toEqual(['/token', '/token']);
  for (const { headers } of desk.requests) {
    expect(headers).not.toHaveProperty('x-tenant');
    expect(headers).not.toHaveProperty('ocp-apim-subscription-key');
  }
});

/** Every property and navigation that the interface reads has another name. */
const OTHER_NAMES = Object.fromEntries(
  Object.entries(READ_PROPERTIES).flatMap(([entity, names]) =>
    names.map((name): [string, string] => [entity === '' ? name : `${entity}.${name}`, `Z_${name.toUpperCase()}`]),
  ),
);
const { Guid: keyProperty, ...OTHER_FIELDS } = OTHER_NAMES;
const otherService = {
  servicePath: '/odata/v2/zcarts.srv',
  entitySet: 'CartHeaders',
  keyProperty,
  fields: OTHER_FIELDS,
};

/** The orders of this SRM's carts, as if its client were the same as another's. */
const ordersOf = ({ variables }: Extractor): string[] =>
  fixture
    .systems()
    .vms.orders()
    .map(({ order }) => JSON.stringify(order))
    .filter((order) => order.includes(`"SRM7-${variables.SRM_CLIENT}-`))
    .map((order) => order.replaceAll(`SRM7-${variables.SRM_CLIENT}-`, 'SRM7-client-'))
    .toSorted();

/** What a run queues, without what differs from run to run. */
async function queuedRows(extractor: Extractor): Promise<unknown[]> {
  const messages = await extractor.messages();
  return messages.map((message) => ('source' in message ? message.source : message.cart));
}

test('whose service, entity set, key and properties have other names: the queue has the same rows', async () => {
  const { extractor: usual, carts } = await openOtherSrm({});
  const { extractor: other } = await openOtherSrm(otherService);
  other.srm.addCarts(rowsOf(carts));

  await usual.run();
  await other.run();

  const rows = await queuedRows(usual);
  expect(rows).toHaveLength(carts.length);
  expect(await queuedRows(other)).toEqual(rows);
  expect(other.srm.requests.filter(({ operation }) => operation === 'page').map(({ path }) => path)).toEqual([
    expect.stringMatching(
      /^\/odata\/v2\/zcarts\.srv\/CartHeaders\?%24filter=Z_CHANGEDAT|^\/odata\/v2\/zcarts\.srv\/CartHeaders\?\$filter=Z_CHANGEDAT/,
    ),
  ]);
});

test('whose properties have other names: carts in parts are completed behind its links, and ordered', async () => {
  const { extractor: usual, carts } = await openOtherSrm({});
  const inParts = { ignoreExpand: 'always', collectionPageSize: 1, pageSize: 2 } as const;
  const { extractor: other } = await openOtherSrm(otherService, otherService, inParts);
  other.srm.addCarts(rowsOf(carts));

  await usual.run();
  expect(await other.run()).toMatchObject({ status: 'complete', cartsRead: carts.length, pages: 3 });
  for (const extractor of [usual, other]) await fixture.deliver(extractor);

  expect(other.srm.traffic().requests.navigation).toBeGreaterThan(carts.length);
  expect(ordersOf(usual).length).toBeGreaterThan(0);
  expect(ordersOf(other)).toEqual(ordersOf(usual));
});

test('whose properties have other names: a row that is no JSON does not keep back its neighbours', async () => {
  const { extractor, carts } = await openOtherSrm(otherService);
  const text =
    '{"Z_GUID":"005056a5-0000-1eeb-8000-0000000000ff","Z_OBJECTID":"1000099999","Z_CHANGEDAT":"/Date(1)/","Z_ITEMS":{"results":[{"Z_GUID":"x","Z_PRICE":1,}]}}';
  extractor.srm.addCarts([text], { changedAt: new Date(thisSecond() - 20 * MINUTE), status: 'I1129', guid: 'bad' });

  await extractor.run();

  const messages = await extractor.messages();
  expect(messages).toHaveLength(carts.length + 1);
  expect(messages.map(({ cart }) => cart)).toContainEqual(
    expect.objectContaining({ number: '1000099999', guid: '005056a5-0000-1eeb-8000-0000000000ff' }),
  );
});

test('whose fields exchange their names, and hold others under SAP’s names', async () => {
  const fields = { Description: 'CreatedBy', CreatedBy: 'Description', ObjectId: 'ScNumber' };
  const { extractor: usual, carts } = await openOtherSrm({});
  const service = await fixture.serve((request, response) => {
    const results = carts.map(({ row: { ObjectId, Description, CreatedBy, ...row } }) => ({
      ...row,
      ScNumber: ObjectId,
      Description: CreatedBy,
      CreatedBy: Description,
      ObjectId: 'another number',
    }));
    const isToken = request.method === 'POST';
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(isToken ? '{"access_token":"x"}' : JSON.stringify({ d: { results } }));
  });
  const { extractor: other } = await openOtherSrm({ fields });

  await usual.run();
  await other.run({ variables: { SRM_BASE_URL: service.url, SRM_TOKEN_URL: `${service.url}/token` } });

  expect(await queuedRows(other)).toEqual(await queuedRows(usual));
});

test('that lists by ApprovedAt: the window and its watermark are of that time, and the version stays ChangedAt', async () => {
  const { extractor } = await openOtherSrm({ changedAtProperty: 'ApprovedAt' });
  const [approved, released] = cartsFrom(thisSecond() - 20 * MINUTE, 2, SECOND, 81).map(({ row, guid }) => ({
    row,
    guid,
  }));
  const at = thisSecond() - 10 * MINUTE;
  const changed = thisSecond() - 5 * DAY;
  const row = { ...approved?.row, ApprovedAt: `/Date(${at})/`, ChangedAt: `/Date(${changed})/` };
  // Its ApprovedAt lies long ago, so that it is not listed, although it changed today.
  const other = { ...released?.row, ApprovedAt: `/Date(${changed})/` };
  extractor.srm.addCarts([row, other]);

  await extractor.run();

  expect(extractor.srm.requests.find(({ operation }) => operation === 'page')?.path).toMatch(/filter=ApprovedAt%20ge/);
  expect(await extractor.guids()).toContain(approved?.guid);
  expect(await extractor.guids()).not.toContain(released?.guid);
  await fixture.deliver(extractor);
  const orders = ordersOf(extractor).filter((order) => order.includes(String(approved?.guid.replaceAll('-', ''))));
  expect(orders.length).toBeGreaterThan(0);
  expect(orders[0]).toContain(`"changedAt":"${new Date(changed).toISOString().slice(0, 19)}Z"`);
});

test.each([[['Items/Accounting', 'Partners']], [[]]])(
  'that expands %j only: the rest is read behind its links',
  async (expand) => {
    const { extractor: usual, carts } = await openOtherSrm({});
    const { extractor: other } = await openOtherSrm({ expand });
    other.srm.addCarts(rowsOf(carts));

    await usual.run();
    await other.run();
    for (const extractor of [usual, other]) await fixture.deliver(extractor);

    const page = other.srm.requests.find(({ operation }) => operation === 'page');
    expect(new URL(page?.path ?? '', 'http://srm').searchParams.get('$expand')).toBe(expand.join(',') || null);
    expect(other.srm.traffic().requests.navigation).toBeGreaterThan(0);
    expect(ordersOf(other)).toEqual(ordersOf(usual));
  },
);

test('that sends no links: its list is cut by $top and $skip', async () => {
  const { extractor, carts } = await openOtherSrm({ paging: 'skip-top', pageSize: 4 });

  expect(await extractor.run()).toMatchObject({ status: 'complete', cartsRead: carts.length, pages: 2 });

  expect(await extractor.guids()).toEqual(guidsOf(carts));
});

test('that sends no links, and is believed to: the count shows that carts are missing, and the run fails', async () => {
  const { extractor } = await openOtherSrm({ paging: 'skip-top', pageSize: 4 }, {}, { pageSize: 4 });

  await expect(extractor.run()).rejects.toThrow('E_SRC_PAGING_INCOMPLETE');
});

test('that sends no links, and shorter pages than it is asked for: its list is read to the end', async () => {
  const { extractor, carts } = await openOtherSrm({ paging: 'skip-top', pageSize: 4 }, undefined, { pageSize: 2 });

  expect(await extractor.run()).toMatchObject({ status: 'complete', cartsRead: carts.length, pages: 3 });
});

test('that sends no links, shorter pages and no count: its list is read until a page is empty', async () => {
  const { extractor, carts } = await openOtherSrm({ paging: 'skip-top', pageSize: 4 });
  const service = await fixture.serve((request, response) => {
    const skip = Number(new URL(request.url ?? '', 'http://srm').searchParams.get('$skip'));
    const results = rowsOf(carts).slice(skip, skip + 2);
    const isToken = request.method === 'POST';
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(isToken ? '{"access_token":"x"}' : JSON.stringify({ d: { results } }));
  });

  await extractor.run({ variables: { SRM_BASE_URL: service.url, SRM_TOKEN_URL: `${service.url}/token` } });

  expect(await extractor.guids()).toEqual(guidsOf(carts));
});

test('that sends no links: where a cart left the list between two pages, a run that stops proves no more than before', async () => {
  const from = thisSecond() - 5 * DAY;
  const carts = cartsFrom(from, 6, MINUTE, SEED);
  let pages = 0;
  const listHeaders = () => {
    // The third cart then stands on no page.
    if (++pages === 1) extractor.srm.addCarts([{ ...carts[0]?.row, ChangedAt: `/Date(${thisSecond()})/` }]);
    return {};
  };
  const settings = { paging: 'skip-top', pageSize: 2 };
  const { extractor } = await openOtherSrm(settings, settings, { listHeaders });
  extractor.srm.addCarts(rowsOf(carts));
  const event = {
    ...BY_HAND,
    changedFrom: new Date(from).toISOString(),
    changedTo: new Date(from + HOUR).toISOString(),
  };

  const result = await extractor.run({ event, remaining: () => (pages < 3 ? 60_000 : 1000) });

  expect(await extractor.guids()).not.toContain(carts[2]?.guid);
  expect(result).toMatchObject({ status: 'stopped', readTo: new Date(from + MINUTE).toISOString() });
});

test('that differs in all of this at once: every cart becomes its orders', async () => {
  const settings = {
    ...otherService,
    ...gateway,
    clientAuthentication: 'body',
    tokenParameters: { audience: 'https://srm.example.com/' },
    expand: ['Items/Accounting', 'Texts'],
    paging: 'skip-top',
    pageSize: 4,
  };
  const { extractor: usual, carts } = await openOtherSrm({});
  const { extractor: other } = await openOtherSrm(settings);
  other.srm.addCarts(rowsOf(carts));

  await usual.run();
  expect(await other.run()).toMatchObject({ status: 'complete', cartsRead: carts.length, pages: 2 });
  for (const extractor of [usual, other]) await fixture.deliver(extractor);

  expect(ordersOf(other).length).toBeGreaterThanOrEqual(carts.length);
  expect(ordersOf(other)).toEqual(ordersOf(usual));
});
