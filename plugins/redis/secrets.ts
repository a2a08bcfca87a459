/** Which arguments of a command are secrets, so that nothing prints them. */
import type { Arguments } from './key-positions.ts';

/** Parameters of CONFIG SET that hold one. */
const SECRET_PARAMETER = /pass|auth|secret/i;

/** Whether the argument at `index` is a password or a hash of one. `name` is the full name, in upper case. */
export function isSecret(name: string, args: Arguments, index: number): boolean {
  const before = (back: number): string => args.text(index - back)?.toUpperCase() ?? '';
  switch (name) {
    case 'AUTH':
      // Also what is no AUTH that a server takes: it may be a password with spaces.
      return index > (args.length === 3 ? 1 : 0);
    case 'HELLO':
      return index > 3 && before(2) === 'AUTH';
    case 'CONFIG SET':
      return index >= 3 && index % 2 === 1 && SECRET_PARAMETER.test(before(1));
    case 'MIGRATE':
      return index > 6 && (before(1) === 'AUTH' || before(2) === 'AUTH2');
    case 'ACL SETUSER':
      return index > 2 && /^[><#!]/.test(args.text(index) ?? '');
    default:
      return false;
  }
}
