/** What a run gives its engine. */
import type { Duration } from '../core/time.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Histogram } from '../report/histogram.ts';
import type { Ledger } from '../report/ledger.ts';
import type { FrameParser } from '../wire/frame-parser.ts';
import type { LoopClock } from './clock.ts';
import type { Governor } from './governor.ts';
import type { Observe } from './message-observer.ts';
import type { ByteBudget } from './piece-queue.ts';
import type { TakeFrame } from './recording.ts';
import type { ResponseReading } from './response-reading.ts';
import type { Selector } from './selector.ts';
import type { Target } from './target.ts';
import type { TimerWheel } from './timer-wheel.ts';

export interface EngineParts {
  readonly clock: LoopClock;
  readonly parser: FrameParser;
  readonly selector: Selector;
  readonly pipeline: Pipeline;
  readonly ledger: Ledger;
  readonly target: Target;
  readonly wheel: TimerWheel;
  readonly budget: ByteBudget;
  readonly lag: Histogram;
  /** Times to whole responses, where they are read. */
  readonly targetTimes?: Histogram | undefined;
  readonly onlineTimes?: Histogram | undefined;
  /** Whether the input is live: then frames are never held back. */
  readonly live: boolean;
  readonly onlyFromSyn: boolean;
  readonly waitsForResponse: boolean;
  /** False in a dry run. */
  readonly expectsResponses: boolean;
  /** What is read of responses; `undefined`: nothing. */
  readonly reading: ResponseReading | undefined;
  /** How long a response may take while the client waits for its own. */
  readonly sessionTimeout: Duration;
  /** Says which connections are left out; `undefined`: none. */
  readonly governor?: Governor | undefined;
  /** Who looks at what the pipeline lets pass. */
  readonly observe?: Observe | undefined;
  /** Who takes the frames themselves: then nothing else is done with them. */
  readonly takeFrame?: TakeFrame | undefined;
  /** Takes responses that have arrived and gives them to the target, in each turn; returns how many. */
  readonly responses: () => number;
  /**
   * Looks for responses without the event loop, so that the next turn need not wait for it; false, or left out, where only
   * the event loop can tell.
   */
  readonly lookForResponses?: (entered: boolean) => boolean;
  /** Whether what was flushed has been answered on the spot, as in a dry run: then the next turn follows at once. */
  readonly answeredAtOnce: () => boolean;
}
