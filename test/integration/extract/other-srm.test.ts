/**
 * An SRM that differs, by settings of the environment entry alone: the simulator is made from the entry, as in the
 * local run, and the functions get the variables that the stack makes of it.
 */
import { expect, test } from '@jest/globals';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { srmVariables } from '../../../infra/constructs/interface-function.ts';
import { ENVIRONMENTS, type Environment, parseEnvironment } from '../../../infra/environments.ts';
import { simulatedSrm } from '../../../infra/local/run/systems.ts';
import type { Srm7Options } from '../../simulators/srm7.ts';
import { cartsFrom, guidsOf, MINUTE, rowsOf, SECOND, thisSecond, useFixture } from './extractor-fixture.ts';

const fixture = useFixture();

const entryWith = (settings: object): Environment['srm'] =>
  parseEnvironment({ ...ENVIRONMENTS['dev'], srm: { ...ENVIRONMENTS['dev']?.srm, ...settings } }, 'the entry').srm;

/** The variables of the stack, but for where the simulator listens and its secret lies. */
function variablesOf(srm: Environment['srm']) {
  const { SRM_BASE_URL: _, SRM_TOKEN_URL: __, SRM_SECRET: ___, SRM_CLIENT: ____, ...variables } = srmVariables(srm);
  return variables;
}

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
  const carts = cartsFrom(thisSecond() - 30 * MINUTE, 6, SECOND);
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
