/** What becomes of one secret, and of the header fields that hold several. */

/** What stands in place of a secret; `undefined`: nothing, it is removed with its name. */
export type Scrub = (secret: string) => string | undefined;

/** Cookies of a `Cookie` field (RFC 6265 §4.2.1): those in `names`, or all of them. `undefined`: none is left. */
export function scrubCookies(value: string, names: ReadonlySet<string> | undefined, scrub: Scrub): string | undefined {
  const kept = value.split(';').flatMap((text) => {
    const pair = text.trim();
    const name = nameOf(pair);
    // Text without a name is no cookie that anybody has meant to let through.
    if (names !== undefined && name !== '' && !names.has(name)) return pair === '' ? [] : [pair];
    const secret = scrub(name === '' ? pair : pair.slice(pair.indexOf('=') + 1).trim());
    return secret === undefined || pair === '' ? [] : [name === '' ? secret : `${name}=${secret}`];
  });
  return kept.length === 0 ? undefined : kept.join('; ');
}

/** The cookie of a `Set-Cookie` field (RFC 6265 §4.1.1), whose attributes stay. */
export function scrubSetCookie(
  value: string,
  names: ReadonlySet<string> | undefined,
  scrub: Scrub,
): string | undefined {
  const end = value.indexOf(';');
  const [pair, attributes] = end < 0 ? [value, ''] : [value.slice(0, end), value.slice(end)];
  const scrubbed = scrubCookies(pair, names, scrub);
  return scrubbed === undefined ? undefined : scrubbed + attributes;
}

/** Credentials (RFC 9110 §11.4): the scheme stays, if it is one that is known to be followed by the secret. */
export function scrubCredentials(value: string, scrub: Scrub): string | undefined {
  const [, scheme = '', secret = ''] = /^((?:Basic|Bearer|Digest|Negotiate|NTLM|Token)\s+)?(.*)$/is.exec(value)!;
  const scrubbed = scrub(secret);
  return scrubbed === undefined ? undefined : scheme + scrubbed;
}

function nameOf(pair: string): string {
  const mark = pair.indexOf('=');
  return mark < 0 ? '' : pair.slice(0, mark).trim();
}
