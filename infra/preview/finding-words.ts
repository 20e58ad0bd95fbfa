/** Faults and warnings in words. */
import { type Fault, isFaultCode, type Warning } from '../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';

/** Who can mend a fault, and how. Undefined for a warning, which keeps nothing back. */
export function adviceOf({ code }: Fault | Warning): string | undefined {
  if (!isFaultCode(code)) return undefined;
  const { owner, action } = FAULT_CATALOGUE[code];
  return `${owner}: ${action}`;
}
