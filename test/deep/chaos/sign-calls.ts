/**
 * Loaded into each function's process before the function (NODE_OPTIONS): every call that leaves it says which process
 * it is from, so that chaos can end that one. The bundles are those that are deployed.
 */
import { subscribe } from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';

subscribe('http.client.request.created', (message) => {
  const request: unknown = Reflect.get(Object(message), 'request');
  if (request instanceof ClientRequest) request.setHeader('x-chaos-process', String(process.pid));
});
