/** The HTTP server of `--metrics`, over real sockets. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { StatusServer } from '../../src/cli/status-server.ts';
import type { TcpcopyError } from '../../src/core/errors.ts';
import type { Status } from '../../src/core/metric.ts';

const open: StatusServer[] = [];
afterEach(() => open.splice(0).forEach((server) => server.close()));

async function serve(
  status: () => Status | undefined,
): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const { host, port } = { host: '127.0.0.1', port: await freePort() };
  open.push(await StatusServer.open({ host, port }, status));
  return (path, init) => fetch(`http://${host}:${port}${path}`, init);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

const status = (trouble?: string): Status => ({
  figures: () => ({ answer: 42 }),
  metrics: () => [
    { name: 'things', type: 'gauge', help: 'How many.', labels: [], samples: [{ labels: [], value: 3 }] },
  ],
  trouble: () => trouble,
});

describe('the status server', () => {
  it('gives the page, the figures and its health', async () => {
    const get = await serve(() => status());
    const page = await get('/metrics');
    expect(page.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await page.text()).toBe('# HELP things How many.\n# TYPE things gauge\nthings 3\n');
    expect(await (await get('/status?pretty')).json()).toEqual({ answer: 42 });
    const health = await get('/healthz');
    expect([health.status, await health.text()]).toEqual([200, 'ok\n']);
  });

  it('says what is wrong', async () => {
    const get = await serve(() => status('no intercept is connected'));
    const health = await get('/healthz');
    expect([health.status, await health.text()]).toEqual([503, 'no intercept is connected\n']);
  });

  it('is there before the run is', async () => {
    const get = await serve(() => undefined);
    expect((await get('/healthz')).status).toBe(503);
    expect((await get('/metrics')).status).toBe(503);
  });

  it('knows nothing else, and takes nothing', async () => {
    const get = await serve(() => status());
    expect((await get('/')).status).toBe(404);
    expect((await get('/metrics/../../etc/passwd')).status).toBe(404);
    expect((await get('/metrics', { method: 'POST', body: 'x' })).status).toBe(405);
    expect(await (await get('/metrics', { method: 'HEAD' })).text()).toBe('');
  });

  it('says which port is taken', async () => {
    const port = await freePort();
    open.push(await StatusServer.open({ host: '127.0.0.1', port }, () => undefined));
    const error = await StatusServer.open({ host: '127.0.0.1', port }, () => undefined).catch((e: unknown) => e);
    expect((error as TcpcopyError).oneLine()).toBe(
      `--metrics 127.0.0.1:${port}: is in use; another program listens there: choose another port [E_LISTEN]`,
    );
  });
});
