/** The functions' log lines: written to a file, and counted for the live progress. */
import { appendFileSync } from 'node:fs';
import { asJsonObject, tryParseJson } from '../../../shared/exact-json.ts';
import { isFaultCode } from '../../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../../shared/fault-catalogue.ts';
import type { LogEvent } from '../../../shared/log-events.ts';
import { SERVICE_NAMES } from '../../../shared/metric-names.ts';
import type { LogLine } from '../aws/execution-environment.ts';

/** What the log shows of a run under way. The summary is read from the ledger. */
export interface Progress {
  queued: number;
  retries: number;
  refused: number;
  requeued: number;
  /** External ids. */
  readonly orders: Set<string>;
  /** Message ids: an attempt may be repeated. */
  readonly skipped: Set<string>;
  readonly faulty: Set<string>;
  /** While consumption is paused. */
  waiting: number | undefined;
}

/** What a rule handled by itself in one cart. */
export interface CartWarnings {
  readonly cartNumber: string | null;
  readonly codes: readonly string[];
  readonly reasons: readonly string[];
}

export class RunLog {
  readonly path: string;
  readonly progress: Progress = {
    queued: 0,
    retries: 0,
    refused: 0,
    requeued: 0,
    orders: new Set(),
    skipped: new Set(),
    faulty: new Set(),
    waiting: undefined,
  };
  /** The time of the last line. It shows when a run stands still. */
  lastLineAtMs = Date.now();
  /** At least one extraction was completed. */
  completedExtraction = false;
  /** The reason of the last error line. */
  lastError: string | undefined;
  readonly #ignored: ReadonlySet<unknown>;
  readonly #warnings = new Map<unknown, CartWarnings>();
  /** Carts queued by the extractions before the present one. */
  #queuedBefore = 0;

  /** @param ignored Events that are of the simulation, and not of the interface. */
  constructor(path: string, ignored: readonly LogEvent[] = []) {
    this.path = path;
    this.#ignored = new Set(ignored);
  }

  /** Of each cart once, however often it was translated. */
  get warnings(): readonly CartWarnings[] {
    return [...this.#warnings.values()];
  }

  /** The next extraction counts its carts from 0. */
  startExtraction(): void {
    this.#queuedBefore = this.progress.queued;
  }

  write(line: LogLine): void {
    const fields = asJsonObject(tryParseJson(line.text));
    if (fields !== undefined && this.#ignored.has(fields['event'])) return;
    appendFileSync(this.path, `${line.text}\n`);
    // The supervisor logs at every run, so its lines do not show that carts move.
    if (fields?.['service'] !== SERVICE_NAMES.supervisor) this.lastLineAtMs = Date.now();
    if (fields === undefined) return;
    this.#count(fields);
    if (fields['level'] === 'ERROR') this.lastError = errorText(fields);
  }

  #count(fields: Readonly<Record<string, unknown>>): void {
    const { progress } = this;
    const { event, queued, externalId, messageId, codes } = fields;
    switch (event) {
      case 'extraction.page-queued':
        if (typeof queued === 'number') progress.queued = this.#queuedBefore + queued;
        break;
      case 'extraction.completed':
        this.completedExtraction = true;
        break;
      case 'order.created':
      case 'order.recovered':
        progress.orders.add(String(externalId));
        break;
      case 'cart.translated':
      case 'cart.translated-with-warnings':
        this.#keepWarnings(fields);
        break;
      case 'cart.skipped':
        progress.skipped.add(String(messageId));
        break;
      case 'cart.dead-lettered':
        progress.faulty.add(String(messageId));
        break;
      case 'cart.retry-scheduled':
        // A cart that is received while consumption is paused was not tried.
        if (!Array.isArray(codes) || !codes.includes('E_INT_PAUSED')) progress.retries++;
        break;
      case 'cart.refused':
        progress.refused++;
        break;
      case 'cart.requeued':
        progress.requeued++;
        break;
    }
  }

  #keepWarnings({ cartNumber, messageId, codes, reasons }: Readonly<Record<string, unknown>>): void {
    if (!Array.isArray(codes) || codes.length === 0) return;
    this.#warnings.set(cartNumber ?? messageId, {
      cartNumber: typeof cartNumber === 'string' ? cartNumber : null,
      codes: codes.map(String),
      reasons: Array.isArray(reasons) ? reasons.map(String) : [],
    });
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
