/** The console over a deployed environment: STS, CloudFormation, CloudWatch and Lambda are simulated, SQS and DynamoDB emulated. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenedSources, openSources } from '../../../infra/console/open-sources.ts';
import type { Mode } from '../../../infra/console/page.ts';
import { type Clock, type ServedConsole, serveConsole } from '../../../infra/console/serve.ts';
import { ENVIRONMENTS } from '../../../infra/environments.ts';
import { type AwsSimulator, startAwsSimulator } from '../aws-simulator.ts';
import { type Fixture, openFixture } from '../fixture.ts';
import { sendRaw } from '../raw-http.ts';

export interface Tab {
  readonly port: number;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** As a request sends it back. */
  readonly cookie: string;
  readonly key: string;
}

export interface DeployedConsole {
  readonly aws: AwsSimulator;
  readonly fixture: Fixture;
  /** An entry for this deployment, with changes. Returns its path. */
  entry(changes?: object): string;
  openSources(changes?: object): Promise<OpenedSources>;
  /** What `onError` was told. */
  readonly errors: readonly unknown[];
  serve(options: ServeChanges): Promise<Served>;
  close(): Promise<void>;
}

interface ServeChanges {
  readonly mode: Mode;
  readonly port?: number;
  readonly clock?: Clock;
  readonly idleMs?: number;
  readonly onIdle?: () => void;
  readonly sources?: OpenedSources;
}

export interface Served extends ServedConsole {
  /** Every link so far. */
  readonly links: readonly string[];
}

export async function deployConsole(): Promise<DeployedConsole> {
  const variablesBefore = { ...process.env };
  const directory = mkdtempSync(join(tmpdir(), 'console-'));
  const [aws, fixture] = await Promise.all([startAwsSimulator(), openFixture()]);
  Object.assign(process.env, aws.variables, { AWS_EC2_METADATA_DISABLED: 'true', HOME: directory });
  aws.state.stack = {
    status: 'UPDATE_COMPLETE',
    resources: [],
    outputs: {
      QueueUrl: fixture.queueUrl,
      DeadLetterQueueUrl: fixture.deadLetterUrl,
      LedgerTableName: fixture.tableName,
      ExtractorFunctionName: 'extractor',
      WorkerFunctionName: 'worker',
      SupervisorFunctionName: 'supervisor',
      ReconcilerFunctionName: 'reconciler',
      RedriverFunctionName: 'redriver',
    },
  };
  const opened: { close(): void | Promise<void> }[] = [];
  const errors: unknown[] = [];
  const entry = (changes: object = {}): string => {
    const path = join(directory, `entry-${opened.length}.json`);
    writeFileSync(path, JSON.stringify({ ...ENVIRONMENTS['dev'], region: 'eu-west-1', ...changes }));
    return path;
  };
  const open = async (changes: object = {}): Promise<OpenedSources> => {
    const sources = await openSources({ environment: entry(changes), profile: undefined });
    opened.push(sources);
    return sources;
  };
  return {
    aws,
    fixture,
    entry,
    openSources: open,
    errors,
    async serve({ mode, port = 0, clock, idleMs = 3_600_000, onIdle = () => undefined, sources }) {
      const links: string[] = [];
      const served = await serveConsole({
        sources: sources ?? (await open()),
        mode,
        port,
        idleMs,
        onIdle,
        onLink: (link) => links.push(link),
        onError: (error) => errors.push(error),
        ...(clock === undefined ? {} : { clock }),
      });
      opened.push(served);
      return { ...served, links };
    },
    async close() {
      for (const one of opened) await one.close();
      await Promise.all([aws.close(), fixture.close()]);
      for (const name of Object.keys(process.env))
        if (!(name in variablesBefore)) Reflect.deleteProperty(process.env, name);
      Object.assign(process.env, variablesBefore);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const secretOf = (link: string): string => new URLSearchParams(new URL(link).hash.slice(1)).get('open') ?? '';

/** Opens the newest link, as its tab does. */
export async function openTab({ address: { port }, links }: Served): Promise<Tab> {
  const host = `127.0.0.1:${port}`;
  const answer = await sendRaw(port, {
    method: 'POST',
    path: '/session',
    headers: [
      ['Host', host],
      ['Origin', `http://${host}`],
      ['X-Console-Key', secretOf(links.at(-1) ?? '')],
      ['Content-Length', '0'],
    ],
  });
  if (answer?.status !== 200) throw new Error(`the link was refused: ${answer?.status ?? 'no answer'}`);
  const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
  return { port, host, cookie, key: answer.body };
}
