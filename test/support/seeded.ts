/**
 * Property tests draw the same cases in every run, so that a red run means a change and not bad luck. `TEST_SEED=random`
 * (or a number) looks for new ones; fast-check prints the seed of what it finds.
 */
import fc from 'fast-check';

const wanted = process.env['TEST_SEED'] ?? '1';
if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted) });
