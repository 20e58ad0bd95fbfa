/** A worker of the fixture before an 11VMS of its own, which differs from the contract as its settings say. */
import { startVms, type VmsOptions, type VmsSimulator } from '../../simulators/vms.ts';
import { type RecordingProxy, startRecordingProxy } from '../recording-proxy.ts';
import type { Row, Variables, Worker, WorkerFixture } from './worker-fixture.ts';

export interface VmsLandscape {
  readonly vms: VmsSimulator;
  readonly proxy: RecordingProxy;
  readonly worker: Worker;
  /** The worker's calls to 11VMS so far, each as its method and its path below the base URL. */
  readonly calls: () => string[];
  readonly ordersOf: (cart: Row) => ReturnType<VmsSimulator['orders']>;
  close(): Promise<void>;
}

export async function openVmsLandscape(
  fixture: WorkerFixture,
  options: VmsOptions,
  variables: Partial<Variables>,
): Promise<VmsLandscape> {
  const vms = await startVms(options);
  const proxy = await startRecordingProxy(vms.url);
  const worker = await fixture.worker({
    VMS_BASE_URL: vms.baseUrl.replace(vms.url, proxy.url),
    VMS_TOKEN_URL: vms.tokenUrl,
    ...variables,
  });
  const basePath = new URL(vms.baseUrl).pathname;
  return {
    vms,
    proxy,
    worker,
    calls: () => proxy.calls.map(({ method, path }) => `${method} ${path.replace(basePath, '')}`),
    ordersOf: (cart) => vms.orders().filter(({ order }) => order.sourceDocument.number === cart['ObjectId']),
    async close() {
      await Promise.all([vms.close(), proxy.close()]);
    },
  };
}
