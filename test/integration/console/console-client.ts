/** Reads the console's pages and sends their forms as a browser's tab does, without a socket. */
import { createConsole } from '../../../infra/console/app.ts';
import type { Mode } from '../../../infra/console/page.ts';
import { createSession } from '../../../infra/console/session.ts';
import type { Sources } from '../../../infra/console/sources.ts';
import { ledgerAt } from '../../../infra/carts/open-ledger.ts';
import { createRunLogSearch } from '../../../infra/console/logs/run-log-search.ts';
import type { Environment } from '../../../infra/environments.ts';
import type { Fixture } from '../fixture.ts';

const HOST = '127.0.0.1:4711';

export interface SentPage {
  readonly status: number;
  readonly markup: string;
  /** As a person reads it. */
  readonly text: string;
}

export interface ConsoleClient {
  get(path: string): Promise<SentPage>;
  post(path: string, fields: Readonly<Record<string, string | File>>): Promise<SentPage>;
}

export function openClient(
  sources: Sources,
  { mode, nowMs }: { readonly mode: Mode; readonly nowMs: number },
): ConsoleClient {
  const session = createSession();
  const app = createConsole({
    sources,
    session,
    host: HOST,
    mode,
    assets: new Map(),
    now: () => nowMs,
    onError: (error) => {
      throw error;
    },
  });
  const opened = session.exchange(session.invite());
  const headers = { host: HOST, cookie: `console_4711=${opened?.cookie ?? ''}` };
  const ask = async (path: string, init: RequestInit): Promise<SentPage> => {
    const answer = await app.request(`http://${HOST}${path}`, init);
    const markup = await answer.text();
    return { status: answer.status, markup, text: textOf(markup) };
  };
  return {
    get: (path) => ask(path, { headers }),
    post(path, fields) {
      const body = new FormData();
      for (const [name, value] of Object.entries(fields)) body.append(name, value);
      const acting = { ...headers, origin: `http://${HOST}`, 'x-console-key': opened?.key ?? '' };
      return ask(path, { method: 'POST', headers: acting, body });
    },
  };
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" };

export const unescaped = (markup: string): string =>
  markup.replaceAll(/&(\w+|#39);/g, (_, name: string) => ENTITIES[name] ?? '');

/** The text of the main part without that of text areas, and with a bar between cells. */
const textOf = (markup: string): string =>
  unescaped(
    (/<main[\s\S]*<\/main>/.exec(markup)?.[0] ?? '')
      .replaceAll(/<textarea[\s\S]*?<\/textarea>/g, '')
      .replaceAll(/<\/t[hd]><t[hd][^>]*>/g, ' | ')
      .replaceAll(/<(small|br)[^>]*>/g, ' ')
      .replaceAll(/<[^>]+>/g, ''),
  )
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/\n\s*/g, '\n');

/** Sources over the emulators of a fixture. What a test does not give, no page of it may ask for. */
export function sourcesOf(
  { clients, tableName, queueUrl }: Pick<Fixture, 'clients' | 'tableName' | 'queueUrl'>,
  environment: Environment,
  given: Partial<Sources>,
): Sources {
  const notAsked = (what: string) => () => Promise.reject(new Error(`no page of this test asks for ${what}`));
  return {
    environment,
    place: {
      environmentName: 'test',
      account: '000000000000',
      region: 'eu-west-1',
      identity: 'arn:aws:sts::0:me',
      deployment: 'version 1.0.0',
    },
    endOfSession: async () => undefined,
    ledger: ledgerAt(environment, { tableName, queueUrl }, clients),
    functions: { invoke: notAsked('a function') },
    health: {
      alarms: notAsked('alarms'),
      lastHours: notAsked('hours'),
      oldestWaitMs: notAsked('a wait'),
      deadLetterCounts: notAsked('counts'),
      moveTask: notAsked('a move task'),
    },
    deployedSettings: notAsked('settings'),
    deadLetter: notAsked('a dead letter'),
    lookUpOrder: notAsked('an order'),
    logs: createRunLogSearch('no such file', Date.now),
    ...given,
  };
}
