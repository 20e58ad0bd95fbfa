/** What the figures of a bill say: what it is paid for, what the deployed settings do not carry, and what would change. */
import { type Bill, type BillLine, reconciliationSecondsPerDay } from './bill.ts';
import type { DeployedResources } from './deployed-resources.ts';

export interface AdviceBasis {
  readonly bill: Bill;
  /** The same stack without a single cart, and without an overlap. */
  readonly withoutCarts: Bill;
  readonly withoutOverlap: Bill;
  readonly resources: DeployedResources;
}

const DOMINANT = 3;

/** The lines that the bill is mostly paid for, the largest first. */
export const dominantLines = ({ lines }: Bill): readonly BillLine[] =>
  lines.toSorted((a, b) => b.usd - a.usd).slice(0, DOMINANT);

export const percentOf = (part: number, whole: number): string => `${Math.round((100 * part) / whole)} %`;

/** In sentences. */
export function adviceOf({ bill, withoutCarts, withoutOverlap, resources }: AdviceBasis): string[] {
  const { totalUsd } = bill;
  const named = dominantLines(bill).map(({ name, usd }) => `${name} ${percentOf(usd, totalUsd)}`);
  const overlapUsd = totalUsd - withoutOverlap.totalUsd;
  return [
    `Most of it: ${named.join(', ')}. ${percentOf(withoutCarts.totalUsd, totalUsd)} is paid without a single cart, ` +
      `${percentOf(overlapUsd, totalUsd)} for reading carts again within the overlap.`,
    ...notCarried(bill, resources),
    changeAt(bill.cartsPerDay),
  ];
}

/** What would have to be raised, or cannot be done in this way. */
function notCarried({ fit }: Bill, resources: DeployedResources): string[] {
  const { functions, maximumConcurrency } = resources;
  const { timeoutSeconds } = functions.extractor;
  const reconciliationSeconds = reconciliationSecondsPerDay(resources);
  const concurrency = Math.ceil(fit.workerConcurrency);
  return [
    ...(fit.extractionSeconds > timeoutSeconds
      ? [`One extraction would need ${fit.extractionSeconds.toFixed(0)} s, and has ${timeoutSeconds}.`]
      : []),
    ...(concurrency > maximumConcurrency
      ? [
          `The worker would be needed ${concurrency} times at once on average; maximumConcurrency is ${maximumConcurrency}.`,
        ]
      : []),
    ...(fit.reconciliationSeconds > reconciliationSeconds
      ? [
          `A reconciliation would need ${fit.reconciliationSeconds.toFixed(0)} s, and has ${reconciliationSeconds} a day, with the further starts ` +
            'that finish it: it falls behind, and is billed for what it can read.',
        ]
      : []),
  ];
}

const HUNDRED_THOUSAND = 100_000;

function changeAt(cartsPerDay: number): string {
  if (cartsPerDay < HUNDRED_THOUSAND) {
    return (
      'Change: nothing. Being watched costs more than the carts; fewer alarms or metrics would save cents and hide what ' +
      'wakes somebody.'
    );
  }
  if (cartsPerDay < 10 * HUNDRED_THOUSAND) {
    return (
      'Change: settings, not the design. A shorter extraction.overlapSeconds, as long as SRM commits within it; ' +
      'reconciliation.days down, since each of them is read every day; thresholds.backlog, which is a day of today; and ' +
      'memoryMegabytes measured on Lambda.'
    );
  }
  return (
    'Change: the reading. The extractor remembers GUID and ChangedAt of what it queued within the overlap, and queues only ' +
    'what is new; slices are read by several invocations at once, each under a lease of its own; the reconciliation compares ' +
    'an export of the ledger instead of asking once a cart. Then settings: maximumConcurrency to the rate that 11VMS agrees ' +
    `to (${Math.round(cartsPerDay / 86_400)} carts a second on average), provisioned capacity for the steady part of DynamoDB, a lifetime for orders, ` +
    'fewer success lines.'
  );
}
