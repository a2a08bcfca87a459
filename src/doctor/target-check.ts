/** A target as this host sees it: the route there, whether anybody has the address, an ordinary connection. */
import { connect } from 'node:net';
import type { TargetEvidence } from '../diagnosis/evidence.ts';
import { ask, askWhy } from './commands.ts';

/** As long as probes have. */
const CONNECT_MS = 1_500;

export async function checkTarget(address: string, port: number): Promise<TargetEvidence> {
  const [outcome, route] = await Promise.all([tryConnect(address, port), routeTo(address)]);
  // After the attempt, so that there is an entry to look at.
  const neighbourFailed =
    outcome === 'timeout' || outcome === 'EHOSTUNREACH' ? await neighbourHasFailed(address) : false;
  return { address, port, connect: outcome, route, neighbourFailed };
}

function tryConnect(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (outcome: string): void => {
      clearTimeout(timer);
      socket.resetAndDestroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => end('timeout'), CONNECT_MS);
    socket.on('connect', () => end('connected'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(outcomeOf(error)));
  });
}

function outcomeOf({ code }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED') return 'refused';
  return code === 'ETIMEDOUT' ? 'timeout' : (code ?? 'failed');
}

async function routeTo(address: string): Promise<TargetEvidence['route']> {
  const answer = await askWhy('ip', '-j', 'route', 'get', address);
  if ('why' in answer) return answer.why === '' ? undefined : { problem: answer.why.replace(/^.*answers: /, '') };
  try {
    const [route] = JSON.parse(answer.out) as { readonly dev?: string; readonly gateway?: string }[];
    return route?.dev === undefined ? undefined : { device: route.dev, direct: route.gateway === undefined };
  } catch {
    return undefined;
  }
}

async function neighbourHasFailed(address: string): Promise<boolean> {
  const table = await ask('ip', 'neigh', 'show', 'to', address);
  return table !== undefined && /FAILED|INCOMPLETE/.test(table);
}
