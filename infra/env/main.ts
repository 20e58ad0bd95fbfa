/** What `npm run env` runs. */
import { createInterface } from 'node:readline/promises';
import { runCommand } from '../command-line.ts';
import { check } from './check.ts';
import { Interrupted, NotWritten, writeNewEntry } from './new-entry.ts';
import { type EnvOptions, HELP, parseOptions } from './options.ts';

process.exitCode = await runCommand(() => parseOptions(process.argv.slice(2)), HELP, run);

async function run(options: EnvOptions): Promise<number> {
  if (options.action === 'check') {
    const { isValid, stdout, stderr } = check(options);
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    return isValid ? 0 : 1;
  }
  try {
    await writeNewEntry(options, {
      say: (line) => void process.stdout.write(`${line}\n`),
      ask: process.stdin.isTTY && process.stdout.isTTY ? ask : undefined,
      now: Date.now,
    });
    return 0;
  } catch (error) {
    if (!(error instanceof NotWritten)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    return error instanceof Interrupted ? 130 : 1;
  }
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const interrupted = new AbortController();
  // Ctrl-C and Ctrl-D: without a listener the question would wait for ever.
  terminal.once('SIGINT', () => interrupted.abort()).once('close', () => interrupted.abort());
  try {
    return await terminal.question(question, { signal: interrupted.signal });
  } catch (error) {
    throw interrupted.signal.aborted ? new Interrupted() : error;
  } finally {
    terminal.close();
  }
}
