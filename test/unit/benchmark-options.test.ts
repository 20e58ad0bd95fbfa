/** The command line of the benchmarks. */
import { expect, test } from '@jest/globals';
import { UsageError } from '../../infra/command-line.ts';
import { parseOptions } from '../benchmark/options.ts';

test.each([
  ['', { what: 'throughput', carts: 700, rounds: 3, json: false }],
  ['--carts 7 --rounds 1 --json', { what: 'throughput', carts: 7, rounds: 1, json: true }],
  ['--cold', { what: 'cold', carts: 700, rounds: 20, json: false }],
  ['--extract 1000000', { what: 'extract', carts: 1_000_000, rounds: 3, json: false }],
  ['--drain=20000', { what: 'drain', carts: 20_000, rounds: 3, json: false }],
  ['--cost', { what: 'cost', carts: 300, rounds: 3, json: false }],
  ['--help', undefined],
])('the benchmark options "%s" are accepted', (args, options) => {
  expect(parseOptions(args.split(' ').filter((arg) => arg !== ''))).toEqual(options);
});

test.each([
  ['--cold --cost', /Either --cold or --cost, not both/],
  ['--extract many', /--extract takes a whole number from 1 to 100000000, not "many"/],
  ['--rounds 0', /--rounds takes a whole number/],
  ['--warm', /Unknown option '--warm'/],
])('the benchmark options "%s" are refused, and the error names the mistake', (args, message) => {
  expect(() => parseOptions(args.split(' '))).toThrow(UsageError);
  expect(() => parseOptions(args.split(' '))).toThrow(message);
});
