/**
 * How an operator writes a secret. Its value is read from standard input, so that it lies in no file and in no history of a
 * shell; infra/deploying.md (Secrets) says how to give it.
 */
const FROM_STANDARD_INPUT = '--secret-string file:///dev/stdin';

export const writeSecretCommand = (name: string): string =>
  `aws secretsmanager put-secret-value --secret-id ${name} ${FROM_STANDARD_INPUT}`;

export const createSecretCommand = (name: string): string =>
  `aws secretsmanager create-secret --name ${name} ${FROM_STANDARD_INPUT}`;

export const restoreSecretCommand = (name: string): string => `aws secretsmanager restore-secret --secret-id ${name}`;
