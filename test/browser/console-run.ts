/** The console over one local run with both simulators, whose 11VMS a test can mend. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalSources } from '../../infra/console/local-sources.ts';
import type { OpenedSources } from '../../infra/console/open-sources.ts';
import { serveConsole } from '../../infra/console/serve.ts';
import { loadEnvironment } from '../../infra/environments.ts';
import { type LocalStack, only, startLocalStack } from '../../infra/local/aws/local-stack.ts';
import { RunLog } from '../../infra/local/run/run-log.ts';
import { synthesizeOnce } from '../../infra/synthesis-cache.ts';
import { SERVICE_NAMES } from '../../shared/metric-names.ts';
import { type GeneratedCart, generateCarts } from '../simulators/carts.ts';
import { startSrm7 } from '../simulators/srm7.ts';
import { startVms, type VmsSimulator } from '../simulators/vms.ts';

export interface ConsoleRun {
  readonly stack: LocalStack;
  readonly sources: OpenedSources;
  readonly vms: VmsSimulator;
  readonly carts: readonly GeneratedCart[];
  /** The value map of "local" makes it of the supplier that no longer delivers. */
  openSupplier(): void;
  /** A link that was not used yet. */
  link(): string;
  /** What the console could not answer. */
  readonly errors: readonly unknown[];
  /** Resolves when the queue is empty. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const CLOSED_SUPPLIER = 'SUP-INACTIVE';
const HOUR_MS = 3_600_000;

export async function startConsoleRun({ carts: count }: { readonly carts: number }): Promise<ConsoleRun> {
  const directory = mkdtempSync(join(tmpdir(), 'console-run-'));
  const environment = loadEnvironment('local');
  const to = new Date(Date.now() - 10 * 60_000);
  const from = new Date(to.getTime() - 6 * HOUR_MS);
  const carts = generateCarts({ count, seed: 18, from, to, faultyShare: 0.4 });
  const closed = new Set([CLOSED_SUPPLIER]);
  const [srm, vms] = await Promise.all([startSrm7(), startVms({ inactiveSuppliers: (code) => closed.has(code) })]);
  srm.addCarts(carts.map(({ row }) => row));
  const errors: unknown[] = [];
  const log = new RunLog(join(directory, 'functions.log'));
  const { directory: assembly, artifact } = await synthesizeOnce(environment, join(directory, 'assembly'));
  const secretOf = ({ clientId, clientSecret }: typeof srm | typeof vms): string =>
    JSON.stringify({ clientId, clientSecret });
  const stack = await startLocalStack({
    assembly,
    artifact,
    variables: {
      SRM_BASE_URL: srm.url,
      SRM_TOKEN_URL: srm.tokenUrl,
      VMS_BASE_URL: vms.baseUrl,
      VMS_TOKEN_URL: vms.tokenUrl,
      FIRST_WATERMARK: from.toISOString(),
      RETRY_BASE_SECONDS: '1',
      // So many carts are faulty here that a pause would depend on their order.
      PAUSE_FOR_DEAD_LETTERS: 'false',
    },
    secrets: { [environment.srm.secretName]: secretOf(srm), [environment.vms.secretName]: secretOf(vms) },
    onLogLine: (line) => log.write(line),
    onError: (error) => errors.push(error),
  });
  const { poller } = only(stack.mappings, 'event source mapping');
  const sources = createLocalSources(environment, stack, log.path);
  const links: string[] = [];
  const served = await serveConsole({
    sources,
    mode: 'operate',
    port: 0,
    idleMs: HOUR_MS,
    onIdle: () => undefined,
    onLink: (link) => links.push(link),
    onError: (error) => errors.push(error),
  });
  stack.startMappings();
  await stack.scheduleOf(SERVICE_NAMES.extractor).fire(new Date());
  await poller.settled();
  return {
    stack,
    sources,
    vms,
    carts,
    openSupplier() {
      closed.clear();
    },
    link: () => links.at(-1) ?? '',
    errors,
    settled: () => poller.settled(),
    async close() {
      await served.close();
      sources.close();
      await stack.close();
      await Promise.all([srm.close(), vms.close()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
