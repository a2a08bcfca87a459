/**
 * Stands in an intercept's place and speaks control-channel versions that do not exist yet, as a process of its own:
 *
 *     node --import tsx other-release.ts '{"port":36524}'
 */
import { createServer } from 'node:net';
import { encode } from '../../../src/control/encoder.ts';
import { REFUSED, REFUSED_VERSION } from '../../../src/control/protocol.ts';

const { port } = JSON.parse(process.argv[2]!) as { port: number };
const refusal = encode({ type: REFUSED, reason: REFUSED_VERSION, versionMin: 7, versionMax: 9, text: 'too old' });

createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', () => socket.end(refusal));
}).listen({ port, host: '::' });
