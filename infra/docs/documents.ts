/** Every document that is printed from the code, by its path below the project's root. */
import { ENVIRONMENTS, loadEnvironment } from '../environments.ts';
import { environmentJsonSchema } from './environment-schema.ts';
import { environmentsMarkdown } from './environments.ts';
import { errorsMarkdown } from './errors.ts';
import { eventsAsyncApi } from './events-asyncapi.ts';
import { grafanaDashboard } from './grafana.ts';
import { jsonText, toJson } from './json-text.ts';
import { leanixLdif, leanixYaml } from './leanix.ts';
import { mappingCsv, mappingMarkdown } from './mapping.ts';
import type { Landscape } from './openapi.ts';
import { srm7OpenApi } from './srm7-openapi.ts';
import { vmsOpenApi } from './vms-openapi.ts';

export async function writtenDocuments(): Promise<ReadonlyMap<string, string>> {
  const translation = 'functions/create-purchase-orders/translation';
  const contract = 'shared/contract';
  return new Map([
    [`${translation}/mapping.md`, mappingMarkdown()],
    [`${translation}/mapping.csv`, mappingCsv()],
    ['infra/environments.md', environmentsMarkdown()],
    ['infra/environments.schema.json', jsonText(environmentJsonSchema())],
    ['infra/monitoring/grafana/purchase-orders.json', jsonText(grafanaDashboard())],
    ['infra/leanix/leanix.yaml', leanixYaml()],
    ['infra/leanix/interface.ldif.json', jsonText(toJson(leanixLdif()))],
    [`${contract}/errors.md`, errorsMarkdown()],
    [`${contract}/events.asyncapi.json`, jsonText(eventsAsyncApi())],
    [`${contract}/srm7.openapi.json`, jsonText(await srm7OpenApi(landscapes('srm')))],
    [`${contract}/11vms.openapi.json`, jsonText(await vmsOpenApi(landscapes('vms')))],
  ]);
}

/** The environments that are deployed; `local` uses simulators. */
const landscapes = (system: 'srm' | 'vms'): Landscape[] =>
  Object.keys(ENVIRONMENTS)
    .filter((name) => name !== 'local')
    .map((name) => ({ name, ...loadEnvironment(name)[system] }));
