/** The packed package installed where there is no compiler, no make, no Python: what needs none of them works. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packTcpcopy, ROOT, run, runWith } from './packed.ts';

const RECORDING = join(ROOT, 'examples/recordings/shop.pcap');
/** What npm and its scripts themselves need. */
const TOOLS = ['node', 'npm', 'sh', 'env', 'uname', 'dirname'];
const isRoot = process.getuid?.() === 0;

let home: string;
let bare: NodeJS.ProcessEnv;
let installed: string;
const tcpcopy = (...args: readonly string[]) => runWith(bare, home, join(home, 'bin/tcpcopy'), ...args);

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'tcpcopy-bare-'));
  installed = join(home, 'lib/node_modules/tcpcopy');
  const path = join(home, 'path');
  mkdirSync(path);
  for (const tool of TOOLS) {
    const file = execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim();
    symlinkSync(file, join(path, tool));
  }
  bare = { HOME: process.env['HOME'], PATH: path };
  const flags = ['install', '--global', '--prefix', home, '--prefer-offline', '--no-audit', '--no-fund'];
  await runWith(bare, home, 'npm', ...flags, await packTcpcopy(home));
}, 120_000);

afterAll(() => rm(home, { recursive: true, force: true }));

/** Runs `body` with the addon away, as on a platform that nothing was built for. */
async function withoutAddon(body: () => Promise<void>): Promise<void> {
  renameSync(join(installed, 'prebuilds'), join(home, 'prebuilds'));
  try {
    await body();
  } finally {
    rmSync(join(installed, 'prebuilds'), { recursive: true, force: true });
    renameSync(join(home, 'prebuilds'), join(installed, 'prebuilds'));
  }
}

describe('installed without a compiler', () => {
  it('leaves out what would have to be compiled', () => {
    for (const name of ['cap', 'raw-socket']) expect(existsSync(join(installed, 'node_modules', name))).toBe(false);
  });

  it('replays a recording to a server', async () => {
    let requests = 0;
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        requests++;
        response.end('ok');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const target = `80-127.0.0.1:${(server.address() as AddressInfo).port}`;
    const args = ['-i', RECORDING, '-x', target, '--target', 'socket', '--min-fidelity', '100', '--pace', 'asap'];
    expect(await tcpcopy(...args)).toContain('balances');
    await withoutAddon(async () => void (await tcpcopy(...args)));
    server.close();
    expect(requests).toBe(240);
  });

  it.skipIf(!isRoot || process.platform !== 'linux')('captures through the addon that came along', async () => {
    const args = ['-i', 'lo', '-x', '80-127.0.0.1:81', '--target', 'socket', '--io', 'ring'];
    const start = `"${join(home, 'bin/tcpcopy')}" ${args.join(' ')} 2>log & pid=$!`;
    const line = `${start}; until grep -q copying log; do kill -0 $pid; sleep 0.1; done; kill -INT $pid; wait $pid`;
    const env = { ...process.env, PATH: `${bare['PATH']}:/usr/bin:/bin` };
    expect(await runWith(env, home, 'sh', '-ec', line)).toContain('Captured');
  });

  it('says in one line what is missing, and what to do', async () => {
    const live = ['-i', 'lo', '-x', '80-127.0.0.1:81'];
    const refusal = async (...args: readonly string[]) => {
      const error = await tcpcopy(...live, ...args).then(
        () => new Error('it ran'),
        (e: Error) => e,
      );
      return error.message.split('\n').filter((line) => line.startsWith('tcpcopy: '));
    };
    expect(await refusal('--target', 'socket', '--io', 'pcap')).toEqual([
      expect.stringMatching(/^tcpcopy: --io pcap: the npm package cap is not installed.*libpcap.*\[E_BACKEND\]$/),
    ]);
    await withoutAddon(async () => {
      expect(await refusal('--target', 'socket', '--io', 'ring')).toEqual([
        expect.stringMatching(
          /^tcpcopy: --io ring: there is no native addon for \S+; .*`npm rebuild tcpcopy`.*\[E_BACKEND\]$/,
        ),
      ]);
      expect(await refusal('-s', '127.0.0.1')).toEqual([
        expect.stringMatching(/raw-socket.*npm rebuild.*\[E_BACKEND\]$/),
      ]);
    });
  });

  it.skipIf(process.platform !== 'linux')(
    'builds the addon where there is a compiler and none came along',
    async () => {
      const addon = join(installed, `prebuilds/linux-${process.arch}/tcpcopy.node`);
      await withoutAddon(async () => {
        // Without one it is no failure.
        await runWith(bare, installed, 'npm', 'run', 'install');
        expect(existsSync(addon)).toBe(false);
        await run(installed, 'npm', 'run', 'install');
        expect(existsSync(addon)).toBe(true);
        expect(exportsOf(addon)).toContain('Ring');
      });
    },
  );
});

/** What the addon exports, in a process of its own. */
function exportsOf(addon: string): string {
  return execFileSync(process.execPath, ['-p', 'Object.keys(require(process.argv[1])).join()', addon], {
    encoding: 'utf8',
  });
}
