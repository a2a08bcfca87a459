/**
 * What a running program tells of itself over HTTP (`--metrics`): `/metrics` for Prometheus, `/status` as JSON, `/healthz` for
 * whoever restarts what is ill. Read only. It answers few at a time, so that nobody who asks too often costs much.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { MetricsAddress } from '../config/copy-options.ts';
import { TcpcopyError } from '../core/errors.ts';
import type { Status } from '../core/metric.ts';

const CONNECTIONS = 32;
const PATIENCE_MS = 5_000;
const TEXT = 'text/plain; charset=utf-8';

export class StatusServer {
  readonly #server: Server;
  readonly #status: () => Status | undefined;

  /** Listens. `status`: what is told, once there is a run. Throws a `TcpcopyError` when the port cannot be had. */
  static async open({ host, port }: MetricsAddress, status: () => Status | undefined): Promise<StatusServer> {
    const server = new StatusServer(status);
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', (error: NodeJS.ErrnoException) => {
        const taken = error.code === 'EADDRINUSE';
        reject(
          new TcpcopyError('E_LISTEN', taken ? 'is in use' : `cannot be listened on (${error.code})`, {
            where: `--metrics ${host}:${port}`,
            hint: taken ? 'another program listens there: choose another port' : 'give an address of this host',
            cause: error,
          }),
        );
      });
      server.#server.listen({ host, port }, resolve);
    });
    return server;
  }

  private constructor(status: () => Status | undefined) {
    this.#status = status;
    this.#server = createServer(
      { requestTimeout: PATIENCE_MS, headersTimeout: PATIENCE_MS, keepAliveTimeout: PATIENCE_MS },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = CONNECTIONS;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    const end = (code: number, type: string, text: string): void => {
      response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(method === 'HEAD' ? '' : text);
    };
    if (method !== 'GET' && method !== 'HEAD') return end(405, TEXT, 'only GET\n');
    const status = this.#status();
    const path = url?.split('?', 1)[0];
    if (path === '/healthz') {
      const trouble = status === undefined ? 'starting' : status.trouble();
      return trouble === undefined ? end(200, TEXT, 'ok\n') : end(503, TEXT, `${trouble}\n`);
    }
    if (path !== '/metrics' && path !== '/status') return end(404, TEXT, 'there is /metrics, /status and /healthz\n');
    if (status === undefined) return end(503, TEXT, 'starting\n');
    if (path === '/status') return end(200, 'application/json', `${JSON.stringify(status.figures(), null, 2)}\n`);
    const { metricsPage, METRICS_TYPE } = await import('../report/metrics-page.ts');
    end(200, METRICS_TYPE, await metricsPage(status.metrics()));
  }
}
