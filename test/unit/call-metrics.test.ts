/** What a call to a system leaves behind: durations and failures by system, and a log line only when it was slow. */
import { describe, expect, test } from '@jest/globals';
import { measureCalls } from '../../shared/call-metrics.ts';
import type { HttpCall } from '../../shared/http-client.ts';
import type { Log, LogFields } from '../../shared/log.ts';

/** Measures one call; returns what was counted and logged. */
function measured(system: 'SRM' | '11VMS', call: Partial<HttpCall>) {
  const counted: [string, number][] = [];
  const lines: [string, LogFields | undefined][] = [];
  const write = (message: string, fields?: LogFields): void => {
    lines.push([message, fields]);
  };
  const log: Log = { info: write, warn: write, error: write, with: () => log };
  const count = (name: string, value = 1): void => {
    counted.push([name, value]);
  };
  const meter = { count, milliseconds: count, seconds: count };
  measureCalls(system, meter, log)({ method: 'GET', correlationId: 'c-1', durationMs: 12, status: 200, ...call });
  return { counted, lines };
}

describe('a call to a system', () => {
  test('is measured under the name of its system', () => {
    expect(measured('SRM', {}).counted).toEqual([['SrmCallDuration', 12]]);
    expect(measured('11VMS', { durationMs: 7 }).counted).toEqual([['VmsCallDuration', 7]]);
  });

  test.each([undefined, 500, 503])('that ended with %s is an error of its system', (status) => {
    expect(measured('SRM', { status }).counted).toContainEqual(['SrmCallErrors', 1]);
    expect(measured('11VMS', { status }).counted).toContainEqual(['VmsCallErrors', 1]);
  });

  test.each([200, 201, 400, 401, 404, 409, 422, 429])('that was answered %s is no error of its system', (status) => {
    expect(measured('11VMS', { status }).counted).toEqual([['VmsCallDuration', 12]]);
  });

  test('gets a log line of its own from three seconds on, and not before', () => {
    expect(measured('11VMS', { durationMs: 2999 }).lines).toEqual([]);
    expect(measured('11VMS', { durationMs: 3000, method: 'POST', status: undefined }).lines).toEqual([
      ['call.slow', { system: '11VMS', method: 'POST', status: undefined, durationMs: 3000, correlationId: 'c-1' }],
    ]);
  });
});
