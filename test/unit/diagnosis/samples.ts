/** Evidence of a copy that works, to be spoilt in one thing after the other. */
import type { Evidence, InterceptEvidence, Plan, ProbeEvidence, Seen } from '../../../src/diagnosis/evidence.ts';

export const PLAN: Plan = {
  targetKind: 'raw',
  onlinePorts: ['80'],
  targets: [{ address: '192.0.2.10', port: 8080 }],
  intercepts: [{ host: '192.0.2.20', port: 36524 }],
  clients: [{ network: '10.9.8.0/24', first: '10.9.8.1' }],
  devices: ['eth0'],
  filter: undefined,
  snapLength: 65_600,
  mtu: 1500,
};

export const INTERCEPT: InterceptEvidence = {
  host: '192.0.2.20',
  port: 36524,
  problem: undefined,
  version: '1.0.0',
  watchProblem: '',
  capturesOn: 'eth0',
  filter: '',
  devices: [
    { name: 'lo', forwards4: false, forwards6: false, rpFilter: 0, addresses: ['127.0.0.1/8', '::1/128'] },
    { name: 'eth0', forwards4: false, forwards6: false, rpFilter: 0, addresses: ['192.0.2.20/24'] },
  ],
  foreign: 0,
};

/** As a watch sees it: by default at the first intercept, arriving on eth0. */
export function seen(kind: Seen['kind'], more: Partial<Seen> = {}): Seen {
  return {
    at: 0,
    kind,
    device: 'eth0',
    outgoing: false,
    taken: true,
    reporter: '192.0.2.10',
    icmpType: 0,
    icmpCode: 0,
    ...more,
  };
}

export function probe(more: Partial<ProbeEvidence> = {}): ProbeEvidence {
  return {
    kind: 'client',
    source: '10.9.8.1',
    sourcePort: 2048,
    target: '192.0.2.10',
    targetPort: 8080,
    size: 52,
    sendError: undefined,
    leftBy: 'eth0',
    matched: 'syn-ack',
    mss: 1460,
    ack: 'left',
    seen: [seen('syn-ack')],
    ...more,
  };
}

/** Nobody has seen an answer to it. */
export const SILENT = { matched: undefined, mss: undefined, ack: 'not-sent', seen: [] } as const;

/** From the assistant server's address: seen there, and never part of a session. */
export function assistantProbe(more: Partial<ProbeEvidence> = {}): ProbeEvidence {
  return probe({ kind: 'assistant', source: '192.0.2.20', matched: undefined, ack: 'not-sent', ...more });
}

export const FULL = probe({ kind: 'full-size', size: 1500, ack: 'left' });

export function evidence(
  more: Partial<Omit<Evidence, 'local'>> & { local?: Partial<Evidence['local']> } = {},
): Evidence {
  return {
    plan: PLAN,
    intercepts: [INTERCEPT],
    targets: [
      {
        address: '192.0.2.10',
        port: 8080,
        connect: 'connected',
        route: { device: 'eth0', direct: true },
        neighbourFailed: false,
      },
    ],
    probes: [probe(), assistantProbe(), FULL],
    ...more,
    local: {
      permission: undefined,
      missingDevices: [],
      knownDevices: ['lo', 'eth0'],
      addresses: ['127.0.0.1', '192.0.2.5'],
      sample: { seconds: 1, frames: 50, unfiltered: 50, elsewhere: [], largest: 1514, kernelDropped: 0 },
      listening: true,
      loadAverage: 0.5,
      processors: 2,
      outputDrops: [],
      ...more.local,
    },
  };
}
