/** The command line of the local run: its options and its errors. */
import { describe, expect, test } from '@jest/globals';
import { UsageError } from '../../infra/command-line.ts';
import { HELP, type LocalRunOptions, parseOptions } from '../../infra/local/run/options.ts';

const nowMs = Date.parse('2026-11-20T14:00:00Z');

function parsed(...args: readonly string[]): LocalRunOptions {
  const options = parseOptions(args, nowMs);
  if (options === undefined) throw new Error('help was asked for');
  return options;
}

function refusal(...args: readonly string[]): string {
  try {
    parseOptions(args, nowMs);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`${args.join(' ')} was taken`);
}

describe('the options of the local run', () => {
  test('have defaults', () => {
    expect(parsed()).toEqual({
      carts: 200,
      seed: 1,
      inputFile: undefined,
      disturbances: 'typical',
      sinceMs: undefined,
      srmUrl: undefined,
      vmsUrl: undefined,
      environmentFile: undefined,
      watch: false,
      console: false,
      redrive: false,
      reconcile: false,
      dryRun: false,
      ordersDirectory: undefined,
      json: false,
    });
  });

  test('are all accepted, with a space or an equals sign', () => {
    const args =
      '--carts 7 --seed=0 --input a.json --disturbances harsh --since 90m --srm=https://srm.example.com --watch --redrive --reconcile --json';

    expect(parsed(...args.split(' '), '--vms', 'http://127.0.0.1:8002/11VMSProxy_V2/', '--env', './mine.json')).toEqual(
      {
        carts: 7,
        seed: 0,
        inputFile: 'a.json',
        disturbances: 'harsh',
        sinceMs: nowMs - 90 * 60_000,
        srmUrl: 'https://srm.example.com',
        vmsUrl: 'http://127.0.0.1:8002/11VMSProxy_V2',
        environmentFile: './mine.json',
        watch: true,
        console: false,
        redrive: true,
        reconcile: true,
        dryRun: false,
        ordersDirectory: undefined,
        json: true,
      },
    );
  });

  test('--console keeps the run going, to be looked at', () => {
    expect(parsed('--console')).toMatchObject({ console: true, watch: true });
  });

  test.each([['--help'], ['-h'], ['--json --help']])('%s prints the help, whatever else is given', (args) => {
    expect(parseOptions(args.split(' '), nowMs)).toBeUndefined();
  });

  test('are all in the help, with their defaults', () => {
    for (const option of 'carts seed input disturbances since srm vms send-invented-carts env dry-run orders watch console json help'.split(
      ' ',
    )) {
      expect(HELP).toMatch(new RegExp(`^ +--${option}\\b`, 'm'));
    }
    for (const variable of [
      'SRM_CLIENT_ID',
      'SRM_CLIENT_SECRET',
      'VMS_CLIENT_ID',
      'VMS_CLIENT_SECRET',
      'SRM_CLIENT_KEY',
    ]) {
      expect(HELP).toContain(variable);
    }
    expect(HELP).toMatch(/--carts.*\(200\)/);
    expect(HELP).toMatch(/--seed.*\(1\)/);
    expect(HELP).toMatch(/--disturbances.*\(typical\)/);
    expect(HELP).toContain('Exits 0 when every approved cart is accounted for, 1 otherwise.');
    expect(Math.max(...HELP.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120);
  });
});

describe('the option --vms', () => {
  test.each([['--vms https://vms.example.com'], ['--vms https://vms.example.com --carts 7 --env ./mine.json']])(
    '"%s" alone is refused: nobody wants invented orders in a real system',
    (args) => {
      expect(refusal(...args.split(' '))).toMatch(
        /^--vms https:\/\/vms\.example\.com would get (200|7) invented carts as orders\. .*--srm or --input.*--send-invented-carts/,
      );
    },
  );

  test.each([
    ['--vms https://vms.example.com --srm https://srm.example.com'],
    ['--vms https://vms.example.com --input page.json'],
    ['--vms https://vms.example.com --send-invented-carts'],
    ['--vms http://127.0.0.1:8002'],
    ['--vms http://localhost:8002'],
    ['--vms http://[::1]:8002'],
  ])('"%s" is accepted', (args) => {
    expect(parsed(...args.split(' ')).vmsUrl).toMatch(/^https?:/);
  });

  test.each(['https://127.0.0.1.example.com', 'https://localhost.example.com'])('%s is no loopback host', (url) => {
    expect(refusal('--vms', url)).toContain('invented carts');
  });
});

describe('a dry run', () => {
  test('has no disturbances unless they are asked for', () => {
    expect(parsed('--dry-run', '--orders', 'out')).toMatchObject({
      dryRun: true,
      disturbances: 'none',
      ordersDirectory: 'out',
    });
    expect(parsed('--dry-run', '--disturbances', 'harsh').disturbances).toBe('harsh');
  });

  test('reads the SRM of an environment', () => {
    expect(parsed('--dry-run', '--srm', 'env', '--env', './mine.json').srmUrl).toBe('env');
    expect(refusal('--dry-run', '--srm', 'env')).toContain('name it with --env FILE');
  });

  test.each(['http', 'yes', 'ENV'])('a system %s is refused, with both that are taken', (text) => {
    expect(refusal('--vms', text)).toContain(
      `--vms takes "env" for the one of --env, or a URL that must be a whole URL, such as https://srm.example.com, not "${text}"`,
    );
  });

  test.each(['--dry-run', '--orders out'])('%s needs the simulator of 11VMS', (option) => {
    expect(refusal(...option.split(' '), '--vms', 'http://127.0.0.1:8002')).toContain('leave --vms out');
  });
});

describe('the 11VMS of an environment', () => {
  test('is named as its SRM is', () => {
    expect(parsed('--vms', 'env', '--srm', 'env', '--env', './mine.json').vmsUrl).toBe('env');
    expect(refusal('--vms', 'env', '--input', 'page.json')).toContain('name it with --env FILE');
  });

  test('gets no invented carts, wherever it is', () => {
    expect(refusal('--vms', 'env', '--env', './mine.json')).toContain('Give real carts');
  });
});

describe('the option --since', () => {
  test.each([
    ['30s', nowMs - 30_000],
    ['90m', nowMs - 90 * 60_000],
    ['24h', nowMs - 86_400_000],
    ['7d', nowMs - 7 * 86_400_000],
    ['2026-11-20T13:00:00Z', nowMs - 3_600_000],
    ['2026-11-20T14:00:00+01:00', nowMs - 3_600_000],
    ['2026-11-19', Date.parse('2026-11-19T00:00:00Z')],
  ])('%s is accepted', (text, expected) => {
    expect(parsed('--since', text).sinceMs).toBe(expected);
  });

  test.each([
    'yesterday',
    '24',
    '24 h',
    '1.5h',
    '-1h',
    'h',
    '',
    '2026',
    '2026-13-01',
    '2026-11-20T99:00:00Z',
    '9999999d',
    '999999d',
    '1066-10-14',
  ])('"%s" is refused, and the error lists what is accepted', (text) => {
    const message = `--since takes an instant (2026-11-20T14:00:00Z) or a duration (90m, 24h, 7d), not "${text}".`;
    expect(refusal(`--since=${text}`)).toBe(`${message}\nSee npm start -- --help.`);
  });

  test('in the future is refused', () => {
    expect(refusal('--since', '2026-11-20T14:00:01Z')).toMatch(/--since .*future/);
  });
});

describe('the error of a wrong option names it and what it accepts', () => {
  test.each([
    ['--carts 0', '--carts takes a whole number from 1 to 1000000, not "0".'],
    ['--carts 1000001', '--carts takes a whole number from 1 to 1000000, not "1000001".'],
    ['--carts ten', '--carts takes a whole number from 1 to 1000000, not "ten".'],
    ['--carts 1.5', '--carts takes a whole number from 1 to 1000000, not "1.5".'],
    ['--carts 1e3', '--carts takes a whole number from 1 to 1000000, not "1e3".'],
    ['--carts=', '--carts takes a whole number from 1 to 1000000, not "".'],
    ['--carts=-5', '--carts takes a whole number from 1 to 1000000, not "-5".'],
    ['--seed -1x', "Option '--seed' argument is ambiguous."],
    ['--seed 4294967296', '--seed takes a whole number from 0 to 4294967295, not "4294967296".'],
    ['--disturbances some', '--disturbances takes none, typical or harsh, not "some".'],
    ['--disturbances', "Option '--disturbances <value>' argument missing"],
    ['--srm srm.example.com', 'must be a whole URL, such as https://srm.example.com, not "srm.example.com".'],
    [
      '--srm ftp://srm.example.com',
      '--srm takes "env" for the one of --env, or a URL that must be a whole URL, such as https://srm.example.com, not "ftp://srm.example.com".',
    ],
    [
      '--vms http://vms.example.com',
      'a URL that must be https (plain http is for loopback only), not "http://vms.example.com".',
    ],
    ['--vms http://', 'not "http://".'],
    ['--srm https://srm.example.com?sap-client=100', 'must not have a query or fragment, not "https://srm.'],
    ['--nosuch', "Unknown option '--nosuch'"],
    ['-x', "Unknown option '-x'"],
    ['carts.json', "Unexpected argument 'carts.json'."],
    ['--watch=yes', "Option '--watch' does not take an argument"],
  ])('%s', (args, message) => {
    const text = refusal(...args.split(' '));

    expect(text).toContain(message);
    expect(text).toMatch(/\nSee npm start -- --help\.$/);
  });

  test.each(['--srm', '--vms'])('%s takes no user and password, and does not repeat them', (option) => {
    const text = refusal(option, 'https://ann:s3cret@systems.example.com');

    expect(text).toContain(
      `${option} takes "env" for the one of --env, or a URL that must not hold a user or password.`,
    );
    expect(text).not.toMatch(/ann|s3cret/);
  });
});
