/**
 * The only code that speaks 11VMS's protocol, through its proxy 11VMSProxy_V2. Source: target-11vms.md, and
 * edge cases 61 to 73. Nothing it reports quotes an answer's free text, which may repeat personal data.
 */
import * as z from 'zod';
import { tryParseJson } from '../../../shared/exact-json.ts';
import { type Fault, InterfaceError } from '../../../shared/failure.ts';
import { type HttpClient, HttpError, type HttpResponse, retryAfterMs } from '../../../shared/http-client.ts';
import { type PurchaseOrder, purchaseOrderSchema } from '../translation/purchase-order.ts';

/** The answer of 11VMS to a create. */
export type CreateAnswer =
  | { readonly kind: 'created'; readonly id: string; readonly number: string | undefined }
  /** 409: an order with this externalId is there; its content must be looked up. */
  | { readonly kind: 'exists' }
  | { readonly kind: 'rejected'; readonly faults: readonly Fault[] }
  /** Certainly not taken. */
  | { readonly kind: 'not-taken'; readonly fault: Fault; readonly retryAfterMs: number | undefined }
  | {
      readonly kind: 'throttled';
      readonly fault: Fault;
      readonly retryAfterMs: number | undefined;
      readonly mayBeTaken: boolean;
    }
  /** Perhaps taken: to be looked up before anything is posted again. */
  | { readonly kind: 'unknown'; readonly fault: Fault; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'refused'; readonly fault: Fault; readonly isForbidden: boolean };

/** An order as 11VMS keeps it; `order` is absent where its content cannot be read. */
export interface StoredOrder {
  readonly id: string;
  readonly number: string | undefined;
  readonly order: PurchaseOrder | undefined;
}

/** The result of a look-up by externalId. */
export type LookUpResult =
  | { readonly kind: 'found'; readonly stored: StoredOrder }
  | { readonly kind: 'absent' }
  /** 11VMS did not say whether it holds the order; it may answer a later look-up. */
  | {
      readonly kind: 'unanswered';
      readonly reason: 'throttled' | 'refused' | 'failed';
      readonly fault: Fault;
      readonly retryAfterMs?: number | undefined;
    }
  /** This 11VMS has no look-up. */
  | { readonly kind: 'impossible'; readonly fault: Fault };

/** Whether 11VMS works, regardless of any order. */
export type HealthCheck = { readonly healthy: true } | { readonly healthy: false; readonly reason: string };

export interface OrderRequest {
  readonly externalId: string;
  /** The order as JSON. */
  readonly body: string;
  readonly idempotencyKey: string;
  readonly correlationId: string;
}

export interface VmsOrders {
  create(request: OrderRequest): Promise<CreateAnswer>;
  lookUp(externalId: string, correlationId: string): Promise<LookUpResult>;
  /** A look-up that finds nothing and changes nothing. */
  probe(correlationId: string): Promise<HealthCheck>;
}

const INTERFACE_ID = 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1';
const ORDERS = '/purchase-orders';

/** Both go into the ledger and into logs, so that they must be printable and short. */
const orderNames = {
  id: z.string().regex(/^[\x21-\x7e]{1,100}$/),
  number: z
    .string()
    .regex(/^[\x20-\x7e]{1,100}$/)
    .optional()
    .catch(undefined),
};
const createdOrder = z.object({ ...orderNames, externalId: z.string().optional() });
const listAnswer = z.object({ items: z.array(z.object({ ...orderNames, externalId: z.string() }).loose()) });
const token = z.string().regex(/^[A-Z0-9_]{1,60}$/);
/** Every name in the orders that we send. */
const FIELD_NAMES = fieldNames(purchaseOrderSchema);
const problem = z.object({
  code: token.optional().catch(undefined),
  errors: z
    .array(
      z.object({
        code: token.optional().catch(undefined),
        pointer: z.string().max(200).refine(namesOurFields).optional().catch(undefined),
      }),
    )
    .optional()
    .catch(undefined),
});

export function createVmsOrders(http: HttpClient, now: () => number): VmsOrders {
  const headers = (correlationId: string) => ({
    Accept: 'application/json, application/problem+json',
    'X-Correlation-ID': correlationId,
    'X-Interface-ID': INTERFACE_ID,
  });

  return {
    async create({ externalId, body, idempotencyKey, correlationId }) {
      try {
        const response = await http.request({
          method: 'POST',
          path: ORDERS,
          headers: {
            ...headers(correlationId),
            'Content-Type': 'application/json; charset=utf-8',
            'Idempotency-Key': `"${idempotencyKey}"`,
          },
          body,
        });
        return readCreateAnswer(response, externalId, now());
      } catch (error) {
        return createFailure(error);
      }
    },

    async lookUp(externalId, correlationId) {
      try {
        const path = `${ORDERS}?externalId=${encodeURIComponent(externalId)}`;
        const response = await http.request({ method: 'GET', path, headers: headers(correlationId) });
        return readLookUpAnswer(response, externalId, now());
      } catch (error) {
        return lookUpFailure(error);
      }
    },

    async probe(correlationId) {
      const path = `${ORDERS}?externalId=${PROBE_ID}`;
      try {
        const { status } = await http.request({ method: 'GET', path, headers: headers(correlationId) });
        if (status === 200 || LOOK_UP_MISSING.has(status)) return { healthy: true };
        return { healthy: false, reason: `11VMS answered ${status} to a probe` };
      } catch (error) {
        if (error instanceof HttpError) return { healthy: false, reason: `11VMS cannot be reached (${error.code})` };
        if (error instanceof InterfaceError) return { healthy: false, reason: error.fault.message };
        throw error;
      }
    },
  };
}

/** No order has it: a real externalId begins with its source system. */
const PROBE_ID = 'PROBE';
/** The answers of an 11VMS without look-ups. It is healthy, since it answers and may take orders. */
const LOOK_UP_MISSING = new Set([404, 405, 501]);
/** Whether a pointer points into our order. Any other text in its place is dropped: it may be personal. */
function namesOurFields(pointer: string): boolean {
  const parts = pointer.split(/[/.[\]]/).filter((part) => part !== '');
  return parts.length > 0 && parts.every((part) => /^\d{1,4}$/.test(part) || FIELD_NAMES.has(part));
}

function fieldNames(schema: unknown): ReadonlySet<string> {
  if (schema instanceof z.ZodArray) return fieldNames(schema.element);
  if (schema instanceof z.ZodExactOptional) return fieldNames(schema.unwrap());
  if (!(schema instanceof z.ZodObject)) return new Set();
  const { shape } = schema;
  return new Set(Object.entries(shape).flatMap(([name, part]) => [name, ...fieldNames(part)]));
}

/** 503 is throttling where it says for how long (rules.md, "throttled"). */
const isThrottled = (status: number, retryMs: number | undefined): boolean =>
  status === 429 || (status === 503 && retryMs !== undefined);

/** Status first, body second: the proxy may answer HTML (edge case 73). */
function readCreateAnswer(response: HttpResponse, externalId: string, nowMs: number): CreateAnswer {
  const { status } = response;
  const retryMs = retryAfterMs(response, nowMs);
  if (status === 200 || status === 201) return readSuccess(response, externalId);
  if (status === 401 || status === 403) {
    const fault = { code: 'E_TGT_AUTH', message: `11VMS answered ${status}` } as const;
    return { kind: 'refused', fault, isForbidden: status === 403 };
  }
  if (isThrottled(status, retryMs)) {
    const fault = { code: 'E_TGT_THROTTLED', message: `11VMS answered ${status}` } as const;
    return { kind: 'throttled', fault, retryAfterMs: retryMs, mayBeTaken: status === 503 };
  }
  const unavailable = { code: 'E_TGT_UNAVAILABLE', message: `11VMS answered ${status}` } as const;
  if (status === 408 || status === 425) return { kind: 'not-taken', fault: unavailable, retryAfterMs: retryMs };
  // A failure behind the proxy may hide a success; so may a redirect or any other status outside the contract.
  if (status >= 500 || status < 400) return { kind: 'unknown', fault: unavailable, retryAfterMs: retryMs };
  return readRefusal(response, retryMs);
}

/** Edge case 72: after a success without a readable id, the order may or may not exist. */
function readSuccess(response: HttpResponse, externalId: string): CreateAnswer {
  const json = tryParseJson(response.body);
  if (json === undefined) {
    const message = `11VMS answered ${response.status} with a body that is not JSON`;
    return { kind: 'unknown', fault: { code: 'E_TGT_RESPONSE_SCHEMA', message }, retryAfterMs: undefined };
  }
  const parsed = createdOrder.safeParse(json);
  if (!parsed.success || (parsed.data.externalId ?? externalId) !== externalId) {
    const message = `11VMS answered ${response.status} without the order's id`;
    return { kind: 'unknown', fault: { code: 'E_TGT_DISGUISED_ERROR', message }, retryAfterMs: undefined };
  }
  return { kind: 'created', id: parsed.data.id, number: parsed.data.number };
}

/** The 4xx of the contract (edge cases 62 to 66, 69). */
function readRefusal(response: HttpResponse, retryMs: number | undefined): CreateAnswer {
  const { status } = response;
  const parsed = problem.safeParse(tryParseJson(response.body));
  const { code, errors = [] } = parsed.success ? parsed.data : {};
  if (status === 409 && code === 'EXTERNAL_ID_EXISTS') return { kind: 'exists' };
  if (status === 409 && code === 'REQUEST_IN_PROGRESS') {
    const fault = { code: 'E_TGT_UNAVAILABLE', message: '11VMS is still working on an earlier request' } as const;
    // That request may still create the order, so the order is looked up before it is posted again.
    return { kind: 'unknown', fault, retryAfterMs: retryMs };
  }
  const codes = [code, ...errors.map((error) => error.code)];
  if (status === 404) {
    if (errors.length === 0 && code === undefined) {
      const message = '11VMS answered 404 on the collection itself; check the base URL';
      return { kind: 'refused', fault: { code: 'E_TGT_AUTH', message }, isForbidden: false };
    }
    return { kind: 'rejected', faults: validationFaults('E_TGT_NOT_FOUND_REF', status, code, errors) };
  }
  if (status === 413) {
    return { kind: 'rejected', faults: [{ code: 'E_TGT_TOO_LARGE', message: '11VMS answered 413' }] };
  }
  if (status === 422 && codes.some((one) => one?.includes('IDEMPOTENCY') === true)) {
    return { kind: 'rejected', faults: validationFaults('E_TGT_IDEMPOTENCY', status, code, errors) };
  }
  return { kind: 'rejected', faults: validationFaults('E_TGT_VALIDATION', status, code, errors) };
}

function validationFaults(
  code: Fault['code'],
  status: number,
  problemCode: string | undefined,
  errors: readonly { code?: string | undefined; pointer?: string | undefined }[],
): Fault[] {
  if (errors.length === 0) {
    return [{ code, message: `11VMS answered ${status}${problemCode === undefined ? '' : ` ${problemCode}`}` }];
  }
  return errors.map((error) => ({
    code,
    message: `11VMS answered ${status} ${error.code ?? 'without a code'}`,
    ...(error.pointer === undefined ? {} : { field: error.pointer }),
  }));
}

/** A request that was not sent created nothing; after any other, the outcome is unknown (edge cases 61, 71). */
function createFailure(error: unknown): CreateAnswer {
  if (error instanceof InterfaceError) {
    const { fault, failureClass, retryAfterMs: retryMs } = error;
    return failureClass === 'refused'
      ? { kind: 'refused', fault, isForbidden: false }
      : { kind: 'not-taken', fault, retryAfterMs: retryMs };
  }
  if (!(error instanceof HttpError)) throw error;
  if (!error.sent) {
    const fault = { code: 'E_TGT_UNAVAILABLE', message: `11VMS cannot be reached (${error.code})` } as const;
    return { kind: 'not-taken', fault, retryAfterMs: undefined };
  }
  const fault = { code: 'E_TGT_TIMEOUT_UNKNOWN', message: `11VMS gave no whole answer (${error.code})` } as const;
  return { kind: 'unknown', fault, retryAfterMs: undefined };
}

function readLookUpAnswer(response: HttpResponse, externalId: string, nowMs: number): LookUpResult {
  if (response.status !== 200) return lookUpRefusal(response, nowMs);
  const parsed = listAnswer.safeParse(tryParseJson(response.body));
  if (!parsed.success) {
    const fault = { code: 'E_TGT_RESPONSE_SCHEMA', message: 'the answer to a look-up cannot be read' } as const;
    return { kind: 'unanswered', reason: 'failed', fault };
  }
  // The answer may ignore the filter, so every item is compared.
  const found = parsed.data.items.find((item) => item.externalId === externalId);
  if (found === undefined) return { kind: 'absent' };
  const content = purchaseOrderSchema.safeParse(found);
  return {
    kind: 'found',
    stored: { id: found.id, number: found.number, order: content.success ? content.data : undefined },
  };
}

function lookUpRefusal(response: HttpResponse, nowMs: number): LookUpResult {
  const { status } = response;
  const message = `11VMS answered ${status} to a look-up`;
  if (status === 401 || status === 403) {
    return { kind: 'unanswered', reason: 'refused', fault: { code: 'E_TGT_AUTH', message } };
  }
  // A proxy that has lost its routes answers 404 in HTML, and finds them again.
  if (LOOK_UP_MISSING.has(status) && (status !== 404 || tryParseJson(response.body) !== undefined)) {
    const fault = { code: 'E_TGT_TIMEOUT_UNKNOWN', message: `11VMS answered ${status}: it has no look-up` } as const;
    return { kind: 'impossible', fault };
  }
  const retryMs = retryAfterMs(response, nowMs);
  return isThrottled(status, retryMs)
    ? { kind: 'unanswered', reason: 'throttled', fault: { code: 'E_TGT_THROTTLED', message }, retryAfterMs: retryMs }
    : { kind: 'unanswered', reason: 'failed', fault: { code: 'E_TGT_UNAVAILABLE', message }, retryAfterMs: retryMs };
}

function lookUpFailure(error: unknown): LookUpResult {
  if (error instanceof InterfaceError) {
    const reason = error.failureClass === 'refused' ? 'refused' : 'failed';
    return { kind: 'unanswered', reason, fault: error.fault, retryAfterMs: error.retryAfterMs };
  }
  if (!(error instanceof HttpError)) throw error;
  const fault = { code: 'E_TGT_UNAVAILABLE', message: `11VMS cannot be asked: ${error.code}` } as const;
  return { kind: 'unanswered', reason: 'failed', fault };
}
