/** Signals as values: what the runners get instead of `process.on`. */
export interface Signals {
  /** Aborted by the first SIGINT or SIGTERM; its reason is the signal's name. */
  readonly stopSignal: AbortSignal;
  /** What SIGUSR1 calls; the last registration counts. */
  statsRequests(callback: () => void): void;
  dispose(): void;
}

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

export interface SignalReactions {
  /** Without one SIGHUP stops the program: the terminal it ran in is gone. */
  readonly reopenLog: (() => void) | undefined;
  /** Before the process ends at once, at the second signal to stop. */
  readonly abandon: () => void;
}

export function installSignals(reactions: SignalReactions): Signals {
  const controller = new AbortController();
  let requestStats: () => void = () => undefined;
  const stop = (signal: keyof typeof SIGNAL_NUMBERS) => {
    if (controller.signal.aborted) {
      reactions.abandon();
      process.exit(128 + SIGNAL_NUMBERS[signal]);
    }
    controller.abort(signal);
  };
  const listeners: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ['SIGINT', () => stop('SIGINT')],
    ['SIGTERM', () => stop('SIGTERM')],
    ['SIGHUP', reactions.reopenLog ?? (() => stop('SIGHUP'))],
    // Node would open its debugger at SIGUSR1 if nobody listened.
    ['SIGUSR1', () => requestStats()],
  ];
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return {
    stopSignal: controller.signal,
    statsRequests(callback) {
      requestStats = callback;
    },
    dispose() {
      for (const [signal, listener] of listeners) process.off(signal, listener);
    },
  };
}
