/**
 * Loaded into the process of a function before its bundle (NODE_OPTIONS). It adds the process id and the service to every
 * call, so that a disturbance can end this process. The bundles themselves are those that are deployed.
 */
import { subscribe } from 'node:diagnostics_channel';
import { ClientRequest } from 'node:http';

subscribe('http.client.request.created', (message) => {
  const request: unknown = Reflect.get(Object(message), 'request');
  if (!(request instanceof ClientRequest)) return;
  request.setHeader('x-chaos-process', String(process.pid));
  request.setHeader('x-chaos-service', process.env['POWERTOOLS_SERVICE_NAME'] ?? '');
});
