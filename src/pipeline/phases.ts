/**
 * The order of work on a message, whatever order plugins are given in: what decides whether a message is copied comes
 * before what changes it, and what looks at the result comes last. Inside a phase the order given is the order run.
 */
export const PHASES = ['decode', 'filter', 'sample', 'rewrite', 'amplify', 'encode', 'observe'] as const;

export type Phase = (typeof PHASES)[number];

export const PHASE_TEXTS: Readonly<Record<Phase, string>> = {
  decode: 'make the message readable: decompress, decrypt, look tokens up',
  filter: 'decide by what it is whether it is copied at all',
  sample: 'decide by chance or budget whether it is copied',
  rewrite: 'change it',
  amplify: 'decide when, and how many times, it is sent',
  encode: 'turn it into the bytes that are sent',
  observe: 'look at the result; nothing is changed any more',
};

export function isPhase(value: unknown): value is Phase {
  return PHASES.includes(value as Phase);
}
