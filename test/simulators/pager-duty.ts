/**
 * PagerDuty's Events API v2, as its documents say ("Events API v2 Overview", "Send an Alert Event"): what a trigger must
 * hold, which answers there are, and how alerts are told apart by `dedup_key`.
 */
import * as z from 'zod';
import type { Answer } from './answers.ts';
import { type Call, listenOnLoopback, readCall, send } from './simulator.ts';

const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;
const ACTIONS = ['trigger', 'acknowledge', 'resolve'] as const;
/** "Events API payloads are limited to 512 KB". */
const MAXIMUM_BYTES = 512 * 1024;

const common = {
  routing_key: z.string().length(32),
  dedup_key: z.string().min(1).max(255).optional(),
};
const trigger = z.object({
  ...common,
  event_action: z.literal('trigger'),
  payload: z.object({
    summary: z.string().min(1).max(1024),
    source: z.string().min(1),
    severity: z.enum(SEVERITIES),
    timestamp: z
      .string()
      .refine((text) => !Number.isNaN(Date.parse(text)))
      .optional(),
    component: z.string().optional(),
    group: z.string().optional(),
    class: z.string().optional(),
    custom_details: z.record(z.string(), z.unknown()).optional(),
  }),
  images: z.array(z.object({ src: z.url() })).optional(),
  links: z.array(z.object({ href: z.url(), text: z.string().optional() })).optional(),
});
const update = z.object({
  ...common,
  event_action: z.enum(ACTIONS).exclude(['trigger']),
  dedup_key: z.string().min(1).max(255),
});
const event = z.discriminatedUnion('event_action', [trigger, update]);

export type Trigger = z.infer<typeof trigger>;

export interface Alert {
  readonly dedupKey: string;
  readonly state: 'triggered' | 'acknowledged' | 'resolved';
  /** The first, which opened the alert. */
  readonly trigger: Trigger;
  /** Further triggers that were added to the open alert. */
  readonly repeated: number;
}

export interface PagerDutySimulator {
  readonly url: string;
  /** In the order in which they were opened. */
  readonly alerts: readonly Alert[];
  /** The answers to all requests. */
  readonly statuses: readonly number[];
  /** The statuses of the next requests, in place of what they would get; 202 leaves one as it is. */
  failNext(...statuses: readonly number[]): void;
  close(): Promise<void>;
}

export interface PagerDutyOptions {
  /** The integration keys of the account. */
  readonly routingKeys: readonly string[];
}

export async function startPagerDuty({ routingKeys }: PagerDutyOptions): Promise<PagerDutySimulator> {
  const alerts: (Alert & { readonly routingKey: string })[] = [];
  const statuses: number[] = [];
  const failures: number[] = [];
  let generated = 0;

  const accept = (call: Call): Answer => {
    const failure = failures.shift();
    if (failure !== undefined && failure !== 202)
      return answer(failure, { status: 'error', message: 'Forced by the test' });
    if (call.method !== 'POST' || call.url.pathname !== '/v2/enqueue') return answer(404, { status: 'not found' });
    if (call.tooLarge) return answer(413, { status: 'too large' });
    const parsed = event.safeParse(parseJson(call.body));
    if (!parsed.success) {
      return refusal(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
    }
    const given = parsed.data;
    if (!routingKeys.includes(given.routing_key)) return refusal(["'routing_key' is invalid"]);
    generated += 1;
    const dedupKey = given.dedup_key ?? `generated-${generated}`;
    const index = alerts.findLastIndex(
      (alert) => alert.dedupKey === dedupKey && alert.routingKey === given.routing_key && alert.state !== 'resolved',
    );
    const open = alerts[index];
    if (given.event_action === 'trigger') {
      if (open === undefined) {
        alerts.push({ dedupKey, state: 'triggered', trigger: given, repeated: 0, routingKey: given.routing_key });
      } else {
        alerts[index] = { ...open, repeated: open.repeated + 1 };
      }
    } else if (open !== undefined) {
      alerts[index] = { ...open, state: given.event_action === 'resolve' ? 'resolved' : 'acknowledged' };
    }
    // An event for an alert that is not open is dropped, and accepted all the same.
    return answer(202, { status: 'success', message: 'Event processed', dedup_key: dedupKey });
  };

  const server = await listenOnLoopback(
    'The simulator of PagerDuty',
    (request, response) => {
      const serve = async (): Promise<void> => {
        const reply = accept(await readCall(request, MAXIMUM_BYTES));
        statuses.push(reply.status);
        send(response, reply, new Date());
      };
      serve().catch(() => response.destroy());
    },
    0,
  );
  return {
    url: server.url,
    alerts,
    statuses,
    failNext: (...given) => void failures.push(...given),
    close: () => server.close(),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const answer = (status: number, body: object): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

const refusal = (errors: readonly string[]): Answer =>
  answer(400, { status: 'invalid event', message: 'Event object is invalid', errors });
