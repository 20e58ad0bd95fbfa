/** Requests as no browser would send them: fetch sets Host and Origin by itself. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface RawAnswer {
  readonly status: number;
  /** By lower-case name; several values of one name are joined by a line break. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export interface RawRequest {
  readonly method?: string;
  /** The target as it stands in the request line. */
  readonly path?: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: string;
}

/** Undefined where the connection ends without an answer. */
export async function sendRaw(
  port: number,
  { method = 'GET', path = '/', headers, body = '' }: RawRequest,
): Promise<RawAnswer | undefined> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines}Connection: close\r\n\r\n${body}`);
  // The console may end the connection while a body is still written.
  const answer = await text(socket).catch(() => '');
  if (answer === '') return undefined;
  const end = answer.indexOf('\r\n\r\n');
  const [statusLine = '', ...fields] = answer.slice(0, end).split('\r\n');
  const named = new Map<string, string>();
  for (const field of fields) {
    const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(field) ?? [];
    const before = named.get(name.toLowerCase());
    named.set(name.toLowerCase(), before === undefined ? value : `${before}\n${value}`);
  }
  return { status: Number(statusLine.split(' ')[1]), headers: named, body: answer.slice(end + 4) };
}
