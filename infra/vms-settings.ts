/** How an 11VMS may differ from the contract that the interface assumes: its settings in an environment entry. */
import * as z from 'zod';
import { wireFields, type WireField } from '../functions/create-purchase-orders/translation/wire-order.ts';
import { DECIMAL_FORMS } from '../shared/environment.ts';
import { nearest } from './setting-mistakes.ts';

/** Segments of letters, digits and what a URL keeps as it is: a segment of dots alone would climb. */
const PATH = /^(\/(?!\.+(\/|$))[A-Za-z0-9._~-]+)+$/;
const QUERY = /^\?([\w.$-]+=[\w.~-]*&)*[\w.$-]+=$/;
const POINTER = /^(\/([^~/]|~[01])+)*$/;
/** A member of the answer itself, or a pointer to a deeper one. */
const MEMBER = /^([A-Za-z][\w-]*|(\/([^~/]|~[01])+)+)$/;
const member = (example: string) =>
  z.string().regex(MEMBER, `must be a name, such as ${example}, or a JSON pointer, such as /data/${example}`);

const isLookUp = (text: string): boolean => {
  const [before = '', after, ...others] = text.split('{externalId}');
  const isPath = after !== undefined && others.length === 0 && PATH.test(`${before}x${after}`);
  return text === 'none' || QUERY.test(text) || isPath;
};

/** The path of each field of an order that has one value, of each list of objects, and of each object. */
function pathsOf(fields: readonly WireField[], list = ''): string[] {
  return fields.flatMap(({ path, members }) => [
    ...path.map((_name, index) => list + path.slice(0, index + 1).join('.')),
    ...pathsOf(members ?? [], `${list}${path.join('.')}.`),
  ]);
}
const ORDER_PATHS: readonly string[] = [...new Set(pathsOf(wireFields({ fields: {} })))];

const fields = z
  .record(
    z.string().superRefine((path, context) => {
      if (ORDER_PATHS.includes(path)) return;
      const near = nearest(path, ORDER_PATHS);
      const message = `"${path}" is no field of an order${near === undefined ? '' : `; did you mean ${near}?`}`;
      context.addIssue({ code: 'custom', message });
    }),
    z
      .string()
      .regex(
        /^[A-Za-z][\w-]*(\.[A-Za-z][\w-]*)*$/,
        'must be names with dots between them, such as supplierCode or vendor.code',
      ),
  )
  .default({})
  .describe(
    'Fields that 11VMS has under other names, by their paths in the order ([mapping.md](../functions/create-purchase-orders/translation/mapping.md)): `{ "supplier.code": "supplierCode", "lines": "items", "lines.unitOfMeasure": "uom" }`. In a list, a place is below the list\'s member. An object takes those of its fields with it that are not named.',
  );

/** By default the contract of target-11vms.md. */
export const vmsContract = {
  collectionPath: z
    .string()
    .regex(PATH, 'must be a path without a slash at its end, such as /purchase-orders')
    .default('/purchase-orders')
    .describe('Where orders are created, below `baseUrl`.'),
  lookUpBy: z
    .string()
    .refine(
      isLookUp,
      'must be a query such as ?externalId=, a path such as /purchase-orders/{externalId} with that very word in braces, or none',
    )
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
  idAt: z
    .union([z.literal('Location'), member('id')])
    .default('/id')
    .describe(
      'Where the answer to a create holds the id of the order: a name or a JSON pointer, or the header `Location`, whose last segment it is. A 201 without an id there is an order, too, when its `Location` names one.',
    ),
  numberAt: member('number')
    .optional()
    .describe('Where the answer to a create holds the number of the order. Without it: `number`, beside the id.'),
  externalIdAt: member('externalId')
    .optional()
    .describe(
      'Where the answer to a create repeats the externalId, which shows that it is the answer for this order. Without it: the place of the field, beside the id.',
    ),
  decimalsAs: z
    .enum(DECIMAL_FORMS)
    .default('string')
    .describe('How amounts, quantities and percentages are written: in quotes, or as numbers with the same digits.'),
  fields,
};

type GivenContract = z.infer<z.ZodObject<typeof vmsContract>>;

const pointerTo = (place: string): string => (place.startsWith('/') ? place : `/${place}`);

/** What the settings leave open follows from the others. */
export function completeContract<Given extends GivenContract>(given: Given) {
  const idAt = given.idAt === 'Location' ? given.idAt : pointerTo(given.idAt);
  const besideId = idAt.slice(0, Math.max(idAt.lastIndexOf('/'), 0));
  const externalId = (given.fields['externalId'] ?? 'externalId').replaceAll('.', '/');
  return {
    ...given,
    foundAt: given.foundAt ?? (given.lookUpBy.startsWith('/') ? '' : '/items'),
    idAt,
    numberAt: pointerTo(given.numberAt ?? `${besideId}/number`),
    externalIdAt: pointerTo(given.externalIdAt ?? `${besideId}/${externalId}`),
  };
}

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

/** The places in 11VMS's JSON that two fields would share, and what names an order there. By the setting that is wrong. */
export function collidingPlaces(
  given: GivenContract,
): { readonly path: readonly string[]; readonly message: string }[] {
  const { idAt, numberAt } = completeContract(given);
  const names = [...(idAt === 'Location' ? ['/id'] : [idAt]), numberAt].map((place) => place.split('/').at(-1));
  const all = wireFields(given);
  return [
    ...all
      .filter(({ place }) => names.includes(place[0]))
      .map(({ path }) => ({
        path: settingOf(path.join('.'), given.fields) ?? ['idAt'],
        message: 'must not be where 11VMS has the id or the number of the order (vms.idAt, vms.numberAt)',
      })),
    ...collisionsIn(all, '', given.fields),
  ];
}

function collisionsIn(
  scope: readonly WireField[],
  list: string,
  given: GivenContract['fields'],
): { readonly path: readonly string[]; readonly message: string }[] {
  const contains = (outer: WireField, inner: WireField): boolean =>
    outer.place.every((name, index) => inner.place[index] === name);
  const nameOf = ({ path }: WireField): string => list + path.join('.');
  return scope.flatMap((field, index) => [
    ...scope
      .slice(0, index)
      .filter((other) => contains(field, other) || contains(other, field))
      .map((other) => {
        const [wrong, right] =
          settingOf(nameOf(field), given) === undefined ? ([other, field] as const) : ([field, other] as const);
        return {
          path: settingOf(nameOf(wrong), given) ?? [],
          message: `must not be the place of ${nameOf(right)}, or lie inside or around it`,
        };
      }),
    ...collisionsIn(field.members ?? [], `${nameOf(field)}.`, given),
  ]);
}

/** The entry of `fields` that gives a field its place: its own, or that of an object around it. */
function settingOf(path: string, given: GivenContract['fields']): readonly string[] | undefined {
  const names = path.split('.');
  const own = names.map((_name, index) => names.slice(0, names.length - index).join('.'));
  const key = own.find((one) => Object.hasOwn(given, one));
  return key === undefined ? undefined : ['fields', key];
}
