/**
 * The interface for SAP LeanIX: the manifest of the repository, which becomes a microservice, and the fact sheet of the
 * interface as LDIF. Sources: docs-eam.leanix.net, "Manifest File and Schema" and "Integration API".
 */
import * as z from 'zod';
import { INTERFACE_FACTS } from './interface-facts.ts';
import { isJsonObject, isList, type Json, type JsonObject, toJson } from './json-text.ts';

const filled = z.string().min(1);
const placeholder = z.string().regex(/^<PLACEHOLDER: [^<>]+>$/);
const factSheet = z.strictObject({ factSheetId: z.union([z.uuid(), placeholder]) });
/** A path behind an address that is not known yet. */
const address = z.union([z.url(), z.string().regex(/^<PLACEHOLDER: [^<>]+>(\/[\w./-]+)?$/)]);

/** The documented fields. What else LeanIX would take for `type`, `status` and `visibility` is not public. */
export const leanixManifestSchema = z.strictObject({
  version: z.literal(1),
  metadata: z.strictObject({
    name: filled,
    externalId: filled,
    description: filled,
    type: z.literal('Backend'),
    repository: z.strictObject({
      url: address,
      path: z.string().startsWith('/'),
      status: z.literal('active'),
      visibility: z.literal('private'),
    }),
    applications: z.array(factSheet).min(1),
    tags: z.array(z.strictObject({ tagGroupName: filled, tagNames: z.array(filled).min(1) })),
    teams: z.array(factSheet).min(1),
    resources: z.array(
      z.strictObject({ name: filled, type: z.literal('documentation'), url: address, description: filled }),
    ),
  }),
});

const day = z.union([z.iso.date(), placeholder]);

/** What stands in `data` is free: a processor of the workspace reads it. */
export const leanixLdifSchema = z.strictObject({
  connectorType: filled,
  connectorId: filled,
  connectorVersion: z.string().regex(/^\d+\.\d+\.\d+$/),
  lxVersion: z.literal('1.0.0'),
  processingDirection: z.literal('inbound'),
  processingMode: z.literal('partial'),
  description: filled,
  content: z.tuple([
    z.strictObject({
      type: z.literal('Interface'),
      id: filled,
      data: z.strictObject({
        name: filled,
        description: filled,
        providerApplication: filled,
        consumerApplication: filled,
        dataObject: filled,
        itComponent: filled,
        dataClassification: filled,
        businessCriticality: filled,
        frequency: filled,
        lifecycle: z.strictObject({ plan: day, phaseIn: day, active: day }),
      }),
    }),
  ]),
});

const RESOURCES: readonly (readonly [name: string, path: string, description: string])[] = [
  ['Interface page', 'shared/contract/interface.md', 'The interface from lifecycle to open questions'],
  [
    'Mapping',
    'functions/create-purchase-orders/translation/mapping.md',
    'Each field of the order, and where it comes from',
  ],
  ['API of SAP SRM 7', 'shared/contract/srm7.openapi.json', 'OpenAPI of the source, as assumed'],
  ['API of 11VMS', 'shared/contract/11vms.openapi.json', 'OpenAPI of the target, as assumed'],
  ['Runbook', 'infra/runbook.md', 'What to do, alarm by alarm'],
  ['Error catalogue', 'shared/contract/errors.md', 'What each code means, and who can fix it'],
];

export function leanixManifest(): z.infer<typeof leanixManifestSchema> {
  const { name, summary, domain, application, team, repositoryUrl } = INTERFACE_FACTS;
  return leanixManifestSchema.parse({
    version: 1,
    metadata: {
      name,
      externalId: name.toLowerCase(),
      description: summary,
      type: 'Backend',
      repository: { url: repositoryUrl, path: '/', status: 'active', visibility: 'private' },
      applications: [{ factSheetId: application }],
      tags: [{ tagGroupName: 'Domain', tagNames: [domain] }],
      teams: [{ factSheetId: team }],
      resources: RESOURCES.map(([resource, path, description]) => ({
        name: resource,
        type: 'documentation',
        url: `${repositoryUrl}/${path}`,
        description,
      })),
    },
  });
}

export function leanixLdif(): z.infer<typeof leanixLdifSchema> {
  const { name, summary, provider, consumer, dataObject, lifecycle, frequency, ...facts } = INTERFACE_FACTS;
  return leanixLdifSchema.parse({
    connectorType: 'proc-interfaces',
    connectorId: 'purchase-orders',
    connectorVersion: '1.0.0',
    lxVersion: '1.0.0',
    processingDirection: 'inbound',
    processingMode: 'partial',
    description: 'The interface of this repository',
    content: [
      {
        type: 'Interface',
        id: name,
        data: {
          name,
          description: summary,
          providerApplication: provider.name,
          consumerApplication: consumer.name,
          dataObject: dataObject.name,
          itComponent: facts.itComponent,
          dataClassification: facts.dataClassification,
          businessCriticality: facts.businessCriticality,
          frequency,
          lifecycle,
        },
      },
    ],
  });
}

const HEAD = `# Printed from the code by npm run docs. In the place of each <PLACEHOLDER: ...>, write the value in infra/docs/interface-facts.ts.
# How it gets to LeanIX, and the fact sheet of the interface itself: README.md
`;

export const leanixYaml = (): string => `${HEAD}${yamlOf(toJson(leanixManifest()), '')}`;

/** YAML in blocks. A text is written as in JSON, which YAML reads as it is, so that no text is taken for something else. */
function yamlOf(json: Json, indent: string): string {
  if (isJsonObject(json))
    return Object.entries(json)
      .map(([name, value]) => `${indent}${name}:${valueOf(value, indent)}`)
      .join('');
  if (!isList(json)) throw new Error('infra/docs: a document of YAML begins with an object or a list');
  return json.map((item) => `${indent}-${itemOf(item, indent)}`).join('');
}

const isNested = (json: Json): json is JsonObject | readonly Json[] => isJsonObject(json) || isList(json);
const valueOf = (json: Json, indent: string): string =>
  isNested(json) ? `\n${yamlOf(json, `${indent}  `)}` : ` ${JSON.stringify(json)}\n`;
/** The first line of an item stands behind its dash. */
const itemOf = (json: Json, indent: string): string =>
  isNested(json) ? ` ${yamlOf(json, `${indent}  `).trimStart()}` : ` ${JSON.stringify(json)}\n`;
