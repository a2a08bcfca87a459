import { expect, it } from 'vitest';
import { HOOKS, type HookRow } from '../../../src/pipeline/hooks.ts';
import { PHASE_TEXTS, PHASES } from '../../../src/pipeline/phases.ts';

const KIND_TEXTS: Readonly<Record<HookRow['kind'], string>> = {
  bail: 'bail: a drop ends it, later taps are not asked',
  waterfall: 'waterfall: a tap sees what earlier ones changed; a drop ends it',
  observe: 'observe: every tap hears',
};

/** The page, made from the table. */
function hookReference(): string {
  const hooks = Object.entries(HOOKS).map(([name, row]: [string, HookRow]) =>
    [
      `### \`${name}\``,
      '',
      row.moment,
      '',
      '| | |',
      '|---|---|',
      `| Kind | ${KIND_TEXTS[row.kind]} |`,
      `| Tapped with | ${row.async ? '`tap`, `tapPromise`' : '`tap`'} |`,
      `| Given | \`${row.payload}\` |`,
      `| Verdicts | ${row.verdicts} |`,
      `| Returning nothing | ${row.nothing} |`,
      `| When a tap fails and must not be passed over | ${row.failure} |`,
      `| Phase where none is named | ${row.phase} |`,
    ].join('\n'),
  );
  const phases = PHASES.map((phase, i) => `${i + 1}. **${phase}**: ${PHASE_TEXTS[phase]}`);
  return [
    '<!-- Made from src/pipeline/hooks.ts by test/unit/pipeline/hook-reference.test.ts: run it with -u after a change. -->',
    '# Hooks',
    '',
    'A plugin taps hooks in its `apply`. How to write one: [write-a-plugin](../guides/write-a-plugin.md). Protocols add hooks',
    'of their own (`hooks.http.request`); `tcpcopy plugins NAME` lists those of a protocol plugin.',
    '',
    '## Order',
    '',
    'Taps run by phase, then by `stage` (default 0, lower first), then in the order plugins were given. `before: NAME` moves a',
    'tap up to stand directly before another of its phase. `tcpcopy plugins --resolved --plugin …` prints the order.',
    '',
    ...phases,
    '',
    'A message of a protocol passes the taps on `request` and those on the request hook of its protocol in one order;',
    'responses and exchanges likewise. Names are unique on a hook, and among those run together.',
    '',
    '## Verdicts and failures',
    '',
    'A tap returns nothing, or `{ drop: reason }` where the hook is no observer, which is the same as `drop(reason)`. Anything',
    'else, a promise from a tap made with `tap` included, is a failure of the plugin; so are an exception and a promise that is',
    'not settled within its deadline (1 s, or `deadline` of the tap). A failure is logged once per kind with the name of the',
    'plugin and the place, counted, and contained; `--on-plugin-error` says what becomes of the message. A plugin that declares',
    '`failClosed` lets nothing pass that it failed on. What a tap says after it has ended has no effect. A tap that never',
    'returns (an endless loop) cannot be contained: it stops the program.',
    '',
    '## Hooks of the host',
    '',
    hooks.join('\n\n'),
    '',
  ].join('\n');
}

it('docs/plugins/hooks.md is what the table says', async () => {
  await expect(hookReference()).toMatchFileSnapshot('../../../docs/plugins/hooks.md');
});
