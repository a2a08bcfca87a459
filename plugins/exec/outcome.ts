/** Why a message has no answer; the words are counted and printed. */
export const FAILURES = {
  down: 'the program is not running',
  full: 'too many messages wait for the program',
  late: 'no answer in time',
  nonsense: 'an answer that makes no sense',
} as const;
export type Failure = keyof typeof FAILURES;

/** What came of asking the program: its answer as parsed JSON, or why there is none. */
export type Outcome = { readonly answer: unknown } | { readonly failure: Failure };
