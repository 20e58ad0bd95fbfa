/** The OAuth2 client of one system, and its certificates where it needs any, kept in Secrets Manager. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { tryParseJson } from './exact-json.ts';
import type { TlsIdentity } from './http-client.ts';
import { writeSecretCommand } from './secret-command.ts';

/** Which secret, and what it must hold besides the OAuth2 client. */
export interface SecretForm {
  readonly name: string;
  /** A client certificate and its key. */
  readonly mutualTls: boolean;
  /** The certificate of a private authority. */
  readonly privateCa: boolean;
  /** A key for a gateway. */
  readonly apiKey: boolean;
}

export interface ConnectionSecret {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Only where the form asks for certificates. */
  readonly tls?: TlsIdentity;
  /** Only where the form asks for it. */
  readonly apiKey?: string;
}

const clientCredentials = z.object({ clientId: z.string().min(1), clientSecret: z.string().min(1) });

/** Certificates are checked here, where an error can name the fault; TLS would only say that a handshake failed. */
export const clientIdentity = z
  .object({ clientCertificate: certificate(), clientKey: privateKey() })
  .refine(
    ({ clientCertificate, clientKey }) =>
      new X509Certificate(clientCertificate).checkPrivateKey(createPrivateKey(clientKey)),
    { path: ['clientKey'], error: 'does not belong to its clientCertificate' },
  );
export const privateAuthority = z.object({ certificateAuthority: certificate() });

/** Other characters cannot stand in a header. */
export const gatewayKey = z.object({
  apiKey: z
    .string('is missing; it must be the key that the gateway gave')
    .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, 'is no text of printable ASCII characters'),
});

function certificate() {
  return pem('certificate in PEM', (text) => new X509Certificate(text));
}

function privateKey() {
  return pem('private key in PEM without a passphrase', createPrivateKey);
}

function pem(what: string, read: (text: string) => unknown) {
  const readable = (text: string): boolean => {
    try {
      read(text);
      return true;
    } catch {
      // OpenSSL's reason may quote what it read.
      return false;
    }
  };
  // Aborts: a key that cannot be read is not compared with its certificate.
  return z.string(`is missing; it must be a ${what}`).refine(readable, { error: `is no ${what}`, abort: true });
}

/** The secret is missing or has the wrong form. Its message names the secret and the fix, never a value. */
export class SecretUnusable extends Error {
  readonly problem: string;
  readonly fix: string;

  constructor(form: SecretForm, what: string) {
    const fields = [
      'clientId',
      'clientSecret',
      ...(form.mutualTls ? ['clientCertificate', 'clientKey'] : []),
      ...(form.privateCa ? ['certificateAuthority'] : []),
      ...(form.apiKey ? ['apiKey'] : []),
    ];
    const wanted = `{ ${fields.map((field) => `"${field}"`).join(', ')} }`;
    const problem = `the secret ${form.name} ${what.replace('%', wanted)}`;
    const fix = `write it with ${writeSecretCommand(form.name)}`;
    super(`${problem}: ${fix}`);
    this.name = 'SecretUnusable';
    this.problem = problem;
    this.fix = fix;
  }
}

/** The secret has no value, or does not exist: Secrets Manager gives the same answer to both. */
export class SecretMissing extends SecretUnusable {}

/**
 * Reads a secret from Secrets Manager, without a cache.
 * @throws {SecretUnusable} when it is missing or malformed; the SDK's error when Secrets Manager does not answer.
 */
export async function readConnectionSecret(secrets: SecretsManagerClient, form: SecretForm): Promise<ConnectionSecret> {
  const value = await secrets.send(new GetSecretValueCommand({ SecretId: form.name })).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') {
      throw new SecretMissing(form, 'does not exist, or holds no % yet');
    }
    throw error;
  });
  return parseConnectionSecret(value.SecretString ?? '', form);
}

/** @throws {SecretUnusable} when it is malformed. */
export function parseConnectionSecret(text: string, form: SecretForm): ConnectionSecret {
  const content = tryParseJson(text);
  const client = clientCredentials.safeParse(content);
  if (!client.success) throw new SecretUnusable(form, 'holds no % yet');
  const tls = {
    ...(form.mutualTls ? ownIdentity(content, form) : {}),
    ...(form.privateCa ? trusted(content, form) : {}),
  };
  return {
    ...client.data,
    ...(form.mutualTls || form.privateCa ? { tls } : {}),
    ...(form.apiKey ? { apiKey: partOf(gatewayKey, content, form).apiKey } : {}),
  };
}

function ownIdentity(content: unknown, form: SecretForm): TlsIdentity {
  const { clientCertificate, clientKey } = partOf(clientIdentity, content, form);
  return { certificate: clientCertificate, key: clientKey };
}

const trusted = (content: unknown, form: SecretForm): TlsIdentity => ({
  authority: partOf(privateAuthority, content, form).certificateAuthority,
});

function partOf<Part extends z.ZodType>(part: Part, content: unknown, form: SecretForm): z.infer<Part> {
  const parsed = part.safeParse(content);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new SecretUnusable(form, `is not complete: ${faults.join('; ')}; it must hold %`);
}
