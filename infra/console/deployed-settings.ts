/**
 * By which settings carts are translated: those of the deployed worker, and those of the checkout's entry. The worker
 * carries its value maps in its bundle, and the rest in its variables.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { GetFunctionCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { strFromU8, unzipSync } from 'fflate';
import * as z from 'zod';
import { type VmsSettings, vmsSettings } from '../../functions/create-purchase-orders/delivery/vms-settings.ts';
import {
  parseVariables,
  TRANSLATION_SETTINGS_FILE,
  VMS_FIELDS_FILE,
  type WorkerEnvironment,
  workerVariables,
} from '../../shared/environment.ts';
import { asJsonObject, tryParseJson } from '../../shared/exact-json.ts';
import { srmSettings } from '../../shared/srm-client.ts';
import type { SrmService } from '../../shared/srm-service.ts';
import { type TranslationSettings, translationSettingsSchema } from '../../shared/translation-settings.ts';
import { describeAwsError } from '../aws-account.ts';
import type { Environment } from '../environments.ts';

/** All that decides what becomes of a cart. */
export interface CartSettings {
  readonly srm: Pick<SrmService, 'fields' | 'keyProperty'> & { readonly client: string };
  readonly vms: VmsSettings;
  readonly translation: TranslationSettings;
}

/** A worker as it is deployed. */
export interface DeployedWorker {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The text of a file of its bundle; undefined where it has none of this name. */
  readonly file: (name: string) => string | undefined;
}

/** What is deployed cannot be read. The message says why, and holds no value of a setting. */
export class UnreadableSettings extends Error {}

export const settingsOfEntry = ({ srm, vms, translation }: Environment): CartSettings => ({ srm, vms, translation });

/** @throws {UnreadableSettings} as {@link settingsOfWorker}. */
export function variablesOfWorker({ variables }: Pick<DeployedWorker, 'variables'>): WorkerEnvironment {
  try {
    return parseVariables(workerVariables, variables);
  } catch (error) {
    throw new UnreadableSettings(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** @throws {UnreadableSettings} for a worker of another version, whose settings this checkout does not know. */
export function settingsOfWorker({ variables, file }: DeployedWorker): CartSettings {
  const read = <Schema extends z.ZodType>(name: string, schema: Schema): z.output<Schema> => {
    const parsed = schema.safeParse(tryParseJson(file(name) ?? ''));
    if (parsed.success) return parsed.data;
    throw new UnreadableSettings(`its bundle has no ${name} that this version can read`);
  };
  const environment = variablesOfWorker({ variables });
  return {
    srm: srmSettings(environment),
    vms: vmsSettings(environment, read(VMS_FIELDS_FILE, z.record(z.string(), z.string()))),
    translation: read(TRANSLATION_SETTINGS_FILE, translationSettingsSchema),
  };
}

/** The names of the settings that are not the same: `translation.valueMaps.unit.XXX`. */
export const differingSettings = (entry: CartSettings, deployed: CartSettings): string[] => [
  ...differing(entry.srm.client, deployed.srm.client, 'srm.client'),
  ...differing(entry.srm.fields, deployed.srm.fields, 'srm.fields'),
  ...differing(entry.srm.keyProperty, deployed.srm.keyProperty, 'srm.keyProperty'),
  ...differing(entry.vms.decimalsAs, deployed.vms.decimalsAs, 'vms.decimalsAs'),
  ...differing(entry.vms.fields, deployed.vms.fields, 'vms.fields'),
  ...differing(entry.translation, deployed.translation, 'translation'),
];

function differing(entry: unknown, deployed: unknown, name: string): string[] {
  if (isDeepStrictEqual(entry, deployed)) return [];
  const [ours, theirs] = [asJsonObject(entry), asJsonObject(deployed)];
  if (ours === undefined || theirs === undefined) return [name];
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].flatMap((key) =>
    differing(ours[key], theirs[key], `${name}.${key}`),
  );
}

const LONGEST_DOWNLOAD_MS = 20_000;

/** Needs the right lambda:GetFunction. @throws {UnreadableSettings} */
export async function readDeployedWorker(lambda: LambdaClient, functionName: string): Promise<DeployedWorker> {
  const { Configuration: configuration, Code: code } = await lambda
    .send(new GetFunctionCommand({ FunctionName: functionName }))
    .catch((error: unknown) => {
      const reason = describeAwsError(error);
      const advice = /AccessDenied|NotAuthorized/.test(reason) ? ': this needs the right lambda:GetFunction' : '';
      throw new UnreadableSettings(`AWS does not give it (${reason})${advice}`);
    });
  if (code?.Location === undefined) throw new UnreadableSettings('AWS does not say where its bundle lies');
  const answer = await fetch(code.Location, { signal: AbortSignal.timeout(LONGEST_DOWNLOAD_MS) }).catch(
    () => undefined,
  );
  if (answer?.ok !== true) throw new UnreadableSettings('its bundle cannot be downloaded from where AWS keeps it');
  const wanted = [TRANSLATION_SETTINGS_FILE, VMS_FIELDS_FILE];
  const files = unzipSync(new Uint8Array(await answer.arrayBuffer()), { filter: ({ name }) => wanted.includes(name) });
  return {
    variables: configuration?.Environment?.Variables ?? {},
    file(name) {
      const bytes = files[name];
      return bytes && strFromU8(bytes);
    },
  };
}

/** A worker of the local run, whose bundle lies on this machine. */
export const localWorker = (worker: {
  readonly variables: DeployedWorker['variables'];
  readonly codeDirectory: string;
}): DeployedWorker => ({
  variables: worker.variables,
  file(name) {
    try {
      return readFileSync(join(worker.codeDirectory, name), 'utf8');
    } catch {
      return undefined;
    }
  },
});
