/** What a server's error means for a login, in a few constant words: its message may hold what was sent, so it is not shown. */
const WORDS: ReadonlyMap<number, string> = new Map([
  [1040, 'the target has too many connections'],
  [1044, 'the user has no right to the database on the target'],
  [1045, 'the target refused user or password'],
  [1049, 'the database does not exist on the target'],
  [1129, 'the target blocks the client address after many failed connections'],
  [1130, 'the target takes no logins from the client address'],
  [1203, 'the user has too many connections on the target'],
  [1226, 'the user has used up a limit on the target'],
  [1251, 'the target asks for an authentication method that is not supported'],
  [1698, 'the target refused user or password'],
  [1820, 'the password on the target has expired'],
  [1862, 'the password on the target has expired'],
  [3118, 'the account is locked on the target'],
  [3159, 'the target takes logins over TLS only'],
  [4151, 'the account is locked on the target'],
]);

/** `code`: the server's, in 16 bits. */
export function loginFault(code: number): string {
  return WORDS.get(code) ?? `the target refused the login with error ${code}`;
}
