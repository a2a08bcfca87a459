/** Plugins as a run has them: told in the words of `--plugin`, given connections, and asked about what these send. */
import type { Log, Plugin } from 'tcpcopy/plugin';
import http from '../../plugins/http/index.ts';
import { readPluginOptions } from '../../src/config/plugin-options.ts';
import { parsePlugin } from '../../src/config/plugin-spec.ts';
import { parseIp } from '../../src/core/ip-address.ts';
import { instant, micros, toMillis } from '../../src/core/time.ts';
import type { ConnectionPlan } from '../../src/pipeline/contexts.ts';
import type { ConnectionInfo } from '../../src/pipeline/hooks.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import type { Codec } from '../../src/protocol/codec.ts';
import { DetectingCodec } from '../../src/protocol/detecting-codec.ts';
import { TestClock } from '../unit/pipeline/rig.ts';

export interface RigOptions {
  /** 1 where the key is left out. */
  readonly seed?: number | undefined;
  /** A recording is replayed. */
  readonly recording?: boolean;
  readonly processes?: number;
  /** Without the protocol http, unless the plugins bring it. */
  readonly opaque?: boolean;
}

export class PluginRig {
  /** What plugins have logged: the level, and the line. */
  readonly lines: string[] = [];
  readonly clock = new TestClock();
  readonly #pipeline: Pipeline;

  private constructor() {
    const note = (level: string) => (line: string) => void this.lines.push(`${level}: ${line}`);
    const log: Log = { error: note('error'), warn: note('warn'), info: note('info'), debug: note('debug') };
    this.#pipeline = new Pipeline({ log, clock: this.clock });
    this.#log = log;
  }

  readonly #log: Log;

  /** `specs`: plugins with what stands behind `--plugin` for them. */
  static async start(specs: readonly (readonly [Plugin, string])[], options: RigOptions = {}): Promise<PluginRig> {
    const { seed, opaque = false, recording = false, processes = 1 } = { seed: 1, ...options };
    const rig = new PluginRig();
    const env = { log: rig.#log, seed, directory: '/', live: !recording, processes };
    const given = opaque || specs.some(([{ name }]) => name === 'http') ? specs : [[http, 'http'] as const, ...specs];
    for (const [plugin, text] of given) {
      const { options, where } = parsePlugin(text);
      await rig.#pipeline.register(plugin, readPluginOptions(plugin, { options, where }), env);
    }
    rig.#pipeline.start();
    return rig;
  }

  connect(client = '192.0.2.1', port = 40_000): TestConnection {
    const info: ConnectionInfo = {
      client: { address: parseIp(client)!, port },
      server: { address: parseIp('198.51.100.1')!, port: 80 },
      openedBy: 'syn',
    };
    return new TestConnection(this.#pipeline, info);
  }

  /** The figures of a plugin. */
  figures(name: string): Record<string, number> {
    const report = this.#pipeline.report().find((plugin) => plugin.name === name)!;
    return Object.fromEntries(report.figures.map((figure) => [figure.name, figure.value]));
  }
}

export class TestConnection {
  readonly plan: ConnectionPlan | undefined;
  /** Why messages were not sent. */
  readonly dropped: string[] = [];
  /** How long each message that is sent is held back, in milliseconds. */
  readonly delays: number[] = [];
  readonly #pipeline: Pipeline;
  readonly #info: ConnectionInfo;
  readonly #codec: Codec;
  #passing = true;
  #over = false;

  constructor(pipeline: Pipeline, info: ConnectionInfo) {
    this.#pipeline = pipeline;
    this.#info = info;
    this.plan = pipeline.admit(info);
    this.#over = this.plan?.dropped !== undefined;
    const protocols = [...pipeline.protocols.values()].map(({ definition: { detect, codec } }) => ({
      detect: (bytes: Uint8Array, offset: number, length: number) => detect!(bytes, offset, length, info),
      codec: (fromBoundary: boolean) => codec!(info, fromBoundary),
    }));
    this.#codec = new DetectingCodec(protocols, true);
  }

  /** What of these bytes is sent on. A turn: the client had seen something of the server's before. */
  send(text: string, turn = true): string {
    const bytes = Buffer.from(text, 'latin1');
    const [time, serverBytesSeen] = [instant(1), turn ? 1 : 0];
    this.#codec.push({ bytes, offset: 0, length: bytes.length, time, serverBytesSeen });
    let sent = '';
    for (let piece = this.#codec.next(); piece !== undefined; piece = this.#codec.next()) {
      if (this.#over) continue;
      if (piece.refused === true) {
        this.#passing = false;
        continue;
      }
      if (piece.first) {
        const plan = this.#pipeline.decide(this.#info, this.#codec.protocol, piece, piece.message);
        if (plan instanceof Promise) throw new Error('a plugin takes its time');
        this.#passing = plan?.dropped === undefined;
        if (plan?.dropped !== undefined) {
          this.dropped.push(plan.dropped.reason);
          this.#over = plan.dropped.connection;
        }
        if (!this.#passing) continue;
        this.delays.push(toMillis(plan?.delayed ?? micros(0)));
        if (plan?.replacement !== undefined) {
          sent += Buffer.from(plan.replacement).toString('latin1');
          this.#passing = false;
          continue;
        }
        piece.encode?.();
      }
      if (!this.#passing) continue;
      sent += Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset + piece.offset, piece.length).toString('latin1');
    }
    return sent;
  }
}

/** A request as clients write it; lines of the head as given. */
export function request(line: string, ...fields: string[]): string {
  return `${[`${line} HTTP/1.1`, ...(fields.some((f) => /^host:/i.test(f)) ? [] : ['Host: shop']), ...fields].join('\r\n')}\r\n\r\n`;
}

/** What is said of wrong options. */
export function refusal(plugin: Plugin, text: string): string {
  const { options, where } = parsePlugin(text);
  try {
    readPluginOptions(plugin, { options, where });
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('these options are not refused');
}
