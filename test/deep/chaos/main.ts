/** What `npm run chaos` runs. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../../infra/command-line.ts';
import { type Assembly, Interrupted, prepareAssembly, type RunResult, runChaos } from './chaos-run.ts';
import { type ChaosOptions, HELP, parseOptions, refusal } from './options.ts';
import { drawSchedule, parseSchedule, printSchedule, type Schedule } from './schedule.ts';
import { shrinkSchedule } from './shrink.ts';
import { createTally, type Tally } from './tally.ts';

const PROGRESS_MS = 10_000;
/** The most violations that are printed one by one. */
const MOST_DETAILS = 10;
/** Timing varies: a schedule that failed once is tried so many times before it counts as passed. */
const CHANCES = 2;
const SHRINK_BUDGET = 120;

// exit() and not exitCode: after hundreds of runs Node once hung at its end, although everything was closed.
process.exit(await main(process.argv.slice(2)));

/** 0 when every invariant held in every run, 1 otherwise. */
async function main(args: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  // Each function of each run listens for the end of this process.
  process.setMaxListeners(0);
  try {
    const options = parseOptions(args);
    if (options === undefined) {
      process.stdout.write(HELP);
      return 0;
    }
    return await runAll(options, interrupted.signal);
  } catch (error) {
    process.stderr.write(`\n${describe(error)}\n`);
    return 1;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof UsageError ? error.message : (error.stack ?? error.message);
}

/** Prints progress; with --json to stderr. */
interface Session {
  readonly options: ChaosOptions;
  readonly assembly: Assembly;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

async function runAll(options: ChaosOptions, signal: AbortSignal): Promise<number> {
  const people = options.json ? process.stderr : process.stdout;
  const say = (text: string): void => void people.write(`${text}\n`);
  const schedules = schedulesOf(options);
  const [first] = schedules;
  say(
    `chaos: ${options.runs} runs of ${first?.carts} carts, ` +
      (options.scheduleFile === undefined
        ? `disturbances ${options.disturbances}, seeds ${options.seed} to ${options.seed + options.runs - 1}`
        : `under the schedule in ${options.scheduleFile}`) +
      `, ${options.parallel} at once`,
  );
  const assembly = await prepareAssembly();
  try {
    const tally = createTally();
    const session: Session = { options, assembly, signal, say };
    await runEach(schedules, session, tally);
    const smallest = await shrinkFirst(tally, session);
    if (options.json) {
      process.stdout.write(
        `${JSON.stringify({ ...tally.summary(), ...(smallest === undefined ? {} : { smallest }) })}\n`,
      );
    }
    for (const line of tally.lines()) say(line);
    if (signal.aborted) say('interrupted');
    return tally.failures.length === 0 && !signal.aborted ? 0 : 1;
  } finally {
    assembly.remove();
  }
}

function schedulesOf({ scheduleFile, runs, seed, carts, disturbances }: ChaosOptions): Schedule[] {
  if (scheduleFile === undefined) {
    return Array.from({ length: runs }, (_run, index) => drawSchedule(seed + index, carts, disturbances));
  }
  let schedule: Schedule;
  try {
    schedule = parseSchedule(readFileSync(scheduleFile, 'utf8'));
  } catch (error) {
    throw refusal(`--schedule ${scheduleFile}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return Array.from({ length: runs }, () => schedule);
}

/** Runs many schedules in parallel, because a run mostly waits. */
async function runEach(schedules: readonly Schedule[], session: Session, tally: Tally): Promise<void> {
  const { options, signal, say } = session;
  const queue = schedules.values();
  const progress = setInterval(() => say(`  ${tally.progress(options.runs)}`), PROGRESS_MS);
  const worker = async (): Promise<void> => {
    for (const schedule of queue) {
      if (signal.aborted) return;
      const result = await runOne(schedule, session);
      if (result === undefined) return;
      tally.add(result);
      if (result.violations.length > 0) tellFailure(result, session);
    }
  };
  try {
    await Promise.all(Array.from({ length: options.parallel }, worker));
  } finally {
    clearInterval(progress);
  }
}

/** Undefined after Ctrl-C. */
async function runOne(schedule: Schedule, { assembly, signal }: Session): Promise<RunResult | undefined> {
  try {
    return await runChaos(schedule, { assembly, signal });
  } catch (error) {
    if (error instanceof Interrupted) return undefined;
    throw error;
  }
}

function tellFailure({ schedule, violations, log }: RunResult, { say }: Session): void {
  const directory = mkdtempSync(join(tmpdir(), `chaos-seed-${schedule.seed}-`));
  writeFileSync(join(directory, 'functions.log'), log.map((line) => `${line}\n`).join(''));
  writeFileSync(join(directory, 'schedule.json'), printSchedule(schedule));
  say(
    `  FAILED: seed ${schedule.seed}, 11VMS ${schedule.target}, ${schedule.disturbances.length} disturbances; see ${directory}`,
  );
  for (const { invariant, detail } of violations.slice(0, MOST_DETAILS)) say(`    ${invariant}: ${detail}`);
  if (violations.length > MOST_DETAILS) say(`    and ${violations.length - MOST_DETAILS} more`);
}

/** Prints the smallest schedule of the first failure and writes it to a file. */
async function shrinkFirst(tally: Tally, session: Session): Promise<Schedule | undefined> {
  const { options, signal, say } = session;
  const [failure] = tally.failures;
  if (failure === undefined || !options.shrink || signal.aborted) return undefined;
  const wanted = new Set(failure.violations.map(({ invariant }) => invariant));
  say(
    `  shrinking the schedule of seed ${failure.schedule.seed} (${failure.schedule.disturbances.length} disturbances)`,
  );
  const smallest = await shrinkSchedule(failure.schedule, {
    atOnce: Math.max(1, Math.floor(options.parallel / CHANCES)),
    budget: SHRINK_BUDGET,
    signal,
    async fails(candidate) {
      const chances = Array.from({ length: CHANCES }, () => runOne(candidate, session));
      const results = await Promise.all(chances);
      return results.some((result) => result?.violations.some(({ invariant }) => wanted.has(invariant)));
    },
    onSmaller: ({ disturbances, carts }) =>
      say(`    still fails with ${disturbances.length} disturbances, ${carts} carts`),
  });
  const file = join(mkdtempSync(join(tmpdir(), `chaos-seed-${smallest.seed}-smallest-`)), 'schedule.json');
  writeFileSync(file, printSchedule(smallest));
  say(`  the smallest schedule that still fails:\n${printSchedule(smallest)}`);
  say(`  to repeat it: npm run chaos -- --runs 10 --schedule ${file}`);
  return smallest;
}
