/** How the 11VMS of a landscape differs from the contract (target-11vms.md). Each setting is one of its entry, too. */
import type { WorkerEnvironment } from '../../../shared/environment.ts';
import type { WireOrder, WireSettings } from '../translation/wire-order.ts';

export interface VmsSettings extends WireSettings {
  /** Where orders are created, below the base URL. */
  readonly collectionPath: string;
  /** How an order is looked up: `?externalId=`, `/purchase-orders/{externalId}` below the base URL, or `none`. */
  readonly lookUpBy: string;
  /** Where the answer to a look-up holds the orders, or the one order: a JSON pointer. */
  readonly foundAt: string;
  /** Where the answer to a create holds the order's id: a JSON pointer, or the header `Location`. */
  readonly idAt: string;
  /** Where the answer to a create holds the order's number: a JSON pointer. */
  readonly numberAt: string;
  /** Where the answer to a create repeats the externalId, if it does: a JSON pointer. */
  readonly externalIdAt: string;
}

/** What the reading of answers needs. */
export interface AnswerForm extends VmsSettings {
  readonly wire: WireOrder;
}

export const LOCATION = 'Location';

export const vmsSettings = (environment: WorkerEnvironment, fields: WireSettings['fields']): VmsSettings => ({
  collectionPath: environment.VMS_COLLECTION_PATH,
  lookUpBy: environment.VMS_LOOK_UP_BY,
  foundAt: environment.VMS_FOUND_AT,
  idAt: environment.VMS_ID_AT,
  numberAt: environment.VMS_NUMBER_AT,
  externalIdAt: environment.VMS_EXTERNAL_ID_AT,
  decimalsAs: environment.VMS_DECIMALS_AS,
  fields,
});
