/** The dashboard in Grafana, over HTTP: how it gets there, and what is said when it does not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { createAwsClients } from '../../../infra/local/aws/aws-clients.ts';
import { type Emulators, startEmulators } from '../../../infra/local/aws/emulators.ts';
import { DASHBOARD_FILE, GrafanaFault, openGrafana } from '../../../infra/platforms/grafana.ts';
import { type GrafanaOptions, type GrafanaSimulator, startGrafana } from '../../simulators/grafana.ts';
import { startRefusingHost, startSilentHost } from '../../simulators/unreachable.ts';

const board: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../../..', DASHBOARD_FILE), 'utf8'));
const UID = 'proc-srm7-11vms-purchase-order-v1';
const SECRET = 'acme/grafana';

let emulators: Emulators;
let clients: ReturnType<typeof createAwsClients>;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  emulators = await startEmulators();
  clients = createAwsClients(emulators.endpoints, 'eu-west-1');
  await clients.secretsManager.send(new CreateSecretCommand({ Name: SECRET, SecretString: 'to be set' }));
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await emulators.close();
});

const setToken = (token: string) =>
  clients.secretsManager.send(new PutSecretValueCommand({ SecretId: SECRET, SecretString: token }));
const open = (
  url: string,
  more: { readonly folderUid?: string; readonly tokenSecretName?: string } = {},
  timeoutMs = 10_000,
) => openGrafana({ url, tokenSecretName: SECRET, ...more }, clients.secretsManager, { timeoutMs, now: Date.now });

async function start(options?: GrafanaOptions): Promise<GrafanaSimulator> {
  const grafana = await startGrafana(options);
  closing.push(() => grafana.close());
  await setToken(`${grafana.token}\n`);
  return grafana;
}

async function faultOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GrafanaFault)) throw new Error('was no fault of Grafana', { cause: error });
  return `${error.message} -> ${error.advice}`;
}

describe('the dashboard', () => {
  test('is put into its folder, and over what is there, and is known again', async () => {
    const grafana = await start({ folders: ['procurement'] });
    const client = open(grafana.url, { folderUid: 'procurement' });

    expect(await client.compare()).toBe('absent');
    expect(await client.push()).toBe(`${grafana.url}/d/${UID}/purchase-orders`);
    expect(await client.push()).toBe(`${grafana.url}/d/${UID}/purchase-orders`);
    expect(await client.compare()).toBe('same');

    const kept = grafana.dashboards.get(UID);
    expect([...grafana.dashboards.keys()]).toEqual([UID]);
    expect(kept?.folderUid).toBe('procurement');
    expect(kept?.dashboard).toMatchObject({ ...Object(board), schemaVersion: 99, version: 2 });
  });

  test('goes into the general folder without one, and is another when its mark is another', async () => {
    const grafana = await start();
    const client = open(grafana.url);
    await client.push();

    expect(grafana.dashboards.get(UID)?.folderUid).toBe('');
    grafana.dashboards.set(UID, { folderUid: '', dashboard: { tags: [UID, 'printed-000000000000'] } });
    expect(await client.compare()).toBe('another');
  });
});

describe('a Grafana that does not take it is told with what to do', () => {
  test.each([
    [
      'another token',
      'glsa_another_token_1a2b3c4d',
      {},
      {},
      /answered 401: Invalid API key -> write a valid token .*acme\/grafana/,
    ],
    ['a token that may only read', undefined, { isViewer: true }, {}, /answered 403: You'll need .* -> .*role Editor/],
    [
      'a folder that is not there',
      undefined,
      {},
      { folderUid: 'gone' },
      /answered 404: folder not found -> .*folderUid \(gone\)/,
    ],
  ])('%s', async (_, token, options, settings, text) => {
    const grafana = await start(options);
    if (token !== undefined) await setToken(token);

    const fault = await faultOf(open(grafana.url, settings).push());

    expect(fault).toMatch(text);
    expect(fault).not.toContain(token ?? grafana.token);
    expect(grafana.dashboards.size).toBe(0);
  });

  test.each([
    [
      412,
      { message: 'The dashboard has been changed', status: 'version-mismatch' },
      /answered 412: The dashboard has been changed -> /,
    ],
    [
      400,
      { message: 'Cannot save provisioned\u001b[2J dashboard' },
      /answered 400: Cannot save provisioned\ufffd\[2J dashboard -> .*Git Sync/,
    ],
    [500, { message: 'x'.repeat(5000) }, /answered 500: x{200} -> try again/],
    [503, 'down', /answered 503 -> try again/],
    [200, { status: 'success' }, /answered 200, and does not say where .* -> check grafana\.url/],
    [
      200,
      '<!doctype html><html><title>Log in</title><form><input type="password"></form></html>',
      /answered 200 with HTML .*logon page.* -> check grafana\.url/,
    ],
  ])('an answer %s', async (status, content, text) => {
    const grafana = await start();
    grafana.answer = (response) =>
      void response.writeHead(status).end(typeof content === 'string' ? content : JSON.stringify(content));

    const fault = await faultOf(open(grafana.url).push());

    expect(fault).toMatch(text);
    expect(fault).not.toContain(grafana.token);
  });

  test('a redirect to a logon: the token is not sent after it', async () => {
    const [grafana, elsewhere] = [await start(), await start()];
    grafana.answer = (response) => void response.writeHead(302, { Location: `${elsewhere.url}/login` }).end();

    expect(await faultOf(open(grafana.url).push())).toMatch(/answered 302 with a redirect from .*logon page/);
    expect(elsewhere.requests).toEqual([]);
  });

  test('no one there, and one who is silent', async () => {
    const [refusing, silent] = [await startRefusingHost(), await startSilentHost()];
    closing.push(
      () => refusing.close(),
      () => silent.close(),
    );

    expect(await faultOf(open(refusing.url('http')).push())).toMatch(/gives no answer \(ECONNREFUSED\) -> check/);
    expect(await faultOf(open(silent.url('http'), {}, 400).push())).toMatch(/gives no answer \(TIMEOUT\) -> check/);
    expect(await faultOf(open(silent.url('http'), {}, 400).compare())).toMatch(/gives no answer \(TIMEOUT\) -> check/);
  });

  test.each([
    ['', /holds no token -> write the token/],
    ['{"token":"glsa_in_an_object"}', /holds no token -> write the token/],
    ['two words', /holds no token -> write the token/],
  ])('a secret that holds "%s"', async (content, text) => {
    const grafana = await start();
    if (content !== '') await setToken(content);
    else await setToken(' ');

    const fault = await faultOf(open(grafana.url).push());

    expect(fault).toMatch(text);
    expect(fault).not.toContain('glsa');
    expect(grafana.requests).toEqual([]);
  });

  test('a secret that is not there', async () => {
    const grafana = await start();

    expect(await faultOf(open(grafana.url, { tokenSecretName: 'acme/none' }).push())).toMatch(
      /the secret acme\/none does not exist, or is empty -> create it where it does not exist, and write/,
    );
  });
});
