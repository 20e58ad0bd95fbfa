/** A certificate authority for one test run, so that the repository holds no key. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** Both in PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateAuthority extends IssuedCertificate {
  /** A certificate for a server's IP address or for a client's name. */
  issue(subject: { readonly name: string; readonly ip?: string }): IssuedCertificate;
}

// The part of DER that X.509 needs: tag, length, content.
const der = (tag: number, ...contents: readonly Uint8Array[]): Buffer => {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...items: readonly Uint8Array[]): Buffer => der(0x30, ...items);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const bitString = (content: Uint8Array): Buffer => der(0x03, Buffer.from([0]), content);
const time = (ms: number): Buffer =>
  der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
const commonName = (name: string): Buffer => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));
const pem = (what: string, bytes: Uint8Array): string =>
  `-----BEGIN ${what}-----\n${(
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END ${what}-----\n`;

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const critical = der(0x01, Buffer.from([0xff]));
const extension = (id: string, isCritical: boolean, value: Uint8Array): Buffer =>
  sequence(oid(id), ...(isCritical ? [critical] : []), der(0x04, value));
const CA_EXTENSIONS = [
  extension('551d13', true, sequence(critical)), // basicConstraints: CA
  extension('551d0f', true, der(0x03, Buffer.from([1, 0x06]))), // keyUsage: sign certificates and their revocations
];

function createCertificate(
  subject: string,
  extensions: readonly Uint8Array[],
  issuer?: { name: string; key: KeyObject },
): { readonly issued: IssuedCertificate; readonly key: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = Date.now();
  const HOUR_MS = 3_600_000;
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.from([1]), randomBytes(8)), // a serial number, never negative
    ECDSA_WITH_SHA256,
    commonName(issuer?.name ?? subject),
    sequence(time(now - HOUR_MS), time(now + 24 * HOUR_MS)),
    commonName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  );
  const signature = sign('sha256', toBeSigned, issuer?.key ?? privateKey);
  const certificate = pem('CERTIFICATE', sequence(toBeSigned, ECDSA_WITH_SHA256, bitString(signature)));
  return {
    issued: { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
    key: privateKey,
  };
}

export function createCertificateAuthority(name: string): CertificateAuthority {
  const { issued, key } = createCertificate(name, CA_EXTENSIONS);
  return {
    ...issued,
    issue({ name: subject, ip }) {
      const address = ip === undefined ? undefined : Buffer.from(ip.split('.').map(Number));
      // subjectAltName, an IP address
      const extensions = address === undefined ? [] : [extension('551d11', false, sequence(der(0x87, address)))];
      return createCertificate(subject, extensions, { name, key }).issued;
    },
  };
}
