/** Lets only callers with the credentials of this run reach an emulated service: without them it would obey every page and program. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { foreignCaller } from '../../loopback-guard.ts';
import { LOCAL_CREDENTIALS } from './aws-clients.ts';

/** Guards the listeners that the server has by now. A refused request reaches none of them. */
export function guard(server: Server): void {
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const refusal = refusalOf(request);
    if (refusal !== undefined) {
      response.writeHead(403, { 'content-type': 'application/json', connection: 'close' });
      response.end(JSON.stringify({ __type: 'AccessDeniedException', message: refusal }));
      return;
    }
    for (const listener of listeners) Reflect.apply(listener, server, [request, response]);
  });
}

/** The port is not compared: a proxy of a test has its own. */
const isLoopback = (host: string): boolean => /^127\.0\.0\.1:\d+$/.test(host);

/** `AWS4-HMAC-SHA256 Credential=<access key id>/<date>/<region>/<service>/aws4_request, ...` */
function refusalOf({ headers: { host, origin, authorization = '' } }: IncomingMessage): string | undefined {
  const foreign = foreignCaller({ host, origin }, isLoopback);
  if (foreign !== undefined) return foreign;
  const [, accessKeyId] = /^AWS4-HMAC-SHA256 Credential=([^/]+)\//.exec(authorization) ?? [];
  return accessKeyId === LOCAL_CREDENTIALS.accessKeyId ? undefined : 'the credentials are not those of this run';
}
