/** Whether PEM texts are what TLS needs. The reasons never repeat what a file holds. */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { createSecureContext } from 'node:tls';

const CERTIFICATE =
  /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g;

/** Node ignores what it cannot read in a list of CAs, and would then trust nobody. */
export function whyNotCaCertificates(pem: string): string | undefined {
  const certificates = readCertificates(pem);
  return typeof certificates === 'string' ? certificates : undefined;
}

/** The first certificate is the server's own; an intercept that shows an expired one would be refused by everybody. */
export function whyNotServerCertificate(pem: string, now = Date.now()): string | undefined {
  const certificates = readCertificates(pem);
  if (typeof certificates === 'string') return certificates;
  const { validFrom, validTo } = certificates[0]!;
  if (now < Date.parse(validFrom)) return `is not valid before ${validFrom}`;
  if (now > Date.parse(validTo)) return `has expired on ${validTo}`;
  return undefined;
}

/** `certificate` has been found good before. */
export function whyNotPrivateKey(pem: string, certificate: string): string | undefined {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ERR_MISSING_PASSPHRASE' ? 'is encrypted' : 'holds no private key in PEM form';
  }
  if (!new X509Certificate(certificate).checkPrivateKey(key)) return 'is not the key of the certificate';
  try {
    createSecureContext({ cert: certificate, key: pem });
    return undefined;
  } catch (error) {
    // Such as a key that is shorter than the security level allows.
    return `cannot be used: ${(error as { reason?: string }).reason ?? (error as Error).message}`;
  }
}

/** One or more certificates, or why not. */
function readCertificates(pem: string): X509Certificate[] | string {
  const blocks = pem.match(CERTIFICATE);
  if (blocks === null) return 'holds no certificate in PEM form';
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    return 'holds a certificate that cannot be read';
  }
}
