/**
 * The failure taxonomy: every reason code the interface can give, what it means and who can fix it; and the warnings.
 * What to do, which only people read: fault-catalogue.ts.
 *
 * Source: rules.md, "Delivering once" and "Reason codes, by family".
 */

/** The kind of a failure, which decides what follows (rules.md, "Delivering once"). */
export type FailureClass = 'transient' | 'throttled' | 'unknown' | 'permanent' | 'refused';

/** Who can fix a fault. */
export type FaultOwner = 'buyer' | 'mapping owner' | 'SRM team' | '11VMS team' | 'interface team';

interface FaultEntry {
  readonly owner: FaultOwner;
  readonly meaning: string;
}

const entry = (owner: FaultOwner, meaning: string): FaultEntry => ({ owner, meaning });

/** Its keys are the only codes that a fault can carry. */
export const FAULTS = {
  E_SRC_AUTH: entry('SRM team', 'SRM or its token endpoint refused our credentials'),
  E_SRC_UNAVAILABLE: entry('SRM team', 'SRM did not answer, or answered with an error or a page that cannot be read'),
  E_SRC_THROTTLED: entry('SRM team', 'SRM limits our calls (429)'),
  E_SRC_SCHEMA: entry('SRM team', 'The cart breaks the contract of the extraction service'),
  E_SRC_PAGING_INCOMPLETE: entry('SRM team', 'SRM announced another number of carts than it delivered'),
  E_CART_EMPTY: entry('buyer', 'No line of the cart is left to order'),
  E_CART_CHANGED_AFTER_SEND: entry('buyer', 'The cart was changed and approved again after its order was created'),
  E_CART_CANCELLED_AFTER_SEND: entry(
    'buyer',
    'An order exists of which the cart has nothing left: its lines were deleted, rejected or moved to another order',
  ),
  E_EXTREF_MISSING: entry('buyer', 'The purchase request number is missing, and it is configured as mandatory'),
  E_FIELD_MISSING: entry('buyer', 'A mandatory field is empty'),
  E_FIELD_FORMAT: entry('SRM team', 'A field has the wrong form'),
  E_FIELD_LENGTH: entry('SRM team', 'An identifier or code is longer than 11VMS allows; it is never cut'),
  E_DATE_INVALID: entry('SRM team', 'A date cannot be read'),
  E_DATE_MISSING: entry('buyer', 'A line has neither a delivery date nor a service period'),
  E_DATE_RANGE: entry('buyer', 'A period ends before it starts, or has no start'),
  E_MAP_SUPPLIER: entry('mapping owner', 'The supplier is not in the value map'),
  E_MAP_COMPANY: entry('mapping owner', 'The company code has no business unit in the value map'),
  E_MAP_UOM: entry('mapping owner', 'The unit of measure is not in the value map'),
  E_MAP_CATEGORY: entry('mapping owner', 'The category is not in the value map'),
  E_MAP_TAX: entry('mapping owner', 'The tax code is not in the value map'),
  E_MAP_CURRENCY: entry('mapping owner', 'The currency is not a known ISO 4217 currency'),
  E_MAP_ACCCAT: entry('mapping owner', 'The account assignment category is not in the value map'),
  E_MAP_COUNTRY: entry('mapping owner', 'The country is not in the value map'),
  E_MAP_STATUS: entry('mapping owner', 'The status of the cart is not in the value map'),
  E_MAP_LINE_TYPE: entry('mapping owner', 'The product type of a line is unknown'),
  E_SUPPLIER_MISSING: entry('buyer', 'A line has no supplier yet'),
  E_REQUESTER_MISSING: entry('buyer', 'The cart names no requester'),
  E_ADDRESS_MISSING: entry('buyer', 'A material line has no delivery address'),
  E_LINE_DUPLICATE: entry('SRM team', 'Two lines of an order have the same number'),
  E_QTY_INVALID: entry('buyer', 'A quantity is not greater than zero'),
  E_PRICE_INVALID: entry('buyer', 'A price is negative, or zero where that is not allowed'),
  E_AMT_PRECISION: entry('SRM team', 'An amount has more decimals than its currency'),
  E_AMT_LINE_MISMATCH: entry('SRM team', 'The value of a line is not quantity x price / price unit'),
  E_AMT_TOTAL_MISMATCH: entry('SRM team', 'The total of the cart is not the sum of its lines'),
  E_ACC_MISSING: entry('buyer', 'A line has no account assignment'),
  E_ACC_SPLIT_NOT_100: entry('buyer', 'The account assignments of a line do not add up to 100 %'),
  E_ACC_OBJECT_MISSING: entry('buyer', 'The account assignment does not name the object that its category asks for'),
  E_LIMIT_UNLIMITED: entry('buyer', 'A limit line is unlimited, and that is not allowed'),
  E_LIMIT_RANGE: entry('buyer', 'The expected value of a limit line exceeds its limit'),
  E_TGT_AUTH: entry('11VMS team', '11VMS or its token endpoint refuses us'),
  E_TGT_ORDER_REFUSED: entry(
    '11VMS team',
    '11VMS, or a firewall before it, refuses this order (401, 403, 404, 405 or 410), and answers other calls',
  ),
  E_TGT_VALIDATION: entry('mapping owner', '11VMS rejected the order as invalid'),
  E_TGT_NOT_FOUND_REF: entry('mapping owner', 'The order names an object that 11VMS does not know'),
  E_TGT_DUPLICATE_DIFFERENT: entry('interface team', '11VMS already holds this order with other content'),
  E_TGT_IDEMPOTENCY: entry(
    'interface team',
    '11VMS says that our idempotency key was used with another payload: a defect of this interface',
  ),
  E_TGT_THROTTLED: entry('11VMS team', '11VMS limits our calls (429)'),
  E_TGT_UNAVAILABLE: entry('11VMS team', '11VMS could not be reached or failed'),
  E_TGT_TIMEOUT_UNKNOWN: entry('11VMS team', 'AMBIGUOUS: 11VMS did not answer, and the order may or may not exist'),
  E_TGT_DISGUISED_ERROR: entry(
    '11VMS team',
    'AMBIGUOUS: 11VMS answered success with an error inside, or without an id',
  ),
  E_TGT_RESPONSE_SCHEMA: entry('11VMS team', 'AMBIGUOUS: the answer of 11VMS breaks its contract'),
  E_TGT_TOO_LARGE: entry('buyer', 'The cart, or an order of it, is larger than the interface or 11VMS takes'),
  E_ALM_AUTH: entry('interface team', 'Cloud ALM or its token endpoint refuses us'),
  E_ALM_UNAVAILABLE: entry('interface team', 'Cloud ALM could not be reached, or did not take the metrics'),
  E_INT_MESSAGE: entry(
    'interface team',
    'The queue message is signed by this stack and cannot be used: another version of this interface queued it, srm.client was changed since, or it is a defect',
  ),
  E_INT_SIGNATURE: entry(
    'interface team',
    'The queue message is not signed with the key of this stack: another principal wrote it, or its key was rotated twice since',
  ),
  E_INT_KEY: entry('interface team', 'The key that signs the messages on the cart queue cannot be read'),
  E_INT_QUEUE: entry('interface team', 'SQS did not take all carts'),
  E_INT_LEDGER: entry('interface team', 'The ledger (DynamoDB) did not answer'),
  E_INT_IN_PROGRESS: entry('interface team', 'Another delivery of the same order has not ended'),
  E_INT_PAUSED: entry('interface team', 'Consumption was paused when the cart was received; it was not tried'),
  E_INT_CRASHED: entry(
    'interface team',
    'The last attempt ended without a result: the function crashed or ran out of time or memory',
  ),
  E_INT_UNEXPECTED: entry('interface team', 'A defect of this interface, or a record of another version of it'),
} as const satisfies Record<string, FaultEntry>;

export type FaultCode = keyof typeof FAULTS;

/** Whether a text, as a ledger or a log holds it, is a code of this version. */
export const isFaultCode = (code: unknown): code is FaultCode =>
  typeof code === 'string' && Object.hasOwn(FAULTS, code);

/** What a rule handled by itself and a person may want to know. Nothing is dead-lettered for it. */
export const WARNING_CATALOGUE = {
  W_STATUS_UNKNOWN: 'The status of a line of an approved cart is not in the value map; the line is ordered',
  W_APPROVAL_TIME_MISSING: 'The cart has no time of approval; that of the last change is taken',
  W_DATE_OFFSET: 'An instant carries an offset, which SAP normally never sends; it is subtracted',
  W_DATE_PAST: 'A delivery date or the end of a period lies in the past; it is ordered all the same',
  W_TEXT_CUT: 'A text for people is longer than 11VMS allows; it is cut, with a marker',
  W_TEXT_REPLACED: 'Characters that no text can hold are replaced by U+FFFD',
  W_EMAIL_LEFT_OUT: 'An e-mail address is malformed; it is left out',
  W_EXTREF_LEFT_OUT: 'The lines name several purchase requests; the order names none',
  W_FOLLOW_ON_LEFT_OUT: 'The lines name several follow-on documents; the order names none',
  W_TAX_LEFT_OUT: 'A tax has no tax code; it is left out of the line and of the totals',
  W_ATTACHMENT_LEFT_OUT: 'An attachment, its type or its size cannot be used; it is left out',
  W_PRICE_UNIT_EMPTY: 'The price unit is 0 or empty; 1 is taken',
  W_ACC_SHARE_ZERO: 'Account assignments of 0 % are left out',
  W_ACC_SPLIT_ROUNDED: 'The shares of a line differ from 100 % by a rounding; the largest takes the difference',
} as const satisfies Record<string, string>;

export type WarningCode = keyof typeof WARNING_CATALOGUE;

/**
 * One thing that is wrong, in words for the person who owns it. It quotes no field of a person and no secret: `value` is given only
 * for codes, amounts and dates, and is their kind and length where it does not look like one (source-quotes.ts).
 */
export interface Finding<Code> {
  readonly code: Code;
  /** What is wrong, one sentence without a full stop. */
  readonly message: string;
  /** Number of the line of the cart, without leading zeros. */
  readonly line?: string;
  /** JSON path in the source row. */
  readonly path?: string;
  /** Field of the target, as in mapping.csv. */
  readonly field?: string;
  /** The value as SRM sent it; where it was computed, as it was made; or what it is, in square brackets. */
  readonly value?: string;
}
/** It keeps a cart or an order from 11VMS. */
export type Fault = Finding<FaultCode>;
/** It keeps nothing back. */
export type Warning = Finding<WarningCode>;

type Place = Pick<Fault, 'line' | 'path' | 'field' | 'value'>;

/** The place of a fault in the source row: line and path. */
const sourcePlace = ({ line, path }: Place): string[] =>
  [line === undefined ? undefined : `line ${line}`, path].filter((part) => part !== undefined);

/** The place of a fault as text to follow its message: line, path, target field and value, as far as they are known. */
export function faultPlace({ field, value, ...source }: Place): string {
  const where = [
    ...sourcePlace(source),
    ...(field === undefined ? [] : [`for ${field}`]),
    ...(value === undefined ? [] : [`value ${JSON.stringify(value)}`]),
  ];
  return where.length === 0 ? '' : ` (${where.join(', ')})`;
}

/** A fault or warning as a log has it: what and where, without the value. */
export function findingForLog({ code, message, ...place }: Fault | Warning): string {
  const where = sourcePlace(place);
  return `${code}: ${message}${where.length === 0 ? '' : ` at ${where.join(', ')}`}`;
}

/** A fault's code and message. */
export const faultSummary = ({ code, message }: Fault): string => `${code}: ${message}`;

/** A failure with its class and its fault. Carries no request, header or payload. */
export class InterfaceError extends Error {
  readonly failureClass: FailureClass;
  readonly fault: Fault;
  readonly retryAfterMs: number | undefined;

  constructor(failureClass: FailureClass, fault: Fault, retryAfterMs?: number) {
    super(`${fault.code}: ${fault.message}`);
    this.name = 'InterfaceError';
    this.failureClass = failureClass;
    this.fault = fault;
    this.retryAfterMs = retryAfterMs;
  }
}
