/** What tests of the built-in plugins share: runs in which HTTP is read, and requests as clients write them. */
import type { Plugin } from 'tcpcopy/plugin';
import { refusalOf, TestRun, type TestConnection } from 'tcpcopy/testing';
import http from '../../plugins/http/index.ts';

export interface RigOptions {
  /** 1 where the key is left out. */
  readonly seed?: number | undefined;
  /** Without the protocol http, unless the plugins bring it. */
  readonly opaque?: boolean;
  readonly recording?: boolean;
  readonly processes?: number;
}

export const PluginRig = {
  /** `specs`: plugins with what stands behind `--plugin` for them. */
  start(specs: readonly (readonly [Plugin, string])[], options: RigOptions = {}): Promise<TestRun> {
    const { seed, opaque = false, recording = false, processes = 1 } = { seed: 1, ...options };
    const given = opaque || specs.some(([{ name }]) => name === 'http') ? specs : [http, ...specs];
    return TestRun.start(given, { seed, live: !recording, processes });
  },
};
export type PluginRig = TestRun;
export type { TestConnection };
export { refusalOf as refusal };

/** A request as clients write it; lines of the head as given. */
export function request(line: string, ...fields: string[]): string {
  return `${[`${line} HTTP/1.1`, ...(fields.some((f) => /^host:/i.test(f)) ? [] : ['Host: shop']), ...fields].join('\r\n')}\r\n\r\n`;
}
