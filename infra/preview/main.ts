/** What `npm run preview` runs. */
import { writeFileSync } from 'node:fs';
import { runCommand } from '../command-line.ts';
import { HELP, parseOptions, type PreviewOptions } from './options.ts';

const FINE = 0;
const FAULTS = 1;
const UNUSABLE = 2;

/** Where the output is not a terminal, as in a mail. */
const DEFAULT_WIDTH = 118;

// A reader that has seen enough, such as head, closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await runCommand(() => parseOptions(process.argv.slice(2)), HELP, run, UNUSABLE);

async function run(options: PreviewOptions): Promise<number> {
  // Help needs no translation.
  const [{ hasFaults, preview, print }, { UnusableInput }] = await Promise.all([
    import('./preview.ts'),
    import('./read-input.ts'),
  ]);
  try {
    const shown = await preview(options, new Date().toISOString().slice(0, 10));
    const width = Math.min(Math.max(process.stdout.columns ?? DEFAULT_WIDTH, 90), 160);
    const output = print(shown, options.format, width);
    if (options.outputFile === undefined) process.stdout.write(output);
    else writeOutput(options.outputFile, output);
    return hasFaults(shown) ? FAULTS : FINE;
  } catch (error) {
    if (!(error instanceof UnusableInput)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    return UNUSABLE;
  }

  /** Only for its owner: the output holds what the carts hold. */
  function writeOutput(file: string, output: string): void {
    try {
      writeFileSync(file, output, { mode: 0o600 });
    } catch (error) {
      throw new UnusableInput(
        `--output ${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    process.stderr.write(`${file} is written\n`);
  }
}
