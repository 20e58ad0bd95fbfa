/**
 * The person who reads the link in the terminal may use this console. The link's fragment, which no browser sends, holds a
 * secret that is good for one exchange. The exchange gives a cookie, which opens masked pages and nothing else, since a
 * cookie is not bound to a port (RFC 6265, 8.5); and a key, which a script sends as a header with each act.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';

export interface Session {
  /** Makes a secret for one link. */
  invite(): string;
  /** Undefined when the secret is not known, or was used. */
  exchange(secret: string): { readonly cookie: string; readonly key: string } | undefined;
  mayRead(cookie: string | undefined): boolean;
  mayAct(key: string | undefined): boolean;
}

const MOST_OPEN_INVITATIONS = 5;

export function createSession(): Session {
  const cookie = secretText();
  const key = secretText();
  let invitations: readonly string[] = [];
  return {
    invite() {
      const secret = secretText();
      invitations = [...invitations, secret].slice(-MOST_OPEN_INVITATIONS);
      return secret;
    },
    exchange(secret) {
      const known = invitations.filter((invitation) => isSame(invitation, secret));
      if (known.length === 0) return undefined;
      invitations = invitations.filter((invitation) => !known.includes(invitation));
      return { cookie, key };
    },
    mayRead: (given) => isSame(cookie, given),
    mayAct: (given) => isSame(key, given),
  };
}

const secretText = (): string => randomBytes(32).toString('base64url');

function isSame(expected: string, given: string | undefined): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given ?? '')];
  return one.length === other.length && timingSafeEqual(one, other);
}
