/** How an 11VMS may differ from the contract that the interface assumes: its settings in an environment entry. */
import * as z from 'zod';

/** Segments of letters, digits and what a URL keeps as it is. */
const PATH = /^(\/[A-Za-z0-9._~-]+)+$/;
const QUERY = /^\?([\w.$-]+=[\w.~-]*&)*[\w.$-]+=$/;
const POINTER = /^(\/([^~/]|~[01])+)*$/;

const isLookUp = (text: string): boolean => {
  const [before = '', after, ...others] = text.split('{externalId}');
  const isPath = after !== undefined && others.length === 0 && PATH.test(`${before}x${after}`);
  return text === 'none' || QUERY.test(text) || isPath;
};

/** By default the contract of target-11vms.md. */
export const vmsContract = {
  collectionPath: z
    .string()
    .regex(PATH, 'must be a path without a slash at its end, such as /purchase-orders')
    .default('/purchase-orders')
    .describe('Where orders are created, below `baseUrl`.'),
  lookUpBy: z
    .string()
    .refine(isLookUp, 'must be a query such as ?externalId=, a path such as /purchase-orders/{externalId}, or none')
    .default('?externalId=')
    .describe(
      'How an order is looked up by its externalId: by a query of the collection; by a path below `baseUrl`, where a 404 with the title of a problem says that there is no such order; or `none`. Without a look-up, an order whose outcome is unknown is a dead letter that a person must resolve.',
    ),
  foundAt: z
    .string()
    .regex(POINTER, 'must be a JSON pointer, such as /items, or empty')
    .optional()
    .describe(
      'Where the answer to a look-up holds the orders, or the one order, as a JSON pointer; empty for the whole answer. Without it: `/items` for a query, the whole answer for a path.',
    ),
};

type GivenContract = z.infer<z.ZodObject<typeof vmsContract>>;

/** What the settings leave open follows from the others. */
export const completeContract = <Given extends GivenContract>(given: Given) => ({
  ...given,
  foundAt: given.foundAt ?? (given.lookUpBy.startsWith('/') ? '' : '/items'),
});

/** The settings of an entry that says nothing of them. */
export const DEFAULT_VMS_CONTRACT = completeContract(z.object(vmsContract).parse({}));

const withPaths = z.object({ vms: z.object({ baseUrl: z.string(), collectionPath: z.string() }) });

/** Before the other mistakes of an entry are mended, too. */
export const hasVmsPaths = (entry: unknown): boolean => withPaths.safeParse(entry).success;

/** Whether the base URL ends before the path that is added to it. */
export function endsBeforeCollection({ vms: { baseUrl, collectionPath } }: z.infer<typeof withPaths>): boolean {
  const parts = baseUrl.toLowerCase().split(collectionPath.toLowerCase());
  return parts.slice(1).every((rest) => /^\w/.test(rest));
}
