/** The command line of the benchmarks. */
import { expect, test } from '@jest/globals';
import { UsageError } from '../../infra/command-line.ts';
import { parseOptions } from '../benchmark/options.ts';

test.each([
  ['', { what: 'throughput', carts: 700, rounds: 3, platforms: false, json: false }],
  ['--carts 7 --rounds 1 --json', { what: 'throughput', carts: 7, rounds: 1, platforms: false, json: true }],
  [
    '--only extractor',
    { what: 'throughput', carts: 700, rounds: 3, only: ['extractor'], platforms: false, json: false },
  ],
  ['--cold', { what: 'cold', carts: 700, rounds: 20, platforms: false, json: false }],
  ['--extract 1000000', { what: 'extract', carts: 1_000_000, rounds: 3, platforms: false, json: false }],
  ['--drain=20000', { what: 'drain', carts: 20_000, rounds: 3, platforms: false, json: false }],
  ['--cost', { what: 'cost', carts: 300, rounds: 3, platforms: false, json: false }],
  ['--cost --platforms', { what: 'cost', carts: 300, rounds: 3, platforms: true, json: false }],
  ['--help', undefined],
])('the benchmark options "%s" are accepted', (args, options) => {
  expect(parseOptions(args.split(' ').filter((arg) => arg !== ''))).toEqual(options);
});

test.each([
  ['--cold --platforms', /--platforms goes with --cost/],
  ['--cost --only extractor', /--only does not go with --cost/],
  ['--cold --cost', /Either --cold or --cost, not both/],
  ['--extract many', /--extract takes a whole number from 1 to 100000000, not "many"/],
  ['--rounds 0', /--rounds takes a whole number/],
  ['--warm', /Unknown option '--warm'/],
])('the benchmark options "%s" are refused, and the error names the mistake', (args, message) => {
  expect(() => parseOptions(args.split(' '))).toThrow(UsageError);
  expect(() => parseOptions(args.split(' '))).toThrow(message);
});
