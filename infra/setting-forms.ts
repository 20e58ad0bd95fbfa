/** Forms of a setting that several blocks of an environment share: URLs, names of secrets, schedules, lists. */
import * as z from 'zod';
import { BadSchedule, nextFiring } from './schedule.ts';

export const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];
/** A refinement also runs on a text that is not a URL. Such a text is judged by the check for URLs alone. */
const parsedUrl = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined);
export const serviceUrl = z
  .url({ protocol: /^https?$/ })
  .refine((text) => {
    const url = parsedUrl(text);
    return url === undefined || url.protocol !== 'http:' || LOOPBACK_HOSTS.includes(url.hostname);
  }, 'must be https (plain http is for loopback only)')
  // It stands in the template and in logs, where no password may be; those go into the connection secret.
  .refine((text) => {
    const url = parsedUrl(text);
    return url === undefined || url.username + url.password === '';
  }, 'must not hold a user or password');
/** Without a slash at its end, since paths are added there. */
export const baseUrl = serviceUrl
  .refine((text) => !/[?#]/.test(text), 'must not have a query or fragment')
  .transform((url) => url.replace(/\/+$/, ''))
  .describe('Where the system answers; paths are added to its end.');
/** Says which entries of a list are there already. */
export const eachOnce = (list: readonly string[], context: z.RefinementCtx): void => {
  const plain = list.map((entry) => entry.toLowerCase());
  for (const [index, entry] of plain.entries()) {
    if (plain.indexOf(entry) < index)
      context.addIssue({ code: 'custom', path: [index], message: 'stands in the list twice' });
  }
};

export const secretName = z
  .string()
  .regex(
    /^[A-Za-z0-9/_+=.@-]{1,256}$/,
    'must be the name of a secret, 1 to 256 letters, digits or /_+=.@-, such as acme/srm',
  );

export const createSecret = z
  .boolean()
  .default(true)
  .describe('`false` where a secret of that name exists already and belongs to another stack: it is then only read.');

export const scheduleExpression = z.string().superRefine((expression, context) => {
  try {
    // The time zone is checked by itself.
    if (nextFiring(expression, 'UTC', new Date()) !== undefined) return;
    context.addIssue({ code: 'custom', message: `"${expression}" never fires again` });
  } catch (error) {
    if (!(error instanceof BadSchedule)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});
