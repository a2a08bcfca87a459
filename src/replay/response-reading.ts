/** What a run reads of responses, decided once: of which protocols, and for whom. */
import type { ConnectionInfo } from '../pipeline/hooks.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Dialogue } from '../protocol/dialogue.ts';
import type { ResponseOrigin, ResponseReader } from '../protocol/response-reader.ts';

/** A protocol whose responses are read: somebody asks for them, or its dialogues need them. */
export interface ReadProtocol {
  readonly name: string;
  readonly responses: ((connection: ConnectionInfo, origin: ResponseOrigin) => ResponseReader) | undefined;
  readonly dialogue: ((connection: ConnectionInfo, copy: number) => Dialogue) | undefined;
  /** Whether the online server's responses are read, too. */
  readonly online: boolean;
  /** Whether anybody wants to see requests with their responses. */
  readonly exchanges: boolean;
}

export class ResponseReading {
  /** Whether the online server's responses of any protocol are read, and have to be captured. */
  readonly online: boolean;
  readonly #protocols: ReadonlyMap<string, ReadProtocol>;

  private constructor(protocols: ReadonlyMap<string, ReadProtocol>) {
    this.#protocols = protocols;
    this.online = [...protocols.values()].some(({ online }) => online);
  }

  /** `undefined` when the responses of no protocol are read: then their bytes need not come here. */
  static of(pipeline: Pipeline): ResponseReading | undefined {
    const protocols = new Map<string, ReadProtocol>();
    for (const [name, { definition }] of pipeline.protocols) {
      const { responses, dialogue, onlineResponses } = definition;
      const exchanges = pipeline.uses('exchange', name);
      const asked = responses !== undefined && (exchanges || pipeline.uses('response', name));
      if (!asked && dialogue === undefined) continue;
      const online = responses !== undefined && (exchanges || (dialogue !== undefined && onlineResponses === true));
      protocols.set(name, { name, responses, dialogue, exchanges, online });
    }
    return protocols.size === 0 ? undefined : new ResponseReading(protocols);
  }

  protocol(name: string): ReadProtocol | undefined {
    return this.#protocols.get(name);
  }
}
