/** What a run reads of responses, decided once: of which protocols, and for whom. */
import type { ConnectionInfo } from '../pipeline/hooks.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { ResponseOrigin, ResponseReader } from '../protocol/response-reader.ts';

/** A protocol whose responses somebody asks for. */
export interface ReadProtocol {
  readonly name: string;
  responses(connection: ConnectionInfo, origin: ResponseOrigin): ResponseReader;
  /** Whether anybody wants to see requests with their responses. */
  readonly exchanges: boolean;
}

export class ResponseReading {
  readonly #protocols: ReadonlyMap<string, ReadProtocol>;

  private constructor(protocols: ReadonlyMap<string, ReadProtocol>) {
    this.#protocols = protocols;
  }

  /** `undefined` when nobody asks for the responses of any protocol: then their bytes need not come here. */
  static of(pipeline: Pipeline): ResponseReading | undefined {
    const protocols = new Map<string, ReadProtocol>();
    for (const [name, { definition }] of pipeline.protocols) {
      const { responses } = definition;
      const exchanges = pipeline.uses('exchange', name);
      if (responses === undefined || !(exchanges || pipeline.uses('response', name))) continue;
      protocols.set(name, { name, responses, exchanges });
    }
    return protocols.size === 0 ? undefined : new ResponseReading(protocols);
  }

  protocol(name: string): ReadProtocol | undefined {
    return this.#protocols.get(name);
  }
}
