/**
 * Loaded into the process of a function before its bundle (NODE_OPTIONS). It adds the process id to every call, so that a
 * disturbance can end this process. The bundles themselves are those that are deployed.
 */
import { subscribe } from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';

subscribe('http.client.request.created', (message) => {
  const request: unknown = Reflect.get(Object(message), 'request');
  if (request instanceof ClientRequest) request.setHeader('x-chaos-process', String(process.pid));
});
