/** Settings of a connection in which landscapes differ, the same for SRM and 11VMS. */
import * as z from 'zod';

/** Text as it may stand in a header or a form: printable, without blanks at its ends. */
const plainText = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/, 'must be 1 to 256 printable ASCII characters');

/** What the interface sends itself, and what would be a secret in the template. */
const OWN_TOKEN_PARAMETERS = ['grant_type', 'client_id', 'client_secret', 'scope'];
const SECRET_TOKEN_PARAMETER = /secret|password|credential|assertion|key$|token$/i;

export const tokenParameters = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z][\w.-]{0,63}$/, 'must be the name of a parameter, such as audience')
      .refine(
        (name) => !OWN_TOKEN_PARAMETERS.includes(name.toLowerCase()),
        `must not be ${OWN_TOKEN_PARAMETERS.join(', ')}, which the interface sends itself`,
      )
      .refine(
        (name) => !SECRET_TOKEN_PARAMETER.test(name),
        'must not be a secret, which would stand in the template for all to read',
      ),
    plainText,
  )
  .default({})
  .describe(
    'Further parameters of the token request, such as `{ "audience": "https://srm.example.com" }`, for a token endpoint that wants them. They stand in the template: nothing that is a secret belongs here.',
  );

const OWN_HEADER =
  /^(authorization|host|cookie2?|content-.*|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|accept|accept-encoding|x-correlation-id|x-interface-id|idempotency-key|traceparent|tracestate|prefer|sap-client|sap-language)$/i;
const SECRET_HEADER = /key|secret|password|token|credential|auth$|authori[sz]ation/i;

/** Underscores are legal, and dropped by many gateways. */
const headerName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'must be the name of a header, letters, digits and hyphens, such as X-Tenant')
  .refine(
    (name) => !OWN_HEADER.test(name),
    'must not be a header of the connection, of the body, of cookies or of log-on, nor one that the interface sends itself',
  );

export const headers = z
  .record(
    headerName.refine(
      (name) => !SECRET_HEADER.test(name),
      'must not be a secret, which would stand in the template for all to read: name its header as apiKeyHeader',
    ),
    plainText,
  )
  .superRefine((given, context) => {
    const names = Object.keys(given).map((name) => name.toLowerCase());
    for (const [index, name] of Object.keys(given).entries()) {
      if (names.indexOf(name.toLowerCase()) < index)
        context.addIssue({ code: 'custom', path: [name], message: 'stands there twice: headers know no case' });
    }
  })
  .default({})
  .describe(
    'Headers of each call to the system, such as `{ "X-Tenant": "acme" }`; the token endpoint does not get them. They stand in the template: nothing that is a secret belongs here.',
  );

export const apiKeyHeader = headerName
  .optional()
  .describe(
    'The header in which a gateway wants its key, such as `Ocp-Apim-Subscription-Key`: the secret then also holds `apiKey`. The token endpoint does not get it.',
  );

/** Whether the header of the key is another one than the fixed ones. */
export const isHeaderFree = (connection: {
  readonly headers: Readonly<Record<string, string>>;
  readonly apiKeyHeader?: string | undefined;
}): boolean =>
  !Object.keys(connection.headers).some((name) => name.toLowerCase() === connection.apiKeyHeader?.toLowerCase());

export const proxyUrl = z
  .string()
  .regex(
    /^http:\/\/(?:[A-Za-z0-9.-]+|\[[\dA-Fa-f:.]+\]):\d{1,5}$/,
    'must be http://, host and port of the proxy and nothing else, such as http://proxy.example.com:8080',
  )
  .refine((text) => URL.canParse(text), 'must be an address with a port of 1 to 65535')
  .optional()
  .describe(
    'A forward proxy for a network without NAT: calls to the system and its token endpoint go through it in a tunnel (CONNECT), encrypted from end to end. The proxy must ask for no log-on. Calls to AWS (SQS, DynamoDB, Secrets Manager) do not go through it: they need VPC endpoints.',
  );
