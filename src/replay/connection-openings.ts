/** Makes a replay of every connection that is seen, and knows those that are not settled yet. */
import { Roster } from '../core/roster.ts';
import type { ConnectionInfo } from '../pipeline/hooks.ts';
import type { ProtocolDefinition } from '../pipeline/protocol-hooks.ts';
import type { Codec } from '../protocol/codec.ts';
import { DetectingCodec } from '../protocol/detecting-codec.ts';
import { OpaqueCodec, opaquePiece } from '../protocol/opaque-codec.ts';
import type { Connection } from '../reassembly/connection.ts';
import { ConnectionReplay } from './connection-replay.ts';
import type { EngineParts } from './engine-parts.ts';
import type { ReplayContext } from './replay-context.ts';

/** Steps of this size fill the range from 0 to 1 evenly, however many there are (Weyl 1916). */
const GOLDEN = 0.618_033_988_749_894_9;

export class ConnectionOpenings {
  /** Connections that are not settled yet. */
  readonly active = new Roster<ConnectionReplay>();
  readonly #parts: EngineParts;
  readonly #context: ReplayContext;
  readonly #protocols: readonly (Required<Pick<ProtocolDefinition, 'detect' | 'codec'>> & { readonly name: string })[];
  readonly #finished = (replay: ConnectionReplay): void => this.active.delete(replay);
  /** Of all opaque codecs. */
  readonly #piece = opaquePiece();
  /** Of the last connection. */
  #place = 0;

  constructor(parts: EngineParts, context: ReplayContext) {
    this.#parts = parts;
    this.#context = context;
    this.#protocols = [...parts.pipeline.protocols.values()].flatMap(({ name, definition: { detect, codec } }) =>
      detect === undefined || codec === undefined ? [] : [{ name, detect, codec }],
    );
  }

  /** A connection was seen: decides with the plugins what becomes of it, and begins with that. */
  open(connection: Connection<ConnectionReplay>): void {
    const { selector, pipeline, onlyFromSyn } = this.#parts;
    const { client, server, openedBy } = connection;
    const target = selector.targetOf(server);
    if (target === undefined) return;
    const info = { client, server, openedBy };
    const plan = pipeline.admit(info);
    const tooLate = onlyFromSyn && openedBy === 'midstream' ? 'not-picked-up' : undefined;
    const excluded = plan?.dropped?.cause ?? tooLate;
    if (excluded === undefined) this.#place = (this.#place + GOLDEN) % 1;
    const replay = new ConnectionReplay(
      this.#context,
      pipeline,
      info,
      target,
      this.#codecFor(info),
      { copies: plan?.copyCount ?? 1, excluded, dropped: plan?.dropped, place: this.#place },
      this.#finished,
    );
    connection.user = replay;
    this.active.add(replay);
  }

  /** A connection for which the flow table had no room: one entry, so that the ledger knows of it. */
  reject(): void {
    const { ledger } = this.#context;
    ledger.connectionsOpened++;
    ledger.settleConnection('memory-cap');
  }

  #codecFor(info: ConnectionInfo): Codec {
    const fromSyn = info.openedBy === 'syn';
    if (this.#protocols.length === 0) {
      // What a plugin takes its time over is kept meanwhile.
      return new OpaqueCodec(fromSyn, this.#parts.pipeline.mayWait ? undefined : this.#piece);
    }
    const candidates = this.#protocols.map(({ name, detect, codec }) => ({
      detect: (bytes: Uint8Array, offset: number, length: number) =>
        this.#attributed(name, () => detect(bytes, offset, length, info)),
      codec: (fromBoundary: boolean) => this.#attributed(name, () => codec(info, fromBoundary)),
    }));
    return new DetectingCodec(candidates, fromSyn);
  }

  /** Names whose plugin it is that throws before the connection is known to speak its protocol. */
  #attributed<T>(protocol: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      this.#parts.pipeline.protocolFailed(protocol, error, 'requests');
      throw error;
    }
  }
}
