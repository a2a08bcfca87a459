/** What is known of a statement's text. It is kept by digest: statements of one kind are looked at once. */
import { LruMap } from 'tcpcopy/plugin';
import { digestOf, digestText } from './digest.ts';
import { DEFAULT_MODE, everybodyRuns, type SqlMode } from './mode.ts';
import { functionKind } from './functions.ts';
import { findNames } from './names.ts';
import { STRING } from './scanner.ts';
import { Classifier, heavier, splitStatements, type ReadsOnly, type SqlEffect } from './statements.ts';
import { SqlTokens } from './tokens.ts';

export interface TableName {
  /** `undefined`: the connection's current one. */
  readonly schema: string | undefined;
  readonly name: string;
}

export interface SqlAnalysis {
  /** Of all statements in it, the one that weighs most: one that writes makes a writing text. */
  readonly effect: SqlEffect;
  /** Of each statement, in upper case: `SELECT`, `CREATE TABLE`. */
  readonly verbs: readonly string[];
  readonly tables: readonly TableName[];
  /** Schemas that are named, whether with tables, routines, columns or alone. */
  readonly schemas: readonly string[];
  /** Something in it belongs to the current schema. */
  readonly usesCurrentSchema: boolean;
  /** What PREPARE gave a name. */
  readonly prepares: ReadonlyMap<string, PreparedText>;
  /** Verbs of the texts that PREPARE and EXECUTE have in literals, or by name; `undefined`: not all are known. */
  readonly preparedVerbs: readonly string[] | undefined;
  /** The text without its literals. */
  readonly digestText: string;
  /** 16 hexadecimal digits that stand for it. */
  readonly digest: string;
}

/** A text that is prepared, or carried out, by a statement. */
export interface PreparedText {
  readonly effect: SqlEffect;
  /** As in `SqlAnalysis`; `undefined`: it is in a variable, or cannot be told for another reason. */
  readonly verbs: readonly string[] | undefined;
}

export interface AnalyzerOptions {
  /** How many kinds of statements are remembered. */
  readonly capacity: number;
  /** Stored routines that are known to change nothing. */
  readonly readsOnly?: ReadsOnly;
}

/** What is known of the connection that a text came on. */
export interface SqlContext {
  readonly mode: SqlMode;
  /** What PREPARE gave this name; `undefined`: it is not known. */
  prepared(name: string): PreparedText | undefined;
}

const NO_CONTEXT: SqlContext = { mode: DEFAULT_MODE, prepared: () => undefined };
const UNKNOWN_TEXT: PreparedText = { effect: 'unknown', verbs: undefined };

export class SqlAnalyzer {
  readonly #classifier: Classifier;
  readonly #known: LruMap<string, SqlAnalysis>;

  constructor({ capacity, readsOnly = () => false }: AnalyzerOptions) {
    this.#classifier = new Classifier(readsOnly);
    this.#known = new LruMap(capacity);
  }

  /** Never throws. `whole`: the text has no more than this; else what follows may be another statement. */
  analyze(text: string, context: SqlContext = NO_CONTEXT, whole = true): SqlAnalysis {
    const tokens = new SqlTokens(text, context.mode);
    const { text: shape, cut } = digestText(tokens, 0, tokens.count);
    // Texts that say the same in their digests, and may do something else.
    const special = cut || !whole || tokens.disputed.size > 0 || tokens.has('EXECUTE') || tokens.has('PREPARE');
    const known = special ? undefined : this.#known.get(shape);
    if (known !== undefined) return known;
    const found = this.#look(tokens, shape, context);
    if (special) return whole ? found : { ...found, effect: heavier(found.effect, 'unknown') };
    this.#known.set(shape, found);
    return found;
  }

  #look(tokens: SqlTokens, shape: string, context: SqlContext): SqlAnalysis {
    const reading = new Reading();
    this.#read(tokens, reading, context);
    if (tokens.disputed.size > 0) {
      // As a server sees it that runs none of these comments. With several there are more ways to see it.
      this.#read(new SqlTokens(tokens.text, context.mode, everybodyRuns), reading, context);
      if (tokens.disputed.size > 1) reading.effect = heavier(reading.effect, 'unknown');
    }
    return {
      effect: reading.effect,
      verbs: [...new Set(reading.verbs)],
      tables: [...reading.tables.values()],
      schemas: [...reading.schemas],
      usesCurrentSchema: reading.usesCurrentSchema,
      prepares: reading.prepares,
      preparedVerbs: reading.preparedVerbs && [...new Set(reading.preparedVerbs)],
      digestText: shape,
      digest: digestOf(shape),
    };
  }

  #read(tokens: SqlTokens, reading: Reading, context: SqlContext): void {
    for (const [from, to] of splitStatements(tokens)) {
      const { verb, effect } = this.#classifier.classify(tokens, from, to);
      reading.verbs.push(verb);
      let does = effect;
      if (verb === 'EXECUTE' || verb === 'PREPARE') {
        const text = this.#prepared(tokens, verbAt(tokens, verb, from), reading, context);
        reading.take(text);
        if (verb === 'EXECUTE') does = text.effect;
      }
      reading.effect = heavier(reading.effect, does);
      reading.find(tokens, from, to);
    }
  }

  /** Of PREPARE name FROM 'text', EXECUTE name, EXECUTE IMMEDIATE 'text'. */
  #prepared(tokens: SqlTokens, at: number, reading: Reading, context: SqlContext): PreparedText {
    if (tokens.word(at + 1) === 'IMMEDIATE') return this.#textAt(tokens, at + 2, context);
    const name = keyOf(tokens, at + 1);
    if (tokens.word(at) === 'EXECUTE') return reading.prepares.get(name) ?? context.prepared(name) ?? UNKNOWN_TEXT;
    const text = this.#textAt(tokens, at + 3, context);
    reading.prepares.set(name, text);
    return text;
  }

  /** A statement in a literal. */
  #textAt(tokens: SqlTokens, at: number, context: SqlContext): PreparedText {
    const plain =
      tokens.kind(at) === STRING && /^(USING|;|)$/.test(tokens.word(at + 1)) && tokens.kind(at + 1) !== STRING;
    if (!plain) return UNKNOWN_TEXT;
    const { effect, verbs, preparedVerbs } = this.analyze(tokens.string(at), context);
    return { effect, verbs: preparedVerbs && [...verbs, ...preparedVerbs] };
  }
}

/** Where the verb stands: MariaDB takes SET STATEMENT … FOR before it. */
function verbAt(tokens: SqlTokens, verb: string, from: number): number {
  let at = from;
  while (at < tokens.count && tokens.word(at) !== verb) at++;
  return at;
}

/** Names of prepared statements are the same in either case. */
function keyOf(tokens: SqlTokens, at: number): string {
  return tokens.name(at).toLowerCase();
}

class Reading {
  effect: SqlEffect = 'read';
  usesCurrentSchema = false;
  readonly verbs: string[] = [];
  readonly tables = new Map<string, TableName>();
  readonly schemas = new Set<string>();
  readonly prepares = new Map<string, PreparedText>();
  preparedVerbs: string[] | undefined = [];

  take({ verbs }: PreparedText): void {
    if (verbs === undefined) this.preparedVerbs = undefined;
    else this.preparedVerbs?.push(...verbs);
  }

  find(tokens: SqlTokens, from: number, to: number): void {
    findNames(tokens, from, to, (role, schemaAt, nameAt) => {
      const schema = role === 'schema' ? tokens.name(nameAt) : schemaAt < 0 ? undefined : tokens.name(schemaAt);
      if (schema !== undefined) this.schemas.add(schema);
      else if (role === 'table' || functionKind(tokens.name(nameAt)) === 'other') this.usesCurrentSchema = true;
      if (role !== 'table') return;
      const name = tokens.name(nameAt);
      this.tables.set(`${schema ?? ''}\0${name}`, { schema, name });
    });
  }
}
