/**
 * An SRM that differs, by settings of the environment entry alone: the simulator is made from the entry, as in the
 * local run, and the functions get the variables that the stack makes of it.
 */
import { expect, test } from '@jest/globals';
import { srmVariables } from '../../../infra/constructs/interface-function.ts';
import { ENVIRONMENTS, type Environment, parseEnvironment } from '../../../infra/environments.ts';
import { simulatedSrm } from '../../../infra/local/run/systems.ts';
import { cartsFrom, guidsOf, MINUTE, rowsOf, SECOND, thisSecond, useFixture } from './extractor-fixture.ts';

const fixture = useFixture();

const entryWith = (settings: object): Environment['srm'] =>
  parseEnvironment({ ...ENVIRONMENTS['dev'], srm: { ...ENVIRONMENTS['dev']?.srm, ...settings } }, 'the entry').srm;

/** The variables of the stack, but for where the simulator listens and its secret lies. */
function variablesOf(srm: Environment['srm']) {
  const { SRM_BASE_URL: _, SRM_TOKEN_URL: __, SRM_SECRET: ___, SRM_CLIENT: ____, ...variables } = srmVariables(srm);
  return variables;
}

async function openOtherSrm(settings: object, functionSettings = settings) {
  const { client: _, ...options } = simulatedSrm(entryWith(settings));
  const extractor = await fixture.open({
    ...options,
    variables: variablesOf(entryWith(functionSettings)),
  });
  const carts = cartsFrom(thisSecond() - 30 * MINUTE, 6, SECOND);
  extractor.srm.addCarts(rowsOf(carts));
  return { extractor, carts };
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
