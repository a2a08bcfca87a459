/**
 * What checking options needs to know of the machine, so that this layer itself opens no file: the command line gives
 * the real thing, tests give a table.
 */
import type { RunAs } from './copy-options.ts';

export interface OptionsContext {
  /** What stands at a path; `denied` when it cannot be opened for reading. */
  fileKind(path: string): 'file' | 'directory' | 'missing' | 'denied';
  /** Why a file cannot be created or overwritten there, as an errno name; `undefined` when it can. */
  whyNotWritable(path: string): string | undefined;
  /** The text of a small file; throws a `TcpcopyError` that says `where` it was named. */
  readText(path: string, where: string): string;
  /** Why a text in PEM form is not one or more certificates to trust; `undefined` when it is. */
  whyNotCaCertificates(pem: string): string | undefined;
  /** Why it is not a certificate that is valid today. */
  whyNotServerCertificate(pem: string): string | undefined;
  /** Why it is not the private key of this certificate. */
  whyNotPrivateKey(pem: string, certificate: string): string | undefined;
  /** Who is called so on this machine; `undefined`: nobody is. */
  userNamed(name: string): RunAs | undefined;
  /** The user that this process is, as a number; `undefined` where there are none. */
  readonly currentUser: number | undefined;
  /** Processors that this process may use. */
  readonly processors: number;
  /** Where a daemon logs when no -l says so. */
  readonly defaultLogFile: string;
}
