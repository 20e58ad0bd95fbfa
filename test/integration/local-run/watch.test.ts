/** `npm start -- --watch` runs until Ctrl-C, and then leaves no process behind. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..', '..');
const directory = mkdtempSync(join(tmpdir(), 'watch-'));
let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** The processes with this test's mark in their environment, and their children. */
function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/stat`, 'utf8');
      // pid (command) state ppid
      parents.set(Number(name), Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // The process has just ended.
    }
  }
  const children = [...parents].filter(([, parent]) => parent === pid).map(([name]) => name);
  return [...children, ...children.flatMap(descendantsOf)];
}
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('npm start -- --watch', () => {
  test('ends on Ctrl-C with its summary, exit 0, and no process left', async () => {
    let stdout = '';
    const running = spawn(
      join(root, 'node_modules', '.bin', 'node'),
      ['infra/local/run/main.ts', '--watch', '--carts', '5', '--disturbances', 'none'],
      {
        cwd: root,
        env: { PATH: process.env['PATH'] ?? '', HOME: directory, TMPDIR: directory },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    child = running;
    running.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    const ended = once(running, 'close');
    // The first extraction and its carts are done. The next extraction is up to a minute away.
    for (const sign of [/next extraction at/, /moving +5 queued · [1-9]/]) {
      while (!sign.test(stdout) && running.exitCode === null && running.signalCode === null) await pause(100);
    }
    const workers = descendantsOf(running.pid ?? 0);
    expect(workers.length).toBeGreaterThan(0);
    expect(running.exitCode).toBeNull();
    const [, lookInside = ''] = /^ {2}look inside +while it runs: (.+)$/m.exec(stdout) ?? [];
    const { stdout: seen } = await run('sh', ['-c', lookInside], { cwd: root });
    expect(seen).toMatch(/messages? on the queue[^]*Consumption is running\.\nSRM is read up to /);
    // Nobody else gets a token of a simulator, which may hold real carts: the client that stands in its code is not this run's.
    const simulators = [...stdout.matchAll(/^ {2}systems +(?:SRM 7|11VMS) simulator at (http:\/\/[\d.:]+)/gm)].map(
      ([, url]) => url ?? '',
    );
    const clients = ['interface-at-srm7:srm7-simulator-secret', 'interface-at-11vms:11vms-simulator-secret'];
    const statuses = await Promise.all(
      simulators.map(async (url, index) => {
        const Authorization = `Basic ${Buffer.from(clients[index] ?? '').toString('base64')}`;
        const body = new URLSearchParams({ grant_type: 'client_credentials' });
        return (await fetch(`${url}/oauth/token`, { method: 'POST', headers: { Authorization }, body })).status;
      }),
    );
    expect(statuses).toEqual([401, 401]);

    running.kill('SIGINT');
    const [status] = await ended;

    expect(stdout).toContain('Ctrl-C ends the run');
    expect(stdout).toContain('Summary: every approved cart is accounted for');
    expect(stdout).toMatch(/^ +5 {2}carts approved, 5 queued/m);
    expect(status).toBe(0);
    for (let tries = 0; workers.some(isAlive) && tries < 50; tries++) await pause(100);
    expect(workers.filter(isAlive)).toEqual([]);
  }, 180_000);
});

test('a second Ctrl-C ends a run at once: it says where its log stays, and leaves nothing else behind', async () => {
  let output = '';
  const temporary = mkdtempSync(join(tmpdir(), 'second-ctrl-c-'));
  const running = spawn(join(root, 'node_modules', '.bin', 'node'), ['infra/local/run/main.ts', '--carts', '5000'], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', HOME: temporary, TMPDIR: temporary },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = running;
  running.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const ended = once(running, 'close');
  const until = async (sign: RegExp): Promise<void> => {
    while (!sign.test(output) && running.exitCode === null && running.signalCode === null) await pause(50);
  };
  await until(/moving +[1-9]\d* queued/);
  const workers = descendantsOf(running.pid ?? 0);

  running.kill('SIGINT');
  await until(/^ {2}ending .*Ctrl-C once more ends at once/m);
  await pause(600);
  running.kill('SIGINT');
  const [status] = await ended;

  const [folder = ''] = readdirSync(temporary);
  const left = readdirSync(join(temporary, folder));
  for (let tries = 0; workers.some(isAlive) && tries < 50; tries++) await pause(100);
  rmSync(temporary, { recursive: true });
  expect({ status, left, alive: workers.filter(isAlive) }).toEqual({ status: 130, left: ['functions.log'], alive: [] });
  expect(output).toContain(`the run broke off; its log stays at ${join(temporary, folder, 'functions.log')}`);
  expect(output).not.toContain('Summary');
}, 180_000);
