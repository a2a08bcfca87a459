/** Throw-away CAs and certificates, made with the openssl command. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export interface Certified {
  /** Paths. */
  readonly certificate: string;
  readonly key: string;
}

export class CertificateLab {
  readonly directory = mkdtempSync(join(tmpdir(), 'tcpcopy-tls-'));

  /** A CA; a self-signed certificate when it has names. */
  selfSigned(name: string, names?: string): Certified {
    const made = this.#paths(name);
    const extensions = names === undefined ? [] : ['-addext', `subjectAltName=${names}`];
    this.#openssl(
      'req',
      '-x509',
      ...this.#newKey(made.key),
      '-out',
      made.certificate,
      '-subj',
      `/CN=${name}`,
      ...extensions,
    );
    return made;
  }

  /** A certificate for `names`, as in `DNS:a,IP:127.0.0.1`; `undefined` when this openssl cannot make such. */
  issue(ca: Certified, name: string, names: string, days: number): Certified | undefined {
    const made = this.#paths(name);
    const request = join(this.directory, `${name}.csr`);
    const extensions = join(this.directory, `${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    this.#openssl('req', '-new', ...this.#newKey(made.key), '-out', request, '-subj', `/CN=${name}`);
    try {
      this.#openssl(
        ...['x509', '-req', '-in', request, '-CA', ca.certificate, '-CAkey', ca.key, '-CAcreateserial'],
        ...['-days', `${days}`, '-extfile', extensions, '-out', made.certificate],
      );
      return made;
    } catch {
      return undefined;
    }
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #newKey(path: string): string[] {
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', path];
  }

  #paths(name: string): Certified {
    return { certificate: join(this.directory, `${name}.crt`), key: join(this.directory, `${name}.key`) };
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { stdio: 'pipe' });
  }
}

/** The texts of both files. */
export function readCertified({ certificate, key }: Certified): { readonly certificate: string; readonly key: string } {
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}
