/** Mutual TLS and a private authority, against a real TLS server on loopback, from the secret to the answer. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { getCACertificates, setDefaultCACertificates, TLSSocket } from 'node:tls';
import { inspect, promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { CreateSecretCommand, PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { type AwsClients, createAwsClients } from '../../../infra/local/aws/aws-clients.ts';
import { type Emulators, startEmulators } from '../../../infra/local/aws/emulators.ts';
import { InterfaceError } from '../../../shared/failure.ts';
import { type HttpClient, HttpError } from '../../../shared/http-client.ts';
import { createSrmClient } from '../../../shared/srm-client.ts';
import {
  type CertificateAuthority,
  createCertificateAuthority,
  type IssuedCertificate,
} from '../../simulators/certificates.ts';

const authority = createCertificateAuthority('Test authority of SRM');
const stranger = createCertificateAuthority('Untrusted test authority');
const clients = createCertificateAuthority('Test authority of clients');
const ourselves = clients.issue({ name: 'the interface' });

let emulators: Emulators;
let aws: AwsClients;
beforeAll(async () => {
  emulators = await startEmulators();
  aws = createAwsClients(emulators.endpoints, 'eu-west-1');
});
afterAll(async () => {
  for (const client of Object.values(aws)) client.destroy();
  await emulators.close();
});
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** An SRM with its token endpoint, which may require a certificate; each test has a secret of its own. */
async function openSrm(
  options: {
    wantsCertificates?: boolean;
    issuer?: CertificateAuthority;
    mutualTls?: boolean;
    privateCa?: boolean;
    secret?: Readonly<Record<string, string>>;
    accepts?: (token: string) => boolean;
  } = {},
) {
  const { certificate: cert, key } = (options.issuer ?? authority).issue({ name: 'SRM', ip: '127.0.0.1' });
  const context = (trusted: CertificateAuthority) => ({ cert, key, ca: trusted.certificate });
  /** Which certificate called which path. */
  const calls: string[] = [];
  let handshakes = 0;
  let tokens = 0;
  const server: Server = createServer(
    {
      ...context(clients),
      requestCert: options.wantsCertificates ?? true,
      rejectUnauthorized: options.wantsCertificates ?? true,
    },
    ({ url, socket, headers }, response) => {
      const caller = socket instanceof TLSSocket ? socket.getPeerCertificate().subject?.CN : undefined;
      calls.push(`${String(caller)}: ${url}`);
      if (url === '/oauth/token') {
        tokens++;
        response.end(JSON.stringify({ access_token: `token-${tokens}`, expires_in: 3600 }));
      } else {
        response.writeHead(options.accepts?.(headers.authorization ?? '') === false ? 401 : 200).end('carts');
      }
    },
  );
  server.on('secureConnection', () => handshakes++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const url = `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const name = `srm-${url.split(':').at(-1)}`;
  const secretString = (identity: Readonly<Record<string, string>>): string =>
    JSON.stringify({ clientId: 'id', clientSecret: 'hunter2', ...identity });
  await aws.secretsManager.send(
    new CreateSecretCommand({
      Name: name,
      SecretString: secretString(
        options.secret ?? { ...asSecret(ourselves), certificateAuthority: authority.certificate },
      ),
    }),
  );
  const client = createSrmClient(
    {
      SRM_BASE_URL: url,
      SRM_TOKEN_URL: `${url}/oauth/token`,
      SRM_CLIENT_AUTHENTICATION: 'basic',
      SRM_SCOPE: '',
      SRM_SECRET: name,
      SRM_MUTUAL_TLS: options.mutualTls ?? true,
      SRM_PRIVATE_CA: options.privateCa ?? true,
      SRM_API_KEY_HEADER: undefined,
      SRM_PROXY_URL: undefined,
      SRM_DIFFERENCES: { tokenParameters: {}, headers: {}, fields: {} },
      SRM_CLIENT: '100',
      SRM_LANGUAGE: 'EN',
      SRM_INTERNAL_HOSTS: [],
      SRM_STATUSES: ['I1129'],
      SRM_TIMEOUT_MS: 15_000,
      SRM_PAGE_SIZE: 0,
      SRM_PAGING: 'next-link',
      SRM_SERVICE_PATH: '/sap',
      SRM_ENTITY_SET: 'ShoppingCartSet',
      SRM_KEY_PROPERTY: 'Guid',
      SRM_CHANGED_AT_PROPERTY: 'ChangedAt',
    },
    aws.secretsManager,
    Date.now,
    () => undefined,
  );
  return {
    client,
    calls,
    handshakes: () => handshakes,
    /** From now on only clients of another authority are accepted; open connections are cut. */
    trustOnly: (trusted: CertificateAuthority): void => {
      server.setSecureContext(context(trusted));
      server.closeAllConnections();
    },
    write: (identity: Readonly<Record<string, string>>) =>
      aws.secretsManager.send(new PutSecretValueCommand({ SecretId: name, SecretString: secretString(identity) })),
  };
}

const asSecret = ({ certificate, key }: IssuedCertificate) => ({ clientCertificate: certificate, clientKey: key });
const read = (client: HttpClient) => client.request({ method: 'GET', path: '/carts' });

async function failureOf(client: HttpClient): Promise<InterfaceError | HttpError> {
  const error: unknown = await read(client).then(
    ({ status }) => new Error(`was answered ${status}`),
    (error: unknown) => error,
  );
  if (!(error instanceof InterfaceError || error instanceof HttpError)) throw error;
  expect(inspect(error, { depth: 10 })).not.toMatch(/-----BEGIN|hunter2/);
  return error;
}

describe('mutual TLS with a private authority', () => {
  test("shows the certificate of the secret to the token endpoint and to SRM, and trusts SRM's own", async () => {
    const { client, calls } = await openSrm();

    expect(await read(client)).toMatchObject({ status: 200, body: 'carts' });
    expect(calls).toEqual(['the interface: /oauth/token', 'the interface: /carts']);
  });

  test('shows no certificate where only a private authority is configured, even if the secret holds one', async () => {
    const { client, calls } = await openSrm({ wantsCertificates: false, mutualTls: false });

    expect(await read(client)).toMatchObject({ status: 200 });
    expect(calls).toEqual(['undefined: /oauth/token', 'undefined: /carts']);
  });

  test('trusts public authorities beside the private one, since the token endpoint may stand elsewhere', async () => {
    const trusted = getCACertificates('default');
    closing.push(() => setDefaultCACertificates(trusted));
    setDefaultCACertificates([...trusted, stranger.certificate]);
    const { client } = await openSrm({ issuer: stranger });

    expect(await read(client)).toMatchObject({ status: 200 });
  });

  test.each([
    ['is not asked for', { privateCa: false }, {}],
    ['is another', {}, { certificateAuthority: stranger.certificate }],
  ])(
    'sends nothing to an SRM whose authority %s: the failure is transient and names the cause',
    async (_what, settings, secret) => {
      const { client, calls } = await openSrm({
        ...settings,
        secret: { ...asSecret(ourselves), certificateAuthority: authority.certificate, ...secret },
      });

      const error = await failureOf(client);

      expect(error).toMatchObject({ failureClass: 'transient', fault: { code: 'E_SRC_UNAVAILABLE' } });
      expect(error.message).toMatch(/token endpoint .* cannot be reached \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/);
      expect(calls).toEqual([]);
    },
  );

  test.each([
    ['no certificate', { mutualTls: false }],
    [
      'one of another authority',
      { secret: { ...asSecret(stranger.issue({ name: 'x' })), certificateAuthority: authority.certificate } },
    ],
  ])('is refused by an SRM that requires certificates to a client that shows %s', async (_what, options) => {
    const { client, calls } = await openSrm(options);

    expect(await failureOf(client)).toMatchObject({ failureClass: 'transient', fault: { code: 'E_SRC_UNAVAILABLE' } });
    expect(calls).toEqual([]);
  });

  test('refuses a secret without the configured certificate, with its name and what to write', async () => {
    const { client, calls } = await openSrm({ secret: { certificateAuthority: authority.certificate } });

    const error = await failureOf(client);

    expect(error).toMatchObject({ failureClass: 'refused', fault: { code: 'E_SRC_AUTH' } });
    expect(error.message).toMatch(
      /clientCertificate is missing; it must be a certificate in PEM; clientKey is missing/,
    );
    expect(calls).toEqual([]);
  });
});

test('a shell that switches the check of certificates off does not switch off ours', async () => {
  const { certificate: cert, key } = stranger.issue({ name: 'SRM', ip: '127.0.0.1' });
  let requests = 0;
  const server = createServer({ cert, key }, (_request, response) => {
    requests++;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const address = server.address();
  const baseUrl = `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const script = `import { createHttpClient } from ${JSON.stringify(import.meta.resolve('../../../shared/http-client.ts'))};
    const client = createHttpClient({ baseUrl: ${JSON.stringify(baseUrl)}, timeoutMs: 9000, maximumResponseBytes: 9, now: Date.now });
    await client.request({ method: 'GET', path: '/' }).then(() => console.log('answered'), ({ code }) => console.log(code));
    process.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' },
  });

  expect({ stdout, requests }).toEqual({ stdout: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE\n', requests: 0 });
});

describe('a certificate that is replaced', () => {
  test('is read after the handshake that failed with the old one: the next call succeeds, with the same token', async () => {
    const { client, calls, trustOnly, write } = await openSrm();
    await read(client);
    const successors = createCertificateAuthority('Test authority of new clients');
    trustOnly(successors);
    const successor = asSecret(successors.issue({ name: 'the interface, renewed' }));
    await write({ ...successor, certificateAuthority: authority.certificate });

    expect(await failureOf(client)).toBeInstanceOf(HttpError);
    expect(await read(client)).toMatchObject({ status: 200 });

    expect(calls.slice(2)).toEqual(['the interface, renewed: /carts']);
  });

  test("that stays the same keeps its connections when only the client's secret is new", async () => {
    const { client, handshakes } = await openSrm({ accepts: (token) => token === 'Bearer token-2' });

    expect(await read(client)).toMatchObject({ status: 200 });

    // One to the token endpoint, one to SRM: the renewed token went over those two.
    expect(handshakes()).toBe(2);
  });
});
