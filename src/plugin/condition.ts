/**
 * Conditions on HTTP requests, as people write them in options:
 *
 *     condition = and { '||' and }
 *     and       = not { '&&' not }
 *     not       = '!' not | '(' condition ')' | test
 *     test      = field [ ( '==' | '!=' | '~' | '!~' ) text ]
 *     field     = method | path | host | target | version | ( header | query | cookie ) '[' text ']'
 *     text      = "'" … "'" | '"' … '"'
 *
 * A field may have several values (a header of several lines; a host, with and without its port). `==` and `~` (a regular
 * expression, found anywhere) hold when one of them does, `!=` and `!~` when none does, a field alone when it has any.
 * Inside quotes a backslash before that quote stands for the quote; any other is itself, so `'\d'` needs no doubling.
 */

/** As much of a request as conditions look at. */
export interface ConditionSubject {
  readonly method: string;
  readonly path: string;
  readonly target: string;
  readonly version: string;
  readonly host: string | undefined;
  readonly headers: { getAll(name: string): readonly string[] };
  readonly query: { getAll(key: string): readonly string[] };
}

export type Condition = (request: ConditionSubject) => boolean;

type Values = (request: ConditionSubject) => readonly string[];

const FIELDS: Readonly<Record<string, Values>> = {
  method: ({ method }) => [method],
  path: ({ path }) => [path],
  target: ({ target }) => [target],
  version: ({ version }) => [version],
  host: ({ host }) => (host === undefined ? [] : [host.toLowerCase(), host.toLowerCase().replace(/:[0-9]*$/, '')]),
};

const NAMED: Readonly<Record<string, (name: string) => Values>> = {
  header:
    (name) =>
    ({ headers }) =>
      headers.getAll(name),
  query:
    (name) =>
    ({ query }) =>
      query.getAll(name),
  cookie:
    (name) =>
    ({ headers }) =>
      headers.getAll('Cookie').flatMap((line) => cookiesOf(line, name)),
};

const ALL_FIELDS = [...Object.keys(FIELDS), ...Object.keys(NAMED).map((name) => `${name}['…']`)].join(', ');

/** Throws an `Error` that says where the text is wrong, and what was expected there. */
export function parseCondition(text: string): Condition {
  const parser = new Parser(text);
  const condition = parser.condition();
  parser.expectEnd();
  return condition;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipBlank();
  }

  condition(): Condition {
    const any = [this.#and()];
    while (this.#take('||')) any.push(this.#and());
    return any.length === 1 ? any[0]! : (request) => any.some((each) => each(request));
  }

  expectEnd(): void {
    if (this.#at < this.#text.length) throw this.#expected('&&, || or the end');
  }

  #and(): Condition {
    const all = [this.#not()];
    while (this.#take('&&')) all.push(this.#not());
    return all.length === 1 ? all[0]! : (request) => all.every((each) => each(request));
  }

  #not(): Condition {
    if (this.#take('!')) {
      const inner = this.#not();
      return (request) => !inner(request);
    }
    if (!this.#take('(')) return this.#test();
    const inner = this.condition();
    if (!this.#take(')')) throw this.#expected('&&, || or )');
    return inner;
  }

  #test(): Condition {
    const values = this.#field();
    const operator = ['==', '!=', '!~', '~'].find((each) => this.#take(each));
    if (operator === undefined) return (request) => values(request).length > 0;
    const matches = this.#matcher(operator.endsWith('~'));
    const wanted = !operator.startsWith('!');
    return (request) => values(request).some(matches) === wanted;
  }

  #field(): Values {
    const name = /^[A-Za-z]+/.exec(this.#text.slice(this.#at))?.[0] ?? '';
    if (Object.hasOwn(FIELDS, name)) {
      this.#skip(name.length);
      return FIELDS[name]!;
    }
    if (!Object.hasOwn(NAMED, name)) throw this.#expected(`one of ${ALL_FIELDS}`);
    this.#skip(name.length);
    if (!this.#take('[')) throw this.#expected(`['NAME']`);
    const key = this.#quoted();
    if (!this.#take(']')) throw this.#expected(']');
    return NAMED[name]!(key);
  }

  #matcher(regular: boolean): (value: string) => boolean {
    const at = this.#at;
    const text = this.#quoted();
    if (!regular) return (value) => value === text;
    try {
      const pattern = new RegExp(text);
      return (value) => pattern.test(value);
    } catch {
      this.#at = at;
      throw this.#expected('a regular expression');
    }
  }

  #quoted(): string {
    const quote = this.#text[this.#at];
    if (quote !== "'" && quote !== '"') throw this.#expected('a text in quotes');
    let text = '';
    let i = this.#at + 1;
    for (; this.#text[i] !== quote; i++) {
      if (i >= this.#text.length) throw new Error(`the quote at character ${this.#at + 1} is not closed`);
      if (this.#text[i] === '\\' && this.#text[i + 1] === quote) i++;
      text += this.#text[i]!;
    }
    this.#skip(i + 1 - this.#at);
    return text;
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#skip(token.length);
    return true;
  }

  #skip(length: number): void {
    this.#at += length;
    this.#skipBlank();
  }

  #skipBlank(): void {
    while (/\s/.test(this.#text[this.#at] ?? 'x')) this.#at++;
  }

  #expected(what: string): Error {
    const rest = this.#text.slice(this.#at);
    const found = /^(?:[A-Za-z0-9_]+|'[^']*'|"[^"]*"|&&|\|\||[=!]=|!~|.)/su.exec(rest)?.[0];
    const shown = found === undefined ? 'the end' : found.length > 20 ? `${found.slice(0, 20)}…` : found;
    return new Error(`expected ${what} at character ${this.#at + 1}, not ${shown}`);
  }
}

/** Values of the cookies of a name in one `Cookie` field (RFC 6265 §4.2.1). */
function cookiesOf(line: string, name: string): string[] {
  return line.split(';').flatMap((pair) => {
    const mark = pair.indexOf('=');
    return mark > 0 && pair.slice(0, mark).trim() === name ? [pair.slice(mark + 1).trim()] : [];
  });
}
