/** Faults as the ledger's items hold them. */
import * as z from 'zod';
import { type Fault, isFaultCode } from './failure.ts';

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

const MAXIMUM_FAULTS = 100;
const MAXIMUM_MESSAGE = 500;
const MAXIMUM_PLACE = 200;

/**
 * Cuts faults to a size that fits into an item: DynamoDB takes 400 KB, and a cart of 999 lines can have thousands of
 * faults. Every code is kept at least once.
 */
export function boundedFaults(faults: readonly Fault[]): Fault[] {
  const cut = (text: string, maximum: number): string => text.slice(0, maximum).toWellFormed();
  // A map, not a search: a cart of 10,000 broken lines has 90,000 faults, and the other carts of the batch wait.
  const firstOfCode = new Map(faults.toReversed().map((fault) => [fault.code, fault]));
  const isFirstOfItsCode = (fault: Fault): boolean => firstOfCode.get(fault.code) === fault;
  const ordered =
    faults.length <= MAXIMUM_FAULTS
      ? faults
      : [...faults.filter(isFirstOfItsCode), ...faults.filter((fault) => !isFirstOfItsCode(fault))];
  const kept = ordered.slice(0, MAXIMUM_FAULTS).map((fault) => ({
    ...fault,
    message: cut(fault.message, MAXIMUM_MESSAGE),
    ...(fault.path === undefined ? {} : { path: cut(fault.path, MAXIMUM_PLACE) }),
    ...(fault.field === undefined ? {} : { field: cut(fault.field, MAXIMUM_PLACE) }),
    ...(fault.value === undefined ? {} : { value: cut(fault.value, MAXIMUM_PLACE) }),
  }));
  const [firstLeftOut] = ordered.slice(MAXIMUM_FAULTS);
  if (firstLeftOut === undefined) return kept;
  return [...kept, { code: firstLeftOut.code, message: `and ${faults.length - MAXIMUM_FAULTS} more faults` }];
}
