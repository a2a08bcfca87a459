/** TLS of the control channel: `--tls`, `--tls-ca` for tcpcopy, `--tls-cert` and `--tls-key` for intercept. */
import { TcpcopyError } from '../core/errors.ts';
import type { ControlIdentity, ControlTrust } from './copy-options.ts';
import { flagWithPath, missingOption } from './option-error.ts';
import type { OptionsContext } from './options-context.ts';
import type { RawCopyOptions, RawInterceptOptions } from './raw-options.ts';

/** What tcpcopy trusts; `undefined`: no TLS. A CA file asks for TLS by itself. */
export function readControlTrust(raw: RawCopyOptions, context: OptionsContext): ControlTrust | undefined {
  if (raw.tlsCa === undefined) return raw.tls ? { ca: undefined } : undefined;
  const where = flagWithPath('--tls-ca', raw.tlsCa);
  const ca = context.readText(raw.tlsCa, where);
  refuse(
    context.whyNotCaCertificates(ca),
    where,
    "give the CA's certificate in PEM form, or intercept's if self-signed",
  );
  return { ca };
}

/** What intercept shows; `undefined`: no TLS. */
export function readControlIdentity(raw: RawInterceptOptions, context: OptionsContext): ControlIdentity | undefined {
  const { tlsCert, tlsKey } = raw;
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsKey === undefined) throw missingOption('--tls-cert', 'needs its private key', 'give it with --tls-key');
  if (tlsCert === undefined) throw missingOption('--tls-key', 'needs its certificate', 'give it with --tls-cert');
  const certificateAt = flagWithPath('--tls-cert', tlsCert);
  const certificate = context.readText(tlsCert, certificateAt);
  refuse(
    context.whyNotServerCertificate(certificate),
    certificateAt,
    'give a valid certificate in PEM form, followed by its intermediates',
  );
  const keyAt = flagWithPath('--tls-key', tlsKey);
  const key = context.readText(tlsKey, keyAt);
  refuse(
    context.whyNotPrivateKey(key, certificate),
    keyAt,
    'give the private key of --tls-cert in PEM form, without passphrase',
  );
  return { certificate, key };
}

function refuse(reason: string | undefined, where: string, hint: string): void {
  if (reason !== undefined) throw new TcpcopyError('E_OPTION', reason, { where, hint });
}
