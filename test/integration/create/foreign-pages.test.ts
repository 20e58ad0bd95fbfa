/**
 * A page, or a redirect to a logon, where JSON was expected: every answer of 11VMS and of its token endpoint names it,
 * and quotes nothing of it. Each page of the simulators holds a person's name and a session.
 */
import { describe, expect, test } from '@jest/globals';
import { lambdaContext } from '../fixture.ts';
import type { Interceptor, RecordedCall } from '../recording-proxy.ts';
import { LOGON_REDIRECT, type PageName, PAGES, UNQUOTABLE } from '../../simulators/pages.ts';
import {
  always,
  answer,
  CARELESS,
  envelope,
  isCreate,
  isLookUp,
  isToken,
  newCart,
  setUpWorkerFixture,
} from './worker-fixture.ts';

const fixture = await setUpWorkerFixture({ vms: CARELESS });

const LOOKS: readonly [PageName, string][] = [
  ['sap-logon', 'it looks like a logon page'],
  ['saml-logon', 'it looks like a logon page'],
  ['maintenance', 'it looks like a maintenance page'],
  ['blocked', 'it looks like the block page of a firewall'],
  ['unknown-page', 'it does not look like a logon page'],
];
const page = (name: PageName, status: number): Interceptor =>
  answer(status, PAGES[name], { 'content-type': 'text/html; charset=utf-8' });
const redirect = answer(302, '', { location: LOGON_REDIRECT.location });
const collection = (): string => `${new URL(fixture.proxies.vms.url).host}/11VMSProxy_V2/purchase-orders`;

/** What one cart's attempt leaves behind: its log and the items of its order. */
async function toldOf(isDisturbed: (call: RecordedCall) => boolean, interceptor: Interceptor): Promise<string> {
  const worker = await fixture.worker();
  const cart = newCart();
  await worker.send(envelope(cart));
  fixture.proxies.vms.intercept(always(isDisturbed, interceptor));
  await worker.deliver();
  return [...fixture.takeOutput(), JSON.stringify((await fixture.orderRow(cart)) ?? {})].join('\n');
}

const expectNothingQuoted = (told: string): void => {
  for (const secret of [...UNQUOTABLE, 'authorize', 'externalId=']) expect(told).not.toContain(secret);
};

describe('the fault names a page', () => {
  const statuses = [200, 201, 202, 400, 401, 403, 404, 405, 408, 409, 413, 418, 503];
  test.each(LOOKS.flatMap(([name, look]) => statuses.map((status) => [name, status, look] as const)))(
    '%s, answered with %i to a create',
    async (name, status, look) => {
      const told = await toldOf(isCreate, page(name, status));
      const on = [404, 405].includes(status) ? ' on the collection itself' : '';
      expect(told).toContain(
        `11VMS answered ${status}${on} with HTML in place of JSON (text/html, from ${collection()}; ${look})`,
      );
      expectNothingQuoted(told);
    },
  );

  test.each(
    LOOKS.flatMap(([name, look]) => [200, 401, 403, 404, 501, 502].map((status) => [name, status, look] as const)),
  )('%s, answered with %i to a probe', async (name, status, look) => {
    const worker = await fixture.worker();
    fixture.proxies.vms.intercept(always(isLookUp, page(name, status)));
    const told = JSON.stringify(await worker.handler({ trial: true }, lambdaContext()));
    expect(told).toMatch(/E_TGT_\w+: .*\bprobe\b/);
    expect(told).toContain(`with HTML in place of JSON (text/html, from ${collection()}; ${look})`);
    expectNothingQuoted(told);
  });

  test.each(LOOKS.flatMap(([name, look]) => [200, 401, 404, 503].map((status) => [name, status, look] as const)))(
    '%s, answered with %i by the token endpoint',
    async (name, status, look) => {
      const told = await toldOf(isToken, page(name, status));
      expect(told).toMatch(/11VMS token endpoint http:\S+\/oauth\/token answered/);
      expect(told).toContain(`${status} with HTML in place of JSON (text/html, from `);
      expect(told).toContain(`/oauth/token; ${look})`);
      expectNothingQuoted(told);
    },
  );

  test.each<[string, (call: RecordedCall) => boolean]>([
    ['11VMS', isCreate],
    ['the token endpoint', isToken],
  ])('by the host to which %s redirects', async (_what, isDisturbed) => {
    const told = await toldOf(isDisturbed, redirect);
    expect(told).toContain(' to login.example.com (it looks like a logon page)');
    expectNothingQuoted(told);
  });
});

describe('the fault of an answer that is no page', () => {
  test.each([
    ['a problem', answer(503, { title: 'down' })],
    ['no body', answer(503, '')],
    ['a text', answer(503, 'upstream connect error')],
    ['a redirect without an address', answer(302, '')],
    ['a redirect that cannot be read', answer(302, '', { location: 'https://[not-a-host/' })],
  ])('names its status only: %s', async (_what, interceptor) => {
    const told = await toldOf(isCreate, interceptor);
    expect(told).toMatch(/11VMS answered (503|302)["\\ ]/);
    expect(told).not.toMatch(/in place of JSON|redirect/);
  });

  test('names a content type only where it is one', async () => {
    const told = await toldOf(isCreate, answer(502, '<p>', { 'content-type': 'Jean Dupont' }));
    expect(told).toContain('11VMS answered 502 with markup in place of JSON (no content type, from');
  });
});
