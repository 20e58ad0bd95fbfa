/** Searches the log file of a local run: its lines are those that CloudWatch would get. */
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { asJsonObject, tryParseJson } from '../../../shared/exact-json.ts';
import { readExternalId } from '../../../shared/external-id.ts';
import {
  type CartInLog,
  type Identifier,
  type LogLine,
  type LogSearch,
  type LogWindow,
  MAXIMUM_CARTS,
  MAXIMUM_LINES,
  PAUSE_EVENTS,
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
    reason: textAt(fields, 'reason') ?? (typeof firstReason === 'string' ? firstReason : undefined),
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
