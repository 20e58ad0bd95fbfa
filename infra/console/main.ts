/** What `npm run console` runs. */
import { runCommand } from '../command-line.ts';
import { type ConsoleCommandOptions, HELP, parseOptions } from './options.ts';

process.exitCode = await runCommand(() => parseOptions(process.argv.slice(2)), HELP, run);

/** Returns 0 when it ends by Ctrl-C or by itself, 1 when it cannot begin. */
async function run(options: ConsoleCommandOptions): Promise<number> {
  // The AWS clients take most of the time to load, and help does not need them.
  const [{ openSources }, { serveConsole }, { Unanswerable }] = await Promise.all([
    import('./open-sources.ts'),
    import('./serve.ts'),
    import('../carts/open-ledger.ts'),
  ]);
  const write = (text: string): void => {
    process.stderr.write(`${text}\n`);
  };
  try {
    const sources = await openSources(options);
    const { promise: ended, resolve: end } = Promise.withResolvers<string>();
    process.once('SIGINT', () => end('ended')).once('SIGTERM', () => end('ended'));
    const served = await serveConsole({
      ...options,
      sources,
      idleMs: options.idleMinutes * 60_000,
      onIdle: () => end(`ended after ${options.idleMinutes} minutes without use`),
      onLink: (link) => write(`open in a browser: ${link}`),
      onError: (error) => write(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    });
    write(`${options.mode === 'operate' ? 'operates' : 'read only'}; Ctrl-C ends it`);
    write(await ended);
    await served.close();
    sources.close();
    return 0;
  } catch (error) {
    if (!(error instanceof Unanswerable)) throw error;
    write(`\n${error.message}\n  -> ${error.advice}`);
    return 1;
  }
}
