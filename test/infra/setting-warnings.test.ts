/** What a synthesis warns of: settings that are valid and give up something. */
import { expect, test } from '@jest/globals';
import { App } from 'aws-cdk-lib';
import { ENVIRONMENTS, parseEnvironment } from '../../infra/environments.ts';
import { addPurchaseOrderStack } from '../../infra/synthesize.ts';

/** Any folder stands for the code: nothing is synthesized. */
const folder = import.meta.dirname;
const bundles = {
  'extract-approved-carts': folder,
  'create-purchase-orders': folder,
  'supervise-consumption': folder,
  'reconcile-carts': folder,
  'redrive-dead-letters': folder,
};

async function warningsOf(vms: object, srm: object = {}, others: object = {}): Promise<unknown[]> {
  const dev = Object(ENVIRONMENTS['dev']);
  const environment = parseEnvironment(
    { ...dev, srm: { ...dev.srm, ...srm }, vms: { ...dev.vms, ...vms }, ...others },
    'Environment x',
  );
  const stack = await addPurchaseOrderStack(new App({ builtinCloudFormationValidation: false }), environment, {
    bundles,
  });
  return stack.node.metadata.filter(({ type }) => type === 'aws:cdk:warning').map(({ data }) => data);
}

test('an environment of the contract warns of nothing', async () => {
  expect(await warningsOf({})).toEqual([]);
  expect(await warningsOf({ lookUpBy: '/purchase-orders/{externalId}' })).toEqual([]);
});

test('an 11VMS without a look-up warns of what is given up', async () => {
  expect(await warningsOf({ lookUpBy: 'none' })).toEqual([
    expect.stringMatching(
      /^vms\.lookUpBy: without a look-up, .*dead letter, which a person must search in 11VMS.*each order that is under way/,
    ),
  ]);
});

test('an SRM that is read by ApprovedAt warns of the carts that have none', async () => {
  expect(await warningsOf({}, { changedAtProperty: 'ApprovedAt' })).toEqual([
    expect.stringMatching(/^srm\.changedAtProperty: a cart without an ApprovedAt, .* is never read/),
  ]);
});

test('a cron of the extraction warns of three days of silence, unless the entry says when it is too long', async () => {
  const { extraction, notifications } = Object(ENVIRONMENTS['dev']);
  const cron = { extraction: { ...extraction, schedule: 'cron(0/10 6-20 ? * MON-FRI *)' } };
  expect(await warningsOf({}, {}, cron)).toEqual([
    expect.stringMatching(/^notifications\.thresholds\.extractionSilenceMinutes: without it, .* three days/),
  ]);
  const thresholds = { extractionSilenceMinutes: 45 };
  expect(await warningsOf({}, {}, { ...cron, notifications: { ...notifications, thresholds } })).toEqual([]);
});

test('PagerDuty without an address for mails warns that there is no other path', async () => {
  const pagerDuty = { routingKeySecretName: 'acme/pagerduty' };
  expect(await warningsOf({}, {}, { notifications: { pagerDuty } })).toEqual([
    expect.stringMatching(/^notifications\.email: without an address, .* PagerDuty does not take/),
  ]);
  expect(await warningsOf({}, {}, { notifications: { pagerDuty, email: ['ops@acme.example'] } })).toEqual([]);
});
