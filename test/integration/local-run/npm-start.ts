/** What `npm start` runs, in a process of its own, with the variables of a shell without AWS settings. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import * as z from 'zod';

export const ROOT = join(import.meta.dirname, '..', '..', '..');

export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** One run to its end. @param directory Its home, and the place of its temporary files. */
export async function npmStart(
  directory: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<Run> {
  const child = spawn(join(ROOT, 'node_modules', '.bin', 'node'), ['infra/local/run/main.ts', ...args], {
    cwd: ROOT,
    env: { PATH: process.env['PATH'] ?? '', HOME: directory, TMPDIR: directory, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A run that does not end must end with the test.
    timeout: 230_000,
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, status };
}

const deadLetters = z.array(
  z.strictObject({
    cartNumber: z.string().nullable(),
    guid: z.string().nullable(),
    codes: z.array(z.string()),
    reason: z.string(),
    faults: z.array(
      z.strictObject({
        code: z.string(),
        message: z.string(),
        path: z.string().exactOptional(),
        line: z.string().exactOptional(),
        field: z.string().exactOptional(),
        value: z.string().exactOptional(),
        owner: z.string().nullable(),
        action: z.string().nullable(),
      }),
    ),
    body: z.string(),
  }),
);

const summarySchema = z.strictObject({
  approved: z.int(),
  queued: z.int(),
  dryRun: z.boolean(),
  created: z.int(),
  createdInFull: z.int(),
  createdInPart: z.int(),
  skipped: z.int(),
  deadLettered: deadLetters,
  retries: z.int(),
  waiting: z.int(),
  unaccounted: z.int(),
  seconds: z.number(),
  failure: z.string().nullable(),
  pause: z.string().nullable(),
  orders: z.array(
    z.strictObject({
      cartNumber: z.string(),
      externalId: z.string(),
      orderId: z.string().nullable(),
      orderNumber: z.string().nullable(),
    }),
  ),
  skips: z.array(z.strictObject({ cart: z.string(), reason: z.string() })),
  condemned: deadLetters,
  waitingCarts: z.array(z.string()),
  unaccountedCarts: z.array(z.string()),
  doubled: z.array(z.string()),
  warnings: z.array(
    z.strictObject({ cartNumber: z.string().nullable(), codes: z.array(z.string()), reasons: z.array(z.string()) }),
  ),
  log: z.string(),
});

/** What --json prints. */
export const summaryOf = ({ stdout }: Run): z.infer<typeof summarySchema> => summarySchema.parse(JSON.parse(stdout));
