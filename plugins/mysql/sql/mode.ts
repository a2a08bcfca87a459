/** What decides how a server cuts a statement into tokens: `sql_mode`, the client's character set, the server's version. */
export interface SqlMode {
  /** `"` quotes identifiers, not strings (sql_mode ANSI_QUOTES). */
  readonly ansiQuotes: boolean;
  /** `\` is a character like any other (sql_mode NO_BACKSLASH_ESCAPES). */
  readonly noBackslashEscapes: boolean;
  /** Of character sets whose characters may end in the byte of a quote or a backslash. */
  readonly multiByte: MultiByte | undefined;
}

/** Whether two bytes are one character. */
export type MultiByte = (first: number, second: number) => boolean;

export const DEFAULT_MODE: SqlMode = { ansiQuotes: false, noBackslashEscapes: false, multiByte: undefined };

const gbk: MultiByte = (a, b) => a >= 0x81 && a <= 0xfe && b >= 0x40 && b <= 0xfe && b !== 0x7f;
const sjis: MultiByte = (a, b) =>
  ((a >= 0x81 && a <= 0x9f) || (a >= 0xe0 && a <= 0xfc)) && b >= 0x40 && b <= 0xfc && b !== 0x7f;
const big5: MultiByte = (a, b) => a >= 0xa1 && a <= 0xf9 && ((b >= 0x40 && b <= 0x7e) || (b >= 0xa1 && b <= 0xfe));

/** The others that a client may use are like ASCII there: no byte below 0x80 is part of another character. */
const MULTI_BYTE: Readonly<Record<string, MultiByte>> = { gbk, gb18030: gbk, sjis, cp932: sjis, big5 };

/** Ids of their collations, as a login names one (information_schema.COLLATIONS). */
const COLLATIONS: Readonly<Record<number, MultiByte>> = {
  ...{ 1: big5, 84: big5, 13: sjis, 88: sjis, 95: sjis, 96: sjis, 28: gbk, 87: gbk },
  ...{ 248: gbk, 249: gbk, 250: gbk },
};

export function multiByteOfCollation(id: number): MultiByte | undefined {
  return COLLATIONS[id];
}

/** Of a character set by MySQL's name; `undefined`: it is as ASCII in this respect. */
export function multiByteOf(charset: string): MultiByte | undefined {
  const name = charset.toLowerCase();
  return Object.hasOwn(MULTI_BYTE, name) ? MULTI_BYTE[name] : undefined;
}

/** Whether a comment that some servers run is read as text: `version` of such as /*!80000, `mariadb` of such as /*M!. */
export type RunsComment = (version: number | undefined, mariadb: boolean) => boolean;

/**
 * From this version on servers in use differ: older ones than this are not about, and MariaDB takes comments with 50700 to
 * 99999 as MySQL's alone.
 */
const DISPUTED = 50_700;

/** Whether every server in use runs the comment. */
export function everybodyRuns(version: number | undefined, mariadb: boolean): boolean {
  return !mariadb && (version === undefined || version < DISPUTED);
}

export const runsAll: RunsComment = () => true;
