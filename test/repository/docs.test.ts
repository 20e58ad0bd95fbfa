/** The documents that the code prints: never stale, complete, and true of the project's own samples. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse as parseCsv } from 'csv-parse/sync';
import * as z from 'zod';
import { purchaseOrderSchema } from '../../functions/create-purchase-orders/translation/purchase-order.ts';
import { readItem, readShoppingCart } from '../../functions/create-purchase-orders/translation/shopping-cart.ts';
import { translateCart } from '../../functions/create-purchase-orders/translation/translate-cart.ts';
import { BYTE_ORDER_MARK, csvText } from '../../infra/csv.ts';
import { MAX_RECEIVE_COUNT } from '../../infra/constructs/cart-channel.ts';
import { writtenDocuments } from '../../infra/docs/documents.ts';
import { environmentSettings } from '../../infra/docs/environments.ts';
import { isJsonObject, isList, type Json, type JsonObject, toJson } from '../../infra/docs/json-text.ts';
import { markdownText } from '../../infra/docs/markdown.ts';
import { type MappingSource, mappingRows } from '../../infra/docs/mapping.ts';
import { parseSample, readSample } from '../../infra/docs/samples.ts';
import { isFilled, NAVIGATIONS } from '../../infra/docs/srm7-fields.ts';
import { loadEnvironment, parseEnvironment } from '../../infra/environments.ts';
import { WARNING_CATALOGUE } from '../../shared/failure.ts';
import { FAULT_CATALOGUE } from '../../shared/fault-catalogue.ts';
import { METRIC_NAMESPACE, METRICS } from '../../shared/metric-names.ts';
import { namesOf } from '../../shared/names-of.ts';
import { cloudEvent, EVENTS } from '../../shared/order-events.ts';
import { createWireOrder } from '../../functions/create-purchase-orders/translation/wire-order.ts';
import { DEFAULT_VMS_CONTRACT } from '../../infra/vms-settings.ts';

const root = join(import.meta.dirname, '..', '..');
const contract = 'shared/contract';
const documents = await writtenDocuments();
const printed = (name: string): string => documents.get(name) ?? '';
/** A checkout on Windows may have its own line ends. */
const onDisk = (path: string): string =>
  existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n') : '';

test('no printed document is stale', () => {
  const stale = [...documents]
    .filter(([path, text]) => onDisk(path) !== text.replaceAll('\r\n', '\n'))
    .map(([path]) => path);

  expect(stale.map((path) => `${path} is stale: run npm run docs`)).toEqual([]);
  expect([...documents.keys()]).toHaveLength(11);
});

test('a sample that no longer fits its schema is named, with its field', () => {
  const changed = purchaseOrderSchema.extend({ costObject: z.string() });

  expect(() => parseSample('11vms-purchase-order.json', changed)).toThrow(
    /shared\/contract\/samples\/11vms-purchase-order\.json no longer fits its schema:[^]*costObject/,
  );
});

test('the documents are the same however often they are printed', async () => {
  expect([...(await writtenDocuments())]).toEqual([...documents]);
});

describe('the mapping', () => {
  const rows = mappingRows();

  test('has every row of the specification, 1 to 66', () => {
    const mentioned = rows.flatMap(({ row, rule }) => [
      row,
      ...[...rule.matchAll(/\brow (\d+)/g)].map(([, number]) => Number(number)),
    ]);

    expect([...new Set(mentioned)].sort((a, b) => a - b)).toEqual(Array.from({ length: 66 }, (_, index) => index + 1));
  });

  test('names only codes of the catalogue', () => {
    const codes = rows.flatMap(({ codes }) => codes);

    expect(codes.filter((code) => !Object.hasOwn(FAULT_CATALOGUE, code))).toEqual([]);
    expect(codes.length).toBeGreaterThan(30);
  });

  test('has every field of the sample order, with its first value as the example', () => {
    const examples = new Map(rows.map(({ target, example }) => [target, example]));
    const seen = new Map<string, string>();
    for (const [path, text] of leavesOf(readSample('11vms-purchase-order.json'), ''))
      if (!seen.has(path)) seen.set(path, text);

    expect(seen.size).toBeGreaterThan(60);
    expect(Object.fromEntries([...seen.keys()].map((path) => [path, examples.get(path)]))).toEqual(
      Object.fromEntries(seen),
    );
    const invented = rows.filter(({ target, example }) => example !== '' && !seen.has(target));
    expect(invented.map(({ target }) => target)).toEqual(['(header) Idempotency-Key', '(header) X-Correlation-ID']);
  });

  test('prints every code that a spoilt sample cart can be refused with, at its field', () => {
    const [cart] = listOf(at(readSample('srm7-shopping-carts.json'), 'd', 'results'));
    const { translation: settings } = loadEnvironment('local');
    const strict = { ...settings, glAccountMandatory: true, purchaseRequestMandatory: true };
    const faults = spoilt(cart ?? null).flatMap((source) => {
      const translation = translateCart(source, {
        client: '100',
        settings: strict,
        wire: createWireOrder(DEFAULT_VMS_CONTRACT),
        today: '2026-11-22',
      });
      if (translation.kind !== 'orders') return translation.kind === 'faulty' ? translation.faults : [];
      return translation.groups.flatMap((group) => (group.kind === 'faulty' ? group.faults : []));
    });
    // A rule for an object or list prints its codes at the fields.
    const isPrinted = (code: string, field: string): boolean =>
      rows.some(({ target, codes }) => target.startsWith(field) && codes.some((printed) => printed === code));
    const places = faults.map(({ code, field = '' }) => ({ code, field: field.replaceAll(/\[\d+\]/g, '[]') }));
    const unprinted = places.filter(({ code, field }) => !ANYWHERE.has(code) && !isPrinted(code, field));

    expect(new Set(places.map(({ code }) => code)).size).toBeGreaterThan(20);
    expect([...new Set(unprinted.map(({ code, field }) => `${code} at ${field}`))].sort()).toEqual([]);
  });

  test('names each target once', () => {
    const targets = rows.map(({ target }) => target);

    expect(targets.filter((target, index) => targets.indexOf(target) !== index)).toEqual([]);
  });

  test('is the same table in Markdown and in the spreadsheet, which a spreadsheet opens', () => {
    const folder = 'functions/create-purchase-orders/translation';
    const csv = printed(`${folder}/mapping.csv`);
    const [header = [], ...cells] = parseCsv(csv, { bom: true });

    // With a byte order mark and RFC 4180's ends of lines; no cell begins like a formula.
    expect(csv.startsWith(BYTE_ORDER_MARK)).toBe(true);
    expect(csv.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(cells.flat().filter((cell) => /^[=+\-@]/.test(cell))).toEqual([]);
    expect(header).toEqual([
      'row',
      'target',
      'target type',
      'source',
      'source type',
      'rule',
      'mandatory',
      'code on failure',
      'example in SRM',
      'becomes in 11VMS',
    ]);
    expect(cells).toHaveLength(rows.length);
    const lines = printed(`${folder}/mapping.md`).split('\n');
    expect(cells.filter((line) => !lines.includes(markdownText(line, []).split('\n')[0] ?? ''))).toEqual([]);
  });

  test('names for each field the entity that it comes from: another value there makes another order, or a fault', () => {
    const { translation } = loadEnvironment('local');
    const valueMaps = {
      ...translation.valueMaps,
      businessUnit: { BE10: 'BU-BE-BRU', 'BE10/7': 'BU-7', FR20: 'BU-FR' },
    };
    const settings = { ...translation, valueMaps };
    const [cart = null] = listOf(at(readSample('srm7-shopping-carts.json'), 'd', 'results'));
    /** What becomes of one field of the order, in all its places, and its faults; undefined for another cart. */
    const madeOf = (source: Json, target: string): string | undefined => {
      const translation = translateCart(source, {
        client: '100',
        settings,
        wire: createWireOrder(DEFAULT_VMS_CONTRACT),
        today: '2026-11-22',
      });
      if (translation.kind !== 'orders') return undefined;
      const path = target.replaceAll('[]', '').split('.');
      const made = translation.groups.map((group) => {
        if (group.kind === 'order') return leavesBelow(toJson(group.order), path);
        const own = group.faults.filter(({ field = '' }) => target.startsWith(field.replaceAll(/\[\d+\]/g, '[]')));
        return own.length === 0 ? undefined : own.map(({ code }): Json => code);
      });
      return made.includes(undefined) ? undefined : JSON.stringify(made);
    };
    const OTHER = (
      ' 7 0000099999 X FR20 FR 01 ST CC OR INTN I1129 USD TAG 100.00 3100.00 /Date(1799107200000)/ /Date(1699000000000)/ ' +
      'other@example.test 005056a509b31ee1bee58ce5a1c90dff'
    ).split(' ');
    const withoutEffect = rows
      .filter(({ target, example }) => example !== '' && !target.startsWith('(header)'))
      .flatMap(({ target, sources }) =>
        sources.map(({ entity, field }, index) => {
          // What stands before it in the row may win, where it is there.
          const [before] = sources.slice(0, index).slice(-1);
          const bases = [cart, ...(before === undefined ? [] : [withField(cart, before, '')])];
          const matters = bases.some((base) => {
            const unchanged = madeOf(base, target);
            return OTHER.some((value) =>
              [false, true].some((onlyFilled) => {
                const made = madeOf(withField(base, { entity, field }, value, onlyFilled), target);
                return made !== undefined && made !== unchanged;
              }),
            );
          });
          return matters ? '' : `${target} from ${entity}.${field}`;
        }),
      );

    expect(withoutEffect.filter((line) => line !== '')).toEqual([]);
    expect(rows.flatMap(({ sources }) => sources).length).toBeGreaterThan(80);
  });

  test('has the type and length of each field', () => {
    const typeOf = (field: string) => rows.find(({ target }) => target === field);

    expect(rows.filter(({ type }) => type === '').map(({ target }) => target)).toEqual([]);
    expect(typeOf('supplier.code')).toMatchObject({
      type: 'text of at most 35 characters',
      sources: [{ entity: 'ShoppingCartItem', field: 'VendorId' }],
      sourceExample: '0000100234',
      example: 'SUP-00871',
    });
    // The expected value of the line that has the limit, and not of the first line.
    expect(typeOf('lines[].limit.expectedAmount')).toMatchObject({ sourceExample: '2000.000', example: '2000.00' });
  });

  test('tells the rules of selection and split, and what each status means for a cart and for a line', () => {
    const page = printed('functions/create-purchase-orders/translation/mapping.md');

    expect(page).toContain('Items are grouped by (supplier, currency, company code): **one purchase order per group**');
    for (const line of [
      '| I1129 | approved | is ordered | is ordered |',
      '| I1038 | completed | is ordered, if it never was | is ordered |',
      '| I1015 | awaiting | is not ordered | is left out |',
    ])
      expect(page.split('\n')).toContain(line);
  });

  test('changes in one line when one code changes', () => {
    const rowsOf = (code: string) =>
      markdownText(
        ['map', 'code'],
        [
          ['unit', 'ST'],
          ['unit', code],
          ['tax', 'V0'],
        ],
      ).split('\n');
    const [before, after] = [rowsOf('PC'), rowsOf('A much longer code')];

    expect(before.filter((line, index) => line !== after[index])).toHaveLength(1);
  });
});

describe('what to do about a reason code', () => {
  const actions = Object.entries(FAULT_CATALOGUE).map(([code, { action }]) => ({ code, action }));

  test('never deletes a dead letter: the queue denies it, and the list of open ones would keep it', () => {
    expect(actions.filter(({ action }) => /delete/i.test(action))).toEqual([]);
  });

  // The alarm cart-waiting-too-long sends its reader to these texts, and a cart that waits cannot be redriven.
  test.each([
    'E_SRC_AUTH',
    'E_SRC_UNAVAILABLE',
    'E_SRC_THROTTLED',
    'E_TGT_AUTH',
    'E_TGT_THROTTLED',
    'E_TGT_UNAVAILABLE',
    'E_INT_KEY',
    'E_INT_LEDGER',
    'E_INT_IN_PROGRESS',
    'E_INT_PAUSED',
  ] as const)('%s: asks for a redrive of a dead letter alone, and not of a cart that waits', (code) => {
    const { action } = FAULT_CATALOGUE[code];
    const [, ofDeadLetter] = action.split(/\bA dead letter: /);

    expect(action).toMatch(/a cart that waits is tried again by itself/i);
    expect(action.replace(ofDeadLetter ?? '', '')).not.toMatch(/redrive/i);
  });
});

test('the error catalogue has each code once, below the heading of its family', () => {
  const sections = printed(`${contract}/errors.md`).split(/^## /m).slice(1);
  const found = sections.flatMap((section) => {
    const family = /: (E_[A-Z]+)$/m.exec(section)?.[1] ?? 'none';
    return [...section.matchAll(/^\| (E_[A-Z0-9_]+) /gm)].map(([, code = '']) => ({ code, family }));
  });

  expect(found.map(({ code }) => code).sort()).toEqual(Object.keys(FAULT_CATALOGUE).sort());
  expect(found.filter(({ code, family }) => !code.startsWith(`${family}_`))).toEqual([]);
  for (const { action } of Object.values(FAULT_CATALOGUE)) expect(printed(`${contract}/errors.md`)).toContain(action);
  const warnings = [...printed(`${contract}/errors.md`).matchAll(/^\| (W_[A-Z_]+) /gm)].map(([, code = '']) => code);
  expect(warnings).toEqual(Object.keys(WARNING_CATALOGUE));
});

describe('the configuration page', () => {
  const settings = environmentSettings({ ofEntries: true });
  const page = printed('infra/environments.md');
  /** The entry may leave out the section, and then has none of its fields. */
  const isOfOptional = ({ path }: { readonly path: string }): boolean =>
    settings.some((section) => section.isSection && section.default === 'none' && path.startsWith(`${section.path}.`));
  const sample: unknown = JSON.parse(/```json\n([^`]+)```/.exec(page)?.[1] ?? '');
  const valueAt = (json: unknown, path: string): unknown =>
    path.split('.').reduce<unknown>((value, key) => Object(value)[key], json);

  test('gives every field a meaning, and calls required what an entry cannot leave out', () => {
    expect(settings.length).toBeGreaterThan(60);
    expect(settings.filter(({ meaning }) => meaning.length < 10).map(({ path }) => path)).toEqual([]);
    const required = settings.filter(
      (setting) => !setting.isSection && setting.default === 'required' && !isOfOptional(setting),
    );
    expect(required.map(({ path }) => path)).toEqual([
      'name',
      'srm.baseUrl',
      'srm.tokenUrl',
      'srm.secretName',
      'srm.client',
      'vms.baseUrl',
      'vms.tokenUrl',
      'vms.secretName',
      'extraction.schedule',
      'extraction.firstWatermark',
      'translation.valueMaps.businessUnit',
    ]);
  });

  test('prints the fields of the entries of a record', () => {
    expect(settings.filter(({ path }) => path.startsWith('events.subscribers.*.')).map(({ path }) => path)).toContain(
      'events.subscribers.*.tokenUrl',
    );
    expect(page).toContain('## events.subscribers.*\n\nEach entry of `events.subscribers`.\n\n| field');
    expect(page).toMatch(
      /\n\| `secretName` +\| Name of the secret that holds `\{ "clientId", "clientSecret" \}`\. It must exist/,
    );
  });

  test('shows an environment that is accepted as it stands', () => {
    expect(parseEnvironment(sample, 'the sample')).toMatchObject({ name: 'acme', srm: { client: '100' } });
  });

  test('prints the default of each field that an entry may leave out', () => {
    const taken = parseEnvironment(sample, 'the sample');
    const inSample = (path: string): boolean => valueAt(sample, path) !== undefined;
    const printedDefaults = settings.filter(
      (setting) =>
        !setting.isSection && !inSample(setting.path) && !isOfOptional(setting) && setting.default.startsWith('`'),
    );

    expect(printedDefaults.length).toBeGreaterThan(35);
    for (const { path, default: text } of printedDefaults)
      expect([path, valueAt(taken, path)]).toEqual([path, JSON.parse(text.slice(1, -1))]);
    // Without it, that of the extraction.
    // These follow from other settings.
    const derived = ['translation.timeZone', 'vms.foundAt', 'vms.numberAt', 'vms.externalIdAt'];
    const byDefault = settings.filter(({ path }) => !derived.includes(path));
    for (const { path } of byDefault.filter(({ isSection, default: text }) => !isSection && text === 'none'))
      expect([path, valueAt(taken, path)]).toEqual([path, undefined]);
  });

  test('prints the rules of the schema beyond types and ranges', () => {
    const limits = new Map(settings.map(({ path, limits }) => [path, limits.join('; ')]));

    expect(limits.get('srm.baseUrl')).toBe(
      'a URL; must be https (plain http is for loopback only); must not hold a user or password; must not have a query or fragment; must end before the path of the service, which is added to it: https://srm.example.com',
    );
    expect(limits.get('delivery.timeoutSeconds')).toBe(
      '10 to 880; must be at most 880: the supervisor tries a message for 20 s longer, and Lambda ends a function after 900 s; must be at least five times vms.timeoutSeconds, for secret and token, create, look-up, probe, reserve',
    );
    expect(limits.get('network.subnetIds')).toBe(
      'a list of 1 to 16; each: must be a subnet id, such as subnet-0a1b2c3d',
    );
    expect(limits.get('translation.valueMaps.supplier')).toMatch(/"mode": "identity".*or `"mode": "mapped"`.*1 to 35/);
  });
});

test('the description of the events has an example of each, which its schema takes', () => {
  const api = z
    .object({
      asyncapi: z.literal('3.0.0'),
      components: z.object({
        messages: z.record(z.string(), z.object({ examples: z.array(z.object({ payload: z.unknown() })).length(1) })),
      }),
    })
    .parse(JSON.parse(printed(`${contract}/events.asyncapi.json`)));

  expect(Object.keys(api.components.messages)).toEqual(Object.keys(EVENTS));
  for (const name of namesOf(EVENTS)) {
    const [example] = api.components.messages[name]?.examples ?? [];
    const { data, type } = EVENTS[name];
    expect(cloudEvent<z.ZodType>(data).parse(example?.payload)).toMatchObject({ type: `acme.procurement.${type}` });
  }
});

test('the description of the events refuses no member that is added later, as it says', () => {
  const text = printed(`${contract}/events.asyncapi.json`);

  expect(text).toContain('A member that is added later keeps the version');
  expect(text).not.toContain('additionalProperties');
});

/** Texts of the mapping that hold for all rows. */
const ANYWHERE: ReadonlySet<string> = new Set(['E_FIELD_LENGTH', 'E_SRC_SCHEMA', 'E_MAP_STATUS', 'E_TGT_TOO_LARGE']);

const apis = ['srm7', '11vms'].map((system) => {
  const path = `${contract}/${system}.openapi.json`;
  return { system, path, api: parsedObject(printed(path)) };
});
const [srm7, vms] = apis.map(({ api }) => api);

describe.each(apis)('the description of the API of $system', ({ path, api }) => {
  const operations = operationsOf(api);

  test('is OpenAPI 3.1, and is marked as an assumption', () => {
    expect(api['openapi']).toMatch(/^3\.1\./);
    expect(textOf(at(api, 'info', 'description'))).toMatch(/assumption/i);
    expect(at(api, 'servers')).toHaveLength(3);
  });

  test('has no dangling reference, and no component without a reference', () => {
    const references = [...nodesOf(api)].flatMap((node) => (typeof node['$ref'] === 'string' ? [node['$ref']] : []));
    const components = Object.keys(objectAt(api, 'components', 'schemas')).map(
      (name) => `#/components/schemas/${name}`,
    );

    expect([...new Set(references)].sort()).toEqual(components.sort());
  });

  test('has operations of different names, each secured by a scheme that is described', () => {
    const names = operations.map(({ operation }) => textOf(operation['operationId']));

    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(1);
    expect(at(api, 'security')).toEqual([{ oauth2: [expect.any(String)] }]);
    expect(at(api, 'components', 'securitySchemes', 'oauth2', 'flows', 'clientCredentials', 'tokenUrl')).toMatch(
      /^https:/,
    );
  });

  test('describes each parameter of a path, and every parameter by an example or a schema', () => {
    for (const { path: route, operation } of operations) {
      const parameters = listOf(operation['parameters']).filter(isJsonObject);
      const inPath = [...route.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
      expect(parameters.filter((parameter) => parameter['in'] === 'path').map(({ name }) => name)).toEqual(inPath);
      expect(parameters.filter((parameter) => !isJsonObject(parameter['schema']))).toEqual([]);
      const keys = parameters.map((parameter) => `${textOf(parameter['in'])} ${textOf(parameter['name'])}`);
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  test('points at samples that exist', () => {
    const files = [...nodesOf(api)].flatMap(({ externalValue }) =>
      typeof externalValue === 'string' ? [externalValue] : [],
    );

    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !existsSync(join(root, dirname(path), file)))).toEqual([]);
  });

  test('gives examples that its own schemas allow', () => {
    const media = [...nodesOf(api)].filter((node) => isJsonObject(node['schema']) && isJsonObject(node['examples']));
    const wrong = media.flatMap(({ schema, examples }) =>
      Object.entries(isJsonObject(examples) ? examples : {}).flatMap(([name, example]) =>
        exampleOf(example, path).flatMap((value) => violations(value, schema, api, name)),
      ),
    );

    expect(media.length).toBeGreaterThan(1);
    expect(wrong).toEqual([]);
  });
});

describe('the statuses in the descriptions', () => {
  const statuses = (api: JsonObject | undefined, operationId: string): string[] => {
    const found = operationsOf(api ?? {}).find(({ operation }) => operation['operationId'] === operationId);
    return Object.keys(objectAt(found?.operation ?? {}, 'responses'));
  };

  test('of SRM are those of its contract', () => {
    const expected = ['200', '400', '401', '403', '404', '429', '500', '502', '503', '504'];

    expect(statuses(srm7, 'readApprovedCarts')).toEqual(expected);
    expect(statuses(srm7, 'readCart')).toEqual(expected);
  });

  test('of a create at 11VMS are those of its contract, and each one says how it is judged', () => {
    const expected = '200 201 400 401 403 404 408 409 413 415 422 425 429 500 502 503 504'.split(' ');

    expect(statuses(vms, 'createPurchaseOrder')).toEqual(expected);
    for (const { operation } of operationsOf(vms ?? {}))
      for (const answer of Object.values(objectAt(operation, 'responses')))
        expect(textOf(at(answer, 'description'))).toContain('Taken as ');
  });

  test('explain both codes of a 409, and mark the answers that may be HTML', () => {
    const answers = objectAt(vms, 'paths', '/purchase-orders', 'post', 'responses');

    expect(textOf(at(answers, '409', 'description'))).toMatch(
      /EXTERNAL_ID_EXISTS.*conflict.*REQUEST_IN_PROGRESS.*unknown/,
    );
    expect(Object.keys(objectAt(answers, '409', 'content'))).toEqual(['application/problem+json', 'text/html']);
    expect(Object.keys(objectAt(answers, '502', 'content'))).toEqual(['text/html']);
    expect(Object.keys(objectAt(answers, '429', 'headers'))).toEqual(['Retry-After']);
    expect(Object.keys(objectAt(answers, '201', 'headers'))).toEqual(['Location']);
  });
});

describe('the order’s schema', () => {
  const schema = { $ref: '#/components/schemas/PurchaseOrder' };
  const order = readSample('11vms-purchase-order.json');
  const judge = (value: Json): string[] => violations(value, schema, vms ?? {}, '');

  test('accepts the sample', () => {
    expect(judge(order)).toEqual([]);
  });

  test.each([
    ['a missing field', { ...order, currency: undefined }, /currency/],
    ['an amount as a number', { ...order, totals: { netAmount: 1, taxAmount: '0.00', grossAmount: '1.00' } }, /totals/],
    ['an unknown system', { ...order, externalSystem: 'ECC' }, /externalSystem/],
    ['a title of 121 characters', { ...order, title: 'x'.repeat(121) }, /title/],
    ['no line', { ...order, lines: [] }, /lines/],
  ])('refuses %s', (_, value, place) => {
    expect(judge(toJson(value)).join()).toMatch(place);
  });

  test('counts characters and not UTF-16 units', () => {
    expect(judge({ ...order, title: '\u{1f600}'.repeat(120) })).toEqual([]);
    expect(judge({ ...order, title: '\u{1f600}'.repeat(121) })).not.toEqual([]);
  });
});

describe('the cart’s schema', () => {
  const schemas = objectAt(srm7, 'components', 'schemas');
  const examples: Readonly<Record<string, Json>> = { string: 'X', number: 1, boolean: true, null: null };
  const cart = { Guid: '005056a509b31ee1bee58ce5a1c90db0', Items: { results: [] } };

  test('allows no type that the reader refuses', () => {
    const refused = Object.entries(objectAt(schemas, 'ShoppingCart', 'properties')).flatMap(([name, field]) =>
      typesOf(field).flatMap((type) =>
        'faults' in readShoppingCart({ ...cart, [name]: examples[type] }) ? [`${name}: ${type}`] : [],
      ),
    );
    const refusedOfItem = Object.entries(objectAt(schemas, 'ShoppingCartItem', 'properties')).flatMap(([name, field]) =>
      typesOf(field).flatMap((type) =>
        'faults' in readItem({ [name]: examples[type] }, '$') ? [`${name}: ${type}`] : [],
      ),
    );

    expect([...refused, ...refusedOfItem]).toEqual([]);
    expect(typesOf(at(schemas, 'ShoppingCart', 'properties', 'ObjectId'))).toEqual(['string', 'null']);
    expect(typesOf(at(schemas, 'ShoppingCartItem', 'properties', 'Price'))).toEqual(['string', 'number', 'null']);
  });

  test('requires what the reader requires', () => {
    expect(at(schemas, 'ShoppingCart', 'required')).toEqual(['Guid', 'Items']);
    expect(readShoppingCart(cart)).toHaveProperty('value');
    expect(readShoppingCart({ ...cart, Guid: undefined })).toHaveProperty('faults');
    expect(readShoppingCart({ ...cart, Items: null })).toHaveProperty('faults');
  });

  test('shows the forms of a navigation that the reader accepts', () => {
    const forms = (name: string) =>
      listOf(at(schemas, 'ShoppingCart', 'properties', name, 'anyOf')).map((form) => typesOf(form)[0] ?? 'Deferred');

    expect(forms('Items')).toEqual(['object', 'array', 'Deferred']);
    expect(forms('Partners')).toEqual(['object', 'array', 'Deferred', 'null']);
    expect(readShoppingCart({ ...cart, Items: [], Partners: null, Texts: [] })).toHaveProperty('value');
  });
});

describe('the interface page', () => {
  const path = `${contract}/interface.md`;
  const page = onDisk(path);

  test('has a section for each question of an architect', () => {
    const headings = [...page.matchAll(/^## \d+\. (.+)$/gm)].map(([, heading]) => heading);

    expect(headings).toEqual([
      'Lifecycle',
      'Summary',
      'Identification and versions',
      'Artefacts',
      'LeanIX fact sheet',
      'Classification',
      'Source and target',
      'Flow',
      'Technical components',
      'Versioning strategy',
      'Transformation',
      'Security per component',
      'Retry',
      'Dead-letter queue',
      'Alerting',
      'Logging',
      'Monitoring',
      'Runbook',
      'Test results',
      'Step-by-step configuration',
      'Related interfaces',
      'Open questions to the owners',
      'Systems that the template names',
    ]);
  });

  test('names the kind of key that the template asks for', () => {
    const [, chapter = ''] = page.split(/^## \d+\. Security per component$/m);
    const keyOf = (component: string): string =>
      chapter
        .split('\n')
        .find((line) => line.startsWith(`| ${component} `))
        ?.split('|')[3]
        ?.trim() ?? '';
    const template = onDisk('test/infra/snapshots/prod.json');

    // Without SSEEnabled DynamoDB would use a key that AWS owns, whose use no trail records.
    expect(template).toMatch(/"SSESpecification": \{\s+"SSEEnabled": true\s+\}/);
    expect(keyOf('ledger')).toBe('AWS-managed key `aws/dynamodb`');
    expect(template).not.toMatch(/"AWS::SecretsManager::Secret"[^}]+"KmsKeyId"/);
    expect(keyOf('connection secrets')).toBe('AWS-managed key `aws/secretsmanager`, or the key of `kmsKeyArn`');
    expect(template).toContain('"KmsMasterKeyId"');
    expect(keyOf('alarm topics')).toBe('a KMS key of our own');
  });

  test('names each metric', () => {
    const named = [...page.matchAll(/^\| `([A-Z]\w+)` +\|/gm)].map(([, metric = '']) => metric);

    expect(named.sort()).toEqual(Object.values(METRICS).sort());
    expect(page).toContain(METRIC_NAMESPACE);
  });

  test.each(['dev', 'test', 'prod'])('gives the figures of %s', (name) => {
    const { extraction, reconciliation, delivery } = loadEnvironment(name);
    const retries = Array.from({ length: MAX_RECEIVE_COUNT - 1 }, (_, index) => delivery.retryBaseSeconds * 2 ** index);
    const figures = [
      `\`${extraction.schedule}\`, time zone ${extraction.timeZone}`,
      `an overlap of ${extraction.overlapSeconds} s`,
      `${extraction.safetySeconds / 60} minutes left unread`,
      `the last ${reconciliation.days} days are read again`,
      `the daily reconciliation, \`${reconciliation.schedule}\``,
      `${extraction.memoryMegabytes} MB, time-out ${extraction.timeoutSeconds} s`,
      `${delivery.memoryMegabytes} MB, time-out ${delivery.timeoutSeconds} s`,
      `batch size ${delivery.batchSize}, maximum concurrency ${delivery.maximumConcurrency}`,
      `visibility time-out ${6 * delivery.timeoutSeconds} s`,
      `\`maxReceiveCount\` ${MAX_RECEIVE_COUNT}`,
      `${MAX_RECEIVE_COUNT} attempts: ${retries.length} retries after ${retries.join(', ').replace(/, (\d+)$/, ' and $1')} s`,
    ];

    expect(figures.filter((figure) => !page.includes(figure))).toEqual([]);
  });

  test('does not call something missing that exists', () => {
    const runbookIsMissing = page.includes('`infra/runbook.md` does not exist');

    expect(runbookIsMissing).toBe(!existsSync(join(root, 'infra/runbook.md')));
    expect(page.includes('no alarm, notification or dashboard exists')).toBe(
      !existsSync(join(root, 'infra/constructs/alarms.ts')),
    );
  });
});

describe('the printed layout', () => {
  test('of a table escapes characters that would break it', () => {
    expect(markdownText(['a', 'b'], [['x|y', '<c>\nd']])).toBe('| a | b |\n| - | - |\n| x\\|y | &lt;c> d |');
    expect(csvText([['a,b', 'c"d', 'e', '=f()']])).toBe('"a,b","c""d",e,\'=f()\r\n');
  });
});

// Reading JSON

function parsedObject(text: string): JsonObject {
  const json: Json = JSON.parse(text);
  if (!isJsonObject(json)) throw new Error('not a JSON object');
  return json;
}

function at(json: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce((found: Json | undefined, name) => (isJsonObject(found) ? found[name] : undefined), json);
}

function objectAt(json: Json | undefined, ...path: readonly string[]): JsonObject {
  const found = at(json, ...path);
  if (!isJsonObject(found)) throw new Error(`no object at ${path.join('.')}`);
  return found;
}

function listOf(json: Json | undefined): readonly Json[] {
  return isList(json) ? json : [];
}

function textOf(json: Json | undefined): string {
  return typeof json === 'string' ? json : '';
}

function* nodesOf(json: Json | undefined): Generator<JsonObject> {
  if (isJsonObject(json)) yield json;
  const below = isJsonObject(json) ? Object.values(json) : listOf(json);
  for (const value of below) yield* nodesOf(value);
}

function operationsOf(api: JsonObject): { readonly path: string; readonly operation: JsonObject }[] {
  return Object.entries(objectAt(api, 'paths')).flatMap(([path, item]) =>
    (isJsonObject(item) ? Object.values(item) : []).filter(isJsonObject).map((operation) => ({ path, operation })),
  );
}

/** Every value of an order, as `lines[].accounting[].amount`, in one line. */
function leavesOf(json: Json, path: string): [string, string][] {
  if (isList(json)) return json.flatMap((element) => leavesOf(element, `${path}[]`));
  if (!isJsonObject(json)) return [[path, typeof json === 'string' ? json.replaceAll('\n', '\\n') : String(json)]];
  return Object.entries(json).flatMap(([name, value]) => leavesOf(value, path === '' ? name : `${path}.${name}`));
}

const BAD_VALUES: readonly Json[] = [null, 'bad', '-1', '0', '12.34567', '/Date(99999999999999999)/', '/Date(0)/', []];

/** The cart with all properties of one name spoilt, for each name and each bad value. */
function spoilt(cart: Json): Json[] {
  const names = new Set([...nodesOf(cart)].flatMap((node) => Object.keys(node)));
  const replaced = (json: Json, name: string, bad: Json): Json => {
    if (isList(json)) return json.map((element) => replaced(element, name, bad));
    if (!isJsonObject(json)) return json;
    const members = Object.entries(json).map(([own, value]) => [own, own === name ? bad : replaced(value, name, bad)]);
    return Object.fromEntries(members);
  };
  return [...names].flatMap((name) => BAD_VALUES.map((bad) => replaced(cart, name, bad)));
}

/** The cart with another value of one field, in all rows of its entity, or in those that have one. */
function withField(json: Json, source: MappingSource, value: string, onlyFilled = false, at = 'ShoppingCart'): Json {
  if (!isJsonObject(json)) return json;
  const { entity, field } = source;
  return Object.fromEntries(
    Object.entries(json).map(([name, own]): [string, Json] => {
      const below = NAVIGATIONS[name];
      // A navigation that is itself the source: its rows are left out.
      if (at === entity && name === field && !(onlyFilled && !isFilled(own)))
        return [name, below === undefined ? value : { results: [] }];
      if (below === undefined) return [name, own];
      const results = listOf(objectAt(own)['results']).map((row) => withField(row, source, value, onlyFilled, below));
      return [name, { results }];
    }),
  );
}

/** Every value at a path, in all elements of the lists on the way. */
function leavesBelow(json: Json | undefined, path: readonly string[]): Json[] {
  if (isList(json)) return json.flatMap((element) => leavesBelow(element, path));
  const [name, ...rest] = path;
  if (name === undefined) return json === undefined ? [] : [json];
  return isJsonObject(json) ? leavesBelow(json[name], rest) : [];
}

/** An example's value, from the document or from the file that it names. */
function exampleOf(example: Json, path: string): Json[] {
  if (!isJsonObject(example)) return [];
  const { value, externalValue } = example;
  if (value !== undefined) return [value];
  return typeof externalValue === 'string'
    ? [parsedObject(readFileSync(join(root, dirname(path), externalValue), 'utf8'))]
    : [];
}

function typesOf(schema: Json | undefined): string[] {
  const type = at(schema, 'type');
  return typeof type === 'string' ? [type] : listOf(type).map(textOf);
}

/** The subset of JSON Schema that the documents use: where a value breaks its schema. */
function violations(value: Json, schema: Json | undefined, api: JsonObject, path: string): string[] {
  if (!isJsonObject(schema)) return [];
  const judge = (part: Json | undefined): string[] => violations(value, part, api, path);
  const { $ref: reference, anyOf, allOf, required, properties, items, pattern } = schema;
  if (typeof reference === 'string') return judge(at(api, ...reference.split('/').slice(1)));
  const found = listOf(allOf).flatMap(judge);
  if (isList(anyOf) && anyOf.every((part) => judge(part).length > 0)) found.push(`${path}: none of the forms`);
  const types = typesOf(schema);
  const type = typeName(value);
  if (types.length > 0 && !types.includes(type) && !(type === 'integer' && types.includes('number')))
    return [...found, `${path}: ${type} is not ${types.join(' or ')}`];
  if (schema['const'] !== undefined && schema['const'] !== value) found.push(`${path}: not ${textOf(schema['const'])}`);
  if (isList(schema['enum']) && !schema['enum'].includes(value)) found.push(`${path}: none of the values`);
  if (typeof value === 'string') {
    if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value)) found.push(`${path}: not ${pattern}`);
    found.push(...outOfBounds(Array.from(value).length, schema, 'minLength', 'maxLength', path));
  }
  if (typeof value === 'number') found.push(...outOfBounds(value, schema, 'minimum', 'maximum', path));
  if (isList(value)) {
    found.push(...outOfBounds(value.length, schema, 'minItems', 'maxItems', path));
    found.push(...value.flatMap((element, index) => violations(element, items, api, `${path}[${index}]`)));
  }
  if (isJsonObject(value)) {
    const missing = listOf(required).filter((name) => value[textOf(name)] === undefined);
    found.push(...missing.map((name) => `${path}.${textOf(name)}: missing`));
    const own = Object.entries(value);
    found.push(...own.flatMap(([name, member]) => violations(member, at(properties, name), api, `${path}.${name}`)));
  }
  return found;
}

function outOfBounds(size: number, schema: JsonObject, low: string, high: string, path: string): string[] {
  const [minimum = -Infinity, maximum = Infinity] = [schema[low], schema[high]].map((bound) =>
    typeof bound === 'number' ? bound : undefined,
  );
  return size < minimum || size > maximum ? [`${path}: ${size} is out of bounds`] : [];
}

function typeName(value: Json): string {
  if (value === null) return 'null';
  if (isList(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}
