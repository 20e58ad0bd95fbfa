/** Asks 11VMS for an order by its externalId, as the worker does: with the connection's own secret. */
import { randomUUID } from 'node:crypto';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createVmsOrders } from '../../functions/create-purchase-orders/delivery/vms-orders.ts';
import { readConnectionSecret, SecretUnusable } from '../../shared/connection-secret.ts';
import { describeAwsError } from '../aws-account.ts';
import { Unanswerable } from '../carts/open-ledger.ts';
import { openSystem, secretFormOf } from '../doctor/system-client.ts';
import type { Environment } from '../environments.ts';
import type { Sources } from './sources.ts';

/** A person waits for the answer. */
const PATIENCE_MS = 30_000;

export const createOrderLookUp = (environment: Environment, secrets: SecretsManagerClient): Sources['lookUpOrder'] => {
  const readSecret = async () => {
    try {
      return await readConnectionSecret(secrets, secretFormOf(environment.vms));
    } catch (error) {
      if (error instanceof SecretUnusable) throw new Unanswerable(error.problem, error.fix);
      throw new Unanswerable(
        `the secret ${environment.vms.secretName} cannot be read (${describeAwsError(error)})`,
        'ask for the right secretsmanager:GetSecretValue, and for that to its KMS key',
      );
    }
  };
  const orders = createVmsOrders(
    openSystem(environment, 'vms', { readSecret, now: Date.now }),
    Date.now,
    environment.vms,
  );
  return (externalId) => orders.lookUp(externalId, randomUUID(), Date.now() + PATIENCE_MS);
};
