/**
 * The measured process: `node subject.ts <handler file> consumer <carts> <batch size> <first cart>`, or `... extractor <time-out>`.
 * It runs the handler as one warm execution environment, one event after the other, and sends its time and CPU. The log
 * lines are discarded.
 */
import { once } from 'node:events';
import { type BatchRecord, sqsRecords, WARM_UP_CARTS } from './carts.ts';
import { lambdaContext as context, loadHandler } from './handler.ts';

const [, , file = '', role = '', ...numbers] = process.argv;
const invoke = await loadHandler(file);

/** The batch size of the carts before the measured ones, also when single carts are measured, to save time. */
const WARM_UP_BATCH = 10;
/** A message that fails so often is a fault of the benchmark. */
const MOST_RECEIVES = 4;

/** What a run of the handler came to. */
interface Work {
  readonly carts: number;
  readonly invocations: number;
  /** Lambda bills each invocation by the started millisecond. */
  readonly billedMs: number;
  /** Messages that went back to the queue. */
  readonly returned: number;
}

/** Works a queue off. A message that fails goes back to its end: the delay before its next receive is not waited for. */
async function consume(queue: BatchRecord[], batchSize: number): Promise<Work> {
  const carts = queue.length;
  let [invocations, billedMs, returned] = [0, 0, 0];
  while (queue.length > 0) {
    const batch = queue.splice(0, batchSize);
    const startedMs = performance.now();
    const answer = await invoke({ Records: batch }, context(60_000));
    billedMs += Math.ceil(performance.now() - startedMs);
    invocations++;
    const failed = new Set(failedIn(answer));
    for (const record of batch) if (failed.has(record.messageId)) queue.push(received(record));
    returned += failed.size;
  }
  return { carts, invocations, billedMs, returned };
}

function failedIn(answer: unknown): string[] {
  const failures: unknown = Reflect.get(Object(answer), 'batchItemFailures');
  if (!Array.isArray(failures)) throw new Error(`a batch failed: ${JSON.stringify(answer)}`);
  return failures.map((failure) => String(Reflect.get(Object(failure), 'itemIdentifier')));
}

function received(record: BatchRecord): BatchRecord {
  const receives = Number(record.attributes.ApproximateReceiveCount) + 1;
  if (receives > MOST_RECEIVES) throw new Error(`${record.messageId} failed ${MOST_RECEIVES} times`);
  return { ...record, attributes: { ApproximateReceiveCount: String(receives) } };
}

async function extract(timeoutSeconds: number): Promise<Work> {
  let [carts, invocations, billedMs] = [0, 0, 0];
  for (let status: unknown; status !== 'complete'; invocations++) {
    const startedMs = performance.now();
    const answer: unknown = await invoke({}, context(timeoutSeconds * 1000));
    billedMs += Math.ceil(performance.now() - startedMs);
    status = Reflect.get(Object(answer), 'status');
    carts += Number(Reflect.get(Object(answer), 'cartsQueued'));
  }
  return { carts, invocations, billedMs, returned: 0 };
}

async function measured(work: () => Promise<Work>): Promise<object> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  const done = await work();
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { ...done, seconds, cpuMs: (user + system) / 1000, peakMegabytes: process.resourceUsage().maxRSS / 1024 };
}

async function run(): Promise<object> {
  const [first = 0, batchSize = 0, firstCart = 0] = numbers.map(Number);
  if (role === 'extractor') return measured(() => extract(first));
  await consume(sqsRecords(firstCart, WARM_UP_CARTS), WARM_UP_BATCH);
  const queue = sqsRecords(firstCart + WARM_UP_CARTS, first);
  // Several environments start together.
  process.send?.('ready');
  await once(process, 'message');
  return measured(() => consume(queue, batchSize));
}

process.send?.(await run(), () => process.exit());
