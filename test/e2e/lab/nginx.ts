/** A real nginx (Debian's) on a host of the lab, and its access log as request records. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Host } from './host.ts';
import { SERVICE_PORT } from './plan.ts';
import type { RequestRecord } from './request-record.ts';
import { sleep, until, type Child } from './shell.ts';

export interface NginxOptions {
  readonly ports?: readonly number[];
  /** Requests after which nginx closes a kept-alive connection. */
  readonly keepaliveRequests?: number;
  /** Seconds of idleness after which it does. */
  readonly keepaliveTimeout?: number;
  /** Bytes of a response that may be on their way, beyond which it waits for room; 0: as many as the kernel likes. */
  readonly sendBuffer?: number;
}

/** Where, on its own host, an nginx sends what comes for `/upload` and `/tunnel`: a `RecordingServer` can be there. */
export const UPSTREAM_PORT = 8090;

/** Answers `/read`, which is answered when the body has been read; `/post` is before that. */
const POSTED_PORT = 8091;

/** A line of the access log. */
interface LogLine {
  readonly c: number;
  readonly s: number;
  readonly p: number;
  readonly id: string;
  readonly l: number;
  readonly r: string;
  readonly x: string;
  readonly h: string;
  readonly t: number;
}

export interface NginxRecord extends RequestRecord {
  readonly status: number;
  readonly clientPort: number;
}

const listen = (at: string, { sendBuffer }: Required<NginxOptions>) =>
  `    listen ${at} backlog=8192${sendBuffer > 0 ? ` sndbuf=${sendBuffer}` : ''};`;

const config = (host: Host, o: Required<NginxOptions>) => `
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid ${host.file('nginx.pid')};
error_log ${host.file('nginx-error.log')} error;
events { worker_connections 32768; }
http {
  access_log off;
  log_format record escape=json '{"c":$connection,"s":$status,"p":$remote_port,"id":"$arg_id","l":$request_length,"r":"$request","x":"$http_x_check","h":"$http_host","t":$msec}';
  client_body_temp_path ${host.file('nginx-body')};
  proxy_temp_path ${host.file('nginx-proxy')};
  fastcgi_temp_path ${host.file('nginx-fastcgi')};
  scgi_temp_path ${host.file('nginx-scgi')};
  uwsgi_temp_path ${host.file('nginx-uwsgi')};
  client_max_body_size 64m;
  keepalive_requests ${o.keepaliveRequests};
  keepalive_timeout ${o.keepaliveTimeout}s;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=16;
  server {
${o.ports.flatMap((port) => [listen(`${port}`, o), listen(`[::]:${port}`, o)]).join('\n')}
    root ${host.file('www')};
    access_log ${host.file('access.log')} record;
    location = /post { return 200 "posted\\n"; }
    location = /read {
      client_body_buffer_size 2m;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_pass http://127.0.0.1:${POSTED_PORT};
    }
    location = /page {
      gzip on;
      gzip_comp_level 9;
      gzip_types text/plain;
    }
    location = /none { return 204; }
    location = /upload { proxy_pass http://127.0.0.1:${UPSTREAM_PORT}; }
    location = /tunnel {
      proxy_pass http://127.0.0.1:${UPSTREAM_PORT};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
    }
  }
  server {
    listen 127.0.0.1:${POSTED_PORT};
    return 200 "posted\\n";
  }
}
`;

/** The files that every nginx of the lab serves. */
const FILES = { '/1k': 'x'.repeat(1_000), '/100k': 'x'.repeat(100_000), '/page': words(24_000) } as const;

/** Text that takes a while to compress. */
function words(length: number): string {
  let text = '';
  for (let n = 1; text.length < length; n = (n * 48_271) % 2_147_483_647) text += `${(n % 46_656).toString(36)} `;
  return text.slice(0, length);
}

export class Nginx {
  readonly host: Host;
  readonly child: Child;

  static async start(host: Host, options: NginxOptions = {}): Promise<Nginx> {
    const o = { ports: [SERVICE_PORT], keepaliveRequests: 10_000_000, keepaliveTimeout: 75, sendBuffer: 0, ...options };
    mkdirSync(host.file('www'), { recursive: true });
    for (const [name, text] of Object.entries(FILES)) writeFileSync(host.file(`www${name}`), text);
    writeFileSync(host.file('nginx.conf'), config(host, o));
    // Workers run as nobody: every directory down to the files must let them through.
    host.sh(`chmod 755 ${host.file('..')} ${host.file('.')}`);
    const child = host.spawn('nginx', ['nginx', '-c', host.file('nginx.conf'), '-e', host.file('nginx-error.log')]);
    for (const port of o.ports) await host.listening(port);
    return new Nginx(host, child);
  }

  private constructor(host: Host, child: Child) {
    this.host = host;
    this.child = child;
  }

  /** What has been served so far, in order of completion. */
  records(): NginxRecord[] {
    return readFileSync(this.host.file('access.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine)
      .map(({ c, s, p, id, l, r, x, h, t }) => ({
        connection: String(c),
        status: s,
        clientPort: p,
        id,
        fingerprint: `${l} ${r} ${x} ${h}`,
        at: Math.round(t * 1000),
      }));
  }

  /** Pid of the worker process: it does the work. */
  workerPid(): number {
    const [pid] = readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, 'utf8').trim().split(' ');
    return Number(pid);
  }

  /** Waits until nothing has been logged for `quiet` ms. */
  async settled(quiet = 300): Promise<void> {
    let size = -1;
    await until('nginx never became quiet', async () => {
      const now = readFileSync(this.host.file('access.log')).length;
      if (now === size) return true;
      size = now;
      await sleep(quiet);
      return false;
    });
  }
}
