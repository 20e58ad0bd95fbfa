/** The printed dashboard in Grafana, by its HTTP API: put there after a deployment, and asked for by the doctor. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { tryParseJson } from '../../shared/exact-json.ts';
import { foreignPage } from '../../shared/foreign-page.ts';
import { createHttpClient, HttpError, type HttpRequest, type HttpResponse } from '../../shared/http-client.ts';
import { printable } from '../../shared/printable-text.ts';
import { writeSecretCommand } from '../../shared/secret-command.ts';
import { describeAwsError } from '../aws-account.ts';
import type { Environment } from '../environments.ts';

export const DASHBOARD_FILE = 'infra/monitoring/grafana/purchase-orders.json';
const MAXIMUM_ANSWER_BYTES = 4 * 1024 * 1024;

type Settings = NonNullable<Environment['grafana']>;

/** Neither message nor advice holds the token. */
export class GrafanaFault extends Error {
  readonly advice: string;

  constructor(what: string, advice: string) {
    super(what);
    this.name = 'GrafanaFault';
    this.advice = advice;
  }
}

export interface Grafana {
  /** Writes the dashboard of this checkout over the one that is there; returns its address. @throws {GrafanaFault} */
  push(): Promise<string>;
  /** How the dashboard that is there compares with that of this checkout. @throws {GrafanaFault} */
  compare(): Promise<'same' | 'another' | 'absent'>;
}

const printed = z.looseObject({ uid: z.string(), title: z.string(), tags: z.array(z.string()) });
const pushed = z.object({ url: z.string().regex(/^\//) });
const read = z.object({ dashboard: z.object({ tags: z.array(z.string()) }) });
const refusal = z.object({ message: z.string() });

export function openGrafana(
  settings: Settings,
  secrets: SecretsManagerClient,
  options: { readonly timeoutMs: number; readonly now: () => number },
): Grafana {
  const { url, folderUid, tokenSecretName } = settings;
  const http = createHttpClient({ baseUrl: url, maximumResponseBytes: MAXIMUM_ANSWER_BYTES, ...options });
  const board = printed.parse(JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', DASHBOARD_FILE), 'utf8')));

  async function call(request: HttpRequest): Promise<HttpResponse> {
    const token = await readToken(secrets, tokenSecretName);
    const headers = { ...request.headers, Accept: 'application/json', Authorization: `Bearer ${token}` };
    const response = await http.request({ ...request, headers }).catch((error: unknown) => {
      const code = error instanceof HttpError ? error.code : 'UNKNOWN';
      throw new GrafanaFault(
        `Grafana at ${url} gives no answer (${code})`,
        'check grafana.url in the environment entry, and whether this machine may reach it',
      );
    });
    const page = foreignPage(response);
    if (page === '') return response;
    throw new GrafanaFault(
      `Grafana at ${url} answered ${response.status}${page}`,
      'check grafana.url in the environment entry: the API is below it, and no logon may stand before it',
    );
  }

  const faultOf = (response: HttpResponse): GrafanaFault => {
    const said = refusal.safeParse(tryParseJson(response.body)).data?.message;
    const what = `Grafana at ${url} answered ${response.status}${said === undefined ? '' : `: ${printable(said, 200)}`}`;
    return new GrafanaFault(what, adviceOn(response.status, settings));
  };

  return {
    async push() {
      const folder = folderUid === undefined ? {} : { folderUid };
      const response = await call({
        method: 'POST',
        path: '/api/dashboards/db',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ dashboard: { ...board, id: null }, ...folder, overwrite: true }),
      });
      if (response.status !== 200) throw faultOf(response);
      const { data } = pushed.safeParse(tryParseJson(response.body));
      if (data !== undefined) return `${new URL(url).origin}${printable(data.url, 200)}`;
      throw new GrafanaFault(
        `Grafana at ${url} answered 200, and does not say where the dashboard is`,
        'check grafana.url in the environment entry: something else may answer there',
      );
    },
    async compare() {
      const response = await call({ method: 'GET', path: `/api/dashboards/uid/${board.uid}` });
      if (response.status === 404) return 'absent';
      if (response.status !== 200) throw faultOf(response);
      const { data } = read.safeParse(tryParseJson(response.body));
      return data !== undefined && board.tags.every((tag) => data.dashboard.tags.includes(tag)) ? 'same' : 'another';
    },
  };
}

async function readToken(secrets: SecretsManagerClient, name: string): Promise<string> {
  const write = `write the token of a service account into it, as its whole text: ${writeSecretCommand(name)}`;
  const { SecretString = '' } = await secrets
    .send(new GetSecretValueCommand({ SecretId: name }))
    .catch((error: unknown) => {
      const isMissing = error instanceof Error && error.name === 'ResourceNotFoundException';
      throw new GrafanaFault(
        `the secret ${name} ${isMissing ? 'does not exist, or is empty' : `cannot be read (${describeAwsError(error)})`}`,
        isMissing ? `create it where it does not exist, and ${write}` : 'check your rights to read it',
      );
    });
  const token = SecretString.trim();
  if (/^[\x21-\x7e]{8,4096}$/.test(token) && !token.startsWith('{')) return token;
  throw new GrafanaFault(`the secret ${name} holds no token`, write);
}

function adviceOn(status: number, { folderUid, tokenSecretName }: Settings): string {
  switch (status) {
    case 401:
      return `write a valid token of a service account into the secret ${tokenSecretName}`;
    case 403:
      return 'let the service account write dashboards in that folder: the role Editor, or dashboards:create and dashboards:write';
    case 404:
      return folderUid === undefined
        ? 'check grafana.url in the environment entry: the API is below it'
        : `correct grafana.folderUid (${folderUid}): it stands in the address of the folder`;
    case 412:
      return 'find out what keeps the dashboard there, such as a plugin or another dashboard of that title in the folder';
    default:
      return status < 500 && status !== 429
        ? 'read what Grafana says; a dashboard that Git Sync or a file keeps there cannot be written by its API'
        : 'try again when Grafana is well';
  }
}
