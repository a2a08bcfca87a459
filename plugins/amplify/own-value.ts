/** Values that each copy has for itself. */
import { createHmac } from 'node:crypto';

/** Characters beyond these are kept: that many are enough to tell values apart. */
const MOST_CHANGED = 64;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Places of a UUID's version and variant (RFC 9562 §4): what they say stays true. */
const UUID_FIXED = [14, 19];

/**
 * What copy `copy` has in place of `value`: of the same length and shape, a digit for a digit, a letter for a letter. It
 * follows from the three alone, so that a value which comes back later is the same copy's again.
 */
export function ownValue(seed: number, copy: number, value: string): string {
  const random = createHmac('sha512', String(seed)).update(`${copy}\n${value}`).digest();
  const isUuid = UUID.test(value);
  const isHex = isUuid || (/^[0-9a-f]+$/i.test(value) && /[0-9]/.test(value) && /[a-f]/i.test(value));
  let changed = 0;
  return value.replaceAll(/[0-9a-z]/gi, (character, at: number) => {
    if (changed >= MOST_CHANGED || (isUuid && UUID_FIXED.includes(at))) return character;
    return other(character, random[changed++]!, isHex, at);
  });
}

function other(character: string, random: number, isHex: boolean, at: number): string {
  const digit = character <= '9';
  if (isHex) {
    const hex = (random % 16).toString(16);
    return character >= 'A' && character <= 'F' ? hex.toUpperCase() : hex;
  }
  // A number keeps its length.
  if (digit) return at === 0 && character !== '0' ? String(1 + (random % 9)) : String(random % 10);
  return String.fromCharCode((character < 'a' ? 0x41 : 0x61) + (random % 26));
}
