import { definePlugin, option, z, type Dialogue, type Preparation, type ServerMessage } from 'tcpcopy/plugin';
import { optionsOf, refusalOf, TestRun } from 'tcpcopy/testing';
import { describe, expect, it, vi } from 'vitest';
import { fileURLToPath } from 'node:url';
import { OpaqueCodec } from '../../../src/protocol/opaque-codec.ts';

const small = definePlugin({
  name: 'small',
  description: 'Leaves out what is large.',
  phase: 'filter',
  options: z.object({ max: option.size(), slow: z.boolean().default(false) }),
  shorthand: 'max',
  apply(hooks, { max, slow }, env) {
    hooks.request.tap('small', (request) => {
      if (slow) request.delay(250);
      if (request.piece.length > max) request.drop('too large');
    });
    hooks.stats.tap('small', (stats) => stats.figure('seed', env.seed ?? -1));
  },
});

const twice = definePlugin({
  name: 'twice',
  description: 'Sends all twice.',
  apply: (hooks) => hooks.connection.tap('twice', (context) => context.copies(2)),
});

/** Says `login` to `hello`, lets requests go after `welcome`; every further line answers one. */
class Login implements Dialogue {
  readonly reading = true;
  readonly failure = undefined;
  readonly fault = undefined;
  #text = '';
  #state: 'new' | 'greeted' | 'asked' | 'in' = 'new';

  opened(): void {
    this.#state = 'new';
  }

  prepare(): Preparation {
    return this.#state === 'in' ? 'send' : 'wait';
  }

  transmit(): Uint8Array | undefined {
    if (this.#state !== 'greeted') return undefined;
    this.#state = 'asked';
    return Buffer.from('login\n');
  }

  sent(): boolean {
    return true;
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    this.#text += Buffer.from(bytes.subarray(offset, offset + length)).toString();
  }

  next(): ServerMessage | undefined {
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 1);
      if (line === 'hello') this.#state = 'greeted';
      else if (line === 'welcome') this.#state = 'in';
      else return { message: line, completes: true };
    }
    return undefined;
  }

  end(): void {}
}

describe('a run', () => {
  it('takes what clients send, and shows what is sent on and why not', async () => {
    const run = await TestRun.start([[small, 'small=4']], { seed: 7 });
    const connection = run.connect();
    expect(connection.send('abcd')).toBe('abcd');
    expect(connection.send('abcde')).toBe('');
    expect(connection.send('ef')).toBe('ef');
    expect(connection.send('gh', 0)).toBe('gh');
    expect(
      connection.messages.map(({ verdict, reason, plugin, protocol }) => [verdict, reason, plugin, protocol]),
    ).toEqual([
      ['copied', undefined, undefined, 'opaque'],
      ['dropped', 'too large', 'small', 'opaque'],
      ['copied', undefined, undefined, 'opaque'],
    ]);
    expect(connection.dropped).toEqual(['too large']);
    expect(run.figures('small')).toEqual({ seed: 7 });
    connection.end();
    expect(await run.finish()).toMatchObject({
      balanced: true,
      units: { filtered: 1, unanswered: 2 },
      connections: { 'partly-replayed': 1 },
      plugins: [{ name: 'small', calls: 3, drops: { 'too large': 1 } }],
    });
  });

  it('lets time pass when it is told to', async () => {
    const run = await TestRun.start([[small, { max: '1k', slow: true }]]);
    const connection = run.connect();
    expect(connection.send('abc')).toBe('');
    expect(connection.messages[0]).toMatchObject({ verdict: 'copied', delay: 250 });
    await run.pass(249);
    expect(connection.sent()).toHaveLength(0);
    await run.pass(1);
    expect(connection.sent().toString()).toBe('abc');
    connection.send('late');
    expect((await run.finish()).balanced).toBe(true);
    expect(connection.sent()).toHaveLength(7);
  });

  it('sets no timer of the real world, so that a run nobody finishes keeps no process alive', async () => {
    const set = vi.spyOn(globalThis, 'setTimeout');
    const run = await TestRun.start([[small, { max: '1k', slow: true }]]);
    run.connect().send('abc');
    await run.pass(1);
    expect(set).not.toHaveBeenCalled();
    set.mockRestore();
  });

  it('shows every copy, and keeps clients apart', async () => {
    const run = await TestRun.start([twice]);
    const [one, other] = [run.connect('192.0.2.1', 5_000), run.connect('2001:db8::7')];
    one.send('a');
    other.send('b');
    expect([one.copies, other.copies]).toEqual([2, 2]);
    expect([one.sent(), one.sent(1), other.sent(1)].map(String)).toEqual(['a', 'a', 'b']);
    expect(one.plan).toMatchObject({ copyCount: 2 });
    expect(() => run.connect('192.0.2.1', 5_000)).toThrow('has connected already');
    await run.finish();
  });

  it('waits for plugins that take their time, and not for ever', async () => {
    let answer: (() => void) | undefined;
    const asks = definePlugin({
      name: 'asks',
      description: 'Asks somebody.',
      apply: (hooks) =>
        hooks.request.tapPromise('asks', () => new Promise<void>((resolve) => void (answer = () => resolve()))),
    });
    const run = await TestRun.start([asks], { onPluginError: 'drop' });
    const connection = run.connect();
    expect(connection.send('a')).toBe('');
    expect(connection.messages.map(({ verdict }) => verdict)).toEqual(['waiting']);
    answer!();
    await run.settled();
    expect(String(connection.sent())).toBe('a');
    connection.send('b');
    await run.pass(999);
    expect(connection.messages[1]!.verdict).toBe('waiting');
    await run.pass(1);
    expect(connection.messages[1]).toMatchObject({ verdict: 'dropped', cause: 'plugin-error', plugin: 'asks' });
    expect(run.lines).toEqual([expect.stringMatching(/^error: plugin asks failed on request: no answer in time/)]);
    expect((await run.finish()).units).toEqual({ 'plugin-error': 1, unanswered: 1 });
  });

  it('reads a recording no faster than plugins decide: it would ask them everything at once', async () => {
    let [asked, most] = [0, 0];
    const asks = definePlugin({
      name: 'asks',
      description: 'Asks somebody.',
      apply: (hooks) =>
        hooks.request.tapPromise('asks', async () => {
          most = Math.max(most, ++asked);
          await new Promise((resolve) => setImmediate(resolve));
          asked--;
        }),
    });
    const run = await TestRun.start([asks]);
    const connections = Array.from({ length: 300 }, () => run.connect());
    for (const connection of connections) connection.send('a');
    await run.settled();
    expect(connections.map((connection) => String(connection.sent()))).toEqual(connections.map(() => 'a'));
    expect(most).toBeGreaterThanOrEqual(64);
    expect(most).toBeLessThan(128);
    expect(await run.finish()).toMatchObject({ balanced: true, units: { unanswered: 300 } });
  });

  it('loses bytes of a capture, and takes segments as they come', async () => {
    const run = await TestRun.start([]);
    const connection = run.connect();
    expect(connection.send('abc')).toBe('abc');
    connection.lose(3);
    expect(connection.send('def', 0)).toBe('');
    expect(connection.send('next')).toBe('next');
    const at = (offset: number, text: string) => ({ at: offset, bytes: Buffer.from(text) });
    connection.sendSegments([at(2, 'cd'), at(0, 'ab'), at(1, 'bc'), at(4, 'e')]);
    expect(connection.sent().toString()).toBe('abcnextabcde');
    expect(await run.finish()).toMatchObject({ balanced: true, units: { 'capture-gap': 2 } });
  });

  it('has the target respond', async () => {
    const heard: string[] = [];
    const hears = definePlugin({
      name: 'hears',
      description: 'Notes responses.',
      protocol: 'http',
      apply(hooks) {
        hooks.http.response.tap('hears', ({ status }, { origin }) => void heard.push(`${origin} ${status}`));
        hooks.http.exchange.tap('hears', ({ request, target, targetTime }) => {
          heard.push(`${request.path} ${target?.status ?? 'none'} ${targetTime ?? '-'}`);
        });
      },
    });
    const run = await TestRun.start([hears]);
    const connection = run.connect();
    connection.send('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n');
    await run.pass(5);
    connection.respond('HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 ');
    connection.targetEnds();
    expect(await run.finish()).toMatchObject({ balanced: true, units: { answered: 1, unanswered: 1 } });
    expect(heard).toEqual(['target 204', '/1 204 5000', '/2 none -']);
    expect(() => connection.respond('x')).toThrow('has no session open');
  });

  it('leaves bytes that it is given to say as they are, so that they can be said again', async () => {
    const run = await TestRun.start(['http']);
    const connection = run.connect();
    connection.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const reply = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n');
    connection.respond(reply);
    expect(reply.toString()).toBe('HTTP/1.1 204 No Content\r\n\r\n');
  });

  it('has the online server answer', async () => {
    const heard: string[] = [];
    const compares = definePlugin({
      name: 'compares',
      description: 'Compares responses.',
      protocol: 'http',
      apply: (hooks) =>
        hooks.http.exchange.tap('compares', ({ request, target, online }) => {
          heard.push(`${request.path} ${online?.status} ${target?.status}`);
        }),
    });
    const run = await TestRun.start([compares]);
    const connection = run.connect();
    for (const [path, online, target] of [
      ['/1', 200, 200],
      ['/2', 204, 500],
    ] as const) {
      connection.send(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      connection.answered(`HTTP/1.1 ${online} x\r\nContent-Length: 0\r\n\r\n`);
      connection.respond(`HTTP/1.1 ${target} x\r\nContent-Length: 0\r\n\r\n`);
    }
    connection.end();
    expect(await run.finish()).toMatchObject({ balanced: true, units: { answered: 2 } });
    expect(heard).toEqual(['/1 200 200', '/2 204 500']);
  });

  it('lets a dialogue log in, also with a server that speaks first', async () => {
    const logsIn = definePlugin({
      name: 'desk',
      description: 'Logs in.',
      apply: (hooks) =>
        void hooks.provide(
          'desk' as never,
          {
            hooks: {},
            detect: () => 'yes',
            codec: () => Object.defineProperty(new OpaqueCodec(true), 'protocol', { value: 'desk' }),
            dialogue: () => new Login(),
          } as never,
        ),
    });
    const run = await TestRun.start([logsIn]);
    const connection = run.connect();
    connection.respond('hello\n');
    expect(connection.send('query\n')).toBe('login\n');
    connection.respond('welcome\n');
    expect(connection.sent().toString()).toBe('login\nquery\n');
    connection.respond('answer\n');
    connection.end();
    expect(await run.finish()).toMatchObject({ balanced: true, units: { answered: 1 } });
  });

  it('reads a recording', async () => {
    const run = await TestRun.start(['http', [small, 'small=1M']]);
    await run.replay(fileURLToPath(new URL('../../../examples/recordings/shop.pcap', import.meta.url)));
    expect(run.connections.length).toBeGreaterThan(1);
    expect(run.connections[0]!.messages[0]).toMatchObject({ protocol: 'http', verdict: 'copied' });
    expect(run.connections[0]!.sent().length).toBeGreaterThan(0);
    expect(run.connect().send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')).toContain('Host: x');
    expect((await run.finish()).balanced).toBe(true);
    await expect(run.replay('/nowhere.pcap')).rejects.toThrow();
  });

  it('says what a plugin is told wrongly', async () => {
    await expect(TestRun.start([[small, 'other=4']])).rejects.toThrow("write 'small=…'");
    await expect(TestRun.start([[small, 'small=4,sloww']])).rejects.toThrow('there is no option sloww');
    await expect(TestRun.start(['nobody'])).rejects.toThrow('there is no such plugin');
    const run = await TestRun.start([]);
    expect(() => run.connect('example')).toThrow('no IP address');
    expect(() => run.connect().send('→')).toThrow('is no byte');
    expect(() => run.figures('nobody')).toThrow('nobody');
  });
});

describe('options', () => {
  it('are what apply is given', () => {
    expect(optionsOf(small, 'small=1k')).toEqual({ max: 1024, slow: false });
    expect(refusalOf(small, 'small=many')).toMatch(/^--plugin small: max=many: .*\[E_PLUGIN_OPTION\]$/);
    expect(() => refusalOf(small, 'small=1')).toThrow('is accepted');
  });
});
