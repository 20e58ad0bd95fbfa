/** How the 11VMS of a landscape differs from the contract (target-11vms.md). Each setting is one of its entry, too. */
import type { WorkerEnvironment } from '../../../shared/environment.ts';

export interface VmsSettings {
  /** Where orders are created, below the base URL. */
  readonly collectionPath: string;
  /** How an order is looked up: `?externalId=`, `/purchase-orders/{externalId}` below the base URL, or `none`. */
  readonly lookUpBy: string;
  /** Where the answer to a look-up holds the orders, or the one order: a JSON pointer. */
  readonly foundAt: string;
}

export const vmsSettings = (environment: WorkerEnvironment): VmsSettings => ({
  collectionPath: environment.VMS_COLLECTION_PATH,
  lookUpBy: environment.VMS_LOOK_UP_BY,
  foundAt: environment.VMS_FOUND_AT,
});
