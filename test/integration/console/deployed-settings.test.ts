/** The settings of a deployed worker: its variables and its bundle as Lambda gives them, over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { strToU8, zipSync } from 'fflate';
import {
  differingSettings,
  readDeployedWorker,
  settingsOfEntry,
  settingsOfWorker,
} from '../../../infra/console/deployed-settings.ts';
import { loadEnvironment } from '../../../infra/environments.ts';
import { TRANSLATION_SETTINGS_FILE, VMS_FIELDS_FILE } from '../../../shared/environment.ts';
import { type Fixture, openFixture } from '../fixture.ts';

const environment = loadEnvironment('local');
const translation = JSON.stringify({ ...environment.translation, maximumLines: 7 });
const bundle = {
  'main.cjs': strToU8('x'.repeat(1000)),
  [VMS_FIELDS_FILE]: strToU8('{"supplier.code":"supplierCode"}'),
};

let fixture: Fixture;
let server: Server;
let lambda: LambdaClient;
/** What Lambda holds: null is a function that the caller may not read. */
let files: Readonly<Record<string, Uint8Array>> | null;

beforeAll(async () => {
  fixture = await openFixture();
  server = createServer(({ url = '', headers }, response) => {
    if (url === '/bundle.zip') {
      response.end(Buffer.from(zipSync({ ...files })));
    } else if (files === null) {
      response.writeHead(403, { 'x-amzn-errortype': 'AccessDeniedException' }).end('{"Message":"secret words"}');
    } else {
      response.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          Configuration: { Environment: { Variables: { ...fixture.workerVariables, SRM_CLIENT: '400' } } },
          Code: { Location: `http://${headers.host ?? ''}/bundle.zip` },
        }),
      );
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  // oxlint-disable-next-line no-unsafe-type-assertion -- a TCP server
  const { port } = server.address() as AddressInfo;
  lambda = new LambdaClient({ region: 'eu-west-1', endpoint: `http://127.0.0.1:${port}`, maxAttempts: 1 });
});
afterAll(async () => {
  lambda.destroy();
  server.close();
  await fixture.close();
});

const read = async () => settingsOfWorker(await readDeployedWorker(lambda, 'worker'));

describe('the settings of the deployed worker', () => {
  test('are those of its variables and of its bundle, and differ from the entry by name', async () => {
    files = { ...bundle, [TRANSLATION_SETTINGS_FILE]: strToU8(translation) };
    const settings = await read();
    expect(settings.translation).toEqual({ ...environment.translation, maximumLines: 7 });
    expect(settings.vms).toMatchObject({ decimalsAs: 'string', fields: { 'supplier.code': 'supplierCode' } });
    expect(differingSettings(settingsOfEntry(environment), settings)).toEqual([
      'srm.client',
      'vms.fields.supplier.code',
      'translation.maximumLines',
    ]);
  });

  test.each<[string, typeof files, string]>([
    [
      'of another version',
      { ...bundle, [TRANSLATION_SETTINGS_FILE]: strToU8('{"zone":"x"}') },
      TRANSLATION_SETTINGS_FILE,
    ],
    ['without its files', bundle, TRANSLATION_SETTINGS_FILE],
    [
      'that the caller may not read',
      null,
      'AWS does not give it (AccessDeniedException): this needs the right lambda:GetFunction',
    ],
  ])('%s cannot be read, which is said without a value', async (_, given, words) => {
    files = given;
    await expect(read()).rejects.toThrow(words);
    await expect(read()).rejects.not.toThrow('secret words');
  });
});
