/** Faults as the ledger's items hold them. */
import * as z from 'zod';
import { type Fault, type Finding, isFaultCode } from './failure.ts';

const recordedFault = z
  .object({
    code: z.string(),
    message: z.string(),
    line: z.string().exactOptional(),
    path: z.string().exactOptional(),
    field: z.string().exactOptional(),
    value: z.string().exactOptional(),
  })
  .transform(
    ({ code, message, ...place }): Fault =>
      isFaultCode(code)
        ? { code, message, ...place }
        : { code: 'E_INT_UNEXPECTED', message: `${code}: ${message}`, ...place },
  );

const UNREADABLE: Fault = { code: 'E_INT_UNEXPECTED', message: 'the recorded fault cannot be read' };

/**
 * Never fails: an item that another version of this interface wrote stays readable. A code that this version does not
 * know becomes E_INT_UNEXPECTED, and stands at the beginning of the message.
 */
export const recordedFaults = z.array(recordedFault.catch(UNREADABLE)).catch([UNREADABLE]);

const MAXIMUM_FINDINGS = 100;
const MAXIMUM_MESSAGE = 500;
const MAXIMUM_PLACE = 200;

/**
 * The first hundred, each code at least once, and how many more there are. A row of three bytes can have a dozen faults: all
 * of a cart, kept until its verdict is written, would fill the memory of the worker.
 */
export function firstFindings<Code extends string>(findings: readonly Finding<Code>[]): readonly Finding<Code>[] {
  // One more, in the place of the number: what is cut already stays as it is.
  if (findings.length <= MAXIMUM_FINDINGS + 1) return findings;
  const firstOfCode = new Map(findings.toReversed().map((finding) => [finding.code, finding]));
  const isFirstOfItsCode = (finding: Finding<Code>): boolean => firstOfCode.get(finding.code) === finding;
  const ordered = [...findings.filter(isFirstOfItsCode), ...findings.filter((finding) => !isFirstOfItsCode(finding))];
  const [firstLeftOut] = ordered.slice(MAXIMUM_FINDINGS);
  const more = { message: `and at least ${findings.length - MAXIMUM_FINDINGS} more` };
  return [
    ...ordered.slice(0, MAXIMUM_FINDINGS),
    ...(firstLeftOut === undefined ? [] : [{ code: firstLeftOut.code, ...more }]),
  ];
}

/** Faults of a size that fits into an item: DynamoDB takes 400 KB. */
export function boundedFaults(faults: readonly Fault[]): Fault[] {
  const cut = (text: string, maximum: number): string => text.slice(0, maximum).toWellFormed();
  return firstFindings(faults).map((fault) => ({
    ...fault,
    message: cut(fault.message, MAXIMUM_MESSAGE),
    ...(fault.path === undefined ? {} : { path: cut(fault.path, MAXIMUM_PLACE) }),
    ...(fault.field === undefined ? {} : { field: cut(fault.field, MAXIMUM_PLACE) }),
    ...(fault.value === undefined ? {} : { value: cut(fault.value, MAXIMUM_PLACE) }),
  }));
}
