/** One order of 11VMS, as a look-up answers it, held against the contract. Source: target-11vms.md, "Answers". */
import { randomUUID } from 'node:crypto';
import { createVmsOrders } from '../../../functions/create-purchase-orders/delivery/vms-orders.ts';
import { normalOrder } from '../../../functions/create-purchase-orders/translation/normal-order.ts';
import {
  createWireOrder,
  type WireField,
  wireFields,
  type WireSettings,
} from '../../../functions/create-purchase-orders/translation/wire-order.ts';
import { purchaseOrderSchema } from '../../../functions/create-purchase-orders/translation/purchase-order.ts';
import { asJsonObject, numberText, tryParseExactJson } from '../../../shared/exact-json.ts';
import type { HttpClient } from '../../../shared/http-client.ts';
import { printable } from '../../../shared/printable-text.ts';
import { isJsonObject, isList, type Json, type JsonObject } from '../../docs/json-text.ts';
import { jsonSchemaOf } from '../../docs/openapi.ts';
import type { Environment } from '../../environments.ts';
import { fail, type Finding, ok, warn } from '../finding.ts';
import type { PropertyReport } from './compare.ts';
import { observe } from './observed-http.ts';
import type { ContractReport } from './srm-contract.ts';

const TIMEOUT_MS = 30_000;
/** What 11VMS adds to an order (target-11vms.md, "Answers"). */
const ADDED = new Set(['id', 'number', 'status', 'version', 'createdAt']);

export async function checkVmsContract(
  client: HttpClient,
  { vms }: Environment,
  { externalId, now }: { readonly externalId: string; readonly now: () => number },
): Promise<ContractReport> {
  const http = observe(client, now);
  const what = `11VMS at ${vms.baseUrl}, one order`;
  const result = await createVmsOrders(http, now, vms).lookUp(externalId, randomUUID(), now() + TIMEOUT_MS);
  const answer = http.last();
  if (answer === undefined || 'fault' in result) {
    const reason = 'fault' in result ? result.fault.message : 'no answer';
    const advice =
      'vms.baseUrl, vms.collectionPath and vms.lookUpBy make the address; vms.scope, vms.tokenParameters and vms.apiKeyHeader decide who may read';
    return { what, findings: [fail(`the order cannot be looked up: ${reason}`, advice)], properties: [] };
  }
  const timing = `answered ${answer.response.status} in ${answer.milliseconds} ms`;
  if (result.kind !== 'found') {
    const advice = 'give the externalId of an order that 11VMS holds; vms.lookUpBy says how it is asked for';
    return { what, findings: [warn(`11VMS ${timing}, and holds no order of that externalId`, advice)], properties: [] };
  }
  const order = objectWith(tryParseExactJson(answer.response.body), externalId) ?? {};
  const names: Finding[] = [
    ok(`11VMS ${timing}`),
    result.stored.number === undefined
      ? warn('the order has no readable number', 'people then see its id; vms.fields and vms.idAt say where they stand')
      : ok('the order names its id and its number'),
    result.stored.order === undefined
      ? fail(
          'the content of the order cannot be read',
          'after an unknown outcome, or a change of the cart, the order is then a dead letter: see the properties below',
        )
      : ok('the content of the order can be read and compared'),
  ];
  return { what, findings: names, properties: propertiesOf(order, vms) };
}

/** The innermost object that names the order. */
function objectWith(value: unknown, externalId: string): Readonly<Record<string, unknown>> | undefined {
  const object = Array.isArray(value) ? undefined : asJsonObject(value);
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(object ?? {});
  if (object !== undefined && members.includes(externalId)) return object;
  for (const member of members) {
    const found = typeof member === 'object' ? objectWith(member, externalId) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Leaf {
  readonly type: string;
  readonly isRequired: boolean;
}

function propertiesOf(order: object, vms: WireSettings): PropertyReport[] {
  const expected = new Map<string, Leaf>();
  addLeaves(jsonSchemaOf(purchaseOrderSchema), '', true, expected);
  const sent = new Map<string, unknown[]>();
  addValues(order, '', sent);
  const ownNames = ownPaths(wireFields(vms), '', '');
  const given = new Map([...sent].map(([place, values]) => [ownNames.get(place) ?? place, values]));
  const issues = purchaseOrderSchema.safeParse(normalOrder(createWireOrder(vms).fromWire(order))).error?.issues ?? [];
  const unreadable = new Set(issues.map(({ path }) => path.filter((key) => typeof key === 'string').join('.')));
  const report = (name: string, leaf: Leaf | undefined, values: readonly unknown[]): PropertyReport => {
    const forms = Map.groupBy(values, formName);
    const status =
      leaf === undefined
        ? 'unknown'
        : values.length === 0
          ? 'missing'
          : unreadable.has(name)
            ? 'unreadable'
            : 'expected';
    return {
      entity: 'PurchaseOrder',
      property: printable(name, 100),
      status,
      expected: leaf?.type,
      rows: values.length,
      forms: Object.fromEntries([...forms].map(([form, same]) => [form, same.length])),
      longest: values.reduce<number>((most, value) => Math.max(most, typeof value === 'string' ? value.length : 0), 0),
      advice:
        status === 'missing'
          ? `perhaps it has another name: "vms": { "fields": { "${name}": … } }`
          : status === 'unreadable'
            ? 'translation/normal-order.ts reads it'
            : undefined,
    };
  };
  return [
    // What this one order may do without says nothing.
    ...[...expected]
      .filter(([name, { isRequired }]) => isRequired || given.has(name))
      .map(([name, leaf]) => report(name, leaf, given.get(name) ?? [])),
    ...[...given]
      .filter(([name]) => !expected.has(name) && !ADDED.has(name))
      .map(([name, values]) => report(name, undefined, values)),
  ];
}

/** The path in our order of each place in 11VMS's. */
function ownPaths(fields: readonly WireField[], place: string, path: string): Map<string, string> {
  const below = (prefix: string, names: readonly string[]): string =>
    [prefix, ...names].filter((one) => one !== '').join('.');
  return new Map(
    fields.flatMap((field): (readonly [string, string])[] => {
      const [at, own] = [below(place, field.place), below(path, field.path)];
      return field.members === undefined ? [[at, own]] : [...ownPaths(field.members, at, own)];
    }),
  );
}

function addLeaves(schema: JsonObject, path: string, isRequired: boolean, leaves: Map<string, Leaf>): void {
  const { properties, required, items } = schema;
  if (isJsonObject(items)) return addLeaves(items, path, isRequired, leaves);
  if (!isJsonObject(properties)) {
    leaves.set(path, { type: typeName(schema), isRequired });
    return undefined;
  }
  for (const [name, own] of Object.entries(properties)) {
    if (!isJsonObject(own)) continue;
    const isOwnRequired = isList(required) && required.includes(name);
    addLeaves(own, path === '' ? name : `${path}.${name}`, isRequired && isOwnRequired, leaves);
  }
}

function typeName({ type, format, maxLength, enum: values, const: only, pattern }: JsonObject): string {
  const word = (value: Json | undefined): string => (typeof value === 'string' ? value : 'value');
  if (format !== undefined) return word(format);
  if (only !== undefined) return JSON.stringify(only);
  if (values !== undefined) return 'code of a list';
  if (typeof pattern === 'string' && pattern.includes('\\.')) return 'decimal';
  return typeof maxLength === 'number' ? `${word(type)}(${maxLength})` : word(type);
}

function addValues(value: unknown, path: string, values: Map<string, unknown[]>): void {
  if (Array.isArray(value)) {
    for (const member of value) addValues(member, path, values);
    return;
  }
  const object = numberText(value) === undefined ? asJsonObject(value) : undefined;
  if (object === undefined) {
    values.set(path, [...(values.get(path) ?? []), value]);
    return;
  }
  for (const [name, own] of Object.entries(object)) addValues(own, path === '' ? name : `${path}.${name}`, values);
}

function formName(value: unknown): string {
  if (value === null) return 'null';
  if (numberText(value) !== undefined) return 'number';
  if (typeof value === 'boolean') return 'true or false';
  if (typeof value !== 'string') return 'object';
  if (/^-?\d+(\.\d+)?$/.test(value)) return 'digits as text';
  return /^\d{4}-\d\d-\d\d/.test(value) ? 'date of ISO 8601' : 'text';
}
