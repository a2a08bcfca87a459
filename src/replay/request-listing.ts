/** The requests of a recording with what belongs to them: the response that was captured, and what plugins make of each. */
import { compact } from '../core/compact.ts';
import { formatEndpoint } from '../core/ip-address.ts';
import { elapsed, type Duration, type Instant } from '../core/time.ts';
import type { ConnectionInfo } from '../pipeline/hooks.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { TapTrace } from '../pipeline/tap-runner.ts';
import type { Piece } from '../protocol/codec.ts';
import type { ResponseReader } from '../protocol/response-reader.ts';
import { messageText } from '../report/request-text.ts';
import type { MessageObserver, Observe, Verdict } from './message-observer.ts';
import type { ClientEnd } from './replica-owner.ts';

/** What one plugin made of a message. */
export interface Change {
  readonly plugin: string;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

export interface InspectedRequest {
  /** From 1, in order of the connections' first packets. */
  readonly connection: number;
  readonly client: string;
  readonly server: string;
  readonly at: Instant;
  readonly protocol: string;
  /** As captured, or as plugins left it; of a dropped one what its first piece has. */
  readonly text: string;
  readonly bytes: number;
  /** The capture has all of it. */
  readonly whole: boolean;
  readonly verdict: Verdict;
  readonly changes: readonly Change[];
  /** `undefined`: none was captured, or nobody reads this protocol's. */
  readonly response: { readonly status: number | string | undefined; readonly after: Duration } | undefined;
}

type Report = (request: InspectedRequest) => void;

export class RequestListing {
  readonly #report: Report;
  readonly #streams = new Set<RequestStream>();
  /** By the client's endpoint, which stands for its connection. */
  readonly #changes = new WeakMap<object, Change[]>();
  #connections = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  readonly trace: TapTrace = ({ client }, plugin, before, after) => {
    const changes = this.#changes.get(client) ?? [];
    this.#changes.set(client, [...changes, { plugin, before, after }]);
  };

  /** `only`: the number of the connection to look at. */
  observer(pipeline: Pipeline, only: number | undefined): Observe {
    return (info) => {
      const number = ++this.#connections;
      if (only !== undefined && number !== only) return undefined;
      const stream = new RequestStream(number, info, pipeline, this.#report, () => this.#takeChanges(info));
      this.#streams.add(stream);
      return stream;
    };
  }

  /** What waits for a response that is not in the recording. */
  finish(): void {
    for (const stream of this.#streams) stream.finish();
  }

  #takeChanges({ client }: ConnectionInfo): readonly Change[] {
    const changes = this.#changes.get(client) ?? [];
    this.#changes.delete(client);
    return changes;
  }
}

/** The most that is kept of a server which speaks before the protocol is known, bytes. */
const EARLY_LIMIT = 64 << 10;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

class RequestStream implements MessageObserver {
  readonly #number: number;
  readonly #info: ConnectionInfo;
  readonly #pipeline: Pipeline;
  readonly #report: Report;
  readonly #takeChanges: () => readonly Change[];
  /** Those not reported yet: the last may go on, the others wait for responses. */
  readonly #waiting: { readonly request: Mutable<InspectedRequest>; awaited: boolean }[] = [];
  /** How many of them have been reported all the same: a pipeline may be long, and is not moved for each. */
  #told = 0;
  #current: Mutable<InspectedRequest> | undefined;
  #reader: ResponseReader | undefined;
  /** What a server said before its client; `undefined`: it is read, or not any more. */
  #early: Uint8Array[] | undefined = [];
  #earlyLength = 0;
  /** What the server says from here on answers requests that are shown. */
  #inStep: boolean;

  constructor(
    number: number,
    info: ConnectionInfo,
    pipeline: Pipeline,
    report: Report,
    takeChanges: () => readonly Change[],
  ) {
    this.#number = number;
    this.#info = info;
    this.#pipeline = pipeline;
    this.#report = report;
    this.#takeChanges = takeChanges;
    this.#inStep = info.openedBy === 'syn';
  }

  begins(piece: Readonly<Piece>, protocol: string, verdict: Verdict): void {
    this.#end();
    const { bytes, offset, length, time, message } = piece;
    const request: Mutable<InspectedRequest> = {
      connection: this.#number,
      client: formatEndpoint(this.#info.client),
      server: formatEndpoint(this.#info.server),
      at: time,
      protocol,
      text: messageText(message, bytes, offset, length),
      bytes: verdict.dropped === undefined ? 0 : length,
      whole: true,
      verdict,
      changes: this.#takeChanges(),
      response: undefined,
    };
    this.#reader ??= this.#readerOf(protocol);
    const awaited = this.#reader?.reading === true && this.#reader.sent(message);
    this.#waiting.push({ request, awaited });
    this.#current = request;
  }

  bytes({ length }: Readonly<Piece>): void {
    if (this.#current !== undefined) this.#current.bytes += length;
  }

  broken(): void {
    if (this.#current !== undefined) this.#current.whole = false;
  }

  serverBytes(bytes: Uint8Array | undefined, offset: number, length: number, time: Instant): void {
    const reader = this.#reader;
    if (this.#early !== undefined && bytes !== undefined) this.#keepEarly(this.#early, bytes, offset, length);
    if (reader?.reading !== true || !this.#reaches(time)) return;
    if (bytes === undefined) reader.gap?.(length);
    else reader.push(bytes, offset, length);
    for (let said = reader.next(); said !== undefined; said = reader.next()) {
      if (said.completes) this.#answered(said.message, time);
    }
    // Nothing can be told of what is not answered yet.
    if (!reader.reading || (bytes === undefined && reader.gap === undefined)) this.#giveUp();
  }

  ended(end: ClientEnd): void {
    this.#end();
    if (end !== 'fin') this.finish();
  }

  finish(): void {
    this.#end();
    this.#giveUp();
  }

  /** The request under way is over: if nothing answers it, it is told of now. */
  #end(): void {
    this.#current = undefined;
    this.#tell();
  }

  #answered(message: unknown, time: Instant): void {
    let i = this.#told;
    while (this.#waiting[i]?.awaited === false) i++;
    const waiting = this.#waiting[i];
    if (waiting === undefined) return;
    const { status } = (message ?? {}) as { readonly status?: unknown };
    waiting.awaited = false;
    const after = elapsed(time, waiting.request.at);
    const told = typeof status === 'number' || typeof status === 'string' ? status : undefined;
    waiting.request.response = { status: told, after };
    this.#tell();
  }

  /**
   * Whether what came at `time` may answer a request that is shown. A connection seen from its middle may begin with
   * answers to requests that are not; a recording hands them out late, and their times tell.
   */
  #reaches(time: Instant): boolean {
    const first = this.#waiting[this.#told];
    this.#inStep ||= first === undefined || elapsed(time, first.request.at) >= 0;
    return this.#inStep;
  }

  #readerOf(protocol: string): ResponseReader | undefined {
    const reader = this.#pipeline.protocols.get(protocol)?.definition.responses?.(this.#info, 'online');
    for (const bytes of this.#early ?? []) {
      reader?.push(bytes, 0, bytes.length);
      while (reader?.next() !== undefined);
    }
    this.#early = undefined;
    return reader;
  }

  #keepEarly(early: Uint8Array[], bytes: Uint8Array, offset: number, length: number): void {
    this.#earlyLength += length;
    if (this.#earlyLength > EARLY_LIMIT) this.#early = undefined;
    else early.push(bytes.slice(offset, offset + length));
  }

  #giveUp(): void {
    this.#reader = undefined;
    for (let i = this.#told; i < this.#waiting.length; i++) this.#waiting[i]!.awaited = false;
    this.#tell();
  }

  /** In order, and none that may go on. */
  #tell(): void {
    for (let first = this.#waiting[this.#told]; first !== undefined; first = this.#waiting[this.#told]) {
      if (first.awaited || (first.request === this.#current && first.request.response === undefined)) return;
      this.#told = compact(this.#waiting, this.#told + 1);
      this.#report(first.request);
    }
  }
}
