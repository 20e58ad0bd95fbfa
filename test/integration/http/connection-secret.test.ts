/**
 * The connection secrets, read from Secrets Manager over its protocol, and the errors for a secret that cannot be used.
 */
import { createPrivateKey } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { type AwsClients, createAwsClients } from '../../../infra/local/aws/aws-clients.ts';
import { type Emulators, startEmulators } from '../../../infra/local/aws/emulators.ts';
import { createCertificateAuthority } from '../../simulators/certificates.ts';
import { readConnectionSecret, type SecretForm, SecretUnusable } from '../../../shared/connection-secret.ts';

const NAME = 'proc-srm7-11vms-purchase-order-v1/test/srm';
const CURE =
  `{ "clientId", "clientSecret" } yet: write it with ` +
  `aws secretsmanager put-secret-value --secret-id ${NAME} --secret-string file:///dev/stdin`;

const ca = createCertificateAuthority('Test authority');
const own = ca.issue({ name: 'own' });
const other = ca.issue({ name: 'other' });
const OWN = { certificate: own.certificate, key: own.key };
const BOTH = { mutualTls: true, privateCa: true };
const COMPLETE = {
  clientId: 'id',
  clientSecret: 's',
  clientCertificate: own.certificate,
  clientKey: own.key,
  certificateAuthority: ca.certificate,
};
const locked = (key: string): string =>
  createPrivateKey(key)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' })
    .toString();

let emulators: Emulators;
let clients: AwsClients;
beforeEach(async () => {
  emulators = await startEmulators();
  clients = createAwsClients(emulators.endpoints, 'eu-west-1');
});
afterEach(async () => {
  for (const client of Object.values(clients)) client.destroy();
  await emulators.close();
});

const create = (value?: string) =>
  clients.secretsManager.send(
    new CreateSecretCommand({ Name: NAME, ...(value === undefined ? {} : { SecretString: value }) }),
  );
const read = (form: Partial<SecretForm> = {}) =>
  readConnectionSecret(clients.secretsManager, {
    name: NAME,
    mutualTls: false,
    privateCa: false,
    apiKey: false,
    ...form,
  });

async function messageOf(reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    () => new Error('was read'),
    (error: unknown) => error,
  );
  if (error instanceof SecretUnusable) return error.message;
  throw error;
}

describe('a connection secret', () => {
  test('is read, and its other fields are ignored', async () => {
    await create(JSON.stringify({ clientId: 'id', clientSecret: 's', tenant: 'x' }));

    expect(await read()).toEqual({ clientId: 'id', clientSecret: 's' });
  });

  test('is read again each time', async () => {
    await create(JSON.stringify({ clientId: 'id', clientSecret: 'old' }));
    await read();
    const SecretString = JSON.stringify({ clientId: 'id', clientSecret: 'new' });
    await clients.secretsManager.send(new PutSecretValueCommand({ SecretId: NAME, SecretString }));

    expect(await read()).toEqual({ clientId: 'id', clientSecret: 'new' });
  });

  test('that does not exist: the error names it, and the command that writes it', async () => {
    expect(await messageOf(read())).toBe(`the secret ${NAME} does not exist, or holds no ${CURE}`);
  });

  test('that was never written: the error names it, and the command that writes it', async () => {
    await create();

    expect(await messageOf(read())).toBe(`the secret ${NAME} does not exist, or holds no ${CURE}`);
  });

  test.each([
    ['no JSON', 'hunter2'],
    ['what Secrets Manager generates', 'x7%kQ"hunter2'],
    ['a JSON text', '"hunter2"'],
    ['an array', '["hunter2"]'],
    ['no clientSecret', '{"clientId":"hunter2"}'],
    ['no clientId', '{"clientSecret":"hunter2"}'],
    ['other names', '{"client_id":"hunter2","client_secret":"hunter2"}'],
    ['an empty clientSecret', '{"clientId":"hunter2","clientSecret":""}'],
    ['a number', '{"clientId":"hunter2","clientSecret":7}'],
  ])('that holds %s: the error says so, and quotes nothing of it', async (_what, value) => {
    await create(value);

    const message = await messageOf(read());

    expect(message).toBe(`the secret ${NAME} holds no ${CURE}`);
    expect(message).not.toContain('hunter2');
  });

  test('with certificates: they are read where the environment requires them, and ignored elsewhere', async () => {
    await create(JSON.stringify(COMPLETE));

    const client = { clientId: 'id', clientSecret: 's' };
    expect(await read()).toEqual(client);
    expect(await read({ mutualTls: true })).toEqual({ ...client, tls: OWN });
    expect(await read({ privateCa: true })).toEqual({ ...client, tls: { authority: ca.certificate } });
    expect(await read(BOTH)).toEqual({ ...client, tls: { ...OWN, authority: ca.certificate } });
  });

  test('with the key of a gateway: it is read where the environment requires it, and ignored elsewhere', async () => {
    await create(JSON.stringify({ clientId: 'id', clientSecret: 's', apiKey: 'k e=y' }));

    expect(await read()).toEqual({ clientId: 'id', clientSecret: 's' });
    expect(await read({ apiKey: true })).toEqual({ clientId: 'id', clientSecret: 's', apiKey: 'k e=y' });
  });

  test.each([
    ['is missing', undefined, 'is missing; it must be the key that the gateway gave'],
    ['is empty', '', 'is no text of printable ASCII characters'],
    ['is a number', 7, 'is missing; it must be the key that the gateway gave'],
    ['ends in a line break', 'hunter2\n', 'is no text of printable ASCII characters'],
    ['would be a second header', 'hunter2\r\nX-Evil: 1', 'is no text of printable ASCII characters'],
  ])('whose apiKey %s: the error says so, and quotes nothing of it', async (_what, apiKey, problem) => {
    await create(JSON.stringify({ clientId: 'id', clientSecret: 's', apiKey }));

    expect(await messageOf(read({ apiKey: true }))).toBe(
      `the secret ${NAME} is not complete: apiKey ${problem}; it must hold { "clientId", "clientSecret", "apiKey" }: ` +
        `write it with aws secretsmanager put-secret-value --secret-id ${NAME} --secret-string file:///dev/stdin`,
    );
  });

  test('may hold several authorities, one after the other', async () => {
    const bundle = ca.certificate + createCertificateAuthority('Second').certificate;
    await create(JSON.stringify({ ...COMPLETE, certificateAuthority: bundle }));

    expect(await read({ privateCa: true })).toMatchObject({ tls: { authority: bundle } });
  });

  test.each([
    [
      'no clientCertificate',
      { clientCertificate: undefined },
      'clientCertificate is missing; it must be a certificate in PEM',
    ],
    [
      'a clientCertificate that is no certificate',
      { clientCertificate: 'hunter2' },
      'clientCertificate is no certificate in PEM',
    ],
    ['a number', { clientCertificate: 7 }, 'clientCertificate is missing; it must be a certificate in PEM'],
    ['a key in its place', { clientCertificate: own.key }, 'clientCertificate is no certificate in PEM'],
    [
      'no clientKey',
      { clientKey: undefined },
      'clientKey is missing; it must be a private key in PEM without a passphrase',
    ],
    ['a clientKey that is no key', { clientKey: 'hunter2' }, 'clientKey is no private key in PEM without a passphrase'],
    ['a locked clientKey', { clientKey: locked(own.key) }, 'clientKey is no private key in PEM without a passphrase'],
    ['the key of another', { clientKey: other.key }, 'clientKey does not belong to its clientCertificate'],
    ['no certificateAuthority', { certificateAuthority: '' }, 'certificateAuthority is no certificate in PEM'],
  ])(
    'that lacks certificates (%s): the error names the field and all that belongs there, and quotes nothing',
    async (_what, part, problem) => {
      await create(JSON.stringify({ ...COMPLETE, ...part }));

      const message = await messageOf(read(BOTH));

      expect(message).toBe(
        `the secret ${NAME} is not complete: ${problem}; it must hold { "clientId", "clientSecret", ` +
          `"clientCertificate", "clientKey", "certificateAuthority" }: write it with ` +
          `aws secretsmanager put-secret-value --secret-id ${NAME} --secret-string file:///dev/stdin`,
      );
    },
  );

  test("is not blamed when Secrets Manager does not answer: its client's own error is thrown", async () => {
    await create(JSON.stringify({ clientId: 'id', clientSecret: 's' }));
    await emulators.close();

    const error: unknown = await read().catch((error: unknown) => error);

    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(SecretUnusable);
    emulators = await startEmulators();
  });
});
