/**
 * Reads the answers of 11VMS and of its proxy: what became of the request, and what the answer says about the health of
 * 11VMS. Source: target-11vms.md, and edge cases 61 to 73. No fault quotes an answer's free text, which may repeat
 * personal data.
 */
import * as z from 'zod';
import { asJsonObject, numberText, tryParseExactJson, tryParseJson } from '../../../shared/exact-json.ts';
import { type Fault, type FaultCode, InterfaceError } from '../../../shared/failure.ts';
import { foreignPage } from '../../../shared/foreign-page.ts';
import { DEADLINE, HttpError, type HttpResponse, retryAfterMs } from '../../../shared/http-client.ts';
import type { CreateAnswer, Health, LookUpResult } from './answers.ts';
import { namesOf, valueAt, valuesOnTheWay } from './json-pointer.ts';
import { orderNames, readStoredOrder } from './stored-order.ts';
import { type AnswerForm, LOCATION } from './vms-settings.ts';

const createdOrder = z.object({ ...orderNames, externalId: z.string().nullish() });
const token = z.string().regex(/^[A-Z0-9_]{1,60}$/);
const problemErrors = z.array(
  z.object({
    code: token.optional().catch(undefined),
    pointer: z.string().max(200).optional().catch(undefined),
  }),
);
const problem = z.object({
  code: token.optional().catch(undefined),
  errors: problemErrors.default([]).catch([]),
});

/** Whether the body is something else than JSON, such as a proxy's page in HTML. An empty body is not. */
const isForeign = ({ body }: HttpResponse): boolean => body.trim() !== '' && tryParseJson(body) === undefined;

const isFilled = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);

const ERROR_NAME = /^(errors?|faults?|exceptions?)$/i;
const STATUS_NAME = /^(http)?_?status(_?code)?$/i;
const SUCCESS_NAME = /^(success|ok)$/i;
const FAILED_STATUS = /^(error|fail|[45]\d\d\b)/i;

function saysError(name: string, value: unknown): boolean {
  if (ERROR_NAME.test(name)) return isFilled(value);
  if (SUCCESS_NAME.test(name)) return value === false || value === 'false';
  if (!STATUS_NAME.test(name)) return false;
  const status = numberText(value) ?? value;
  return typeof status === 'string' && (Number(status) >= 400 || FAILED_STATUS.test(status));
}

/**
 * A success whose body tells of an error (edge case 72), also deep inside: the id is then that of a request or of a job.
 * `"error": null` and `"errors": []` tell of none.
 * @param except A part that is no part of the answer's own, such as the orders of a list.
 */
const holdsError = (json: unknown, except?: unknown): boolean => {
  if (except !== undefined && json === except) return false;
  return Array.isArray(json)
    ? json.some((value) => holdsError(value, except))
    : Object.entries(asJsonObject(json) ?? {}).some(
        ([name, value]) => saysError(name, value) || holdsError(value, except),
      );
};

/** The status of an answer; of a page also what it is and where it comes from. */
const answered = (response: HttpResponse): string => `11VMS answered ${response.status}${foreignPage(response)}`;

/** A refusal or a failure that says the same to every kind of request; undefined for any other status. */
function generalFailure(
  response: HttpResponse,
  nowMs: number,
): { readonly health: Health; readonly fault: Fault; readonly retryAfterMs: number | undefined } | undefined {
  const { status } = response;
  const retryMs = retryAfterMs(response, nowMs);
  const failure = (health: Health, code: FaultCode) => ({
    health,
    fault: { code, message: answered(response) },
    retryAfterMs: retryMs,
  });
  if (status === 401) return failure('refused', 'E_TGT_AUTH');
  if (status === 403) return failure('forbidden', 'E_TGT_AUTH');
  if (status === 429) return failure('throttled', 'E_TGT_THROTTLED');
  // 503 is throttling where it says for how long (rules.md, "throttled").
  if (status === 503 && retryMs !== undefined) return failure('throttled', 'E_TGT_UNAVAILABLE');
  if (status === 408 || status === 425 || status >= 500) return failure('unhealthy', 'E_TGT_UNAVAILABLE');
  return undefined;
}

/** Status first, body second: the proxy may answer HTML with any status (edge case 73). */
export function readCreateAnswer(
  response: HttpResponse,
  externalId: string,
  nowMs: number,
  form: AnswerForm,
): CreateAnswer {
  const { status } = response;
  if (status === 200 || status === 201) return readSuccess(response, externalId, form);
  const failure = generalFailure(response, nowMs);
  if (status === 429 && failure !== undefined) return { kind: 'throttled', ...failure };
  // A gateway may answer so to the texts of one cart. The look-up that follows has none of them, and shows it.
  if (status === 401 && failure !== undefined) return { kind: 'not-taken', ...failure, health: 'forbidden' };
  // A failure behind the proxy may hide a success.
  if (failure !== undefined) return { kind: status >= 500 ? 'unknown' : 'not-taken', ...failure };
  // So may a redirect, or any other status outside the contract.
  if (status < 400) return unclear(response, 'E_TGT_UNAVAILABLE', answered(response), nowMs);
  return readRefusal(response, nowMs, form);
}

const unclear = (response: HttpResponse, code: FaultCode, message: string, nowMs: number): CreateAnswer => ({
  kind: 'unknown',
  health: 'unhealthy',
  fault: { code, message },
  retryAfterMs: retryAfterMs(response, nowMs),
});

/** Whatever answered was not 11VMS itself: the order may or may not exist. */
function notJson(response: HttpResponse, retryMs: number | undefined): CreateAnswer {
  const isPage = foreignPage(response) !== '';
  const message = isPage ? answered(response) : `${answered(response)} with a body that is not JSON`;
  return {
    kind: 'unknown',
    health: 'unhealthy',
    fault: { code: 'E_TGT_RESPONSE_SCHEMA', message },
    retryAfterMs: retryMs,
  };
}

/** Edge case 72: after a success without a readable id, the order may or may not exist. */
function readSuccess(response: HttpResponse, externalId: string, form: AnswerForm): CreateAnswer {
  const { status, body } = response;
  const json = body.trim() === '' ? {} : tryParseExactJson(body);
  const unknown = (code: FaultCode, message: string): CreateAnswer => ({
    kind: 'unknown',
    health: 'unhealthy',
    fault: { code, message: `11VMS answered ${status} ${message}` },
    retryAfterMs: undefined,
  });
  if (json === undefined) return notJson(response, undefined);
  if (holdsError(json) || isProblemType(response)) return unknown('E_TGT_DISGUISED_ERROR', 'with an error inside');
  const inBody = form.idAt === LOCATION ? undefined : valueAt(json, form.idAt);
  const isNamedByHeader = status === 201 && asJsonObject(json) !== undefined;
  const parsed = createdOrder.safeParse({
    id: inBody ?? (isNamedByHeader ? idInLocation(response, form) : undefined),
    number: valueAt(json, form.numberAt),
    externalId: valueAt(json, form.externalIdAt),
  });
  if (!parsed.success) return unknown('E_TGT_DISGUISED_ERROR', "without the order's id");
  const { externalId: echoed, ...names } = parsed.data;
  if ((echoed ?? externalId) !== externalId) return unknown('E_TGT_DISGUISED_ERROR', 'for another order');
  return { kind: 'created', health: 'processed', id: names.id, number: names.number };
}

const isProblemType = (response: HttpResponse): boolean =>
  /^application\/problem\+/i.test(response.header('content-type')?.trim() ?? '');

/** The last segment of a `Location` that names an order of the collection. */
function idInLocation(response: HttpResponse, { collectionPath }: AnswerForm): string | undefined {
  const [, collection, id] = /([^/]+)\/([^/?#]+)\/?$/.exec(response.header('location')?.trim() ?? '') ?? [];
  // A proxy may have the collection elsewhere, under the same name.
  if (id === undefined || collection !== collectionPath.split('/').at(-1)) return undefined;
  try {
    return decodeURIComponent(id);
  } catch {
    return undefined;
  }
}

/** 11VMS always has the collection, and takes a POST to it: it has lost its route, or a firewall refuses this one order. */
const COLLECTION_MISSING = new Set([404, 405, 410]);
/** With these, 11VMS judges an order. With any other 4xx that it does not explain, something before it may have answered. */
const JUDGEMENTS = new Set([400, 415, 422]);

/** The 4xx of the contract (edge cases 62 to 66, 69). */
function readRefusal(response: HttpResponse, nowMs: number, form: AnswerForm): CreateAnswer {
  const { status } = response;
  const { code, codes, errors } = readProblem(response, form);
  const rejected = (faults: readonly Fault[], mayBeTaken = false): CreateAnswer => ({
    kind: 'rejected',
    health: 'judged',
    faults,
    mayBeTaken,
  });
  if (status === 409) return readConflict(response, nowMs, form);
  // The contract names the object that it does not know. A gateway that has lost its route cannot.
  if (status === 404 && errors.some((error) => (error.code ?? error.pointer) !== undefined)) {
    return rejected(validationFaults('E_TGT_NOT_FOUND_REF', status, code, errors));
  }
  if (COLLECTION_MISSING.has(status)) {
    const message = `11VMS answered ${status} on the collection itself${foreignPage(response)}`;
    // To a look-up or a probe, which hold no text of a cart, the same answer is `refused`.
    return { kind: 'not-taken', health: 'forbidden', fault: { code: 'E_TGT_AUTH', message }, retryAfterMs: undefined };
  }
  if (status === 413) return rejected([{ code: 'E_TGT_TOO_LARGE', message: answered(response) }]);
  if (isForeign(response)) {
    return notJson(response, retryAfterMs(response, nowMs));
  }
  if (!JUDGEMENTS.has(status) && !isProblem(response) && errors.length === 0) {
    return unclear(response, 'E_TGT_UNAVAILABLE', answered(response), nowMs);
  }
  const isOfKey = status === 422 && codes.some((one) => one.includes('IDEMPOTENCY'));
  // The key was used before: an order may exist by it.
  return isOfKey
    ? rejected(validationFaults('E_TGT_IDEMPOTENCY', status, code, errors), true)
    : rejected(validationFaults('E_TGT_VALIDATION', status, code, errors));
}

/** Edge cases 62 to 64. A conflict says that something of ours exists, whatever else it says: it is looked up. */
function readConflict(response: HttpResponse, nowMs: number, form: AnswerForm): CreateAnswer {
  const { code, codes, errors } = readProblem(response, form);
  if (codes.includes('REQUEST_IN_PROGRESS')) {
    // That request may still create the order.
    return unclear(response, 'E_TGT_UNAVAILABLE', '11VMS is still working on an earlier request', nowMs);
  }
  const says = codes.length === 0 ? 'answers 409 without a code that can be read' : 'says the order exists';
  const page = foreignPage(response);
  const message = page === '' ? `11VMS ${says}` : `11VMS answered 409${page}`;
  const fault: Fault = { code: 'E_TGT_RESPONSE_SCHEMA', message: `${message}, and does not find it` };
  const isAboutElse = codes.length > 0 && !codes.includes('EXTERNAL_ID_EXISTS');
  const rejection = isAboutElse ? validationFaults('E_TGT_VALIDATION', response.status, code, errors) : undefined;
  return { kind: 'conflict', health: isForeign(response) ? 'unhealthy' : 'judged', fault, rejection };
}

interface Problem extends z.infer<typeof problem> {
  /** The codes of the problem itself and of its errors. */
  readonly codes: readonly string[];
}

function readProblem({ body }: HttpResponse, { wire }: AnswerForm): Problem {
  const { code, errors: given } = problem.safeParse(tryParseJson(body)).data ?? { errors: [] };
  const errors = given.map(({ pointer = '', ...error }) => ({ ...error, pointer: wire.ourPointer(pointer) }));
  const codes = [code, ...errors.map((error) => error.code)].filter((one) => one !== undefined);
  return { code, codes, errors };
}

function validationFaults(
  code: FaultCode,
  status: number,
  problemCode: string | undefined,
  errors: z.infer<typeof problemErrors>,
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
export function readCreateFailure(error: unknown): CreateAnswer {
  if (!(error instanceof HttpError) || !error.sent) return { kind: 'not-taken', ...readNoAnswer(error) };
  const fault = { code: 'E_TGT_TIMEOUT_UNKNOWN', message: `11VMS gave no whole answer (${error.code})` } as const;
  return { kind: 'unknown', health: 'unhealthy', fault, retryAfterMs: undefined };
}

export const readLookUpFailure = (error: unknown): LookUpResult => ({ kind: 'unanswered', ...readNoAnswer(error) });

/** What a call shows that 11VMS or its token endpoint did not answer. @throws any error of another kind. */
function readNoAnswer(error: unknown): {
  readonly health: Health;
  readonly fault: Fault;
  readonly retryAfterMs: number | undefined;
} {
  if (error instanceof InterfaceError) {
    const { fault, failureClass, retryAfterMs: retryMs } = error;
    return { health: failureClass === 'refused' ? 'refused' : 'unhealthy', fault, retryAfterMs: retryMs };
  }
  if (!(error instanceof HttpError)) throw error;
  // Our own lateness shows nothing of 11VMS.
  const [health, message] =
    error.code === DEADLINE
      ? (['throttled', 'no time was left to ask 11VMS'] as const)
      : (['unhealthy', `11VMS cannot be reached (${error.code})`] as const);
  return { health, fault: { code: 'E_TGT_UNAVAILABLE', message }, retryAfterMs: undefined };
}

interface LookUp {
  readonly externalId: string;
  /** What was asked, for the faults: a look-up, or a probe. */
  readonly call: 'look-up' | 'probe';
  readonly nowMs: number;
  readonly form: AnswerForm;
}

/** For an 11VMS that has no look-up by its settings: nothing was asked. */
export const NO_LOOK_UP: LookUpResult = {
  kind: 'impossible',
  health: 'judged',
  fault: { code: 'E_TGT_TIMEOUT_UNKNOWN', message: '11VMS has no look-up (vms.lookUpBy)' },
};

export function readLookUpAnswer(response: HttpResponse, lookUp: LookUp): LookUpResult {
  const result = readPresentAnswer(response, lookUp);
  if (result.kind !== 'absent' || !(Number(response.header('age')) > 0)) return result;
  return unreadable(lookUp, 'unhealthy', 'comes from a cache, and does not tell whether 11VMS holds the order now');
}

function readPresentAnswer(response: HttpResponse, lookUp: LookUp): LookUpResult {
  const { status } = response;
  const { call, nowMs, form } = lookUp;
  if (status === 200) return readFound(response, lookUp);
  const unanswered = (health: Health, code: FaultCode, message: string): LookUpResult => ({
    kind: health === 'throttled' ? 'throttled' : 'unanswered',
    health,
    fault: { code, message: `11VMS answered ${status} to a ${call}${foreignPage(response)}${message}` },
    retryAfterMs: retryAfterMs(response, nowMs),
  });
  // The order has a URL of its own. What has lost the route to it answers 404, too, and does not say what is missing.
  if (status === 404 && form.lookUpBy.startsWith('/')) {
    return saysWhatIsMissing(response)
      ? { kind: 'absent', health: 'processed' }
      : unanswered('refused', 'E_TGT_AUTH', '; check vms.baseUrl and vms.lookUpBy');
  }
  if (isLookUpMissing(response)) {
    const fault = { code: 'E_TGT_TIMEOUT_UNKNOWN', message: `11VMS answered ${status}: it has no look-up` } as const;
    return { kind: 'impossible', health: 'judged', fault };
  }
  // Edge case 69: a gateway that has lost its route answers 404, and finds it again.
  if (status === 404) return unanswered('refused', 'E_TGT_AUTH', '; check vms.baseUrl and vms.lookUpBy');
  const failure = generalFailure(response, nowMs);
  return unanswered(failure?.health ?? 'unhealthy', failure?.fault.code ?? 'E_TGT_UNAVAILABLE', '');
}

/** The answer of an 11VMS without look-ups. A gateway that is broken answers 404 and 501, too. */
function isLookUpMissing(response: HttpResponse): boolean {
  const { status } = response;
  if (status === 404) return saysWhatIsMissing(response);
  return status === 405 ? !isForeign(response) : status === 501 && isProblem(response);
}

/** 11VMS itself reports problems with a title (RFC 9457); its gateways have forms of their own. */
const isProblem = ({ body }: HttpResponse): boolean => typeof asJsonObject(tryParseJson(body))?.['title'] === 'string';

/** What web frameworks write of any URL that they do not know. */
const ANY_NOT_FOUND = /^(404 ?)?(the )?(requested )?((resource|url|page|route|path|endpoint) )?(was )?not found\.?$/i;

/** A problem of 11VMS itself, which tells more than that its URL is unknown. */
function saysWhatIsMissing(response: HttpResponse): boolean {
  const { title, code } = asJsonObject(tryParseJson(response.body)) ?? {};
  return typeof title === 'string' && (typeof code === 'string' || !ANY_NOT_FOUND.test(title.trim()));
}

/**
 * Whether anything answers at the collection of an 11VMS without a look-up. A read need not be defined there, so that any
 * refusal of it is a sign of life, but that of the token.
 */
export function readSignOfLife(response: HttpResponse, nowMs: number): LookUpResult {
  const { status } = response;
  const failure = generalFailure(response, nowMs);
  if (failure?.health === 'throttled') return { kind: 'throttled', ...failure };
  const isPage = status < 400 && (status >= 300 || isForeign(response));
  const isFailure = status === 401 || status === 408 || status === 425 || (status >= 500 && status !== 501);
  if (!isPage && !isFailure) return NO_LOOK_UP;
  const fault: Fault = { code: 'E_TGT_UNAVAILABLE', message: answered(response) };
  return { kind: 'unanswered', ...(failure ?? { health: 'unhealthy', fault, retryAfterMs: undefined }) };
}

const unreadable = ({ call }: LookUp, health: Health, message: string): LookUpResult => ({
  kind: 'unanswered',
  health,
  fault: { code: 'E_TGT_RESPONSE_SCHEMA', message: `the answer to a ${call} ${message}` },
  retryAfterMs: undefined,
});

/** The orders of an answer, in which ours is told by its externalId; a list of others does not show that ours is absent. */
function readFound(response: HttpResponse, lookUp: LookUp): LookUpResult {
  const { externalId, form } = lookUp;
  const json = tryParseExactJson(response.body);
  const way = valuesOnTheWay(json, form.foundAt);
  const found = way[namesOf(form.foundAt).length];
  const items = (Array.isArray(found) ? found : [found]).map((part) => asJsonObject(part) ?? {});
  const names = items.map((item) => valueAt(form.wire.fromWire(item), '/externalId'));
  if (names.includes(undefined)) return unreadable(lookUp, 'unhealthy', `cannot be read: ${answered(response)}`);
  if (holdsError(json, found)) return unreadable(lookUp, 'unhealthy', 'holds an error');
  const item = items[names.indexOf(externalId)];
  if (item === undefined) {
    const isLastPage = way.every((part) => !isFilled(asJsonObject(part)?.['nextPageToken']));
    if (items.length === 0 && isLastPage) return { kind: 'absent', health: 'processed' };
    // The order may be among the others that 11VMS holds, on another page.
    return unreadable(lookUp, 'processed', 'does not tell whether 11VMS holds the order: it ignores the externalId');
  }
  const stored = readStoredOrder(item, form);
  if (stored === undefined) return unreadable(lookUp, 'unhealthy', 'holds our order without its id');
  return { kind: 'found', health: 'processed', stored };
}
