/** What `npm run bench` runs. */
import { parseArgs } from 'node:util';
import { stopAll } from './processes.ts';
import { benchThroughput, type Comparison } from './throughput.ts';

const HELP = `npm run bench -- [options]

Measures both functions, bundled as deployed, beside a floor in the same run: a bare handler that makes the same HTTP
calls and the same number of DynamoDB calls, a bare stream from page to queue. Both systems answer after 20 ms. Every figure
that counts is a ratio; the others are of this machine, this minute.

  --carts N      carts a round (1000; the extractor reads five times as many)
  --rounds N     rounds, ours and the floor in turn; medians (3)
  --json         one JSON line on stdout, all else on stderr
  --help         this text
`;

async function main(args: readonly string[]): Promise<number> {
  process.once('exit', stopAll);
  process.once('SIGINT', () => process.exit(130));
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        carts: { type: 'string', default: '1000' },
        rounds: { type: 'string', default: '3' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    });
    if (values.help) {
      process.stdout.write(HELP);
      return 0;
    }
    const onStep = (step: string): void => void process.stderr.write(`  ${step}\n`);
    const carts = wholeNumber('--carts', values.carts);
    const rounds = wholeNumber('--rounds', values.rounds);
    const { consumers, extractor } = await benchThroughput({ carts, rounds, onStep });
    const consumer = consumers.find(({ batchSize }) => batchSize === 10);
    if (consumer === undefined) throw new Error('nothing was measured at batch size 10');
    if (values.json) {
      const { ratio, cpuRatio, tokenRequests, dynamodbCallsPerOrder } = consumer;
      const line = {
        consumer: { ratio, cpuRatio },
        extractor: { ratio: extractor.ratio },
        tokenRequests,
        dynamodbCallsPerOrder,
      };
      process.stdout.write(`${JSON.stringify(line)}\n`);
      return 0;
    }
    const lines = [
      row('', 'carts/s', 'floor', 'ratio', 'CPU ms/cart', 'floor', 'ratio'),
      ...consumers.map((one) => comparisonRow(`consumer, batches of ${one.batchSize}`, one)),
      comparisonRow('extractor', extractor),
      '',
      `token requests and secret reads of one environment: ${consumer.tokenRequests} and ${consumer.secretReads}`,
      `DynamoDB calls per created order: ${consumer.dynamodbCallsPerOrder.toFixed(2)}; look-ups: ${consumer.lookUpsPerOrder.toFixed(2)}`,
      `messages in a billing unit of 64 KiB: ${extractor.messagesPerBillingUnit.toFixed(2)}`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  }
}

function wholeNumber(option: string, text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new Error(`${option} takes a whole number, not "${text}"`);
}

const row = (name: string, ...cells: readonly string[]): string =>
  `${name.padEnd(26)}${cells.map((cell) => cell.padStart(12)).join('')}`;

const comparisonRow = (name: string, { ours, floor, ratio, cpuRatio }: Comparison): string =>
  row(
    name,
    ours.cartsPerSecond.toFixed(0),
    floor.cartsPerSecond.toFixed(0),
    ratio.toFixed(2),
    ours.cpuMsPerCart.toFixed(2),
    floor.cpuMsPerCart.toFixed(2),
    cpuRatio.toFixed(2),
  );

process.exitCode = await main(process.argv.slice(2));
