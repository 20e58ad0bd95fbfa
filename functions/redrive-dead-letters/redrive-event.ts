/** The function's events, all from an operator: from the console, or from a shell. */
import * as z from 'zod';
import { asJsonObject } from '../../shared/exact-json.ts';
import { FAULTS, type FaultOwner, isFaultCode } from '../../shared/failure.ts';
import { byHand } from '../../shared/operations.ts';
import { IDENTIFIER, stripZeros } from '../../shared/sap-values.ts';

/** The most dead letters of one plan, and of one closing. */
export const MOST_LETTERS = 500;

const messageId = z.string().regex(IDENTIFIER, 'must be the id of a message, as the list shows it');
const messageIds = z.array(messageId).min(1).max(MOST_LETTERS);
const identifier = z.string().trim().regex(IDENTIFIER, 'must be one word without blanks');
const OWNERS: ReadonlySet<string> = new Set(Object.values(FAULTS).map(({ owner }) => owner));
const isOwner = (text: string): text is FaultOwner => OWNERS.has(text);

/** What selects the dead letters of which no verdict is recorded. */
export const WITHOUT_CODE = 'NONE';
/** Several are separated by blanks; sorted, so that the same ones are the same. */
const codes = z
  .string()
  .transform((text) => [...new Set(text.split(/\s+/).filter(Boolean))].sort())
  .refine(
    (words) => words.join() === WITHOUT_CODE || (words.length > 0 && words.every(isFaultCode)),
    `must be a reason code of shared/contract/errors.md, several of them with blanks between, or ${WITHOUT_CODE}`,
  )
  .transform((words) => words.join(' '));

const selection = z
  .strictObject({
    messageIds: messageIds.exactOptional(),
    /** Its codes are exactly these, in any order: a cart with another fault beside them would fail again. */
    code: codes.exactOptional(),
    /** With or without leading zeros, as the other numbers. */
    supplier: identifier.transform(stripZeros).exactOptional(),
    /** The run that queued it. */
    run: identifier.exactOptional(),
    /** A number or a GUID. */
    cart: identifier.transform(stripZeros).exactOptional(),
    owner: z
      .string()
      .refine(isOwner, `must be one of ${[...OWNERS].join(', ')}`)
      .exactOptional(),
  })
  .refine(
    (fields) => Object.keys(fields).length > 0,
    'must name something: messageIds, code, supplier, run, cart or owner',
  );
/** All that is given must hold. */
export type Selection = Readonly<z.output<typeof selection>>;

const acts = {
  list: z.strictObject({}),
  plan: z.strictObject({
    selection,
    /** Moves also what is forecast to fail or to be pointless. */
    everything: z.boolean().default(false),
  }),
  redrive: z.strictObject({
    planHash: z.string().regex(/^[0-9a-f]{32}$/, 'must be the planHash of a plan'),
    ...byHand,
    /** Also while consumption is paused. */
    force: z.boolean().default(false),
  }),
  close: z.strictObject({ messageIds, ...byHand }),
  redriveAll: z.strictObject({
    ...byHand,
    /** Also while consumption is paused. */
    force: z.boolean().default(false),
    /** Also where only a part of the queue could be looked at for carts that were closed by hand. */
    unseen: z.boolean().default(false),
  }),
  cancelRedriveAll: z.strictObject({ ...byHand }),
  look: z.strictObject({ messageId, ...byHand }),
} as const;

const events = {
  list: z.strictObject({ list: acts.list }),
  plan: z.strictObject({ plan: acts.plan }),
  redrive: z.strictObject({ redrive: acts.redrive }),
  close: z.strictObject({ close: acts.close }),
  redriveAll: z.strictObject({ redriveAll: acts.redriveAll }),
  cancelRedriveAll: z.strictObject({ cancelRedriveAll: acts.cancelRedriveAll }),
  /** Reads nothing: it keeps who looks at the content of a dead letter, and why. */
  look: z.strictObject({ look: acts.look }),
} as const;

export type PlanRequest = Readonly<z.output<typeof acts.plan>>;
export type RedriveRequest = Readonly<z.output<typeof acts.redrive>>;
export type CloseRequest = Readonly<z.output<typeof acts.close>>;
export type RedriveAllRequest = Readonly<z.output<typeof acts.redriveAll>>;
export type RedriverEvent = z.output<(typeof events)[keyof typeof events]>;

/** @throws {Error} for any other event; it says which events there are, and what is wrong with this one. */
export function readEvent(event: unknown): RedriverEvent {
  const [name = ''] = Object.keys(asJsonObject(event) ?? {});
  const schema = isAct(name) ? events[name] : undefined;
  const parsed = schema?.safeParse(event);
  if (parsed?.success === true) return parsed.data;
  const why = parsed === undefined ? '' : `: ${z.prettifyError(parsed.error)}`;
  throw new Error(
    'The event must be { "list": {} }, { "plan": { "selection": { … } } }, { "redrive": { "planHash", "by", "reason" } }, ' +
      '{ "close": { "messageIds", "by", "reason" } }, { "redriveAll": { "by", "reason" } }, ' +
      `{ "cancelRedriveAll": { "by", "reason" } } or { "look": { "messageId", "by", "reason" } }; nothing was changed${why}`,
  );
}

const isAct = (name: string): name is keyof typeof events => Object.hasOwn(events, name);
