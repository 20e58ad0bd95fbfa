/** Reads the options of all commands, and words their errors. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { baseUrl } from './setting-forms.ts';
import { checkSettings } from './setting-mistakes.ts';

/** A wrong option. The message names the option and what it takes. */
export class UsageError extends Error {
  constructor(message: string, command: string) {
    super(`${message}\nSee ${command} -- --help.`);
    this.name = 'UsageError';
  }
}

/**
 * Runs a command with its options, or prints its help. A wrong option is one sentence on stderr.
 * @param parse Undefined when help is asked for. @throws {UsageError}
 * @returns The exit code: that of `run`; 0 after help, `usageExitCode` for a wrong option.
 */
export async function runCommand<Options>(
  parse: () => Options | undefined,
  help: string,
  run: (options: Options) => Promise<number>,
  usageExitCode = 1,
): Promise<number> {
  let options: Options | undefined;
  try {
    options = parse();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    return usageExitCode;
  }
  if (options !== undefined) return run(options);
  process.stdout.write(help);
  return 0;
}

export const DISTURBANCE_LEVELS = ['none', 'typical', 'harsh'] as const;
export type DisturbanceLevel = (typeof DISTURBANCE_LEVELS)[number];

/** The option readers of one command. All throw {@link UsageError}. @param command As the user types it. */
export function commandLine(command: string) {
  const refusal = (message: string): UsageError => new UsageError(message, command);
  /** The options by name; undefined for an option that is not given. */
  const parse = <const Options extends ParseArgsOptionsConfig>(args: readonly string[], options: Options) => {
    try {
      return parseArgs({ args: [...args], options }).values;
    } catch (error) {
      throw refusal(error instanceof Error ? error.message : String(error));
    }
  };
  /** As {@link parse}, with what is no option. */
  const parseWithOperands = <const Options extends ParseArgsOptionsConfig>(
    args: readonly string[],
    options: Options,
  ) => {
    try {
      return parseArgs({ args: [...args], options, allowPositionals: true });
    } catch (error) {
      throw refusal(error instanceof Error ? error.message : String(error));
    }
  };
  const wholeNumber = (option: string, text: string, minimum: number, maximum: number): number => {
    const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= minimum && number <= maximum) return number;
    throw refusal(`${option} takes a whole number from ${minimum} to ${maximum}, not "${text}".`);
  };
  const disturbanceLevel = (text: string): DisturbanceLevel => {
    const level = DISTURBANCE_LEVELS.find((one) => one === text);
    if (level !== undefined) return level;
    throw refusal(`--disturbances takes none, typical or harsh, not "${text}".`);
  };
  /**
   * By the rules of the environment entry, since a token or a signed call goes there. A user and password are not repeated.
   * @param takes Such as "a URL".
   */
  const url = (option: string, takes: string, text: string): string => {
    const checked = checkSettings(baseUrl, text);
    if ('settings' in checked) return checked.settings;
    const mistakes = [...new Set(checked.mistakes.map(({ message }) => message))].join(', and ');
    const given = text.includes('@') ? '' : `, not "${text}"`;
    throw refusal(`${option} takes ${takes} that ${mistakes}${given}.`);
  };
  return { refusal, parse, parseWithOperands, wholeNumber, disturbanceLevel, url };
}
