/**
 * What the bundles leave out: parts of their dependencies that no code of ours can reach, and that would be read at
 * every cold start; and the one place in which they are made faster. Each is replaced by name; the build fails when a
 * dependency no longer has what is replaced, so that an update is looked at instead of bringing all of it back, or
 * breaking, in silence. What it brings is measured by `npm run benchmark -- --cold`.
 */
import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

interface Replacement {
  /** The module as it is imported, and the folder of the package that imports it. */
  readonly module: string;
  readonly by: string;
  readonly contents: string;
}

/** For what is called, if ever, on a way that we closed: it says so, instead of doing something else. */
const unreachable = (...names: readonly string[]): string =>
  `function leftOut() { throw new Error('infra/lean-bundle.ts left this out'); }
  export { ${names.map((name) => `leftOut as ${name}`).join(', ')} };`;

const AXIOS: readonly Omit<Replacement, 'by'>[] = [
  // The bodies of ours are text: no forms, no uploads of files (half of axios is mime-db), no data: URLs.
  { module: 'form-data', contents: 'export default class FormData {}' },
  { module: './helpers/formDataToJSON.js', contents: unreachable('default') },
  { module: '../helpers/formDataToJSON.js', contents: unreachable('default') },
  { module: './helpers/toFormData.js', contents: unreachable('default') },
  { module: '../helpers/toFormData.js', contents: unreachable('default') },
  { module: '../helpers/toURLEncodedForm.js', contents: unreachable('default') },
  { module: '../helpers/formDataToStream.js', contents: unreachable('default') },
  { module: '../helpers/readBlob.js', contents: unreachable('default') },
  { module: '../helpers/fromDataURI.js', contents: unreachable('default') },
  { module: '../helpers/estimateDataURLDecodedBytes.js', contents: unreachable('estimateDataURLBufferAllocation') },
  // A path of ours holds its query already.
  { module: './AxiosURLSearchParams.js', contents: unreachable('default') },
  // maxRedirects is 0, proxy is false: axios then calls node:http itself (shared/http-client.ts).
  { module: 'follow-redirects', contents: 'export default {};' },
  { module: 'proxy-from-env', contents: unreachable('getProxyForUrl') },
  { module: 'https-proxy-agent', contents: 'export default class HttpsProxyAgent {}' },
  { module: '../helpers/shouldBypassProxy.js', contents: unreachable('default') },
  // Loading node:http2 costs milliseconds, and nobody here speaks HTTP/2.
  { module: 'http2', contents: 'export default { constants: {} };' },
  { module: '../helpers/Http2Sessions.js', contents: 'export default class Http2Sessions {}' },
  // Progress and limits of speed.
  {
    module: '../helpers/progressEventReducer.js',
    contents: unreachable('progressEventReducer', 'progressEventDecorator', 'asyncDecorator'),
  },
  { module: '../helpers/AxiosTransformStream.js', contents: unreachable('default') },
  // Whoever imports all of node:util as one object reads every part of it, and loads worker_threads.
  { module: 'util', contents: 'export default {};' },
  // Browsers' adapters; the fetch adapter loads undici (40 ms).
  { module: './xhr.js', contents: 'export default null;' },
  { module: './fetch.js', contents: 'export const getFetch = undefined;' },
  // Aborting is by AbortSignal, and a status is a number.
  { module: './cancel/CancelToken.js', contents: unreachable('default') },
  { module: './helpers/HttpStatusCode.js', contents: 'export default {};' },
];

const REPLACEMENTS: readonly Replacement[] = [
  ...AXIOS.map((one) => ({ ...one, by: 'axios' })),
  // On Lambda the credentials are in the environment: the rest of the chain asks files, SSO, STS and instance metadata.
  {
    module: '@aws-sdk/credential-provider-node',
    by: '@aws-sdk',
    // Kept, as the chain would keep them: reading process.env takes longer than all the rest of a call's signature.
    contents: `import { fromEnv } from '@aws-sdk/credential-provider-env';
      import { memoize } from '@smithy/core/config';
      export const defaultProvider = (init) => memoize(fromEnv(init));`,
  },
  // No client has a logger: what this leaves out is a copy of each call's input and output, made to be thrown away.
  {
    module: './middleware-logger/loggerMiddleware',
    by: '@aws-sdk/core',
    contents: `${unreachable('loggerMiddleware')}
      export const loggerMiddlewareOptions = {}, getLoggerPlugin = () => ({ applyToStack() {} });`,
  },
  // The endpoints are those of the region, or the environment's: none is asked for.
  { module: '@aws-sdk/endpoint-cache', by: '@aws-sdk', contents: 'export class EndpointCache {}' },
  // Streams of events are in the protocols of other services.
  {
    module: '@smithy/core/event-streams',
    by: '@smithy/core',
    contents: 'export const EventStreamSerde = undefined, eventStreamSerdeProvider = undefined;',
  },
  // There is no ~/.aws on Lambda; where there is one, the interface's functions are none of its business.
  {
    module: '../shared-ini-file-loader/loadSharedConfigFiles',
    by: '@smithy/core',
    contents: 'export const loadSharedConfigFiles = async () => ({ configFile: {}, credentialsFile: {} });',
  },
  // Node has these itself, and the retries are the SDK's standard ones.
  { module: './Sha256Js', by: '@smithy/core', contents: unreachable('Sha256Js') },
  { module: './Md5Js', by: '@smithy/core', contents: unreachable('Md5Js') },
  { module: '../util-retry/AdaptiveRetryStrategy', by: '@smithy/core', contents: unreachable('AdaptiveRetryStrategy') },
  // The same, without the look at the global `crypto`, which loads all of WebCrypto.
  {
    module: './uuid/v4',
    by: '@smithy/core',
    contents: "import { randomUUID } from 'node:crypto'; export const bindV4 = () => () => randomUUID();",
  },
  // Lambda sets the region, and nobody here speaks to S3.
  {
    module: './getInstanceMetadataRegion',
    by: '@smithy/core',
    contents: 'export const getInstanceMetadataRegion = async () => undefined;',
  },
  { module: '../service-customizations', by: '@smithy/core', contents: unreachable('resolveParamsForS3') },
  // Messages that are signed are parts of such streams.
  { module: './HeaderFormatter', by: '@smithy/signature-v4', contents: 'export class HeaderFormatter {}' },
  // Schemas are printed by `npm run docs`, not by the functions.
  { module: '../core/json-schema-processors.js', by: 'zod', contents: unreachable('toJSONSchema') },
  {
    module: '../core/to-json-schema.js',
    by: 'zod',
    contents: unreachable('createStandardJSONSchemaMethod', 'createToJSONSchemaMethod'),
  },
];

interface Edit {
  readonly file: RegExp;
  readonly by: string;
  /** Every match is replaced. */
  readonly text: RegExp;
  readonly instead: string;
}

/** Whom our code asks for by its class; every other error of AWS keeps its name, and becomes the service's base class. */
const ERROR_CLASSES = ['ConditionalCheckFailedException', 'ResourceConflictException', 'ResourceInUseException'];

/** Text inside a dependency that is replaced. */
const EDITS: readonly Edit[] = [
  // What axios probes at import loads undici.
  {
    file: /node_modules[\\/]axios[\\/]lib[\\/]utils\.js$/,
    by: 'axios',
    text: /typeof G\.FormData !== 'undefined' \? G\.FormData : undefined/g,
    instead: 'undefined',
  },
  // Through core's index, all of zod's helpers become one object with all of them in it.
  ...[
    { text: /import \{ util \} from "\.\.\/core\/index\.js";/g, instead: 'import * as util from "../core/util.js";' },
    { text: /\bcore\.util\./g, instead: 'util.' },
    // Every string brings every format, in zod's old spelling; ours are z.url() and z.iso. A schema that uses one of
    // these methods is made, and fails, when the bundle is loaded.
    { text: /^ {4}\w+\(params\) \{\n +return this\.check\(core\._\w+\(Zod\w+, params\)\);\n {4}\},$/gm, instead: '' },
  ].map((one) => ({ ...one, file: /node_modules[\\/]zod[\\/]v4[\\/]classic[\\/]schemas\.js$/, by: 'zod' })),
  // The SDK looks at every character of a text: of a message in a batch, for a sixth of the extractor's CPU.
  {
    file: /node_modules[\\/]@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]protocols[\\/]json[\\/]codec-v2[\\/]JsonShapeSerializer2\.js$/,
    by: '@smithy/core',
    text: /^ {4}writeJsonString\(s\) \{$/gm,
    instead: `$&
        if (s.length > 64) {
          const quoted = JSON.stringify(s);
          // A unit of UTF-16 is three bytes at most.
          this.ensure(quoted.length * 3);
          this.i += encoder.encodeInto(quoted, this.json.subarray(this.i)).written;
          return;
        }`,
  },
  // A client's own version is in its user agent; the rest of its package.json is not.
  ...['dynamodb', 'lambda', 'secrets-manager', 'sqs'].flatMap((service): readonly Edit[] => [
    {
      file: new RegExp(`node_modules[\\\\/]@aws-sdk[\\\\/]client-${service}[\\\\/]dist-es[\\\\/]runtimeConfig\\.js$`),
      by: `@aws-sdk/client-${service}`,
      text: /import packageInfo from "\.\.\/package\.json";/g,
      instead: 'import { version } from "../package.json"; const packageInfo = { version };',
    },
    ...[
      {
        text: new RegExp(`^n0_registry\\.registerError\\((?!(?:${ERROR_CLASSES.join('|')})\\$).*\\);$`, 'gm'),
        instead: '',
      },
      // Their keys are computed: that making one has no effects, and it may go with its operation, esbuild must be told.
      { text: /^((?:export )?var \w+\$?) = (\[[^;]*\]);$/gm, instead: '$1 = /* @__PURE__ */ (() => $2)();' },
    ].map((one) => ({
      ...one,
      file: new RegExp(
        `node_modules[\\\\/]@aws-sdk[\\\\/]client-${service}[\\\\/]dist-es[\\\\/]schemas[\\\\/]schemas_0\\.js$`,
      ),
      by: `@aws-sdk/client-${service}`,
    })),
  ]),
];

const isIn = (file: string, folder: string): boolean => file.replaceAll('\\', '/').includes(`/node_modules/${folder}/`);

/** Applies the replacements: those of a package, wherever a bundle holds that package. */
export function leanBundle(): Plugin {
  return {
    name: 'lean-bundle',
    setup(build) {
      const met = new Set<Replacement | Edit>();
      const packages = new Set<string>();
      build.onResolve({ filter: /./ }, ({ path, importer }) => {
        for (const { by } of [...REPLACEMENTS, ...EDITS]) if (isIn(importer, by)) packages.add(by);
        const found = REPLACEMENTS.find(({ module, by }) => module === path && isIn(importer, by));
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
      // One for all: esbuild asks no second one about the same file.
      build.onLoad({ filter: new RegExp(EDITS.map(({ file }) => file.source).join('|')) }, ({ path }) => {
        let contents = readFileSync(path, 'utf8');
        for (const edit of EDITS.filter(({ file }) => file.test(path))) {
          const edited = contents.replaceAll(edit.text, edit.instead);
          if (edited !== contents) met.add(edit);
          contents = edited;
        }
        return { contents, loader: 'js' };
      });
      build.onEnd(() => {
        const gone = [
          ...REPLACEMENTS.map((one) => ({ one, name: `${one.module} of ${one.by}` })),
          ...EDITS.map((one) => ({ one, name: `${one.text.source} in ${one.file.source}` })),
        ].filter(({ one }) => packages.has(one.by) && !met.has(one));
        if (gone.length === 0) return undefined;
        const names = gone.map(({ name }) => name).join(', ');
        return { errors: [{ text: `infra/lean-bundle.ts replaces what is no longer there: ${names}` }] };
      });
    },
  };
}
