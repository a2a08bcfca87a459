/**
 * Secrets that are planted in traffic and in options are nowhere to be found after runs that scrub: not in what is sent or
 * recorded, not in logs at any level, summaries, error texts, or what `config print` shows.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RecordingWriter } from '../support/recording-writer.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/tcpcopy.ts', import.meta.url));
/** Each is told from the others, so that a failure says which way it came. */
const secret = (name: string) => `s3cr3t-${name}`;
const BASIC = Buffer.from(`user:${secret('basic')}`).toString('base64');
const OPTION = secret('option');
const SECRET = new RegExp(`s3cr3t|${BASIC}`);
const VISIBLE = '/visible';

const MESSAGES = [
  `GET ${VISIBLE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret('bearer')}\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: x\r\nauthorization:${secret('bare')}\r\nPROXY-AUTHORIZATION: Basic ${BASIC}\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: x\r\nCookie: a=${secret('cookie')}; b="${secret('quoted')}"\r\ncookie: ${secret('nameless')}\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: x\r\nSet-Cookie: sid=${secret('set')}; Path=/\r\nX-Fail: 1\r\nX-Api-Key: ${secret('key')}\r\n\r\n`,
  // Not to be read, and what was held back before that was known.
  `GET / HTTP/1.1\r\nHost: x\r\nX-Folded: a\r\n Authorization: ${secret('folded')}\r\n\r\n`,
  `GET / HTTP/1.1\nHost: x\nAuthorization: ${secret('bare-lf')}\n\n`,
  `GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: y\r\n\r\n${secret('tunnel')}`,
  `AUTH ${secret('other-protocol')}\r\n`,
  `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: ${secret('unfinished')}`,
];

/** Behind the scrubber: fails, and says all it knows. In front of it: the same, with the secrets. */
const leaky = (name: string) => `import { option, z } from 'tcpcopy/plugin';
export default {
  name: '${name}',
  description: 'Fails on purpose.',
  protocol: 'http',
  options: z.object({
    token: z.string().meta({ tcpcopy: 'secret' }),
    pin: option.secret().regex(/^[0-9]+$/).optional(),
    setUp: z.boolean().default(false),
  }),
  apply(hooks, { token, setUp }) {
    if (setUp) throw new Error('no way to https://me:' + token + '@host');
    hooks.http.request.tap('${name}', (request) => {
      const all = JSON.stringify([...request.headers]) + token;
      if (request.headers.has('X-Fail')) throw Object.assign(new RangeError(all), { cause: all, all });
      setTimeout(() => { throw new TypeError(all); });
      throw new SyntaxError(all);
    });
  },
};`;

describe('secrets', () => {
  let folder: string;
  let out: string;
  let server: Server;
  let received = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'secrets-'));
    for (const name of ['before', 'behind']) writeFileSync(join(folder, `${name}.mjs`), leaky(name));
    const recording = new RecordingWriter();
    MESSAGES.forEach((request, i) => {
      const response = `HTTP/1.1 200 OK\r\nSet-Cookie: sid=${secret('response')}\r\nContent-Length: 0\r\n\r\n`;
      recording.add({ clientPort: 30_000 + i, exchanges: [{ at: i, request, response }] });
    });
    recording.save(join(folder, 'recording.pcap'));
    server = createServer((socket) => {
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1');
        socket.write(`HTTP/1.1 200 OK\r\nSet-Cookie: sid=${secret('target')}\r\nContent-Length: 0\r\n\r\n`);
      });
      socket.on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    out = join(folder, 'out');
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out);
    received = '';
  });

  /** Runs the program; everything it has written, on its streams and into files. */
  async function run(args: readonly string[], logged = true): Promise<{ code: number | null; written: string }> {
    const log = logged ? ['-l', join(out, 'run.log'), '--log-level', 'debug', '--debug'] : [];
    const command = ['--import', import.meta.resolve('tsx'), PROGRAM, ...args, ...log];
    const { code, text } = await new Promise<{ code: number | null; text: string }>((resolve) => {
      const child = execFile(process.execPath, command, { cwd: folder }, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, text: stdout + stderr }),
      );
    });
    const files = readdirSync(out).map((name) => readFileSync(join(out, name), 'latin1'));
    return { code, written: [text, ...files].join('\n') };
  }

  const SCRUB = [
    '--plugin',
    'header-scrub=pseudonym,headers=Authorization,Proxy-Authorization,Cookie,Set-Cookie,X-Api-Key',
  ];
  const plugins = (...names: string[]) => names.flatMap((name) => ['--plugin', `./${name}.mjs,token=${OPTION}`]);
  const input = () => ['-i', join(folder, 'recording.pcap')];

  it('are in the recording, and in what is sent where nobody scrubs', async () => {
    expect(readFileSync(join(folder, 'recording.pcap'), 'latin1')).toMatch(SECRET);
    const { port } = server.address() as AddressInfo;
    await run([...input(), '-x', `80-127.0.0.1:${port}`, '--target', 'socket']);
    expect(received).toMatch(SECRET);
  });

  it('do not reach the target, the log or the summary', async () => {
    const { port } = server.address() as AddressInfo;
    const where = ['-x', `80-127.0.0.1:${port}`, '--target', 'socket', '--summary-json', join(out, 'summary.json')];
    const { code, written } = await run([
      ...input(),
      ...where,
      ...plugins('before'),
      ...SCRUB,
      ...plugins('behind'),
      ...['--plugin', 'log'],
    ]);
    expect(code, written).toBe(0);
    expect(written).toMatch(/plugin before failed on http\.request: SyntaxError at /);
    expect(written).toMatch(/plugin behind failed on something outside its taps: TypeError at /);
    expect(written).not.toMatch(SECRET);
    expect(received).toContain(VISIBLE);
    expect(received).not.toMatch(SECRET);
  });

  it.each([
    ['record', ['record', '-x', '80', '-w']],
    ['copy to a file', ['-x', '80-192.0.2.9:80', '-w']],
  ])('are not recorded: %s', async (_, args) => {
    const file = join(out, 'traffic.pcapng');
    const { code, written } = await run([
      ...args,
      file,
      ...input(),
      ...plugins('before'),
      ...SCRUB,
      ...plugins('behind'),
    ]);
    expect(code, written).toBe(0);
    expect(readFileSync(file, 'latin1')).toContain(VISIBLE);
    expect(written).not.toMatch(SECRET);
  });

  it.each([
    ['a wrong value', ['--plugin', `./before.mjs,token=a,pin=${OPTION}`], 2],
    ['given twice', ['--plugin', `./before.mjs,token=${OPTION},token=${OPTION}`], 2],
    ['an unquoted one', ['--plugin', `./before.mjs,token=a,${OPTION}`], 2],
    ['a plugin that cannot be set up', ['--plugin', `./before.mjs,token=${OPTION},setUp`], 2],
    ['a run that a plugin ends', [...plugins('before'), '--on-plugin-error', 'abort'], 1],
  ])('are not in error texts: %s', async (_, args, wanted) => {
    const { code, written } = await run([...input(), '-x', '80-192.0.2.9:80', '-w', '/dev/null', ...args]);
    expect(code, written).toBe(wanted);
    expect(written).not.toMatch(SECRET);
  });

  it('are not shown by config print', async () => {
    const { code, written } = await run(['config', 'print', '-x', '80-192.0.2.9:80', ...plugins('before')], false);
    expect(code, written).toBe(0);
    expect(written).toContain('token=***');
    expect(written).not.toMatch(SECRET);
  });
});
