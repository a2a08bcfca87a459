/**
 * Where in a payload the parameters are that come with a command: in EXECUTE those of the statement, in QUERY the
 * attributes of a client that sends some (CLIENT_QUERY_ATTRIBUTES).
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html
 */
import { PacketReader } from './login/packet-reader.ts';
import { readValue, type MysqlParameter } from './parameters.ts';

/** A statement's id, behind the code; then flags and how often it is run. */
export const STATEMENT_ID_AT = 1;
const EXECUTE_HEAD = 10;
const FLAGS_AT = 5;
/** In the flags of EXECUTE: the number of parameters is in the packet. */
const PARAMETER_COUNT_AVAILABLE = 8;
const UNSIGNED = 0x80;

export interface BoundParameters {
  /** Where the null bits begin, and how many parameters there are. */
  readonly at: number;
  readonly count: number;
  /** The types are here; else they are as they were. */
  readonly typed: boolean;
  /** Types as they are here, without names, two bytes each; empty where they are not. */
  readonly types: Uint8Array;
  readonly names: readonly string[];
  readonly valuesAt: number;
}

/** Of EXECUTE. `count`: of the statement's parameters. `undefined`: it is not as it should be. */
export function boundToExecute(payload: Uint8Array, count: number, attributes: boolean): BoundParameters | undefined {
  const reader = new PacketReader(payload, EXECUTE_HEAD);
  if (payload.length < EXECUTE_HEAD) return undefined;
  let all = count;
  if (attributes && (count > 0 || (payload[FLAGS_AT]! & PARAMETER_COUNT_AVAILABLE) !== 0)) all = reader.lenenc();
  return readBound(reader, payload, all, attributes);
}

/** Attributes of QUERY, and where its text begins. `undefined`: it is not as it should be. */
export function boundToQuery(payload: Uint8Array): { bound: BoundParameters; textAt: number } | undefined {
  const reader = new PacketReader(payload, 1);
  const count = reader.lenenc();
  reader.lenenc();
  const bound = readBound(reader, payload, count, true);
  if (bound === undefined) return undefined;
  if (count === 0) return { bound, textAt: reader.at };
  const values = new PacketReader(payload, bound.valuesAt);
  readParameters(values, payload, bound, bound.types, new Set());
  return values.failed ? undefined : { bound, textAt: values.at };
}

function readBound(
  reader: PacketReader,
  payload: Uint8Array,
  count: number,
  named: boolean,
): BoundParameters | undefined {
  const at = reader.at;
  if (count === 0) return { at, count, typed: false, types: new Uint8Array(0), names: [], valuesAt: at };
  // Every parameter has a bit at least.
  if (count > payload.length * 8) return undefined;
  reader.bytes((count + 7) >> 3);
  const typed = reader.u8() === 1;
  const types = new Uint8Array(typed ? count * 2 : 0);
  const names: string[] = [];
  for (let i = 0; typed && i < count && !reader.failed; i++) {
    types.set(reader.bytes(2), i * 2);
    if (named) names.push(Buffer.from(reader.lenencBytes()).toString('utf8'));
  }
  return reader.failed ? undefined : { at, count, typed, types, names, valuesAt: reader.at };
}

/** `sentAhead`: indices of parameters that came with SEND_LONG_DATA, which have no value here. */
export function readParameters(
  reader: PacketReader,
  payload: Uint8Array,
  bound: BoundParameters,
  types: Uint8Array,
  sentAhead: ReadonlySet<number>,
): readonly MysqlParameter[] {
  const parameters: MysqlParameter[] = [];
  for (let i = 0; i < bound.count && !reader.failed; i++) {
    const type = types[i * 2]!;
    const unsigned = (types[i * 2 + 1]! & UNSIGNED) !== 0;
    const isNull = (payload[bound.at + (i >> 3)]! & (1 << (i & 7))) !== 0;
    let value: MysqlParameter['value'] = null;
    if (sentAhead.has(i)) value = undefined;
    else if (!isNull) value = readValue(reader, type, unsigned);
    parameters.push({ type, unsigned, name: bound.names[i] ?? '', value });
  }
  return parameters;
}
