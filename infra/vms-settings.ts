/** How an 11VMS may differ from the contract that the interface assumes: its settings in an environment entry. */
import * as z from 'zod';

/** Segments of letters, digits and what a URL keeps as it is. */
const PATH = /^(\/[A-Za-z0-9._~-]+)+$/;

/** By default the contract of target-11vms.md. */
export const vmsContract = {
  collectionPath: z
    .string()
    .regex(PATH, 'must be a path without a slash at its end, such as /purchase-orders')
    .default('/purchase-orders')
    .describe('Where orders are created, below `baseUrl`.'),
};

/** The settings of an entry that says nothing of them. */
export const DEFAULT_VMS_CONTRACT = z.object(vmsContract).parse({});

const withPaths = z.object({ vms: z.object({ baseUrl: z.string(), collectionPath: z.string() }) });

/** Before the other mistakes of an entry are mended, too. */
export const hasVmsPaths = (entry: unknown): boolean => withPaths.safeParse(entry).success;

/** Whether the base URL ends before the path that is added to it. */
export function endsBeforeCollection({ vms: { baseUrl, collectionPath } }: z.infer<typeof withPaths>): boolean {
  const parts = baseUrl.toLowerCase().split(collectionPath.toLowerCase());
  return parts.slice(1).every((rest) => /^\w/.test(rest));
}
