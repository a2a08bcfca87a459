/** Handle of the lab's own load generator. */
import { outputOf, type Host } from './host.ts';
import type { LoadClientOptions, LoadClientResult } from './load-client.ts';
import { SERVICE_PORT } from './plan.ts';
import { ownProgram } from './servers.ts';
import type { Child } from './shell.ts';

export class LoadClient {
  readonly child: Child;

  constructor(host: Host, options: Partial<LoadClientOptions> & Pick<LoadClientOptions, 'address' | 'requests'>) {
    const all: LoadClientOptions = {
      port: SERVICE_PORT,
      protocol: 'http',
      connections: 8,
      rate: 0,
      perConnection: 0,
      body: 0,
      pieces: 1,
      path: '/1k',
      tag: 'r',
      seed: 1,
      greeting: 0,
      end: 'close',
      ...options,
    };
    this.child = host.spawn('load-client', ownProgram('load-client.ts', all));
  }

  async finished(): Promise<LoadClientResult> {
    const { code } = await this.child.exited;
    const text = outputOf(this.child).trim();
    if (code !== 0) throw new Error(`load client failed (${code}): ${text}`);
    return JSON.parse(text.split('\n').at(-1)!) as LoadClientResult;
  }
}

/** Runs a load to its end; every request must have been answered. */
export async function runLoad(...args: ConstructorParameters<typeof LoadClient>): Promise<LoadClientResult> {
  const result = await new LoadClient(...args).finished();
  if (result.answered !== result.sent)
    throw new Error(`online answered ${result.answered} of ${result.sent}: ${result.errors.join('; ')}`);
  return result;
}
