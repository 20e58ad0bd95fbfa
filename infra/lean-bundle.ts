/**
 * What the bundles leave out: parts of their dependencies that no code of ours can reach, and that would be read at
 * every cold start. Each is replaced by name; the build fails when a dependency no longer has what is replaced, so that
 * an update is looked at instead of bringing all of it back, or breaking, in silence.
 */
import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

interface Replacement {
  /** The module as it is imported, and the folder of the package that imports it. */
  readonly module: string;
  readonly by: string;
  readonly contents: string;
}

const REPLACEMENTS: readonly Replacement[] = [
  // Half of axios is mime-db, for uploads of files. The bodies of ours are text.
  { module: 'form-data', by: 'axios', contents: 'export default class FormData {}' },
  // maxRedirects is 0, proxy is false: axios then calls node:http itself (shared/http-client.ts).
  { module: 'follow-redirects', by: 'axios', contents: 'export default {};' },
  { module: 'proxy-from-env', by: 'axios', contents: "export const getProxyForUrl = () => '';" },
  { module: 'https-proxy-agent', by: 'axios', contents: 'export default class HttpsProxyAgent {}' },
  // Loading node:http2 costs milliseconds, and nobody here speaks HTTP/2.
  { module: 'http2', by: 'axios', contents: 'export default { constants: {} };' },
  // Browsers' adapters; the fetch adapter loads undici (40 ms).
  { module: './xhr.js', by: 'axios', contents: 'export default null;' },
  { module: './fetch.js', by: 'axios', contents: 'export const getFetch = undefined;' },
  // On Lambda the credentials are in the environment: the rest of the chain asks files, SSO, STS and instance metadata.
  {
    module: '@aws-sdk/credential-provider-node',
    by: '@aws-sdk',
    contents: "export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';",
  },
  // Streams of events are in the protocols of other services.
  {
    module: '@smithy/core/event-streams',
    by: '@smithy/core',
    contents: 'export const EventStreamSerde = undefined, eventStreamSerdeProvider = undefined;',
  },
];

/** Text inside a dependency that is replaced: what it probes at import loads undici. */
const EDIT = {
  file: /node_modules\/axios\/lib\/utils\.js$/,
  by: 'axios',
  text: "typeof G.FormData !== 'undefined' ? G.FormData : undefined",
  instead: 'undefined',
};

/** Applies the replacements: those of a package, wherever a bundle holds that package. */
export function leanBundle(): Plugin {
  return {
    name: 'lean-bundle',
    setup(build) {
      const met = new Set<Replacement | typeof EDIT>();
      const packages = new Set<string>();
      build.onResolve({ filter: /./ }, ({ path, importer }) => {
        for (const { by } of REPLACEMENTS) if (importer.includes(`/node_modules/${by}/`)) packages.add(by);
        const found = REPLACEMENTS.find(
          ({ module, by }) => module === path && importer.includes(`/node_modules/${by}/`),
        );
        if (found === undefined) return undefined;
        met.add(found);
        return {
          path: found.module,
          namespace: 'left-out',
          pluginData: { resolveDir: importer.replace(/[^/]+$/, '') },
        };
      });
      build.onLoad({ filter: /./, namespace: 'left-out' }, ({ path, pluginData }) => ({
        contents: REPLACEMENTS.find(({ module }) => module === path)?.contents ?? '',
        resolveDir: pluginData.resolveDir,
        loader: 'js',
      }));
      build.onLoad({ filter: EDIT.file }, ({ path }) => {
        const contents = readFileSync(path, 'utf8');
        if (contents.includes(EDIT.text)) met.add(EDIT);
        return { contents: contents.replace(EDIT.text, EDIT.instead), loader: 'js' };
      });
      build.onEnd(() => {
        const gone = [
          ...REPLACEMENTS.filter((one) => packages.has(one.by) && !met.has(one)).map(
            ({ module, by }) => `${module} of ${by}`,
          ),
          ...(packages.has(EDIT.by) && !met.has(EDIT) ? [String(EDIT.file)] : []),
        ];
        if (gone.length === 0) return undefined;
        return { errors: [{ text: `infra/lean-bundle.ts replaces what is no longer there: ${gone.join(', ')}` }] };
      });
    },
  };
}
