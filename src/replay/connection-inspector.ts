/** Turns the events of a connection tracker into one result per connection, in order of first packet. */
import { formatEndpoint } from '../core/ip-address.ts';
import { elapsed, type Duration, type Instant } from '../core/time.ts';
import type { Connection, ConnectionEnd } from '../reassembly/connection.ts';
import { EVENT_CLOSED, EVENT_DATA, EVENT_GAP, EVENT_NONE, EVENT_OPENED, EVENT_RESET } from '../reassembly/delivery.ts';
import type { ConnectionTracker } from '../reassembly/tracker.ts';
import { isCommand, senderOf } from './opening-content.ts';
import { StreamDigest, type InspectedStream } from './stream-digest.ts';

export interface InspectedConnection {
  readonly client: string;
  readonly server: string;
  readonly openedBy: 'syn' | 'midstream';
  readonly end: ConnectionEnd;
  readonly firstSeen: Instant;
  readonly duration: Duration;
  readonly c2s: InspectedStream;
  readonly s2c: InspectedStream;
}

/** What is known of a connection so far: its two streams, client's first. */
interface Inspection {
  readonly firstSeen: Instant;
  readonly digests: Digests;
}

type Digests = readonly [StreamDigest, StreamDigest];

export type InspectionTracker = ConnectionTracker<Inspection>;

export class ConnectionInspector {
  readonly #tracker: InspectionTracker;
  readonly #report: (connection: InspectedConnection) => void;
  /** Finished connections that wait for an earlier one, by index. */
  readonly #finished = new Map<number, InspectedConnection>();
  #reported = 0;

  constructor(tracker: InspectionTracker, report: (connection: InspectedConnection) => void) {
    this.#tracker = tracker;
    this.#report = report;
  }

  get connections(): number {
    return this.#reported;
  }

  /** Takes every event the tracker has. */
  drain(): void {
    const tracker = this.#tracker;
    for (let event = tracker.poll(); event !== EVENT_NONE; event = tracker.poll()) {
      const connection = tracker.connection;
      if (connection === undefined) continue;
      if (event === EVENT_OPENED) connection.user = begun(connection.lastSeen);
      else if (event === EVENT_DATA) connection.user?.digests[tracker.half].add(tracker.chunk);
      else if (event === EVENT_GAP) connection.user?.digests[tracker.half].addGap(tracker.gap);
      else if (event === EVENT_CLOSED || event === EVENT_RESET) this.#finish(connection);
    }
  }

  #finish(connection: Connection<Inspection>): void {
    const inspection = connection.user;
    if (inspection === undefined) return;
    connection.user = undefined;
    const { digests, firstSeen } = inspection;
    const backwards = connection.openedBy === 'midstream' && looksBackwards(digests, connection.server.port);
    const [c2s, s2c] = backwards ? [digests[1], digests[0]] : digests;
    const [client, server] = backwards
      ? [connection.server, connection.client]
      : [connection.client, connection.server];
    this.#finished.set(connection.index, {
      client: formatEndpoint(client),
      server: formatEndpoint(server),
      openedBy: connection.openedBy,
      end: connection.end,
      firstSeen,
      duration: elapsed(connection.lastSeen, firstSeen),
      c2s: c2s.result(),
      s2c: s2c.result(),
    });
    for (;;) {
      const next = this.#finished.get(this.#reported);
      if (next === undefined) return;
      this.#finished.delete(this.#reported++);
      this.#report(next);
    }
  }
}

function begun(firstSeen: Instant): Inspection {
  return { firstSeen, digests: [new StreamDigest(), new StreamDigest()] };
}

/** Whether a connection seen only from its middle was taken the wrong way round, as its content shows. `port`: of who was taken for the server. */
function looksBackwards([client, server]: Digests, port: number): boolean {
  const [first, second] = [senderOf(client.opening), senderOf(server.opening)];
  if (first === 'client' || second === 'server') return false;
  if (first === 'server' || second === 'client') return true;
  return isCommand(server.opening, port) && !isCommand(client.opening, port);
}
