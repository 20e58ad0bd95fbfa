/** Settings of a connection in which landscapes differ, the same for SRM and 11VMS. */
import * as z from 'zod';

/** Text as it may stand in a header or a form: printable, without blanks at its ends. */
const plainText = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/, 'must be 1 to 256 printable ASCII characters');

/** What the interface sends itself, and what would be a secret in the template. */
const OWN_TOKEN_PARAMETERS = ['grant_type', 'client_id', 'client_secret', 'scope'];
const SECRET_TOKEN_PARAMETER = /secret|password|assertion|token$/i;

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
