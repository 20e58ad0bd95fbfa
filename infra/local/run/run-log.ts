/** The functions' log lines: written to a file, and counted for the live progress. */
import { appendFileSync } from 'node:fs';
import { asJsonObject, tryParseJson } from '../../../shared/exact-json.ts';
import { FAULT_CATALOGUE, isFaultCode } from '../../../shared/failure.ts';
import { SERVICE_NAMES } from '../../../shared/metric-names.ts';
import type { LogLine } from '../aws/execution-environment.ts';

/** Counts of log lines, for the live progress only. The summary is read from the ledger. */
export interface Progress {
  queued: number;
  orders: number;
  skipped: number;
  retries: number;
  deadLettered: number;
  refused: number;
  requeued: number;
}

export class RunLog {
  readonly path: string;
  readonly progress: Progress = {
    queued: 0,
    orders: 0,
    skipped: 0,
    retries: 0,
    deadLettered: 0,
    refused: 0,
    requeued: 0,
  };
  /** The time of the last line. It shows when a run stands still. */
  lastLineAtMs = Date.now();
  /** At least one extraction was completed. */
  completedExtraction = false;
  /** The reason of the last error line. */
  lastError: string | undefined;

  constructor(path: string) {
    this.path = path;
  }

  write(line: LogLine): void {
    appendFileSync(this.path, `${line.text}\n`);
    const fields = asJsonObject(tryParseJson(line.text));
    // The supervisor logs at every run, so its lines do not show that carts move.
    if (fields?.['service'] !== SERVICE_NAMES.supervisor) this.lastLineAtMs = Date.now();
    if (fields === undefined) return;
    const { message, outcome, queued, level } = fields;
    const { progress } = this;
    if (message === 'Page queued' && typeof queued === 'number') progress.queued = queued;
    if (message === 'Order created' || message === 'Order found, created by an earlier attempt') progress.orders++;
    if (message === 'Extraction complete') this.completedExtraction = true;
    if (outcome === 'skipped') progress.skipped++;
    if (outcome === 'retry') progress.retries++;
    if (outcome === 'refused') progress.refused++;
    if (outcome === 'requeued') progress.requeued++;
    if (outcome === 'dead-letter') progress.deadLettered++;
    if (level === 'ERROR') this.lastError = errorText(fields);
  }
}

/** What happened, and what to do. */
function errorText({ codes, reason, reasons, errorName }: Readonly<Record<string, unknown>>): string | undefined {
  const [code = errorName]: unknown[] = Array.isArray(codes) ? codes : [];
  const [first]: unknown[] = Array.isArray(reasons) ? reasons : [];
  const what = first ?? [code, reason].filter((part) => typeof part === 'string' && part !== '').join(': ');
  if (typeof what !== 'string' || what === '') return undefined;
  return isFaultCode(code) ? `${what}. ${FAULT_CATALOGUE[code].action}` : what;
}
