/**
 * The only code that speaks 11VMS's protocol, through its proxy 11VMSProxy_V2. Source: target-11vms.md, and
 * edge cases 61 to 73. Nothing it reports quotes an answer's free text, which may repeat personal data.
 */
import * as z from 'zod';
import { tryParseJson } from '../../../shared/exact-json.ts';
import { type Fault, InterfaceError } from '../../../shared/failure.ts';
import { type HttpClient, HttpError, type HttpResponse, retryAfterMs } from '../../../shared/http-client.ts';
import { type PurchaseOrder, purchaseOrderSchema } from '../translation/purchase-order.ts';

/** How 11VMS took a create. */
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

export interface OrderRequest {
  readonly externalId: string;
  /** The order as JSON. */
  readonly body: string;
  readonly idempotencyKey: string;
  readonly correlationId: string;
}

export interface VmsOrders {
  create(request: OrderRequest): Promise<CreateAnswer>;
  /** The order by its externalId, or undefined when 11VMS has none. @throws {InterfaceError} when it cannot be told. */
  lookUp(externalId: string, correlationId: string): Promise<StoredOrder | undefined>;
  /** Why 11VMS is not well, or undefined when it is: asked by a look-up that finds nothing, and changes nothing. */
  ailment(correlationId: string): Promise<string | undefined>;
}

const INTERFACE_ID = 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1';
const ORDERS = '/purchase-orders';

/** Both go into the ledger and into logs: printable and short, or none. */
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
      const path = `${ORDERS}?externalId=${encodeURIComponent(externalId)}`;
      const response = await http.request({ method: 'GET', path, headers: headers(correlationId) }).catch((error) => {
        throw error instanceof HttpError ? lookUpFailure(`11VMS cannot be asked: ${error.code}`) : error;
      });
      if (response.status !== 200) throw lookUpRefusal(response, now());
      const parsed = listAnswer.safeParse(tryParseJson(response.body));
      if (!parsed.success) {
        const fault = { code: 'E_TGT_RESPONSE_SCHEMA', message: 'the answer to a look-up cannot be read' } as const;
        throw new InterfaceError('transient', fault);
      }
      // The filter is 11VMS's word; ours is the comparison.
      const found = parsed.data.items.find((item) => item.externalId === externalId);
      if (found === undefined) return undefined;
      const content = purchaseOrderSchema.safeParse(found);
      return { id: found.id, number: found.number, order: content.success ? content.data : undefined };
    },

    async ailment(correlationId) {
      const path = `${ORDERS}?externalId=${PROBE_ID}`;
      try {
        const { status } = await http.request({ method: 'GET', path, headers: headers(correlationId) });
        return status === 200 || LOOK_UP_MISSING.has(status) ? undefined : `11VMS answered ${status} to a probe`;
      } catch (error) {
        if (error instanceof HttpError) return `11VMS cannot be reached (${error.code})`;
        if (error instanceof InterfaceError) return error.fault.message;
        throw error;
      }
    },
  };
}

/** No cart has it: real ones begin with their source system. */
const PROBE_ID = 'PROBE';
/** An 11VMS without a look-up: what it once left open stays open. It answers all the same, and may take orders. */
const LOOK_UP_MISSING = new Set([404, 405, 501]);
/** A pointer is kept where it points into our order; any other text in its place may be personal. */
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
  // A failure behind the proxy may hide a success; so may a redirect or any other answer that is none of the contract's.
  if (status >= 500 || status < 400) return { kind: 'unknown', fault: unavailable, retryAfterMs: retryMs };
  return readRefusal(response, retryMs);
}

/** Edge case 72: a success without a readable id is no success, and may still be one. */
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
    // It may end in an order: whoever comes back looks first.
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

/** The call itself failed: what was certainly never sent is harmless, anything else is unknown (edge cases 61, 71). */
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

const lookUpFailure = (message: string, retryMs?: number): InterfaceError =>
  new InterfaceError('transient', { code: 'E_TGT_UNAVAILABLE', message }, retryMs);

function lookUpRefusal(response: HttpResponse, nowMs: number): InterfaceError {
  const { status } = response;
  if (status === 401 || status === 403) {
    return new InterfaceError('refused', { code: 'E_TGT_AUTH', message: `11VMS answered ${status} to a look-up` });
  }
  // A proxy that has lost its routes answers 404 in HTML, and will find them again.
  if (LOOK_UP_MISSING.has(status) && (status !== 404 || tryParseJson(response.body) !== undefined)) {
    const message = `11VMS answered ${status}: it has no look-up`;
    return new InterfaceError('permanent', { code: 'E_TGT_TIMEOUT_UNKNOWN', message });
  }
  const retryMs = retryAfterMs(response, nowMs);
  if (isThrottled(status, retryMs)) {
    const fault = { code: 'E_TGT_THROTTLED', message: `11VMS answered ${status} to a look-up` } as const;
    return new InterfaceError('throttled', fault, retryMs);
  }
  return lookUpFailure(`11VMS answered ${status} to a look-up`, retryMs);
}
