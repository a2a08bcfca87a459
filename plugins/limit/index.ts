/**
 * Keeps what is sent below a rate. The budget is a bucket that fills at that rate and may be overdrawn: with `wait` a
 * request is held back until what it owes is paid; with `shed` connections are left out whole while nothing is there.
 */
import { definePlugin, option, z, type PluginEnv, type PluginHooks } from 'tcpcopy/plugin';
import { Budget } from './budget.ts';

/** What may come at once where nothing is said, as a share of a second's worth. */
const BURST_SECONDS = 0.1;
/** While requests wait longer than this share of the longest wait, no connection is begun: those under way come first. */
const SHARE_FOR_NEW = 0.5;
/** As long as the host holds a message back. */
const LONGEST_WAIT_MS = 3_600_000;
/** What connections under way overdraw is forgotten beyond this, so that a spell of it does not last. */
const SHED_DEBT_MS = 1_000;
const REASON = 'over the limit';
const REASON_REST = 'over the limit, rest of the connection';

interface State {
  requests: number;
}
type Hooks = PluginHooks<State>;

export default definePlugin({
  name: 'limit',
  description: 'Keeps what is sent below a rate of requests or connections.',
  options: z
    .object({
      rate: option.rate().describe('how many at most'),
      of: z.enum(['requests', 'connections']).default('requests').describe('what is counted'),
      excess: z
        .enum(['wait', 'shed'])
        .optional()
        .describe(
          'what is over it: requests wait their turn (wait, where requests are counted), or whole connections are left ' +
            'out (shed)',
        ),
      burst: z
        .number()
        .min(1)
        .optional()
        .describe('how many may come at once after a quiet; what the rate gives in 100 ms, where none is given'),
      wait: option
        .duration()
        .refine((ms) => ms > 0 && ms <= LONGEST_WAIT_MS, 'must be above 0 and at most 1h')
        .prefault('10s')
        .describe('how long a request waits at most; what would wait longer is left out'),
    })
    .refine(
      ({ of, excess }) => of === 'requests' || excess !== 'wait',
      'connections cannot wait, only requests can: leave excess=wait out',
    ),
  shorthand: 'rate',
  phase: 'sample',
  examples: ['limit=500/s', 'limit=500/s,burst=100,wait=2s', 'limit=500/s,excess=shed', 'limit=100/s,of=connections'],
  state: (): State => ({ requests: 0 }),
  apply(hooks, { rate: whole, of, excess, burst, wait }, env) {
    const rate = whole / env.processes;
    const share = burst === undefined ? rate * BURST_SECONDS : burst / env.processes;
    const budget = new Budget(rate, Math.max(1, share), env.now());
    if (of === 'connections') limitConnections(hooks, budget, env);
    else if (excess === 'shed') shed(hooks, budget, env);
    else hold(hooks, budget, env, wait);
  },
});

function limitConnections(hooks: Hooks, budget: Budget, env: PluginEnv): void {
  hooks.connection.tap('limit', (context) => {
    if (!budget.take(env.now())) context.drop(REASON);
  });
}

/** Connections that begin while nothing is left are left out; those under way go on. */
function shed(hooks: Hooks, budget: Budget, env: PluginEnv): void {
  let overdrawn = 0;
  hooks.connection.tap('limit', (context) => {
    // Paid in advance: else all that begin before the first of them sends would be let in.
    if (!budget.take(env.now())) context.drop(REASON);
  });
  hooks.request.tap('limit', ({ connection: { state } }) => {
    if (state.requests++ === 0) return;
    const now = env.now();
    if (budget.overdraw(now) > 0) overdrawn++;
    budget.forgive(SHED_DEBT_MS, now);
  });
  hooks.stats.tap('limit', (context) => context.figure('over the limit on connections under way', overdrawn));
}

/** Requests wait. What would wait too long goes: first new connections, then the rest of those under way. */
function hold(hooks: Hooks, budget: Budget, env: PluginEnv, wait: number): void {
  let held = 0;
  hooks.connection.tap('limit', (context) => {
    if (env.live && budget.owed(env.now()) > wait * SHARE_FOR_NEW) context.drop(REASON);
  });
  hooks.request.tap('limit', (context) => {
    const { state } = context.connection;
    const now = env.now();
    if (env.live && budget.owed(now) > wait) {
      context.dropConnection(state.requests === 0 ? REASON : REASON_REST);
      return;
    }
    state.requests++;
    const owed = budget.overdraw(now);
    if (owed === 0) return;
    held++;
    context.delay(Math.min(owed, LONGEST_WAIT_MS));
  });
  hooks.stats.tap('limit', (context) => context.figure('held back', held));
}
