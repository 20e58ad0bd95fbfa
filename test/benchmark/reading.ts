/** Reads very many carts with the real extractor into a counting queue, and measures its memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleFunctions } from '../../infra/bundle.ts';
import { loadEnvironment } from '../../infra/environments.ts';
import type { BenchmarkOptions } from './options.ts';
import { type Measured, measureExtractor, startNeighbours, stopNeighbours, variablesOf } from './processes.ts';
import { type BenchmarkReport, type OnStep, row } from './report.ts';

/** The run that the memory is compared with. */
const FEW_CARTS = 10_000;
/** A run stops 20 s before its time-out, so each run reads for 40 s and the next one continues. */
const TIMEOUT_SECONDS = 60;

interface Reading extends Measured {
  /** Distinct carts on the queue. */
  readonly distinct: number;
  /** All messages: a run reads the last second of the run before again. */
  readonly messages: number;
  readonly batches: number;
  readonly billingUnits: number;
}

export async function benchmarkReading({ carts }: BenchmarkOptions, onStep: OnStep): Promise<BenchmarkReport> {
  const directory = mkdtempSync(join(tmpdir(), 'benchmark-'));
  try {
    const { 'extract-approved-carts': bundle } = await bundleFunctions(loadEnvironment('local'), directory);
    onStep(`extractor, ${FEW_CARTS} carts`);
    const few = await read(bundle, FEW_CARTS);
    onStep(`extractor, ${carts} carts`);
    return report(few, await read(bundle, carts));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @throws when a cart is missing on the queue: the next run must continue without a gap. */
async function read(bundle: string, carts: number): Promise<Reading> {
  // One cart every 10 ms (service.ts), all after the first watermark and before now.
  const startMs = Math.floor((Date.now() - carts * 10) / 1000) * 1000 - 60_000;
  const neighbours = await startNeighbours({ source: { carts, startMs } });
  try {
    const variables = variablesOf(neighbours, bundle, new Date(startMs).toISOString());
    const measured = await measureExtractor(join(bundle, 'main.cjs'), TIMEOUT_SECONDS, variables);
    const {
      messages = 0,
      distinct = 0,
      SendMessageBatch: batches = 0,
      billingUnits = 0,
    } = await neighbours.queue.stats();
    if (distinct !== carts) throw new Error(`of ${carts} carts only ${distinct} are on the queue`);
    return { ...measured, distinct, messages, batches, billingUnits };
  } finally {
    stopNeighbours(neighbours);
  }
}

function report(few: Reading, many: Reading): BenchmarkReport {
  const memoryRatio = many.peakMegabytes / few.peakMegabytes;
  const line = (reading: Reading): string =>
    row(
      `${reading.distinct} carts`,
      (reading.carts / reading.seconds).toFixed(0),
      reading.peakMegabytes.toFixed(0),
      String(reading.invocations),
      String(reading.messages),
      (reading.messages / reading.batches).toFixed(2),
      (reading.messages / reading.billingUnits).toFixed(2),
    );
  return {
    lines: [
      row('', 'carts/s', 'peak MiB', 'runs', 'messages', 'per batch', 'per 64 KiB'),
      line(few),
      line(many),
      '',
      `peak memory: ${memoryRatio.toFixed(2)} times that of ${few.distinct} carts; every cart is on the queue`,
    ],
    json: {
      memoryRatio,
      cartsPerSecond: many.carts / many.seconds,
      runs: many.invocations,
      messages: many.messages,
      batches: many.batches,
      billingUnits: many.billingUnits,
    },
  };
}
