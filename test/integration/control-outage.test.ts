/** The link while the intercept stalls, dies, comes back, or comes back with other instances on it. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { millis } from '../../src/core/time.ts';
import { HOST, until } from './control-lab/lab.ts';
import { afterTest, makeLink, startIntercept } from './control-lab/started.ts';

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function forkIntercept(): Promise<{ child: ChildProcess; port: number }> {
  const path = fileURLToPath(new URL('control-lab/intercept-process.ts', import.meta.url));
  const child = fork(path, { execArgv: ['--import', 'tsx'] });
  afterTest(() => child.kill('SIGKILL'));
  const [message] = (await once(child, 'message')) as [{ port: number }];
  return { child, port: message.port };
}

describe('a stalled intercept', () => {
  it('goes on after a second as if nothing had been', async () => {
    const { child, port } = await forkIntercept();
    const link = makeLink(port);
    await link.link.connect();
    await sleep(200);
    child.kill('SIGSTOP');
    await sleep(1_000);
    child.kill('SIGCONT');
    child.send({ port: link.firstPort, seq: 5 });
    await until(() => link.responses.length === 1, 'a response');
    await sleep(300);
    expect(link.events).toEqual(['leased 4', 'up']);
  });

  it('is noticed by its silence, and keeps the lease', async () => {
    const { child, port } = await forkIntercept();
    const link = makeLink(port, { heartbeatTimeout: millis(1_000) });
    await link.link.connect();
    const before = [...link.blocks];
    child.kill('SIGSTOP');
    await until(() => link.events.length === 3, 'down');
    expect(link.events[2]).toMatch(/^down .*nothing heard for 1 s/);
    expect(link.link.up).toBe(false);
    await sleep(1_500);
    child.kill('SIGCONT');
    await until(() => link.link.up, 'up again');
    expect(link.events.slice(3)).toEqual(['up']);
    expect([...link.blocks]).toEqual(before);
    child.send({ port: link.firstPort, seq: 6 });
    await until(() => link.responses.length === 1, 'a response');
  });
});

describe('a restarted intercept', () => {
  it('is found again and gives the same blocks back', async () => {
    const first = await startIntercept();
    const { port } = first.intercept;
    const link = makeLink(port);
    await link.link.connect();
    const before = [...link.blocks];
    await first.intercept.stop();
    await until(() => !link.link.up, 'down');
    expect(link.events.at(-1)).toMatch(/^down .*the intercept is stopping/);
    await sleep(500);
    const second = await startIntercept({ port });
    await until(() => link.link.up, 'up again');
    expect([...link.blocks]).toEqual(before);
    expect(link.events.slice(3)).toEqual(['up']);
    await until(() => second.intercept.stats().connections === 2, 'both connections');
    second.respond({ port: link.firstPort, seq: 1 });
    await until(() => link.responses.length === 1, 'a response');
  });

  it('reports blocks that others have by then, and asks until there are some again', async () => {
    const first = await startIntercept();
    const { port } = first.intercept;
    const link = makeLink(port);
    await link.link.connect();
    await first.intercept.stop();
    await until(() => !link.link.up, 'down');
    const second = await startIntercept({ port });
    const rival = makeLink(port, { blocks: 63 });
    await rival.link.connect();
    expect(rival.blocks.size).toBe(63);
    await until(() => link.events.includes('lost 4'), 'the lost lease');
    expect(link.blocks.size).toBe(0);
    expect(link.link.up).toBe(false);
    expect(link.link.connectionsUp).toBeGreaterThan(0);
    await rival.link.close();
    await until(() => link.link.up, 'a new lease');
    expect(link.blocks.size).toBe(4);
    second.respond({ port: link.firstPort, seq: 1 });
    await until(() => link.responses.length === 1, 'a response');
  });
});

describe('one of several connections', () => {
  it('may break without the link going down, though it carried the lease messages', async () => {
    const lab = await startIntercept();
    // The relay stands for the network; it breaks the first connection only.
    const passing: Socket[] = [];
    const relay = createServer((inner) => {
      const outer = connect(lab.intercept.port, HOST);
      passing.push(inner);
      inner.on('error', () => undefined).pipe(outer);
      outer.on('error', () => undefined).pipe(inner);
      inner.on('close', () => outer.destroy());
    });
    await new Promise<void>((resolve) => relay.listen(0, HOST, resolve));
    afterTest(() => relay.close());
    const link = makeLink((relay.address() as AddressInfo).port, { connections: 3 });
    await link.link.connect();
    await until(() => link.link.connectionsUp === 3, 'three connections');

    passing[0]!.destroy();
    link.link.requestLease(2);
    await until(() => link.blocks.size === 6, 'a lease over another connection');
    expect(link.events).toEqual(['leased 4', 'up', 'leased 2']);
    await until(() => passing.length === 4 && lab.intercept.stats().connections === 3, 'the connection again');
    lab.respond(...Array.from({ length: 30 }, (_, i) => ({ port: link.firstPort + i, seq: i })));
    await until(() => link.responses.length === 30, 'responses');
  });
});
