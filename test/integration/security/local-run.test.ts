/**
 * `npm start` on a developer's machine: it listens on loopback alone, and an untrusted file of carts pollutes nothing,
 * controls no terminal and forges no line of the log.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { LogLine } from '../../../infra/local/aws/execution-environment.ts';
import { LambdaFunction } from '../../../infra/local/aws/lambda-function.ts';
import { loadTemplate } from '../../../infra/local/aws/template.ts';
import { ARTIFACT, writeAssembly } from '../local/assembly.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'hostile-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Addresses in /proc/net/tcp and tcp6 on which a process listens, in the kernel's hexadecimal. */
function listeningAddresses(pid: number): string[] {
  const files = `/proc/${pid}/fd`;
  if (!existsSync(files)) return [];
  const inodes = new Set(
    readdirSync(files).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(join(files, fd)))?.slice(1) ?? [];
      } catch {
        // The connection was closed meanwhile.
        return [];
      }
    }),
  );
  const rows = ['tcp', 'tcp6'].flatMap((name) => {
    try {
      return readFileSync(`/proc/${pid}/net/${name}`, 'utf8').split('\n').slice(1);
    } catch {
      // The process has just ended, or the machine has no IPv6.
      return [];
    }
  });
  return rows.flatMap((row) => {
    const [, local = '', , state, , , , , , inode = ''] = row.trim().split(/\s+/);
    return state === '0A' && inodes.has(inode) ? [local.split(':')[0] ?? ''] : [];
  });
}

const ESCAPES = '\u001b[2J\u001b]0;title\u0007\u009b31m\u202e';
const POISON = '"__proto__":{"polluted":1,"baseUrl":"http://127.0.0.1:1"},"constructor":{"prototype":{"polluted":1}},';

interface SampleRow {
  readonly [name: string]: unknown;
}
const samplePage: { d: { results: readonly SampleRow[] } } = JSON.parse(
  readFileSync(join(root, 'shared', 'contract', 'samples', 'srm7-shopping-carts.json'), 'utf8'),
);
const [sample] = samplePage.d.results;
const guid = (n: number): string => `005056a5-0000-1eeb-8000-${String(n).padStart(12, '0')}`;
const rows = [
  { ...sample, Guid: guid(1), ObjectId: '1000000001', Description: `KANARI ${ESCAPES}\n\0END x\n{"level":"ERROR"}` },
  { ...sample, Guid: guid(2), ObjectId: `47${ESCAPES}`, Items: 'KANARI' },
  { ...sample, Guid: `${ESCAPES}\u2028`, ObjectId: '1000000003' },
  { ...sample, Guid: guid(5), ObjectId: '1000000005\n{"level":"ERROR"}' },
  { ...sample, Guid: guid(4), ObjectId: '1000000004', Status: `KANARI${ESCAPES}` },
];

describe('a run over an untrusted file', () => {
  let stdout = '';
  let stderr = '';
  let status: number | null = null;
  const listening = new Set<string>();
  beforeAll(async () => {
    const page = JSON.stringify({ d: { results: rows } }).replace(/\{(?=")/g, `{${POISON}`);
    writeFileSync(join(directory, 'page.json'), page);
    const child = spawn(
      join(root, 'node_modules', '.bin', 'node'),
      ['infra/local/run/main.ts', '--json', '--input', join(directory, 'page.json')],
      { cwd: root, env: { PATH: process.env['PATH'] ?? '', HOME: directory, TMPDIR: directory }, timeout: 150_000 },
    );
    const watch = setInterval(() => {
      for (const address of listeningAddresses(child.pid ?? 0)) listening.add(address);
    }, 50);
    const ended = new Promise<number | null>((resolve) => {
      child.once('close', resolve);
    });
    [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    clearInterval(watch);
  }, 180_000);

  test('accounts for every cart, also one that names a prototype', () => {
    expect({ status, stderr: status === 0 ? '' : stderr.slice(-3000) }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ approved: 5, unaccounted: 0, created: 1 });
  });

  test('controls no terminal: neither output holds an escape or a line that is not its own', () => {
    const lines = [...stdout.trimEnd().split('\n'), ...stderr.trimEnd().split('\n')];
    expect(lines.filter((line) => /[\p{Cc}\p{Zl}\p{Zp}\u202e]/u.test(line)).map((line) => line.length)).toEqual([]);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  });

  test('leaves a log of whole JSON lines, without a text of the carts', () => {
    const [, path = ''] = /^ +log +(\S+)$/m.exec(stderr) ?? [];
    const log = readFileSync(path, 'utf8');
    // The one line that is not ours: Powertools reports in plain words an invocation that measured nothing.
    const lines = log.split('\n').filter((line) => line !== '' && !line.startsWith('No application metrics'));
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) {
      expect(typeof JSON.parse(line)).toBe('object');
      expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202e]/u);
    }
    expect(log).not.toContain('KANARI');
  });

  // Where there is no /proc, the emulators' own test (../local/emulators.test.ts) checks the same for each of them.
  test('listens on 127.0.0.1 and nowhere else', () => {
    expect([...listening]).toEqual(existsSync('/proc/self/net/tcp') ? ['0100007F'] : []);
  });
});

test('a function that writes the end mark of a log itself does not end its log: later lines are still its own', async () => {
  const lines: LogLine[] = [];
  const template = loadTemplate(
    writeAssembly(
      {},
      {
        code: `exports.handler = async () => {
          for (const stream of [process.stdout, process.stderr]) stream.write('\\0END 00000000-0000-0000-0000-000000000000\\n');
          for (let i = 0; i < 5000; i += 1) console.log('after ' + i); };`,
      },
    ),
    ARTIFACT,
  );
  const lambda = new LambdaFunction(
    {
      logicalId: 'Code',
      name: 'tiny-Code',
      arn: 'arn:aws:lambda:eu-west-1:000000000000:function:tiny-Code',
      runtime: 'nodejs24.x',
      codeDirectory: template.assetDirectories.get('code.zip') ?? '',
      handler: 'main.handler',
      timeoutMs: 5000,
      memoryMegabytes: 256,
      variables: {},
    },
    {
      region: 'eu-west-1',
      endpoints: {
        sqs: 'http://127.0.0.1:1',
        dynamodb: 'http://127.0.0.1:2',
        secretsManager: 'http://127.0.0.1:3',
        lambda: 'http://127.0.0.1:4',
      },
      onLogLine: (line) => lines.push(line),
    },
  );

  const { requestId } = await lambda.invoke({});
  const own = lines.filter((line) => line.requestId === requestId).map((line) => line.text);
  await lambda.close();

  expect(own.filter((line) => line.startsWith('after'))).toHaveLength(5000);
  expect(own).toContain('\0END 00000000-0000-0000-0000-000000000000');
});
