/** The files for LeanIX: as documented, of the facts of the interface page, and readable as YAML. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import * as z from 'zod';
import { environmentSettings } from '../../infra/docs/environments.ts';
import { factSheetRows, INTERFACE_FACTS } from '../../infra/docs/interface-facts.ts';
import {
  leanixLdif,
  leanixLdifSchema,
  leanixManifest,
  leanixManifestSchema,
  leanixYaml,
} from '../../infra/docs/leanix.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'shared/contract/interface.md'), 'utf8');
const sectionOf = (heading: string): string => page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
/** The rows of a table, without the row of its heads. */
const rowsOf = (section: string): string[][] =>
  [...section.matchAll(/^\| (.+) \|$/gm)]
    .map(([, row = '']) => row.split(' | ').map((cell) => cell.trim()))
    .filter(([first = '']) => !/^-+$/.test(first))
    .slice(1);

describe('the manifest', () => {
  test('is YAML, and reads back as what was written', () => {
    // The parser that CDK brings along, for its own templates.
    const { parse } = z
      .object({ parse: z.custom<(text: string) => unknown>((value) => typeof value === 'function') })
      .parse(createRequire(join(root, 'node_modules/aws-cdk-lib/package.json'))('yaml'));

    expect(parse(leanixYaml())).toEqual(leanixManifest());
  });

  test('links to documents that exist', () => {
    const paths = leanixManifest().metadata.resources.map(({ url }) => url.replace(INTERFACE_FACTS.repositoryUrl, '.'));

    expect(paths.length).toBeGreaterThan(4);
    expect(paths.filter((path) => !path.startsWith('./') || !existsSync(join(root, path)))).toEqual([]);
  });

  test.each([
    ['an id that is none', { applications: [{ factSheetId: 'SAP SRM 7' }] }],
    ['an empty placeholder', { teams: [{ factSheetId: '<PLACEHOLDER: >' }] }],
    ['a field that is not documented', { owner: 'me' }],
    [
      'another kind of resource',
      { resources: [{ name: 'a', type: 'link', url: 'https://a.example', description: 'b' }] },
    ],
  ])('with %s is refused', (_, change) => {
    const manifest = leanixManifest();
    const judge = (metadata: object) => leanixManifestSchema.safeParse({ ...manifest, metadata }).success;

    expect(judge(manifest.metadata)).toBe(true);
    expect(judge({ ...manifest.metadata, ...change })).toBe(false);
  });
});

test('the LDIF holds the interface, with no day that is none', () => {
  const ldif = leanixLdif();
  const [{ data, ...content }] = ldif.content;
  const judge = (plan: string) =>
    leanixLdifSchema.safeParse({
      ...ldif,
      content: [{ ...content, data: { ...data, lifecycle: { ...data.lifecycle, plan } } }],
    }).success;

  expect(content).toEqual({ type: 'Interface', id: 'PROC-SRM7-11VMS-PURCHASE-ORDER-V1' });
  expect([judge('2027-01-01'), judge('<PLACEHOLDER: day>'), judge('soon'), judge('2027-02-30')]).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

describe('the interface page', () => {
  test('shows the same facts', () => {
    const shown = rowsOf(sectionOf('5. LeanIX fact sheet')).map(([field = '', value = '']) => [
      field,
      value.replaceAll('`', ''),
    ]);

    expect(shown).toEqual(factSheetRows());
    expect(sectionOf('6. Classification')).toContain(INTERFACE_FACTS.domain);
  });

  const systems = rowsOf(sectionOf('23. Systems that the template names'));

  test('says of each system that the template names whether it is used', () => {
    const named =
      'CloudWatch, e-mail, PagerDuty, SAP Cloud ALM, Grafana, Splunk, Elastic, SAP Event Mesh, LeanIX, B2B MFT, S/4HANA over Cloud Connector, Salesforce, SAP CPI';

    expect(systems.map(([name]) => name)).toEqual(expect.arrayContaining(named.split(', ')));
    for (const row of systems) {
      expect(row).toHaveLength(3);
      expect(['works', 'optional', 'not used']).toContain(row[1]);
    }
  });

  test('names the block of each system that is optional, and leaves out no block', () => {
    const blocks = systems.flatMap(([, state, how = '']) =>
      state === 'optional' ? [[...how.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name)] : [],
    );
    const settings = environmentSettings().map(({ path }) => path);
    const known = (path: string): boolean => settings.some((each) => each.startsWith(path));

    expect(blocks.filter((names) => !names.some(known))).toEqual([]);
    for (const block of [
      'grafana',
      'logForwarding.splunk',
      'logForwarding.elastic',
      'cloudAlm',
      'events',
      'orderNumbers',
    ])
      expect(blocks.flat()).toContain(block);
  });
});
