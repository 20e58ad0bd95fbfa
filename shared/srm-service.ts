/** The service that SRM is assumed to have, and in what that of a landscape may differ (source-srm7.md, "Settings"). */

/** `next-link`: SRM cuts the list into pages and links them. `skip-top`: we cut it, for a service that sends no links. */
export const PAGINGS = ['next-link', 'skip-top'] as const;

/** What the window may filter and order by, in SAP's names. The version of a cart is its ChangedAt in any case. */
export const CHANGED_AT_PROPERTIES = ['ChangedAt', 'ApprovedAt'] as const;

export interface SrmService {
  readonly servicePath: string;
  readonly entitySet: string;
  /** This SRM's name of the property by which a cart is read: SAP's is Guid. */
  readonly keyProperty: string;
  /** This SRM's names of other properties and navigations, by SAP's: `Items.NumberInt` -> `ItemNo`. */
  readonly fields: Readonly<Record<string, string>>;
  readonly changedAtProperty: (typeof CHANGED_AT_PROPERTIES)[number];
  /** The navigations that are asked for with the cart, in SAP's names. Without it: all. */
  readonly expand?: readonly string[] | undefined;
  readonly paging: (typeof PAGINGS)[number];
}

export const ASSUMED_SERVICE: SrmService = {
  servicePath: '/sap/opu/odata/sap/ZSRM_SC_EXTRACT_SRV',
  entitySet: 'ShoppingCartSet',
  keyProperty: 'Guid',
  fields: {},
  changedAtProperty: 'ChangedAt',
  paging: 'next-link',
};
