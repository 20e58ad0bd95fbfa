/** Explains a bill in sentences: its largest lines, the settings that are too low, and what to change. */
import { type Bill, type BillLine, reconciliationSecondsPerDay } from './bill.ts';
import type { DeployedResources } from './deployed-resources.ts';

export interface AdviceBasis {
  readonly bill: Bill;
  /** The bill of the same stack without carts, and without an overlap. */
  readonly withoutCarts: Bill;
  readonly withoutOverlap: Bill;
  readonly resources: DeployedResources;
}

const DOMINANT = 3;

/** The largest lines of the bill, in descending order. */
export const dominantLines = ({ lines }: Bill): readonly BillLine[] =>
  lines.toSorted((a, b) => b.usd - a.usd).slice(0, DOMINANT);

export const percentOf = (part: number, whole: number): string => `${Math.round((100 * part) / whole)} %`;

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

/** The limits that this volume exceeds. */
function notCarried({ fit }: Bill, resources: DeployedResources): string[] {
  const { functions, maximumConcurrency } = resources;
  const { timeoutSeconds } = functions.extractor;
  const reconciliationSeconds = reconciliationSecondsPerDay(resources);
  const concurrency = Math.ceil(fit.workerConcurrency);
  return [
    ...(fit.extractionSeconds > timeoutSeconds
      ? [`One extraction would need ${fit.extractionSeconds.toFixed(0)} s, but its time-out is ${timeoutSeconds} s.`]
      : []),
    ...(concurrency > maximumConcurrency
      ? [
          `The worker would need ${concurrency} parallel invocations on average, but maximumConcurrency is ${maximumConcurrency}.`,
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
    return 'Change: nothing. Monitoring costs more than the carts. Fewer alarms or metrics would save cents and hide incidents.';
  }
  if (cartsPerDay < 10 * HUNDRED_THOUSAND) {
    return (
      'Change: settings, not the design. Shorten extraction.overlapSeconds, as long as SRM commits within it. Lower ' +
      'reconciliation.days, because each of these days is reconciled every day. Raise thresholds.backlog, and choose ' +
      'memoryMegabytes by measurements on Lambda.'
    );
  }
  return (
    'Change: the reading. Let several invocations read slices in parallel, each under a lease of its own. Let the ' +
    'reconciliation compare an export of the ledger instead of one query for each cart. Then settings: ' +
    'maximumConcurrency for the rate of 11VMS ' +
    `(${Math.round(cartsPerDay / 86_400)} carts a second on average), provisioned capacity for the steady part of DynamoDB, a lifetime for orders, ` +
    'fewer success lines.'
  );
}
