import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CredentialMap, Credentials } from '../../../src/plugin/credentials.ts';

function found(map: CredentialMap, user: string | undefined): [string, string] | undefined {
  const credentials = map.of(user);
  return credentials && [credentials.user, Buffer.from(credentials.password).toString()];
}

describe('users on the target', () => {
  it('by the users online', () => {
    const map = CredentialMap.parse(
      ['# of the shop', '', 'app  shadow\ts3cret', '"ann b" ann "a \\"b\\" \\\\c"', '"" "" ""', '* other #x', ''].join(
        '\r\n',
      ),
    );
    expect(found(map, 'app')).toEqual(['shadow', 's3cret']);
    expect(found(map, 'ann b')).toEqual(['ann', 'a "b" \\c']);
    expect(found(map, '')).toEqual(['', '']);
    expect(found(map, 'nobody')).toEqual(['other', '#x']);
    expect(found(map, undefined)).toEqual(['other', '#x']);
  });

  it('nobody for whom there is no line', () => {
    const map = CredentialMap.parse('app shadow s3cret');
    expect([found(map, 'ann'), found(map, undefined)]).toEqual([undefined, undefined]);
    const all = CredentialMap.forAll(new Credentials('shadow', ''));
    expect(found(all, undefined)).toEqual(['shadow', '']);
  });

  it.each([
    ['app shadow', 'line 1 is not ONLINE-USER TARGET-USER PASSWORD'],
    ['# c\napp shadow a b', 'line 2 is not ONLINE-USER TARGET-USER PASSWORD'],
    ['app shadow "hunter2', 'line 1 is not ONLINE-USER TARGET-USER PASSWORD'],
    ['app shadow "hunter2"x', 'line 1 is not ONLINE-USER TARGET-USER PASSWORD'],
    ['app shadow "hunter2\\x"', 'line 1 is not ONLINE-USER TARGET-USER PASSWORD'],
    ['a b c\na b hunter2', 'line 2: this user has a line already'],
    ['#', 'it names no user'],
  ])('%j is refused, and not quoted', (text, message) => {
    expect(() => CredentialMap.parse(text)).toThrow(new Error(message));
  });

  it('passwords are nowhere to be seen', () => {
    const credentials = new Credentials('shadow', 'hunter2');
    const map = CredentialMap.forAll(credentials);
    const bytes = inspect(Buffer.from('hunter2')).slice(8, -1);
    for (const value of [credentials, map]) {
      const shown = inspect(value, { depth: 9, showHidden: true }) + JSON.stringify(value);
      expect(shown).not.toContain('hunter2');
      expect(shown).not.toContain(bytes);
    }
    expect({ ...credentials }).toEqual({ user: 'shadow' });
  });
});
