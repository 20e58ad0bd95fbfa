/** What a form asks a function to do: its fields, and its answer. */
import * as z from 'zod';
import { html, notice, NOTHING } from './html.ts';
import type { ConsolePage, FormRequest, Html, Page } from './page.ts';
import type { Sources } from './sources.ts';

/** A field of a form as text, trimmed; empty where it is missing or is a file. */
export function fieldOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

/** All values of a field that may stand more than once. */
export const fieldsOf = (form: FormData, name: string): string[] =>
  form.getAll(name).filter((value) => typeof value === 'string');

/** Who acts, by the identity of the caller, and why: each act by hand says both. */
export const byAndReason = ({ sources, form }: FormRequest): { readonly by: string; readonly reason: string } => ({
  by: sources.place.identity,
  reason: fieldOf(form, 'reason'),
});

/** The field in which a person says why. */
export const reasonField = (id: string, need: 'required' | 'optional' = 'required'): Html =>
  html`<label for="${id}">Why (no personal data; kept in the ledger)<br><input id="${id}" name="reason" ${need === 'required' ? html`required` : NOTHING} minlength="3" maxlength="200" pattern="(?!.*\\S@\\S).*" title="A ticket or a team, no e-mail address" size="40" autocomplete="off"></label>`;

/** What a function answered, by the schema that it promises. @throws {z.ZodError} when another version answers. */
export async function invoked<Answer>(
  { functions }: Sources,
  name: Parameters<Sources['functions']['invoke']>[0],
  event: object,
  schema: z.ZodType<Answer>,
): Promise<Answer> {
  return schema.parse(await functions.invoke(name, event));
}

/** A page as it is after an act. What was done is said also where the page cannot be read now. */
export async function shownAfter(
  said: Html,
  { label = '', path }: Pick<ConsolePage, 'label' | 'path'>,
  show: () => Promise<Page>,
): Promise<Page> {
  try {
    return await show();
  } catch {
    // What is wrong is told to a person who opens the page again; an act is not to be repeated for it.
    const unread = html`This page could not be read after it. <a href="${path}">Open it again</a>.`;
    return { title: label, body: html`${said}${notice('critical', unread)}` };
  }
}
