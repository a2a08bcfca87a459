import { expect, it } from 'vitest';
import { LeaseTable } from '../../../src/control/lease-table.ts';
import { HELLO, HURRY, INSTANCE_ID_BYTES, NONCE_BYTES } from '../../../src/control/protocol.ts';
import { SILENT_LOG } from '../../../src/core/log.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import type { Instance } from '../../../src/intercept/instance.ts';
import { Instances } from '../../../src/intercept/instances.ts';
import type { Peer } from '../../../src/intercept/peer.ts';

it('is hurried as long as any instance is', () => {
  const told: boolean[] = [];
  const leases = new LeaseTable({ silence: seconds(30) });
  const instances = new Instances(
    leases,
    SILENT_LOG,
    () => undefined,
    (hurry) => told.push(hurry),
  );
  const connect = (id: number, index: number): { peer: Peer; instance: Instance } => {
    const peer = { index, name: 'test', leaving: false } as Peer;
    const instance = instances.admit(peer, {
      type: HELLO,
      versionMin: 1,
      versionMax: 1,
      instanceId: new Uint8Array(INSTANCE_ID_BYTES).fill(id),
      connectionIndex: index,
      connections: 2,
      hasKey: false,
      capabilities: 0,
      nonce: new Uint8Array(NONCE_BYTES),
      software: 'test',
    });
    return { peer, instance: instance as Instance };
  };
  const [one, oneMore, other] = [connect(1, 0), connect(1, 1), connect(2, 0)];
  instances.handle(one.peer, one.instance, { type: HURRY, on: true });
  instances.handle(other.peer, other.instance, { type: HURRY, on: true });
  instances.left(one.peer, one.instance, instant(1));
  expect(told).toEqual([true, true]);
  instances.handle(other.peer, other.instance, { type: HURRY, on: false });
  expect(told.at(-1)).toBe(true);
  instances.left(oneMore.peer, oneMore.instance, instant(2));
  expect(told.at(-1)).toBe(false);
});
