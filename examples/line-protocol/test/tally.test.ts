import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definePlugin } from 'tcpcopy/plugin';
import { codecChecks, TestRun } from 'tcpcopy/testing';
import type { Command } from '../src/command.ts';
import tally from '../src/index.ts';
import type { Reply } from '../src/reply.ts';

// Whole, byte by byte, cut anywhere, reordered, retransmitted, with holes, from the middle, the client's side and the server's.
const checks = codecChecks<Command, Reply>({
  plugin: tally,
  protocol: 'tally',
  conversations: {
    'a command at a time': {
      client: ['incr apples 3\n', 'get apples\n', 'quit\n'],
      messages: ['incr apples 3', 'get apples 0', 'quit  0'],
      server: ['OK 3\n', 'OK 3\n', ''],
      responses: ['3', '3'],
    },
    'several at once': {
      client: ['incr a 1\nincr b.c -20\nget a\n', 'get no-such\n'],
      messages: ['incr a 1', 'incr b.c -20', 'get a 0', 'get no-such 0'],
      server: ['OK 1\nOK -20\nOK 1\n', 'ERR no such counter\n'],
      responses: ['1', '-20', '1', 'no such counter'],
    },
    'lines that are no commands': { client: ['get a\nnonsense\n\nget b\n'], messages: ['get a 0', 'get b 0'] },
  },
  tell: ({ verb, name, amount }) => `${verb} ${name} ${amount}`,
  tellResponse: ({ value, error }) => error ?? String(value),
  edit(command) {
    if (command.verb !== 'quit') command.name = 'pears';
    if (command.verb === 'incr') command.amount *= 1_000;
  },
});
for (const { name, run } of checks) test(name, run);

test('other plugins change commands, and see what comes of them', async () => {
  const seen: string[] = [];
  const doubles = definePlugin({
    name: 'doubles',
    description: 'Counts twice.',
    protocol: 'tally',
    apply(hooks) {
      hooks.tally.command.tap('doubles', (command) => {
        if (command.verb === 'incr') command.amount *= 2;
      });
      hooks.tally.exchange.tap('doubles', ({ request, target }) => {
        seen.push(`${request.name} ${target?.value}`);
      });
    },
  });
  const run = await TestRun.start([tally, doubles]);
  const connection = run.connect();
  assert.equal(connection.send('incr apples 3\nget apples\n'), 'incr apples 6\nget apples\n');
  connection.respond('OK 6\nOK 6\n');
  connection.end();
  const { balanced, units } = await run.finish();
  assert.deepEqual(seen, ['apples 6', 'apples 6']);
  assert.ok(balanced);
  assert.deepEqual(units, { answered: 2 });
});

test('a line that never ends is neither held nor sent', async () => {
  const run = await TestRun.start([tally]);
  const connection = run.connect();
  assert.equal(connection.send(`get ${'x'.repeat(2_000)}`), '');
  assert.equal(connection.send(`${'x'.repeat(2_000)}\nget a\n`, 0), 'get a\n');
  assert.deepEqual((await run.finish()).units, { 'not-picked-up': 1, unanswered: 1 });
});
