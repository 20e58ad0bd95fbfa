/** The configuration, field by field, printed from the schema that validates it. */
import * as z from 'zod';
import { environmentSchema } from '../environments.ts';
import { isJsonObject, type Json, toJson } from './json-text.ts';
import { GENERATED, markdownText } from './markdown.ts';

export interface Setting {
  /** `srm.baseUrl` */
  readonly path: string;
  /** A section has settings of its own, and no value beside them. */
  readonly isSection: boolean;
  /** Empty where the schema does not say it. */
  readonly meaning: string;
  readonly default: string;
  readonly limits: readonly string[];
  /** As JSON Schema names it; `object` where it has several forms. */
  readonly type: string;
  /** The default value; undefined for a setting without a default. */
  readonly defaultValue: Json | undefined;
}

const refinement = z.object({
  message: z.string(),
  /** The setting that is refused, relative to the one that has the refinement. */
  path: z.string(),
});
type Refinement = z.infer<typeof refinement>;

/** A setting in JSON Schema, with the refinements that JSON Schema cannot express. */
const settingSchema = z.object({
  type: z.string().optional(),
  description: z.string().default(''),
  default: z.json().optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
  enum: z.array(z.json()).optional(),
  const: z.json().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  required: z.array(z.string()).default([]),
  refinements: z.array(refinement),
  get properties() {
    return z.record(z.string(), settingSchema).optional();
  },
  get items() {
    return settingSchema.optional();
  },
  get propertyNames() {
    return settingSchema.optional();
  },
  /** `false` for an object that takes no other property. */
  get additionalProperties() {
    return z.union([z.literal(false), settingSchema]).optional();
  },
  get oneOf() {
    return z.array(settingSchema).optional();
  },
});
type SettingSchema = z.infer<typeof settingSchema>;

/** With those of each entry of a record or list, under a `*`, only where they are asked for: no entry must be there. */
export function environmentSettings({ ofEntries = false } = {}): Setting[] {
  const json = z.toJSONSchema(environmentSchema, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      jsonSchema['refinements'] = refinementsOf(zodSchema);
    },
  });
  const schema = settingSchema.parse(json);
  return settingsBelow(schema, '', ofEntries).map((setting) => ({
    ...setting,
    limits: [
      ...setting.limits,
      ...schema.refinements.filter(({ path }) => path === setting.path).map(({ message }) => message),
    ],
  }));
}

function settingsBelow(schema: SettingSchema, prefix: string, ofEntries: boolean): Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, own]) => {
    const path = `${prefix}${name}`;
    const isSection = own.properties !== undefined;
    const byDefault = own.default === undefined ? defaultBelow(schema, name) : toJson(own.default);
    const setting = {
      path,
      isSection,
      meaning: own.description,
      default: defaultText(byDefault, schema.required.includes(name)),
      limits: isSection ? [] : limitsOf(own),
      type: own.type ?? (own.enum === undefined ? 'object' : 'string'),
      defaultValue: byDefault,
    };
    const entry = ofEntries ? entrySchema(own) : undefined;
    const entries = entry === undefined ? [] : [entrySetting(path), ...settingsBelow(entry, `${path}.*.`, ofEntries)];
    return [setting, ...entries, ...settingsBelow(own, `${path}.`, ofEntries)];
  });
}

/** Of a record or a list of objects. */
function entrySchema({ additionalProperties, items }: SettingSchema): SettingSchema | undefined {
  const entry = additionalProperties === false ? items : (additionalProperties ?? items);
  return entry?.properties === undefined ? undefined : entry;
}

const entrySetting = (path: string): Setting => ({
  path: `${path}.*`,
  isSection: true,
  meaning: `Each entry of \`${path}\`.`,
  default: 'none',
  limits: [],
  type: 'object',
  defaultValue: undefined,
});

/** The value of a setting in its section's default. */
const defaultBelow = ({ default: byDefault }: SettingSchema, name: string): Json | undefined => {
  const json = byDefault === undefined ? undefined : toJson(byDefault);
  return isJsonObject(json) ? json[name] : undefined;
};

/** A default that is too long for a cell is printed with the mapping. */
function defaultText(byDefault: Json | undefined, isRequired: boolean): string {
  if (byDefault === undefined) return isRequired ? 'required' : 'none';
  const text = JSON.stringify(byDefault);
  return text.length > 100
    ? '[mapping.md](../functions/create-purchase-orders/translation/mapping.md#value-maps)'
    : `\`${text}\``;
}

function limitsOf(schema: SettingSchema): string[] {
  if (schema.oneOf !== undefined) return [schema.oneOf.map((variant) => variantText(variant)).join(', or ')];
  const { items, propertyNames, additionalProperties, pattern } = schema;
  const messages = schema.refinements.map(({ message }) => message);
  return [
    ...valueText(schema),
    ...(pattern === undefined || schema.format !== undefined || messages.length > 0 ? [] : [`\`${pattern}\``]),
    ...messages,
    ...(items === undefined ? [] : partText('each', items)),
    ...(propertyNames === undefined ? [] : partText('each key', propertyNames)),
    ...(additionalProperties === undefined || additionalProperties === false
      ? []
      : partText('each value', additionalProperties)),
  ];
}

/** One of the forms of a value, which its `mode` tells apart. */
function variantText({ properties = {} }: SettingSchema): string {
  return Object.entries(properties)
    .map(([name, own]) =>
      own.const === undefined
        ? `\`${name}\` (${limitsOf(own).join('; ')})`
        : `\`"${name}": ${JSON.stringify(own.const)}\``,
    )
    .join(' with ');
}

const partText = (part: string, schema: SettingSchema): string[] => {
  const limits = limitsOf(schema);
  return limits.length === 0 ? [] : [`${part}: ${limits.join(', ')}`];
};

function valueText(schema: SettingSchema): string[] {
  if (schema.enum !== undefined)
    return [`one of ${schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ')}`];
  switch (schema.type) {
    case 'integer':
      return [rangeText(schema.minimum, schema.maximum)];
    case 'boolean':
      return ['`true` or `false`'];
    case 'array':
      return [`a list of ${rangeText(schema.minItems ?? 0, schema.maxItems)}`];
    case 'string':
      return stringText(schema);
    default:
      return [];
  }
}

function stringText({ format, minLength, maxLength }: SettingSchema): string[] {
  if (format === 'uri') return ['a URL'];
  if (format === 'date-time') return ['an instant with its offset, such as `2026-12-01T00:00:00Z`'];
  if (format === 'email') return ['an e-mail address'];
  if (maxLength === undefined) return minLength === undefined ? [] : ['not empty'];
  return [`${minLength === maxLength ? maxLength : rangeText(minLength ?? 0, maxLength)} characters`];
}

function rangeText(minimum: number | undefined, maximum: number | undefined): string {
  if (maximum === undefined || maximum === Number.MAX_SAFE_INTEGER) return `${minimum ?? 0} or more`;
  return `${minimum ?? 0} to ${maximum}`;
}

/** The messages of a schema's refinements, with those of the schemas that it wraps. */
function refinementsOf(schema: z.core.$ZodType): Refinement[] {
  const def = definitionOf<z.core.$ZodTypeDef>(schema);
  const own = (def.checks ?? []).flatMap((check): Refinement[] => {
    const { error, path = [] } = definitionOf<z.core.$ZodCheckDef & { readonly path?: readonly PropertyKey[] }>(check);
    const message: unknown = error === undefined ? undefined : Reflect.apply(error, undefined, [{}]);
    return typeof message === 'string' ? [{ message, path: path.map(String).join('.') }] : [];
  });
  const inner = 'in' in def ? def.in : 'innerType' in def ? def.innerType : undefined;
  return inner instanceof z.core.$ZodType ? [...refinementsOf(inner), ...own] : own;
}

// oxlint-disable-next-line no-underscore-dangle -- zod's own name for what its tools read
export const definitionOf = <Definition>({ _zod }: { readonly _zod: { readonly def: Definition } }): Definition =>
  _zod.def;

/** The file of an environment that the project does not list. A test parses it. */
const SAMPLE = {
  name: 'acme',
  srm: {
    baseUrl: 'https://srm.acme.example',
    tokenUrl: 'https://srm.acme.example/oauth/token',
    scope: 'srm.carts.read',
    secretName: 'acme/srm',
    client: '100',
  },
  vms: {
    baseUrl: 'https://apim.acme.example/11VMSProxy_V2',
    tokenUrl: 'https://apim.acme.example/oauth/token',
    scope: 'vms.purchase-orders.write',
    secretName: 'acme/11vms',
  },
  extraction: { schedule: 'rate(5 minutes)', firstWatermark: '2026-12-01T00:00:00Z' },
  delivery: { maximumConcurrency: 2 },
  translation: {
    valueMaps: {
      businessUnit: { BE10: 'BU-BE-BRU' },
      supplier: { mode: 'mapped', codes: { '100234': 'SUP-00871' } },
    },
  },
};

export function environmentsMarkdown(): string {
  const settings = environmentSettings({ ofEntries: true });
  const sections = settings.filter(({ isSection }) => isSection);
  const below = (prefix: string): Setting[] =>
    settings.filter(({ path, isSection }) => !isSection && path.slice(0, path.lastIndexOf('.') + 1) === prefix);
  return `# Configuration

${GENERATED}
The schema is \`infra/environments.ts\`; that of the translation is \`shared/translation-settings.ts\`.

\`npm run env -- new acme\` writes one, with every setting in a comment; \`npm run env -- check acme.jsonc\` tells every mistake in it. An
editor that knows JSON Schema completes and checks it while you type, by its first line, \`"$schema"\`: the path of
\`infra/environments.schema.json\`. VS Code does so without an extension.

An environment is one entry: by its name in \`infra/environments.ts\` (\`--env dev\`), or a JSON file of your own
(\`--env ./acme.jsonc\`), which may hold comments (\`//\`). It is checked before anything else happens; every field that is wrong is
named, and a field that the schema does not know is refused. A file of your own needs no more than this:

\`\`\`json
${JSON.stringify(SAMPLE, undefined, 2)}
\`\`\`

## Value maps from CSV files

The codes of a value map may stand in a CSV file, which the people who know them keep in a spreadsheet. A map with a mode names
the file in the place of its codes; any other map does so in a field \`codes\`:

\`\`\`
"supplier": { "mode": "mapped", "codes": { "file": "suppliers.csv" } },
"businessUnit": { "codes": { "file": "business-units.csv" } }
\`\`\`

- The file lies in the folder of the entry or below it, so that both are reviewed, copied and deployed together. It is read
  wherever the entry is read.
- The first row names the columns: \`source\`, the code in SRM, and \`target\`, what it becomes. Other columns, such as a name or
  a remark, are for people.
- It is UTF-8, with or without a byte order mark; commas, semicolons or tabs separate the cells. Empty rows are passed over.
- Every mistake is told with its file and row: an empty cell, a code with two targets, a number that a spreadsheet wrote as 1.23E+11.
- A spreadsheet drops leading zeros. Codes in SRM are compared without them. Targets that look shortened are taken with a
  warning: format the column as text.

## The environment

${settingsTable(below(''), '')}

${sections.map((section) => sectionText(section, below(`${section.path}.`))).join('\n')}`;
}

/** A section that holds only others has no table. */
const sectionText = ({ path, meaning, default: byDefault }: Setting, settings: readonly Setting[]): string =>
  [
    `## ${path}`,
    `${meaning}${byDefault === 'required' ? ' Required.' : ''}`,
    ...(settings.length === 0 ? [] : [settingsTable(settings, `${path}.`)]),
  ]
    .map((part) => `${part}\n`)
    .join('\n');

const settingsTable = (settings: readonly Setting[], prefix: string): string =>
  markdownText(
    ['field', 'meaning', 'default', 'limits'],
    settings.map(({ path, meaning, default: byDefault, limits }) => [
      `\`${path.slice(prefix.length)}\``,
      meaning,
      byDefault,
      limits.join('; '),
    ]),
  );
