/**
 * What every server on this machine refuses before it looks at a request: a page of another site reaches 127.0.0.1, too,
 * through the browser of the person who runs the server.
 */

export interface CallerHeaders {
  readonly host: string | null | undefined;
  readonly origin: string | null | undefined;
}

/**
 * Why a request is refused; undefined for one that may go on.
 * @param isOwn whether a Host names this server: another name for its address is one that a site has rebound to it.
 */
export function foreignCaller({ host, origin }: CallerHeaders, isOwn: (host: string) => boolean): string | undefined {
  if (host === null || host === undefined || !isOwn(host))
    return 'wrong Host: this server answers by its own address alone';
  if (origin !== null && origin !== undefined && origin !== `http://${host}`)
    return 'wrong Origin: another site sent this';
  return undefined;
}
