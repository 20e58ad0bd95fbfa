/** The name of an order in both systems (mapping row 2), made and read here alone. */
export interface OrderName {
  readonly client: string;
  readonly cartNumber: string;
  readonly supplier: string;
  readonly currency: string;
  readonly company: string;
}

/** Always all parts, so that a second supplier later does not rename the first order. */
export const externalIdOf = ({ client, cartNumber, supplier, currency, company }: OrderName): string =>
  `SRM7-${client}-${cartNumber}-${supplier}-${currency}-${company}`;

/**
 * Undefined for what is not the name of an order. A supplier may hold hyphens. So may a cart's number that is not digits
 * alone: its first part is then taken for the number.
 */
export function readExternalId(text: string): OrderName | undefined {
  const { groups } =
    /^SRM7-(?<client>\d{3})-(?<cartNumber>[^-]+)-(?<supplier>.+)-(?<currency>[^-]+)-(?<company>[^-]+)$/.exec(text) ??
    {};
  if (groups === undefined) return undefined;
  const { client = '', cartNumber = '', supplier = '', currency = '', company = '' } = groups;
  return { client, cartNumber, supplier, currency, company };
}
