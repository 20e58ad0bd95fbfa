/**
 * The measured process: `node subject.ts <handler file> consumer <carts> <batch size>`, or `... extractor`. It runs the
 * handler as one warm execution environment, one event after the other, and prints its time and CPU as a line of JSON. The
 * log lines go to stderr, which is discarded.
 */
import { sqsEvent } from './carts.ts';
import { lambdaContext as context, loadHandler } from './handler.ts';

const [, , file = '', role = '', ...numbers] = process.argv;
const write = process.stdout.write.bind(process.stdout);
// A function writes its log lines as on Lambda, but they must not mix with the results.
process.stdout.write = process.stderr.write.bind(process.stderr);

const invoke = await loadHandler(file);

/** The first carts are not measured: they load, connect and compile the code. */
const WARM_UP = 100;
/** The batch size of these carts, also when single carts are measured, to save time. */
const WARM_UP_BATCH = 10;

async function consume(carts: number, batchSize: number): Promise<object> {
  for (let first = 0; first < WARM_UP; first += WARM_UP_BATCH) {
    await invoke(sqsEvent(first, WARM_UP_BATCH), context(60_000));
  }
  const events = Array.from({ length: Math.ceil(carts / batchSize) }, (_, index) =>
    sqsEvent(WARM_UP + index * batchSize, Math.min(batchSize, carts - index * batchSize)),
  );
  return measured(carts, async () => {
    for (const event of events) {
      const answer = await invoke(event, context(60_000));
      const failures: unknown = Reflect.get(Object(answer), 'batchItemFailures');
      if (!Array.isArray(failures) || failures.length > 0) throw new Error(`a batch failed: ${JSON.stringify(answer)}`);
    }
  });
}

async function extract(timeoutSeconds: number): Promise<object> {
  let runs = 0;
  let carts = 0;
  const result = await measured(0, async () => {
    for (let status: unknown; status !== 'complete'; runs++) {
      const answer: unknown = await invoke({}, context(timeoutSeconds * 1000));
      status = Reflect.get(Object(answer), 'status');
      carts += Number(Reflect.get(Object(answer), 'cartsQueued'));
    }
  });
  return { ...result, carts, runs };
}

async function measured(carts: number, work: () => Promise<void>): Promise<object> {
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  await work();
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { carts, seconds, cpuMs: (user + system) / 1000, peakMegabytes: process.resourceUsage().maxRSS / 1024 };
}

const [first = 0, second = 0] = numbers.map(Number);
const result = role === 'consumer' ? await consume(first, second) : await extract(first);
write(`${JSON.stringify(result)}\n`);
process.exit();
