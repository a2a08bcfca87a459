/** EXECUTE as the target has to be sent it: its id, types where it has not been told them, no attributes it cannot take. */
import { boundToExecute, readParameters, STATEMENT_ID_AT } from './bound.ts';
import type { MysqlCommand } from './command.ts';
import { PacketReader } from './login/index.ts';
import { HEADER_LENGTH, toPackets } from './packet.ts';

const FLAGS_AT = 5;
const EXECUTE_HEAD = 10;
const PARAMETER_COUNT_AVAILABLE = 8;

export interface ExecuteTarget {
  readonly id: number;
  readonly parameterCount: number;
  /** It has been told the types of the parameters. */
  readonly typed: boolean;
  readonly takesAttributes: boolean;
}

/** The first piece of a command about a statement, with another id in it. */
export function withId(bytes: Uint8Array, id: number): Uint8Array {
  const copy = Buffer.from(bytes);
  copy.writeUInt32LE(id, HEADER_LENGTH + STATEMENT_ID_AT);
  return copy;
}

/**
 * `undefined`: only its id is to be changed; else all of the command, written anew. A text says why it cannot be. `types`: those
 * that the client told before.
 */
export function rewriteExecute(
  command: MysqlCommand,
  target: ExecuteTarget,
  types: Uint8Array | undefined,
): Uint8Array | string | undefined {
  const attributes = command.connection.queryAttributes;
  const mayLackTypes = !target.typed && target.parameterCount > 0;
  if (!mayLackTypes && (!attributes || target.takesAttributes)) return undefined;
  if (!command.whole) return attributes ? 'too long for a target without query attributes' : undefined;
  const { payload } = command;
  const bound = boundToExecute(payload, target.parameterCount, attributes);
  if (bound === undefined || bound.count < target.parameterCount) return 'its parameters cannot be read';
  const strip = attributes && !target.takesAttributes;
  if (!strip && (bound.typed || bound.count === 0)) return undefined;
  const known = bound.typed ? bound.types : types;
  if (bound.count > 0 && (known === undefined || known.length < bound.count * 2))
    return 'types of its parameters are not known';
  // Attributes stand behind the parameters.
  const count = strip ? target.parameterCount : bound.count;
  const values = new PacketReader(payload, bound.valuesAt);
  if (count < bound.count) {
    readParameters(values, payload, { ...bound, count }, known!, command.sentAhead);
    if (values.failed) return 'its parameters cannot be read';
  }
  const end = count < bound.count ? values.at : payload.length;
  const head = Buffer.from(payload.subarray(0, EXECUTE_HEAD));
  head.writeUInt32LE(target.id, STATEMENT_ID_AT);
  if (strip) head[FLAGS_AT] = head[FLAGS_AT]! & ~PARAMETER_COUNT_AVAILABLE;
  if (count === 0) return toPackets(head);
  const between = attributes && !strip ? payload.subarray(EXECUTE_HEAD, bound.at) : new Uint8Array(0);
  const nulls = payload.subarray(bound.at, bound.at + ((count + 7) >> 3));
  const told = attributes && !strip ? withoutNames(known!.subarray(0, count * 2)) : known!.subarray(0, count * 2);
  return toPackets(
    Buffer.concat([head, between, nulls, Uint8Array.of(1), told, payload.subarray(bound.valuesAt, end)]),
  );
}

/** Each type with an empty name behind it. */
function withoutNames(types: Uint8Array): Uint8Array {
  const named: number[] = [];
  for (let i = 0; i < types.length; i += 2) named.push(types[i]!, types[i + 1]!, 0);
  return Uint8Array.from(named);
}
