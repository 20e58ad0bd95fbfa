/** What the console asks of the functions' logs. CloudWatch Logs Insights answers it, or the log file of the local run. */
import type { LogEvent } from '../../../shared/log-events.ts';
import { stripZeros } from '../../../shared/sap-values.ts';

/**
 * The forms of what may enter a query. A value of another form is refused, and not escaped: no form holds a quotation mark, a
 * backslash or a character that a regular expression would read, beside those that the field's values need.
 */
const FORMS = {
  cartNumber: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
  cartGuid: /^(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[A-Za-z0-9+/]{22}==)$/,
  messageId: /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/,
  runId: /^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/,
  externalId: /^SRM7-\d{3}(?:-[A-Za-z0-9_.]+){4,8}$/,
  orderNumber: /^[A-Za-z0-9][A-Za-z0-9_./:-]{0,63}$/,
  orderId: /^[A-Za-z0-9][A-Za-z0-9_./:-]{0,63}$/,
  supplier: /^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$/,
} as const satisfies Readonly<Record<string, RegExp>>;

export type IdentifierKind = keyof typeof FORMS;
const isKind = (name: string): name is IdentifierKind => Object.hasOwn(FORMS, name);

/** A value that has the form of its kind: made by {@link identifier} alone. */
export interface Identifier {
  readonly kind: IdentifierKind;
  readonly value: string;
}

export function identifier(kind: IdentifierKind, text: string): Identifier | undefined {
  return FORMS[kind].test(text) ? { kind, value: text } : undefined;
}

/** SAP fills these with zeros; ledger and log hold them without. */
const NUMBERS: readonly IdentifierKind[] = ['cartNumber', 'supplier'];

/** Everything that a text can be by its form. */
export const identifiersOf = (text: string): readonly Identifier[] =>
  Object.keys(FORMS)
    .filter(isKind)
    .flatMap((kind) => identifier(kind, NUMBERS.includes(kind) ? stripZeros(text) : text) ?? []);

/** A line of the log, as the console may show it: shared/log.ts lets no content of a cart into one. */
export interface LogLine {
  readonly atMs: number;
  readonly service: string;
  readonly event: string;
  /** The event in words. */
  readonly sentence: string;
  readonly cartNumber: string | undefined;
  readonly messageId: string | undefined;
  readonly runId: string | undefined;
  readonly externalId: string | undefined;
  readonly orderNumber: string | undefined;
  readonly attempt: number | undefined;
  readonly reason: string | undefined;
}

export interface LogWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

export type LogAnswer<Value> =
  | {
      readonly kind: 'answered';
      readonly value: Value;
      /** Lines of the last minutes before then may still be on their way. */
      readonly upToMs: number;
      /** False where there is more than was asked for. */
      readonly isWhole: boolean;
    }
  /** `why` in words, with what to do. */
  | { readonly kind: 'unanswered'; readonly why: string };

export interface CartInLog {
  readonly number: string | undefined;
  readonly guid: string | undefined;
}

/** What a run of the extraction or of the reconciliation wrote at its end. */
export interface RunInLog {
  readonly atMs: number;
  readonly sentence: string;
  readonly runId: string | undefined;
  /** How far it read, as an instant of RFC 3339. */
  readonly readTo: string | undefined;
  readonly pages: string | undefined;
  readonly rows: string | undefined;
  readonly queued: string | undefined;
  readonly reason: string | undefined;
}

export interface LogSearch {
  /** By the saved query "runs": the newest first. */
  runs(window: LogWindow): Promise<LogAnswer<readonly RunInLog[]>>;
  /** The lines about a cart, its messages and orders, and the pauses of consumption meanwhile; in order. */
  story(of: readonly Identifier[], window: LogWindow): Promise<LogAnswer<readonly LogLine[]>>;
  /** The carts whose lines hold one of these, each once. */
  cartsBy(of: readonly Identifier[], window: LogWindow): Promise<LogAnswer<readonly CartInLog[]>>;
}

export const MAXIMUM_LINES = 1000;
export const MAXIMUM_CARTS = 50;
/** Of the saved query. */
export const MAXIMUM_RUNS = 100;

/** While consumption is paused, a cart has no line of its own. */
export const PAUSE_EVENTS = ['consumption.pausing', 'consumption.resumed'] as const satisfies readonly LogEvent[];
