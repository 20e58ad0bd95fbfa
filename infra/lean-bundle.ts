/**
 * Modules that the bundles leave out: no code of ours can reach them, and every cold start would read them.
 * `npm run bench -- --cold` measures what that brings. The build fails when a package no longer imports what is
 * replaced here: otherwise an update could bring it all back unnoticed.
 */
import { dirname } from 'node:path';
import type { Plugin } from 'esbuild';

interface Replacement {
  /** The module, as it is imported. */
  readonly module: string;
  /** The folder below node_modules from which it is imported. */
  readonly by: string;
  readonly contents: string;
}

/** Exports a function that must never be called: it throws. */
const unreachable = (name: string): string =>
  `function leftOut() { throw new Error('infra/lean-bundle.ts left this out'); }
  export { leftOut as ${name} };`;

const REPLACEMENTS: readonly Replacement[] = [
  // Our bodies are text: no forms, no uploads. Half of axios is mime-db, through form-data.
  { module: 'form-data', by: 'axios', contents: 'export default class FormData {}' },
  // Adapters of browsers; the fetch adapter loads undici (40 ms).
  { module: './xhr.js', by: 'axios', contents: 'export default null;' },
  { module: './fetch.js', by: 'axios', contents: 'export const getFetch = undefined;' },
  // maxRedirects is 0 and proxy is false: axios then calls node:http itself (shared/http-client.ts).
  { module: 'follow-redirects', by: 'axios', contents: 'export default {};' },
  { module: 'proxy-from-env', by: 'axios', contents: unreachable('getProxyForUrl') },
  { module: 'https-proxy-agent', by: 'axios', contents: 'export default class HttpsProxyAgent {}' },
  { module: '../helpers/shouldBypassProxy.js', by: 'axios', contents: unreachable('default') },
  // Loading node:http2 costs milliseconds, and no call to SRM or 11VMS uses HTTP/2.
  { module: 'http2', by: 'axios', contents: 'export default { constants: {} };' },
  // An import of all of node:util as one object reads every part of it, and loads worker_threads.
  { module: 'util', by: 'axios', contents: 'export default {};' },
  // On Lambda the credentials are in the environment: the rest of the chain asks files, SSO, STS and instance metadata.
  {
    module: '@aws-sdk/credential-provider-node',
    by: '@aws-sdk',
    // Memoized, as the chain is: reading process.env takes longer than the whole rest of signing a call.
    contents: `import { fromEnv } from '@aws-sdk/credential-provider-env';
      import { memoize } from '@smithy/core/config';
      export const defaultProvider = (init) => memoize(fromEnv(init));`,
  },
  // Of its manifest, a client needs its version alone.
  {
    module: '../package.json',
    by: '@aws-sdk',
    contents: "import { version } from '../package.json'; export default { version };",
  },
  // Only the protocols of other services have event streams.
  {
    module: '@smithy/core/event-streams',
    by: '@smithy/core',
    contents: 'export const EventStreamSerde = undefined, eventStreamSerdeProvider = undefined;',
  },
];

/** Stands before the bundle: axios reads the global FormData when it is loaded, which loads undici (40 ms). */
export const LEAN_BANNER = '"use strict"; globalThis.FormData = undefined;';

const isIn = (file: string, folder: string): boolean => file.replaceAll('\\', '/').includes(`/node_modules/${folder}/`);

/** Applies the replacements of every package that the bundle holds. The plugin keeps state: it is for one build. */
export function leanBundle(): Plugin {
  return {
    name: 'lean-bundle',
    setup(build) {
      const expected = new Set<Replacement>();
      const replaced = new Set<Replacement>();
      build.onResolve({ filter: /./ }, ({ path, importer, namespace }) => {
        // A replacement may import what it stands for.
        if (namespace === 'left-out') return undefined;
        const ofImporter = REPLACEMENTS.filter(({ by }) => isIn(importer, by));
        for (const replacement of ofImporter) expected.add(replacement);
        const found = ofImporter.find(({ module }) => module === path);
        if (found === undefined) return undefined;
        replaced.add(found);
        const resolveDir = dirname(importer);
        const pluginData = { contents: found.contents, resolveDir };
        // One for each folder that imports it: a relative name means another module in each.
        const [, ...folders] = resolveDir.replaceAll('\\', '/').split('/node_modules/');
        return { path: `${folders.join('/')}: ${found.module}`, namespace: 'left-out', pluginData };
      });
      build.onLoad({ filter: /./, namespace: 'left-out' }, ({ pluginData }) => ({ ...pluginData, loader: 'js' }));
      build.onEnd(() => {
        const unused = [...expected].filter((replacement) => !replaced.has(replacement));
        if (unused.length === 0) return undefined;
        const names = unused.map(({ module, by }) => `${module} of ${by}`).join(', ');
        return { errors: [{ text: `infra/lean-bundle.ts replaces what is no longer there: ${names}` }] };
      });
    },
  };
}
