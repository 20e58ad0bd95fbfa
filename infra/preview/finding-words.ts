/** Faults and warnings in words. */
import { FAULT_CATALOGUE, type Fault, isFaultCode, type Warning } from '../../shared/failure.ts';

/** Who can mend a fault, and how. Undefined for a warning, which keeps nothing back. */
export function adviceOf({ code }: Fault | Warning): string | undefined {
  if (!isFaultCode(code)) return undefined;
  const { owner, action } = FAULT_CATALOGUE[code];
  return `${owner}: ${action}`;
}
