/** Asks 11VMS for an order by its externalId, as the deployed worker does: by its settings, and with its secret. */
import { randomUUID } from 'node:crypto';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createVmsClient } from '../../functions/create-purchase-orders/delivery/vms-client.ts';
import { createVmsOrders } from '../../functions/create-purchase-orders/delivery/vms-orders.ts';
import { SecretUnusable } from '../../shared/connection-secret.ts';
import { describeAwsError } from '../aws-account.ts';
import { Unanswerable } from '../carts/open-ledger.ts';
import { type DeployedWorker, settingsOfWorker, UnreadableSettings, variablesOfWorker } from './deployed-settings.ts';
import type { Sources } from './sources.ts';

/** A person waits for the answer. */
const PATIENCE_MS = 30_000;

export const createOrderLookUp =
  (worker: () => Promise<DeployedWorker>, secrets: SecretsManagerClient): Sources['lookUpOrder'] =>
  async (externalId) => {
    try {
      const deployed = await worker();
      const http = createVmsClient(variablesOfWorker(deployed), secrets, Date.now, () => undefined);
      const orders = createVmsOrders(http, Date.now, settingsOfWorker(deployed).vms);
      return await orders.lookUp(externalId, randomUUID(), Date.now() + PATIENCE_MS);
    } catch (error) {
      throw explained(error);
    }
  };

function explained(error: unknown): unknown {
  if (error instanceof UnreadableSettings)
    return new Unanswerable(
      `The settings of the deployed worker cannot be read: ${error.message}`,
      'deploy this version',
    );
  if (error instanceof SecretUnusable) return new Unanswerable(error.problem, error.fix);
  const reason = describeAwsError(error);
  return /AccessDenied|NotAuthorized|ResourceNotFound/.test(reason)
    ? new Unanswerable(`11VMS's secret cannot be read (${reason})`, 'this needs the content policy of the stack')
    : error;
}
