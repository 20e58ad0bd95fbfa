/** Checks the connections to SRM and 11VMS with the adapters of the functions: secret, token, and one harmless read. */
import { randomUUID } from 'node:crypto';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createVmsOrders } from '../../functions/create-purchase-orders/delivery/vms-orders.ts';
import { readConnectionSecret, SecretMissing, SecretUnusable } from '../../shared/connection-secret.ts';
import { InterfaceError } from '../../shared/failure.ts';
import { tellsOfForeignPage } from '../../shared/foreign-page.ts';
import { type HttpClient, HttpError } from '../../shared/http-client.ts';
import { createSrmCarts } from '../../shared/srm-carts.ts';
import { describeAwsError } from '../aws-account.ts';
import type { Environment } from '../environments.ts';
import { ownerText } from '../owners.ts';
import { fail, type Finding, notChecked, ok, runCheck } from './finding.ts';
import { openSystem, secretFormOf } from './system-client.ts';

export interface ConnectionContext {
  readonly environment: Environment;
  readonly secrets: SecretsManagerClient;
  readonly timeoutMs: number;
  readonly now: () => number;
}

interface System {
  readonly name: 'SRM' | '11VMS';
  /** Its section in the environment entry. */
  readonly entry: 'srm' | 'vms';
  readonly connection: Environment['srm' | 'vms'];
  /** One small read that changes nothing; the text says what answered. */
  read(client: HttpClient): Promise<string>;
}

/** All externalIds of the interface start with SRM7. */
const IMPOSSIBLE_EXTERNAL_ID = 'DOCTOR-ASKS-FOR-AN-ORDER-THAT-CANNOT-EXIST';

export async function checkConnections(context: ConnectionContext): Promise<readonly Finding[]> {
  const { environment, now } = context;
  const srm: System = {
    name: 'SRM',
    entry: 'srm',
    connection: environment.srm,
    async read(http) {
      const toMs = now() - environment.extraction.safetySeconds * 1000;
      // No retries: the check reports the present state.
      const carts = createSrmCarts(environment.srm, { http, now, wait: () => Promise.resolve(false) });
      await carts.pages({ fromMs: toMs - 1000, toMs }, randomUUID()).next();
      return `SRM reads lists at ${environment.srm.baseUrl}`;
    },
  };
  const vms: System = {
    name: '11VMS',
    entry: 'vms',
    connection: environment.vms,
    async read(http) {
      const orders = createVmsOrders(http, now, environment.vms);
      const sendByMs = now() + context.timeoutMs;
      const { baseUrl, lookUpBy } = environment.vms;
      const result = orders.hasNoLookUp
        ? await orders.probe(randomUUID(), sendByMs)
        : await orders.lookUp(IMPOSSIBLE_EXTERNAL_ID, randomUUID(), sendByMs);
      if (orders.hasNoLookUp && result.kind === 'impossible') {
        return `11VMS answers at ${baseUrl}; vms.lookUpBy is "none", so that nothing more can be asked without creating an order`;
      }
      if ('fault' in result) {
        const isRefused = result.health === 'refused' || result.health === 'forbidden';
        throw new InterfaceError(isRefused ? 'refused' : 'transient', result.fault);
      }
      // Nothing in the contract of 11VMS tells that without creating an order.
      const way = lookUpBy.startsWith('/') ? ` by ${lookUpBy}, and has none of an externalId that cannot exist` : '';
      return `11VMS looks orders up at ${baseUrl}${way}; whether it also lets this client create, only an order shows`;
    },
  };
  const findings = await Promise.all([checkSystem(srm, context), checkSystem(vms, context)]);
  return findings.flat();
}

/** Secret, then token, then the system itself: each needs the one before it. */
async function checkSystem(system: System, context: ConnectionContext): Promise<readonly Finding[]> {
  const { name, entry, connection } = system;
  const owner = ownerText(context.environment, `${name} team`);
  const { secretName, tokenUrl, clientAuthentication, scope, apiKeyHeader } = connection;
  const readSecret = () => readConnectionSecret(context.secrets, secretFormOf(connection));
  const [secretLine, tokenLine, systemLine] = [`${name} secret`, `${name} token`, `${name} itself`];
  const first = <Line>(lines: readonly Line[]): Line | undefined => lines[0];

  const secret = await runCheck(
    `${secretLine} ${secretName}`,
    context.timeoutMs,
    async () => {
      const { tls, apiKey } = await readSecret();
      const more = [
        tls === undefined ? '' : ', and its certificates',
        apiKey === undefined ? '' : ', and the key of the gateway',
      ].join('');
      return [ok(`${secretLine} ${secretName} holds { "clientId", "clientSecret" }${more}`)];
    },
    (error) => secretFinding(`${secretLine} ${secretName}`, connection, error),
  );
  if (first(secret)?.status !== 'ok') {
    return [...secret, notChecked(tokenLine, `the ${secretLine}`), notChecked(systemLine, `the ${secretLine}`)];
  }

  const clientOf = (baseUrl: string): HttpClient =>
    openSystem(context.environment, entry, { readSecret, now: context.now, baseUrl });
  const token = await runCheck(
    tokenLine,
    context.timeoutMs,
    async () => {
      await clientOf(NOWHERE)
        .request({ method: 'GET', path: '/' })
        .catch((error: unknown) => {
          // The call itself must fail; it is only made once there is a token.
          if (!(error instanceof HttpError)) throw error;
        });
      return [ok(`${tokenLine} is given by ${tokenUrl}`)];
    },
    (error) =>
      failed(
        tokenLine,
        error,
        isRefusal(error)
          ? `correct the secret ${secretName}, ${entry}.clientAuthentication ("${clientAuthentication}"), ${entry}.scope ("${scope}") or ${entry}.tokenParameters, together with the ${owner}`
          : `check ${entry}.tokenUrl in the environment entry, and whether this machine may reach it`,
      ),
  );
  if (first(token)?.status !== 'ok') return [...secret, ...token, notChecked(systemLine, `the ${tokenLine}`)];

  const answer = await runCheck(
    systemLine,
    context.timeoutMs,
    async () => [ok(await system.read(clientOf(connection.baseUrl)))],
    (error) =>
      failed(
        systemLine,
        error,
        isRefusal(error)
          ? `ask the ${owner} to let this client in: ${entry}.scope ("${scope}"), its authorizations${apiKeyHeader === undefined ? '' : `, and the apiKey in the secret ${secretName}`}`
          : `check ${entry}.baseUrl (${connection.baseUrl}), and whether ${name} is up and this machine may reach it`,
      ),
  );
  return [...secret, ...token, ...answer];
}

/** In place of the system: no server can listen on port 0, so that the token is not sent anywhere. */
const NOWHERE = 'http://127.0.0.1:0';

function secretFinding(what: string, { createSecret }: System['connection'], error: unknown): Finding {
  // Before the first deployment the command would find no secret to write into.
  if (error instanceof SecretMissing && createSecret)
    return fail(error.problem, `deploy, which creates it; ${error.fix}`);
  if (error instanceof SecretUnusable) return fail(error.problem, error.fix);
  return fail(`${what} cannot be read (${describeAwsError(error)})`, 'check your rights to read it, and its KMS key');
}

/** A page says nothing about our secret or our rights: the system was not reached. */
const failed = (line: string, error: unknown, advice: string): Finding =>
  fail(
    `${line}: ${faultText(error)}`,
    tellsOfForeignPage(faultText(error))
      ? 'something before it answered: infra/runbook.md, "HTML where JSON was expected"'
      : advice,
  );

const isRefusal = (error: unknown): boolean => error instanceof InterfaceError && error.failureClass === 'refused';

/** The adapters' own messages quote neither bodies nor headers; any other error gives its name only. */
const faultText = (error: unknown): string =>
  error instanceof InterfaceError ? error.fault.message : describeAwsError(error);
