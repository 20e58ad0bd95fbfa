/** Finds the AWS account and region of a command, before the command does anything else. */
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { AWS_CLIENT_SETTINGS } from '../shared/aws-client-settings.ts';
import type { Environment } from './environments.ts';

export interface AwsAccount {
  readonly account: string;
  readonly region: string;
  /** The identity of the caller. */
  readonly arn: string;
}

/** There is no usable account, or it is the wrong one. The message says what is wrong, `advice` what to do. */
export class AccountUnusable extends Error {
  readonly advice: string;

  constructor(what: string, advice: string) {
    super(what);
    this.name = 'AccountUnusable';
    this.advice = advice;
  }
}

/** A profile of the AWS configuration; undefined for the default of the SDK. */
export interface AccountChoice {
  readonly profile: string | undefined;
}

/** It names the environment because CDK synthesizes the app even for a bootstrap. */
export const bootstrapCommand = (
  { account, region }: Pick<AwsAccount, 'account' | 'region'>,
  environmentName: string,
) => `npx cdk bootstrap aws://${account}/${region} -c env=${environmentName}`;

export const LOG_IN =
  'log in first: aws sso login, or choose a profile with --profile or AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY';

/** Asks STS for the identity of the caller. @throws {AccountUnusable} without credentials or region, or in an account that is not the entry's. */
export async function openAccount(
  environment: Pick<Environment, 'account' | 'region'>,
  { profile }: AccountChoice,
): Promise<AwsAccount> {
  const wanted = environment.region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  const client = new STSClient({
    ...clientSettings({ profile }),
    ...(wanted === undefined || wanted === '' ? {} : { region: wanted }),
  });
  try {
    // CDK would use us-east-1 without saying so.
    const region = await client.config.region().catch(() => {
      throw new AccountUnusable(
        'AWS region is not known',
        'give "region" in the environment entry, or set AWS_REGION, or a region in the profile',
      );
    });
    const { Account: account = '', Arn: arn = '' } = await client
      .send(new GetCallerIdentityCommand({}))
      .catch((error) => {
        throw unusable(error);
      });
    if (environment.account !== undefined && environment.account !== account) {
      throw new AccountUnusable(
        `AWS credentials are for account ${account}, but the environment is account ${environment.account}`,
        'log in to that account, or correct "account" in the environment entry',
      );
    }
    return { account, region, arn };
  } finally {
    client.destroy();
  }
}

function unusable(error: unknown): AccountUnusable {
  const name = error instanceof Error ? error.name : '';
  if (name === 'CredentialsProviderError') return new AccountUnusable('AWS credentials were not found', LOG_IN);
  if (isSessionRefused(error) || name.includes('AccessDenied')) {
    return new AccountUnusable(`AWS refuses the credentials (${describeAwsError(error)})`, LOG_IN);
  }
  return new AccountUnusable(
    `AWS STS gives no answer (${describeAwsError(error)})`,
    'check the network, the region and the proxy of this machine',
  );
}

/** Whether AWS knows the session no longer, as after its end. */
export const isSessionRefused = (error: unknown): boolean =>
  error instanceof Error && /CredentialsProvider|Token|Signature|UnrecognizedClient/.test(error.name);

/** Whether a client of the AWS SDK threw it. */
export const isAwsError = (error: unknown): boolean =>
  error instanceof Error && ('$metadata' in error || isSessionRefused(error));

/** Settings of every client, with few retries: a command should fail rather than hang. */
export const clientSettings = ({ profile }: AccountChoice) => ({
  ...AWS_CLIENT_SETTINGS,
  maxAttempts: 2,
  ...(profile === undefined ? {} : { profile }),
});

/**
 * The name of an AWS error, and the action that was denied. Never the whole message: the message about a refused
 * signature quotes the request with its session token.
 */
export function describeAwsError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const denied = /not authorized to perform: ([\w:]+)/.exec(error.message)?.[1];
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return [error.name === 'Error' ? (code ?? error.name) : error.name, denied].filter(Boolean).join(': ');
}
