/** The findings of the doctor, as text and as JSON. */
import type { Finding } from './finding.ts';

/** Does nothing need a person? A warning needs one, who judges it. */
export const isHealthy = (findings: readonly Finding[]): boolean => findings.every(({ status }) => status === 'ok');

export const hasFailure = (findings: readonly Finding[]): boolean => findings.some(({ status }) => status === 'fail');

const MARKS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;

/** A line for each finding, and how many there are of each kind. */
export function asText(findings: readonly Finding[]): string {
  const lines = findings.map((finding) => {
    const advice = finding.status === 'ok' ? '' : `  -> ${finding.advice}`;
    return `${MARKS[finding.status]}  ${finding.what}${advice}`;
  });
  const count = (wanted: Finding['status']): number => findings.filter(({ status }) => status === wanted).length;
  return `${[...lines, '', `${count('ok')} ok, ${count('warn')} WARN, ${count('fail')} FAIL`].join('\n')}\n`;
}

export const asJson = (environment: string, findings: readonly Finding[]): string =>
  `${JSON.stringify({ environment, healthy: isHealthy(findings), findings })}\n`;
