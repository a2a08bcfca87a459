import { expect } from 'vitest';
import type { OptionsContext } from '../../../src/config/options-context.ts';
import { TcpcopyError } from '../../../src/core/errors.ts';

const KINDS = new Map<string, ReturnType<OptionsContext['fileKind']>>([
  ['recording', 'file'],
  ['a.pcap', 'file'],
  ['dir', 'directory'],
  ['dir/', 'directory'],
  ['secret.pcap', 'denied'],
]);
const OBSTACLES = new Map([
  ['/no/where', 'ENOENT'],
  ['/root/x', 'EACCES'],
  ['dir', 'EISDIR'],
]);
const USERS = new Map([
  ['tcpcopy', { name: 'tcpcopy', uid: 990, gid: 991 }],
  ['root', { name: 'root', uid: 0, gid: 0 }],
]);
const TEXTS = new Map([
  ['key', 'correct horse battery\n'],
  ['a.crt', 'certificate'],
  ['a.key', 'private'],
]);

/** A machine of a few files. */
export const CONTEXT: OptionsContext = {
  fileKind: (path) => KINDS.get(path) ?? 'missing',
  whyNotWritable: (path) => OBSTACLES.get(path),
  readText: (path) => TEXTS.get(path) ?? 'short\n',
  whyNotCaCertificates: (pem) => (pem === 'certificate' ? undefined : 'holds no certificate in PEM form'),
  whyNotServerCertificate: (pem) => (pem === 'certificate' ? undefined : 'has expired on some day'),
  whyNotPrivateKey: (pem, certificate) =>
    pem === 'private' && certificate === 'certificate' ? undefined : 'is not the key of the certificate',
  userNamed: (name) => USERS.get(name),
  currentUser: 0,
  processors: 4,
  defaultLogFile: '/var/log/program.log',
};

/** The one line of the error that `attempt` throws; it must be one. */
export function lineOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(TcpcopyError);
    const line = (error as TcpcopyError).oneLine();
    expect(line).not.toMatch(/\n/);
    expect(line.length).toBeLessThan(260);
    return line;
  }
  throw new Error('nothing was thrown');
}
