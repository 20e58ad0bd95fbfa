/** Searches the log file of a local run: its lines are those that CloudWatch would get. */
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { asJsonObject, tryParseJson } from '../../../shared/exact-json.ts';
import { readExternalId } from '../../../shared/external-id.ts';
import { SERVICE_NAMES } from '../../../shared/metric-names.ts';
import {
  type CartInLog,
  type Identifier,
  type LogLine,
  type LogSearch,
  type LogWindow,
  MAXIMUM_CARTS,
  MAXIMUM_LINES,
  MAXIMUM_RUNS,
  PAUSE_EVENTS,
  type RunInLog,
} from './log-search.ts';

type Fields = Readonly<Record<string, unknown>>;

const pauseEvents: readonly unknown[] = PAUSE_EVENTS;

const matches = (fields: Fields, { kind, value }: Identifier): boolean =>
  kind === 'supplier'
    ? readExternalId(textAt(fields, 'externalId') ?? '')?.supplier === value
    : textAt(fields, kind) === value;

function textAt(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function lineOf(fields: Fields, atMs: number): LogLine {
  const { attempt, reasons } = fields;
  const [firstReason]: unknown[] = Array.isArray(reasons) ? reasons : [];
  return {
    atMs,
    service: textAt(fields, 'service') ?? '',
    event: textAt(fields, 'event') ?? '',
    sentence: textAt(fields, 'message') ?? '',
    cartNumber: textAt(fields, 'cartNumber'),
    messageId: textAt(fields, 'messageId'),
    runId: textAt(fields, 'runId'),
    externalId: textAt(fields, 'externalId'),
    orderNumber: textAt(fields, 'orderNumber'),
    attempt: typeof attempt === 'number' ? attempt : undefined,
    reason: textAt(fields, 'reason') ?? (typeof firstReason === 'string' ? firstReason : textAt(fields, 'errorName')),
  };
}

const RUN_SERVICES: readonly unknown[] = [SERVICE_NAMES.extractor, SERVICE_NAMES.reconciler];

/** As the saved query "runs" selects. */
const isOfRun = (fields: Fields): boolean =>
  RUN_SERVICES.includes(fields['service']) &&
  (fields['watermark'] !== undefined || fields['level'] === 'ERROR' || fields['event'] === 'extraction.locked');

function runOf(fields: Fields, atMs: number): RunInLog {
  const { codes } = fields;
  const [firstCode]: unknown[] = Array.isArray(codes) ? codes : [];
  const count = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === 'number' ? String(value) : undefined;
  };
  return {
    atMs,
    sentence: textAt(fields, 'message') ?? '',
    runId: textAt(fields, 'runId'),
    readTo: textAt(fields, 'watermark'),
    pages: count('pages'),
    rows: count('rows'),
    queued: count('queued'),
    reason: textAt(fields, 'reason') ?? (typeof firstCode === 'string' ? firstCode : textAt(fields, 'errorName')),
  };
}

/** @param path It need not exist yet: before the first line there is no file. */
export function createRunLogSearch(path: string, now: () => number): LogSearch {
  /** The log lines of a window, one at a time: a long run has hundreds of megabytes. */
  async function* lines({ fromMs, toMs }: LogWindow): AsyncGenerator<{ fields: Fields; atMs: number }> {
    if (!existsSync(path)) return;
    const file = await open(path);
    for await (const text of file.readLines()) {
      const fields = asJsonObject(tryParseJson(text));
      if (fields === undefined || textAt(fields, 'event') === undefined) continue;
      const atMs = Date.parse(textAt(fields, 'timestamp') ?? '');
      if (atMs >= fromMs && atMs <= toMs) yield { fields, atMs };
    }
  }

  return {
    async runs(window) {
      const all: RunInLog[] = [];
      for await (const { fields, atMs } of lines(window)) if (isOfRun(fields)) all.push(runOf(fields, atMs));
      const value = all.toReversed().slice(0, MAXIMUM_RUNS);
      return { kind: 'answered', value, upToMs: Math.min(window.toMs, now()), isWhole: all.length <= MAXIMUM_RUNS };
    },
    async story(of, window) {
      const value: LogLine[] = [];
      for await (const { fields, atMs } of lines(window)) {
        const isWanted = of.some((one) => matches(fields, one)) || pauseEvents.includes(fields['event']);
        if (isWanted && value.length < MAXIMUM_LINES) value.push(lineOf(fields, atMs));
      }
      return { kind: 'answered', value, upToMs: Math.min(window.toMs, now()), isWhole: value.length < MAXIMUM_LINES };
    },
    async cartsBy(of, window) {
      const carts = new Map<string, CartInLog>();
      for await (const { fields } of lines(window)) {
        const [number, guid] = [textAt(fields, 'cartNumber'), textAt(fields, 'cartGuid')];
        if ((number ?? guid) === undefined || !of.some((one) => matches(fields, one))) continue;
        carts.set(`${number}\n${guid}`, { number, guid });
      }
      const value = [...carts.values()].toReversed().slice(0, MAXIMUM_CARTS);
      return { kind: 'answered', value, upToMs: Math.min(window.toMs, now()), isWhole: carts.size <= MAXIMUM_CARTS };
    },
  };
}
