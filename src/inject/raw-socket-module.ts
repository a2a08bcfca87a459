/** What we use of the npm package `raw-socket` 1.8.1, which brings no types. It is optional. */
import { createRequire } from 'node:module';

export interface RawSocket {
  send(
    buffer: Buffer,
    offset: number,
    length: number,
    address: string,
    afterCallback: (error: Error | null, bytes: number) => void,
  ): void;
  /** Sends the oldest packet that is queued, if any, and calls its callback. */
  onSendReady(): void;
  setOption(level: number, option: number, value: number): void;
  pauseRecv(): void;
  on(event: 'error', listener: (error: Error) => void): void;
  close(): void;
}

export interface RawSocketModule {
  createSocket(options: { readonly protocol: number; readonly addressFamily: number }): RawSocket;
}

/** The module, or why there is none. */
export function loadRawSocket(): { module: RawSocketModule } | { reason: string } {
  try {
    return { module: createRequire(import.meta.url)('raw-socket') as RawSocketModule };
  } catch (error) {
    const built = error instanceof Error && !/Cannot find module 'raw-socket'/.test(error.message);
    return {
      reason: `the npm package raw-socket is not ${built ? 'built' : 'installed'}; with a C compiler, installing tcpcopy again builds it`,
    };
  }
}
