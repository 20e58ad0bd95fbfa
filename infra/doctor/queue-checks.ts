/** Checks the queues: what lies on them, and whether they keep and redrive it as the entry says. */
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { differences } from './drift.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { alignAdvice, comparableResources, type ComparableResource, type DeployedContext } from './stack-context.ts';

interface Depth {
  readonly waiting: number;
  readonly inFlight: number;
}

interface QueueKind {
  readonly name: string;
  depthFinding(depth: Depth, context: DeployedContext): Finding;
}

/** By the output that names the queue. */
const KINDS: Readonly<Record<string, QueueKind>> = {
  QueueUrl: {
    name: 'cart queue',
    depthFinding({ waiting, inFlight }, { environment }) {
      const { backlog } = environment.notifications.thresholds;
      const what = `cart queue holds ${waiting} carts, and ${inFlight} in delivery or waiting for a retry`;
      return waiting < backlog
        ? ok(what)
        : warn(`${what}: a backlog`, 'see whether consumption is paused or slow (infra/runbook.md, "backlog")');
    },
  },
  DeadLetterQueueUrl: {
    name: 'dead-letter queue',
    depthFinding: held(
      (count) => `holds ${count} dead letters`,
      ({ environmentName }) =>
        `npm run carts -- --env ${environmentName} --state dead-lettered says which carts need a person, and why; have the causes corrected, then redrive (infra/runbook.md, "Redrive")`,
    ),
  },
  FailedInvocationsQueueUrl: {
    name: 'queue of failed invocations',
    depthFinding: held(
      (count) => `holds ${count} runs that failed`,
      () => 'read why, then delete them (infra/runbook.md, "scheduled-run-failed")',
    ),
  },
  UndeliveredEventsQueueUrl: {
    name: 'queue of undelivered events',
    depthFinding: held(
      (count) => `holds ${count} events that a pipe or a rule gave up`,
      () => 'see whose, and send them again (infra/runbook.md, "events-undelivered")',
    ),
  },
  OrderNumbersQueueUrl: {
    name: 'queue of order numbers',
    depthFinding: ({ waiting, inFlight }) =>
      ok(`queue of order numbers holds ${waiting} orders, and ${inFlight} in delivery or waiting for a retry`),
  },
  UnwrittenNumbersQueueUrl: {
    name: 'dead-letter queue of order numbers',
    depthFinding: held(
      (count) => `holds ${count} orders whose numbers SRM did not take`,
      () => 'see why, then redrive them (infra/runbook.md, "order-numbers-unwritten")',
    ),
  },
};
const UNDELIVERED_PAGES: QueueKind = {
  name: 'queue of undelivered pages',
  depthFinding: held(
    (count) => `holds ${count} pages that PagerDuty did not take`,
    () => 'correct its key or its address (infra/runbook.md, "pages-undelivered")',
  ),
};

/** For a queue that is empty while all is well. */
function held(
  text: (count: number) => string,
  advice: (context: DeployedContext) => string,
): QueueKind['depthFinding'] {
  return function depthFinding(this: QueueKind, { waiting, inFlight }, context) {
    const count = waiting + inFlight;
    return count === 0 ? ok(`${this.name} is empty`) : warn(`${this.name} ${text(count)}`, advice(context));
  };
}

/** All queues of the stack. */
export async function checkQueues(context: DeployedContext): Promise<readonly Finding[]> {
  const queues = comparableResources(context, 'AWS::SQS::Queue');
  const findings = await Promise.all(
    queues.map((queue) => {
      const kind = KINDS[context.expected.outputOf.get(queue.logicalId) ?? ''] ?? UNDELIVERED_PAGES;
      return checkQueue(queue, kind, context);
    }),
  );
  return findings.flat();
}

async function checkQueue(
  { physicalId, expected }: ComparableResource,
  kind: QueueKind,
  context: DeployedContext,
): Promise<Finding[]> {
  const { Attributes: attributes = {} } = await context.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: physicalId, AttributeNames: ['All'] }),
  );
  const waiting =
    Number(attributes.ApproximateNumberOfMessages) + Number(attributes.ApproximateNumberOfMessagesDelayed);
  const depth = { waiting, inFlight: Number(attributes.ApproximateNumberOfMessagesNotVisible) };
  const { RedrivePolicy: redrivePolicy } = attributes;
  const differing = differences([
    {
      name: 'retention (seconds)',
      expected: expected['MessageRetentionPeriod'],
      deployed: attributes.MessageRetentionPeriod,
    },
    // CloudFormation's default.
    {
      name: 'visibility time-out (seconds)',
      expected: expected['VisibilityTimeout'] ?? 30,
      deployed: attributes.VisibilityTimeout,
    },
    {
      name: 'redrive policy',
      expected: expected['RedrivePolicy'],
      deployed: redrivePolicy === undefined || redrivePolicy === '' ? undefined : JSON.parse(redrivePolicy),
    },
  ]);
  const drift =
    differing.length === 0 ? [] : [fail(`${kind.name} differs: ${differing.join('; ')}`, alignAdvice(context))];
  return [kind.depthFinding(depth, context), ...drift];
}
