/** `npm run doctor -- --page`: a test incident at PagerDuty, opened and resolved as the rules of the stack do it. */
import { setTimeout as pause } from 'node:timers/promises';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { AccountUnusable, clientSettings, describeAwsError, openAccount } from '../aws-account.ts';
import { type Environment, loadEnvironment } from '../environments.ts';
import { pageAddress } from '../platforms/pager-duty-settings.ts';
import { fail, type Finding, ok } from './finding.ts';
import type { DoctorOptions } from './options.ts';
import { NEW_KEY, readRoutingKey } from './routing-key.ts';

export interface TestPageOptions extends Pick<DoctorOptions, 'environment' | 'profile'> {
  readonly now: () => number;
  /** How long the incident stays open. */
  readonly openMs?: number;
  /** In place of PagerDuty's own address. */
  readonly address?: string;
}

/** Long enough to be seen, and for PagerDuty to work off the first event. */
const OPEN_MS = 10_000;
const TIMEOUT_MS = 10_000;

const eventAnswer = z.object({ message: z.string().default(''), errors: z.array(z.string()).default([]) });

interface Receiver {
  readonly address: string;
  readonly region: string;
  readonly secretName: string;
  readonly routingKey: string;
}

export async function sendTestPage(options: TestPageOptions): Promise<readonly Finding[]> {
  let environment: Environment;
  try {
    environment = loadEnvironment(options.environment);
  } catch (error) {
    return [fail(error instanceof Error ? error.message : String(error), 'correct the entry, or --env')];
  }
  const { pagerDuty } = environment.notifications;
  if (pagerDuty === undefined) {
    return [fail(`environment ${environment.name} has no notifications.pagerDuty`, 'set it, deploy, and try again')];
  }
  const { routingKeySecretName: secretName, region } = pagerDuty;
  const address = options.address ?? pageAddress(region);
  try {
    const account = await openAccount(environment, options);
    const secrets = new SecretsManagerClient({ ...clientSettings(options), region: account.region });
    const key = await readRoutingKey(secrets, secretName).finally(() => secrets.destroy());
    if (!key.isUsable) return [fail(`the secret ${secretName} ${key.why}`, key.advice)];
    const receiver = { address, region, secretName, routingKey: key.value };
    return await openAndResolve(receiver, { environment, by: account.arn, options });
  } catch (error) {
    if (error instanceof AccountUnusable) return [fail(error.message, error.advice)];
    return [
      fail(
        `the secret ${secretName} cannot be read (${describeAwsError(error)})`,
        'ask for secretsmanager:GetSecretValue on it, or choose a profile with --profile',
      ),
    ];
  }
}

async function openAndResolve(
  receiver: Receiver,
  { environment, by, options }: { environment: Environment; by: string; options: TestPageOptions },
): Promise<readonly Finding[]> {
  const { now, openMs = OPEN_MS } = options;
  // Never the key of an alarm: a test must not resolve a real incident.
  const dedupKey = `test-page-${environment.name}-${new Date(now()).toISOString()}`;
  const trigger = await send(receiver, {
    event_action: 'trigger',
    dedup_key: dedupKey,
    payload: {
      summary: `TEST, nothing to do: purchase orders ${environment.name}, sent by npm run doctor -- --page`,
      source: `npm run doctor -- --env ${environment.name} --page`,
      severity: 'info',
      timestamp: new Date(now()).toISOString(),
      component: 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1',
      class: 'test-page',
      custom_details: { sentBy: by, resolvedBy: 'this test itself, some seconds later' },
    },
  });
  const what = `PagerDuty (${receiver.region})`;
  if (trigger.status !== 202) return [refusal(what, trigger, receiver)];
  await pause(openMs);
  const resolve = await send(receiver, { event_action: 'resolve', dedup_key: dedupKey });
  const opened = ok(`${what} took a test incident: 202 ${trigger.message}, dedup_key ${dedupKey}`);
  if (resolve.status !== 202) {
    const { what: why } = refusal(what, resolve, receiver);
    return [opened, fail(why, `resolve the incident ${dedupKey} by hand in PagerDuty`)];
  }
  return [opened, ok(`${what} took its end: 202 ${resolve.message}`)];
}

interface Reply {
  /** Undefined when there was no answer. */
  readonly status: number | undefined;
  readonly message: string;
}

async function send({ address, routingKey }: Receiver, event: object): Promise<Reply> {
  // PagerDuty may repeat what it refuses.
  const withoutKey = (text: string): string => text.replaceAll(routingKey, '[key]').slice(0, 300);
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ routing_key: routingKey, ...event }),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const { message, errors } = eventAnswer
      .catch({ message: '', errors: [] })
      .parse(await response.json().catch(() => ({})));
    return { status: response.status, message: withoutKey([message, ...errors].join('; ')) };
  } catch (error) {
    return { status: undefined, message: error instanceof Error ? withoutKey(error.message) : '' };
  }
}

function refusal(what: string, { status, message }: Reply, { region, secretName, address }: Receiver) {
  const other = region === 'eu' ? 'us' : 'eu';
  if (status === 400) {
    return fail(
      `${what} refuses the event: 400 ${message}`,
      `the secret ${secretName} must hold the key of an integration of the type Events API v2; is the account in the other region, "region": "${other}"? Else ${NEW_KEY}`,
    );
  }
  if (status === 429 || (status !== undefined && status >= 500)) {
    return fail(
      `${what} cannot take the event now: ${status} ${message}`,
      'see status.pagerduty.com; try again in some minutes',
    );
  }
  return fail(
    `${what} did not take the event: ${status ?? 'no answer'} ${message}`.trimEnd(),
    `find out what stands between this machine and ${new URL(address).host}; the rules of the stack call it from AWS`,
  );
}
