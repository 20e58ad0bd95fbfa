/** The error catalogue: the faults of failure.ts, each with what to do. No function carries these texts: only people read them. */
import { type Fault, type FaultCode, type FaultOwner, faultPlace, FAULTS } from './failure.ts';
import { namesOf } from './names-of.ts';

/** A setting of the translation, and where it stands. */
const setting = (name: string): string =>
  `translation.${name} in infra/environments.ts, or in the environment's own file`;
const valueMap = (name: string): string => setting(`valueMaps.${name}`);

/** Where vms.lookUpBy is "none", no redrive can look anything up. */
const SEARCH_ORDER =
  'Search the order by its externalId in 11VMS; a redrive looks it up before anything is posted. Without a look-up: runbook, "Unknown outcome without a look-up".';
/** A cart that failed in passing goes back on the queue, and becomes a dead letter only after its last attempt. */
const WAITS = 'A cart that waits is tried again by itself.';
/** A code of SRM ends a run, or one attempt of the worker that reads a cart again. */
const NEXT_RUN = 'the next run reads the same window again, and a cart that waits is tried again by itself.';
/** A page answered in the place of a system (foreign-page.ts). */
const SEE_HTML = 'If the message speaks of HTML: runbook, "HTML where JSON was expected".';

const ACTIONS: Readonly<Record<FaultCode, string>> = {
  E_SRC_AUTH: `Check the SRM client in the connection secret and its rights; ${NEXT_RUN} A dead letter: SRM refuses this cart alone; give the client the right to read it (its purchasing group, its company code), then redrive. ${SEE_HTML}`,
  E_SRC_UNAVAILABLE: `Check SRM and its proxy; ${NEXT_RUN} A dead letter: SRM does not give this cart alone; have that corrected, then redrive. ${SEE_HTML}`,
  E_SRC_THROTTLED: `Ask for a larger quota or a slower schedule; ${NEXT_RUN} A dead letter: redrive when the load is lower.`,
  E_SRC_SCHEMA:
    'Correct the service or the cart at the given path, then replay the cart; a redrive tries the old row again.',
  E_SRC_PAGING_INCOMPLETE:
    'The window is read again by the next run; if it stays so, check the paging of the extraction service.',
  E_CART_EMPTY: 'Nothing: the cart is skipped.',
  E_CART_CHANGED_AFTER_SEND:
    'Change the order in 11VMS by hand, or restore it where the reason says so, then close the dead letter (runbook, "Redrive"). Where the reason names an order that was not created: as for E_CART_CANCELLED_AFTER_SEND.',
  E_CART_CANCELLED_AFTER_SEND:
    'Cancel the order in 11VMS by hand, then close the dead letter (runbook, "Redrive"). Where another reason names an order that was not created, replay the cart after that.',
  E_EXTREF_MISSING: 'Add the reference in SRM and have the cart approved again.',
  E_FIELD_MISSING: 'Fill the field in SRM and have the cart approved again.',
  E_FIELD_FORMAT: 'Correct the field in SRM or its extraction, then replay the cart.',
  E_FIELD_LENGTH: 'Correct the code in SRM, then replay the cart.',
  E_DATE_INVALID: 'Correct the date in SRM, then replay the cart.',
  E_DATE_MISSING: 'Add it in SRM and have the cart approved again.',
  E_DATE_RANGE: 'Correct the period in SRM and have the cart approved again.',
  E_MAP_SUPPLIER: `Add the supplier to ${valueMap('supplier.codes')}, deploy, then redrive.`,
  E_MAP_COMPANY: `Add the company code to ${valueMap('businessUnit')}, deploy, then redrive.`,
  E_MAP_UOM: `Add the unit to ${valueMap('unit')}, deploy, then redrive.`,
  E_MAP_CATEGORY: `Add the category to ${valueMap('category.codes')}, deploy, then redrive.`,
  E_MAP_TAX: `Add the tax code to ${valueMap('tax.codes')}, deploy, then redrive.`,
  E_MAP_CURRENCY: `Correct the currency in SRM; or add it to ${valueMap('currencyDecimals')}, deploy, then redrive.`,
  E_MAP_ACCCAT: `Add the category to ${valueMap('accountCategory')}, deploy, then redrive.`,
  E_MAP_COUNTRY: `Add the country to ${valueMap('country')}, deploy, then redrive.`,
  E_MAP_STATUS: `Add the status and its meaning to ${valueMap('status')}, deploy, then redrive.`,
  E_MAP_LINE_TYPE:
    'Correct the product type in SRM; or extend the rule of lines.type in line-rules.ts, deploy, then redrive.',
  E_SUPPLIER_MISSING: 'Assign a source of supply in SRM, then replay the cart.',
  E_REQUESTER_MISSING: 'Correct the requester in SRM and have the cart approved again.',
  E_ADDRESS_MISSING: 'Add the ship-to address in SRM and have the cart approved again.',
  E_LINE_DUPLICATE: 'Correct the line numbers in SRM, then replay the cart.',
  E_QTY_INVALID: 'Correct the quantity in SRM and have the cart approved again.',
  E_PRICE_INVALID: 'Correct the price in SRM and have the cart approved again.',
  E_AMT_PRECISION: 'Correct the amount in SRM, then replay the cart.',
  E_AMT_LINE_MISMATCH: `Check the amounts in SRM and ${setting('amountsAreInternal')}, then replay the cart.`,
  E_AMT_TOTAL_MISMATCH: 'Check the amounts in SRM, then replay the cart.',
  E_ACC_MISSING: 'Add the account assignment in SRM and have the cart approved again.',
  E_ACC_SPLIT_NOT_100: 'Correct the split in SRM and have the cart approved again.',
  E_ACC_OBJECT_MISSING:
    'Add the cost centre, order, WBS element, asset or network in SRM and have the cart approved again.',
  E_LIMIT_UNLIMITED: 'Set a limit in SRM and have the cart approved again.',
  E_LIMIT_RANGE: 'Correct the limit in SRM and have the cart approved again.',
  E_TGT_AUTH: `Check the 11VMS client in the connection secret, its rights and the base URL; nothing is wrong with the cart. ${WAITS} A dead letter: redrive. ${SEE_HTML}`,
  E_TGT_ORDER_REFUSED: `Unless the reason says that 11VMS does not hold the order, look for it there before anyone orders by hand. Let the owner of 11VMS and of its firewall find out why, by the time and the correlation id: a text that looks like an attack, or no right to what the order names. Then correct the text in SRM and replay the cart, or have the order let through and redrive. ${SEE_HTML}`,
  E_TGT_VALIDATION: 'Read the pointers, correct the master data or the mapping, then redrive.',
  E_TGT_NOT_FOUND_REF: `Create the object in 11VMS; or correct its entry in ${setting('valueMaps')}, deploy, then redrive.`,
  E_TGT_DUPLICATE_DIFFERENT:
    'Compare both; correct the order in 11VMS by hand, then close the dead letter (runbook, "Redrive").',
  E_TGT_IDEMPOTENCY:
    'Report it to the interface team with the correlation id; after the fix, redrive: the order is looked up first.',
  E_TGT_THROTTLED: `${WAITS} Ask for a larger quota. A dead letter: redrive when the load is lower.`,
  E_TGT_UNAVAILABLE: `${WAITS} Check 11VMS and its proxy. A dead letter: redrive when they are healthy. ${SEE_HTML}`,
  E_TGT_TIMEOUT_UNKNOWN: SEARCH_ORDER,
  E_TGT_DISGUISED_ERROR: SEARCH_ORDER,
  E_TGT_RESPONSE_SCHEMA: `${SEARCH_ORDER} ${SEE_HTML}`,
  E_TGT_TOO_LARGE: 'Split the cart in SRM.',
  E_ALM_AUTH: `Check the service key in the secret of cloudAlm, its scopes and cloudAlm.serviceId; no cart is concerned. ${SEE_HTML}`,
  E_ALM_UNAVAILABLE: `Nothing, if it passes: the next run sends them anew. Else check cloudAlm.apiUrl and cloudAlm.tokenUrl; no cart is concerned. ${SEE_HTML}`,
  E_INT_MESSAGE:
    'Nothing was ordered. Report it with the message id. Replay its cart from SRM, then close the dead letter (runbook, "Redrive").',
  E_INT_SIGNATURE:
    'Nothing was ordered. Find out who sent it, and with which rights: runbook, "A message that is not signed". After two rotations: replay its cart from SRM, then close the dead letter.',
  E_INT_KEY: `Check Secrets Manager and the secret of the message key: runbook, "Rotate the message key"; ${NEXT_RUN} A dead letter: redrive.`,
  E_INT_QUEUE: 'Check SQS and the rights on the queue; the next run reads the same window again.',
  E_INT_LEDGER: `${WAITS} Check DynamoDB and its throttling. A dead letter: redrive.`,
  E_INT_IN_PROGRESS: `${WAITS} A dead letter: wait ten minutes, then redrive; the order is looked up before anything is posted.`,
  E_INT_PAUSED: `${WAITS} Read why consumption is paused. A dead letter: redrive once it has resumed.`,
  E_INT_CRASHED: 'Read the log of the last attempt, then redrive; the order is looked up before anything is posted.',
  E_INT_UNEXPECTED: 'Report it with the message id; after the fix, redrive.',
};

export interface CatalogueEntry {
  readonly owner: FaultOwner;
  readonly meaning: string;
  readonly action: string;
}

const entries = namesOf(FAULTS).map((code) => [code, { ...FAULTS[code], action: ACTIONS[code] }] as const);
// oxlint-disable-next-line no-unsafe-type-assertion -- made of the keys themselves
export const FAULT_CATALOGUE = Object.fromEntries(entries) as Readonly<Record<FaultCode, CatalogueEntry>>;

/** A fault as one line: what, where, and what to do. */
export const faultToText = (fault: Fault): string =>
  `${fault.code}: ${fault.message}${faultPlace(fault)}. ${FAULT_CATALOGUE[fault.code].action}`;
