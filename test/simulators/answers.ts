import { isPageName, LOGON_REDIRECT, PAGES, type PageName } from './pages.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Each becomes a `Set-Cookie`. */
  readonly cookies?: readonly string[];
  /** True to break the connection after half of the body. */
  readonly cut?: boolean;
}

/** What an answer holds in place of what the contract says. */
export const BODY_FORMS = [
  'html',
  'empty',
  'error',
  'error-and-id',
  'errors-and-id',
  'problem-and-id',
  'words-and-id',
  'failed-job',
  'gateway-status',
  'gateway-code',
  'lower-case-code',
  'nested-code',
] as const;
export type BodyForm = (typeof BODY_FORMS)[number];
/** A page of something before the system, or a redirect to its logon. */
export type PageForm = PageName | 'logon-redirect';

/** A page, such as the answer of a proxy or a login page in front of the system. */
export function htmlAnswer(status: number, title: string): Answer {
  return {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8' },
    body: `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`,
  };
}

/** An answer whose body is not of the contract, whatever its status. */
export function foreignAnswer(status: number, form: BodyForm | PageForm): Answer {
  if (form === 'html') {
    return htmlAnswer(status, status < 400 ? 'Logon' : `Error ${status}`);
  }
  if (isPageName(form)) {
    return { status, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: PAGES[form] };
  }
  if (form === 'logon-redirect') {
    return { status, headers: { Location: LOGON_REDIRECT.location }, body: '' };
  }
  if (form === 'empty') {
    return { status, headers: {}, body: '' };
  }
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
    body: JSON.stringify(JSON_FORMS[form](status)),
  };
}

/** An error beside an id is an error: the id names a request, a message or a log entry, and never an order. */
const JSON_FORMS: Readonly<Record<Exclude<BodyForm, 'html' | 'empty'>, (status: number) => object>> = {
  error: () => ({ error: { code: 'INTERNAL_ERROR', message: 'The request could not be processed' } }),
  'error-and-id': () => ({ id: 'req-1', error: { code: 'INTERNAL_ERROR' } }),
  'errors-and-id': () => ({ id: '7', errors: [{ code: 'X' }] }),
  'problem-and-id': () => ({ id: 'req-1', type: 'about:blank', title: 'Internal Server Error', status: 500 }),
  'words-and-id': () => ({ id: 'req-1', status: 'ERROR' }),
  'failed-job': () => ({ id: 'job-1', results: [{ status: 422, errors: [{ code: 'X' }] }] }),
  // A gateway answers for itself: it knows neither the order nor what the order refers to.
  'gateway-status': (status) => ({ statusCode: status, message: 'Resource not found' }),
  'gateway-code': () => ({ code: 'ROUTE_NOT_FOUND', message: 'no Route matched with those values' }),
  // The codes of a 409 in places or letters outside the contract.
  'lower-case-code': () => ({ code: 'external_id_exists' }),
  'nested-code': () => ({ error: { code: 'EXTERNAL_ID_EXISTS' } }),
};

/** How a right answer is changed on its way; one that is no success stays as it is. */
export const ALTERATIONS = [
  'no-change',
  'null-errors',
  'location-only',
  'absolute-location-only',
  'collection-location-only',
  'unreadable-location-only',
  'no-body',
  'null-lifetime',
  'empty-lifetime',
] as const;
export type Alteration = (typeof ALTERATIONS)[number];

/** The right answer, changed; a success gets the other status. */
export function alteredAnswer(answer: Answer, how: Alteration, origin: string, status = answer.status): Answer {
  if (answer.status >= 300) {
    return answer;
  }
  const { Location: location = '', ...headers } = answer.headers;
  const withLocation = (changed: string): Answer => ({ status, headers: { Location: changed }, body: '' });
  const withMembers = (members: object): Answer => ({
    status,
    headers: answer.headers,
    body: JSON.stringify({ ...Object(JSON.parse(answer.body || '{}')), ...members }),
  });
  switch (how) {
    case 'no-change':
      return { ...answer, status };
    case 'null-errors':
      return withMembers({ error: null, errors: [] });
    case 'location-only':
      return withLocation(location);
    case 'absolute-location-only':
      return withLocation(new URL(location, origin).href);
    case 'collection-location-only':
      // It names no order: its last segment is no id.
      return withLocation(location.slice(0, location.lastIndexOf('/')));
    case 'unreadable-location-only':
      return withLocation('https://[not-a-host/purchase-orders/');
    case 'no-body':
      return { status, headers, body: '' };
    case 'null-lifetime':
      return withMembers({ expires_in: null, token_type: null });
    case 'empty-lifetime':
      return withMembers({ expires_in: '' });
  }
}
