/** How the 11VMS of a landscape differs from the contract (target-11vms.md). Each setting is one of its entry, too. */
import type { WorkerEnvironment } from '../../../shared/environment.ts';

export interface VmsSettings {
  /** Where orders are created, below the base URL. */
  readonly collectionPath: string;
}

export const vmsSettings = (environment: Pick<WorkerEnvironment, 'VMS_COLLECTION_PATH'>): VmsSettings => ({
  collectionPath: environment.VMS_COLLECTION_PATH,
});
