/** What the ring tests run inside their namespace: `scenarios.ts NAME` prints a JSON object. */
import { RING_SCENARIOS } from './ring-scenarios.ts';
import { SENDING_SCENARIOS } from './sending-scenarios.ts';

const scenarios = { ...RING_SCENARIOS, ...SENDING_SCENARIOS };

/** One scenario's result, or of several, one after another, each of theirs. */
const [name, ...others] = process.argv.slice(2);
const first = await scenarios[name!]!();
const result: unknown[] = [first];
for (const other of others) result.push(await scenarios[other]!());
process.stdout.write(JSON.stringify(others.length === 0 ? first : result), () => process.exit(0));
