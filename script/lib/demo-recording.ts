/** A recording replayed to an HTTP server in this process: what needs neither root nor Linux. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { builtProgram } from '../../test/e2e/lab/programs.ts';
import { AS_ON_A_TERMINAL, command, quote, say, table, title } from './demo-text.ts';

const RECORDING = 'examples/recordings/shop.pcap';
/** What examples/recordings/README.md says is in it. */
const RECORDED = { requests: 120, connections: 24 };

export async function demonstrateRecording(): Promise<void> {
  const seen: string[] = [];
  const connections = new Set<unknown>();
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      seen.push(`${request.method} ${request.url}`);
      connections.add(request.socket);
      response.end('ok\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;

  title('A recorded load, replayed to an HTTP server in this process');
  const args = ['-i', RECORDING, '-x', `80-${target}`, '--target', 'socket', '--pace', 'capture', '-a', '2'];
  command('here', `tcpcopy ${args.join(' ')}`);
  const { code, output } = await run([...args, ...AS_ON_A_TERMINAL]);
  server.close();
  server.closeAllConnections();
  const distinct = new Set(seen).size;
  say();
  table([
    ['Requests in the recording', RECORDED.requests],
    ['Requests that reached the HTTP server', seen.length],
    ['Lost', RECORDED.requests - distinct],
    ['Arrived more than once', seen.length - distinct],
    ['Connections in the recording', RECORDED.connections],
    ['Connections that reached the HTTP server', connections.size],
  ]);
  say("\ntcpcopy's own account, the ledger:");
  quote(output);
  const perfect = seen.length === RECORDED.requests && distinct === RECORDED.requests;
  if (code !== 0 || !perfect) throw new Error(`the replay was not perfect (exit code ${code})`);
  say('\nEvery request arrived exactly once.');
}

function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const child = spawn(process.execPath, [builtProgram('tcpcopy'), ...args], { cwd: root });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  });
}
