/** A cart as a person names it. */
import type { CartKey } from '../../shared/ledger-keys.ts';
import { IDENTIFIER, normalGuid, stripZeros } from '../../shared/sap-values.ts';

/** By its number, leading zeros or not; one without a number by its GUID, as SRM writes it. Undefined for what is neither. */
export function cartKeyOf(text: string): Omit<CartKey, 'client'> | undefined {
  if (!/^\d+$/.test(text) && normalGuid(text) !== undefined) return { number: undefined, guid: text };
  return IDENTIFIER.test(text) ? { number: stripZeros(text) } : undefined;
}
