/** `npm run doctor -- --contract`: what both systems really send, held against the contract. Only reads. */
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  type ConnectionSecret,
  parseConnectionSecret,
  readConnectionSecret,
  SecretUnusable,
} from '../../../shared/connection-secret.ts';
import { InterfaceError } from '../../../shared/failure.ts';
import { clientSettings, describeAwsError } from '../../aws-account.ts';
import { type Environment, loadEnvironment } from '../../environments.ts';
import { givenSecret, hasGivenClient, VariablesIncomplete } from '../../given-secret.ts';
import { fail } from '../finding.ts';
import type { ContractOptions, DoctorOptions } from '../options.ts';
import { openSystem, secretFormOf } from '../system-client.ts';
import { contractJson, contractText, hasObstacle } from './contract-text.ts';
import { checkSrmContract, type ContractReport } from './srm-contract.ts';
import { checkVmsContract } from './vms-contract.ts';

/** Returns 1 when something cannot be read. */
export async function checkContract(options: DoctorOptions, { days, orderId }: ContractOptions): Promise<number> {
  let environment: Environment;
  try {
    environment = loadEnvironment(options.environment);
  } catch (error) {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  const now = Date.now;
  const open = async (section: 'srm' | 'vms') => {
    const secret = await readSecret(environment, section, options);
    return openSystem(environment, section, { readSecret: () => Promise.resolve(secret), now });
  };
  const reports = [
    await reportOf('SRM', async () => checkSrmContract(await open('srm'), environment, { days, now })),
    ...(orderId === undefined
      ? []
      : [
          await reportOf('11VMS', async () =>
            checkVmsContract(await open('vms'), environment, { externalId: orderId, now }),
          ),
        ]),
  ];
  process.stdout.write(options.json ? contractJson(environment.name, reports) : contractText(reports));
  return hasObstacle(reports) ? 1 : 0;
}

/** From the variables of the shell, or else from Secrets Manager. */
async function readSecret(
  environment: Environment,
  section: 'srm' | 'vms',
  options: DoctorOptions,
): Promise<ConnectionSecret> {
  const connection = environment[section];
  const system = section === 'srm' ? 'SRM' : 'VMS';
  const form = secretFormOf(connection);
  if (hasGivenClient(system)) return parseConnectionSecret(givenSecret(system, connection), form);
  const region = environment.region === undefined ? {} : { region: environment.region };
  const client = new SecretsManagerClient({ ...clientSettings(options), ...region });
  try {
    return await readConnectionSecret(client, form);
  } finally {
    client.destroy();
  }
}

async function reportOf(system: string, check: () => Promise<ContractReport>): Promise<ContractReport> {
  try {
    return await check();
  } catch (error) {
    const [what, advice] = explain(error, system);
    return { what: system, findings: [fail(`${system} cannot be read: ${what}`, advice)], properties: [] };
  }
}

function explain(error: unknown, system: string): readonly [what: string, advice: string] {
  if (error instanceof VariablesIncomplete) return [`the doctor${error.message}`, 'set them, and ask again'];
  if (error instanceof SecretUnusable) return [error.problem, error.fix];
  if (error instanceof InterfaceError) return [error.fault.message, 'correct what it names in the environment entry'];
  const prefix = system === 'SRM' ? 'SRM' : 'VMS';
  return [
    `its secret is not given (${describeAwsError(error)})`,
    `log in to AWS, or set ${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET`,
  ];
}
