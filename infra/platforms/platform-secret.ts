/** A secret of a platform that is read while the interface runs: a new value is used without a deployment. */
import { createSecret, secretName } from '../setting-forms.ts';

/** `holds` says what JSON stands in the secret. */
export const runtimeSecret = (holds: string) => ({
  secretName: secretName.describe(`Name of the secret that holds \`${holds}\`.`),
  createSecret,
});
