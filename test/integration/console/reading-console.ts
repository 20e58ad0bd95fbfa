/** The console over a table of the test's own, asked through its front door by a person who has its cookie. */
import { createConsole } from '../../../infra/console/app.ts';
import { createRunLogSearch } from '../../../infra/console/logs/run-log-search.ts';
import { createSession } from '../../../infra/console/session.ts';
import type { Environment } from '../../../infra/environments.ts';
import type { Fixture } from '../fixture.ts';
import { sourcesOf, unescaped } from './console-client.ts';

const HOST = '127.0.0.1:4711';

export interface ConsolePlace extends Pick<Fixture, 'clients' | 'tableName' | 'queueUrl'> {
  readonly environment: Environment;
  /** The file of the functions' log lines. */
  readonly logPath: string;
  readonly now: () => number;
}

export interface Shown {
  readonly response: Response;
  readonly markup: string;
  /** What a person reads on the page, without the frame. */
  readonly text: string;
}

/** Returns what asks for a page by its path. The pages read; they cannot act. */
export function openReadingConsole(place: ConsolePlace): (path: string) => Promise<Shown> {
  const { environment, clients, tableName, queueUrl, logPath, now } = place;
  const sources = sourcesOf({ clients, tableName, queueUrl }, environment, {
    place: {
      environmentName: 'dev',
      account: '1',
      region: 'eu-west-1',
      identity: 'operator',
      deployment: 'version 1.0.0',
    },
    health: {
      alarms: async () => undefined,
      lastHours: async () => [],
      oldestWaitMs: async () => undefined,
      deadLetterCounts: async () => ({ ready: 0, inFlight: 0, delayed: 0 }),
      moveTask: async () => undefined,
    },
    logs: createRunLogSearch(logPath, now),
  });
  const session = createSession();
  const cookie = `console_4711=${session.exchange(session.invite())?.cookie ?? ''}`;
  const app = createConsole({
    sources,
    session,
    host: HOST,
    mode: 'read-only',
    assets: new Map(),
    now,
    onError: (error) => {
      throw error;
    },
  });
  return async (path) => {
    const response = await app.request(`http://${HOST}${path}`, { headers: { host: HOST, cookie } });
    const markup = await response.text();
    return { response, markup, text: textOf(markup) };
  };
}

const textOf = (markup: string): string =>
  unescaped(markup.replace(/^[\s\S]*<main[^>]*>|<\/main>[\s\S]*$/g, '').replaceAll(/<[^>]+>/g, ' ')).replaceAll(
    /\s+/g,
    ' ',
  );
