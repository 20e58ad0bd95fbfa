/** In what SRM's extraction service may differ from the assumed one (source-srm7.md, "Settings"). */
import * as z from 'zod';
import {
  ASSUMED_SERVICE,
  CHANGED_AT_PROPERTIES,
  EXPANDED,
  KEY,
  PAGINGS,
  READ_PROPERTIES,
} from '../shared/srm-service.ts';
import { nearest } from './setting-mistakes.ts';

const odataName = (example: string) =>
  z
    .string()
    .regex(/^[A-Za-z_]\w{0,127}$/, `must be a name of OData, letters, digits and underscores, such as ${example}`);

export const srmService = {
  servicePath: z
    .string()
    .regex(/^(?:\/[\w.~-]+)+$/, 'must start with a slash and end without one, such as /sap/opu/odata/sap/ZCARTS_SRV')
    .refine((path) => !path.split('/').some((part) => /^\.+$/.test(part)), 'must not climb with dots')
    .default(ASSUMED_SERVICE.servicePath)
    .describe('The path of the extraction service below `baseUrl`.'),
  entitySet: odataName('CartHeaderSet')
    .default(ASSUMED_SERVICE.entitySet)
    .describe('The entity set of carts in that service.'),
  keyProperty: odataName('CartGuid')
    .default(ASSUMED_SERVICE.keyProperty)
    .describe(
      "What this SRM calls the key of a cart, which SAP calls `Guid`. It must be of type Edm.Guid: a cart is read as `ShoppingCartSet(guid'…')`.",
    ),
  fields: z
    .record(z.string(), odataName('ScNumber'))
    .default({})
    .describe(
      'What this SRM calls the properties and navigations that the interface reads, by SAP’s names, those below a navigation with it: `{ "ObjectId": "ScNumber", "Items": "Positions", "Items.NumberInt": "ItemNo", "Items.Accounting.CostCtr": "CostCenter" }`. Faults, messages and mapping.md keep SAP’s names.',
    ),
  changedAtProperty: z
    .enum(CHANGED_AT_PROPERTIES)
    .default(ASSUMED_SERVICE.changedAtProperty)
    .describe(
      "The time by which carts are selected and ordered, in SAP's name (another name for it is one of `fields`). `ApprovedAt` is for a service that cannot filter on `ChangedAt`: a change after the approval is not seen before the next approval, and a cart that was released automatically, without an `ApprovedAt`, is never read. The version of a cart is its `ChangedAt` in any case, so that every row must have one.",
    ),
  expand: z
    .array(z.enum(EXPANDED))
    .superRefine((paths, context) => {
      for (const [index, path] of paths.entries()) {
        if (paths.indexOf(path) < index)
          context.addIssue({ code: 'custom', path: [index], message: 'stands in the list twice' });
      }
    })
    .optional()
    .describe(
      `The navigations that are asked for together with a cart, for a service that cannot expand all of them. Without it: all, ${EXPANDED.join(', ')}. The others must come as links (\`__deferred\`), which are followed, with one call or more for each cart.`,
    ),
  pageSize: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe(
      'How many carts a page is asked to hold: by the header `Prefer: odata.maxpagesize`, or with `skip-top` by `$top`. Without it, SRM decides.',
    ),
  paging: z
    .enum(PAGINGS)
    .default(ASSUMED_SERVICE.paging)
    .describe(
      '`next-link`: SRM cuts a list into pages and links them. `skip-top`: the interface cuts it by `$top` and `$skip`, for a service that sends no links; it needs `pageSize`. A cart that changes between two pages then shifts the others: some may come twice, which does no harm, and some on no page. Where the rows are not as many as `__count` says, the window is read once more and the run then fails; without `__count` only the overlap and the reconciliation find them. The synth warns of it.',
    ),
};

type ServiceSettings = z.infer<z.ZodObject<typeof srmService>>;

/** A mistake in settings that are right alone. */
export interface Mistake {
  readonly path: readonly string[];
  readonly message: string;
}

/** What makes the names of the fields unknown or ambiguous, and a paging that lacks its size. */
export function serviceMistakes({ fields, keyProperty, paging, pageSize }: ServiceSettings): Mistake[] {
  const size: Mistake[] =
    paging === 'skip-top' && pageSize === undefined
      ? [{ path: ['pageSize'], message: 'is missing: "paging": "skip-top" asks for pages of this size' }]
      : [];
  const known = Object.entries(READ_PROPERTIES);
  const names = known.flatMap(([entity, properties]) => properties.map((name) => qualified(entity, name)));
  const unknown = Object.keys(fields).flatMap((path): Mistake[] => {
    if (path === KEY) return [{ path: ['fields', path], message: 'is not one of fields, but keyProperty' }];
    if (names.includes(path)) return [];
    const near = nearest(path, names);
    const hint = near === undefined ? 'see source-srm7.md, "Fields"' : `did you mean ${near}?`;
    return [{ path: ['fields', path], message: `is no property that the interface reads; ${hint}` }];
  });
  const clashes = known.flatMap(([entity, properties]) => {
    const taken = new Map<string, string>();
    return properties.flatMap((name): Mistake[] => {
      const path = qualified(entity, name);
      const isKey = path === KEY;
      const own = isKey ? keyProperty : (fields[path] ?? name);
      const other = taken.get(own);
      taken.set(own, name);
      if (other === undefined) return [];
      // Named at the one that the entry gives.
      const given = own === name ? qualified(entity, other) : path;
      const place = given === KEY ? ['keyProperty'] : ['fields', given];
      return [
        {
          path: place,
          message: `"${own}" would be both ${other} and ${name} of ${entity === '' ? 'the cart' : entity}`,
        },
      ];
    });
  });
  return [...size, ...unknown, ...clashes];
}

const qualified = (entity: string, name: string): string => (entity === '' ? name : `${entity}.${name}`);
