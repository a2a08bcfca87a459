import type { Duration, Instant } from '../core/time.ts';
import type { ResponseOrigin } from '../protocol/response-reader.ts';
import type { Ledger } from '../report/ledger.ts';
import type { Observe } from './message-observer.ts';
import type { Governor } from './governor.ts';
import type { ByteBudget } from './piece-queue.ts';
import type { ResponseReading } from './response-reading.ts';
import type { Target } from './target.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** What every replica of a run shares. */
export interface ReplayContext {
  readonly ledger: Ledger;
  readonly target: Target;
  readonly wheel: TimerWheel;
  readonly budget: ByteBudget;
  /** Whether units wait for the target's response (`--pace asap` does not). */
  readonly waitsForResponse: boolean;
  /** Whether the target responds at all: in a dry run nobody does, and what is delivered is done with. */
  readonly expectsResponses: boolean;
  /** What is read of responses; `undefined`: nothing, nobody asks. */
  readonly reading: ResponseReading | undefined;
  /** Whether what is sent must not depend on how fast the target is: so that a recording gives the same each time. */
  readonly repeatable: boolean;
  /** Who looks at what the pipeline lets pass; `undefined`: nobody. */
  readonly observe?: Observe | undefined;
  /** Replicas that wait for the target, whatever else is captured. */
  busyReplicas: number;
  /** Replicas, and connections that wait for a plugin, whose queues are so full that a recording should not be read on. */
  crowdedReplicas: number;
  /** Messages over which plugins take their time. */
  undecidedMessages: number;
  /** Replicas of which something captured waits for the target: for its response, or to accept the session. */
  heldReplicas: number;
  /** Replicas whose clients have gone on while the target still owes a response. */
  behindReplicas: number;
  /** Says which connections are left out just now; `undefined`: none ever are. */
  readonly governor?: Governor | undefined;
  /** How long a response may take; `held`: something waits behind it, or the client has ended. */
  patience(held: boolean): Duration;
  /** Loop time. */
  now(): Instant;
  /** Something was done outside a turn of the loop: have it sent. */
  wake(): void;
  /** Why bytes are missing from the capture: the kernel's drops, or something before it. */
  gapBucket(): 'kernel-drop' | 'capture-gap';
  /** A unit captured then goes out now: feeds the lag figure. */
  released(captured: Instant): void;
  /** The target began to respond so long after what there was of a unit had been sent: feeds what is waited for. */
  responseBegan(time: Duration): void;
  /** A whole response was read so long after its request. */
  responded(by: ResponseOrigin, time: Duration): void;
  /** A unit captured then has been answered. */
  answered(captured: Instant): void;
}
