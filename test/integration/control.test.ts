/** tcpcopy's link and the intercept over real sockets on loopback: handshake, lease, responses. */
import { describe, expect, it } from 'vitest';
import { LINKTYPE_RAW } from '../../src/capture/link-type.ts';
import { monotonicNow } from '../../src/clock/clock.ts';
import { encode } from '../../src/control/encoder.ts';
import {
  LEASE_GRANT,
  LEASE_REQUEST,
  PAYLOAD_ALL,
  PONG,
  PROBE,
  PROBE_REPORT,
  STATS,
  TARGETS,
  WANT_PAYLOAD,
} from '../../src/control/protocol.ts';
import { millis } from '../../src/core/time.ts';
import { packet, TARGET, until, type Response } from './control-lab/lab.ts';
import { nobodyReadsForAWhile } from './control-lab/reading.ts';
import { makeLink, rawPeer, startIntercept } from './control-lab/started.ts';

describe('link and intercept', () => {
  it('answers a probe at once and at its end, or says why it cannot watch', async () => {
    const lab = await startIntercept({ devices: ['lo'], expression: 'port 80' });
    const { socket, received } = await rawPeer(lab.intercept.port, 7);
    socket.write(encode({ type: TARGETS, targets: [TARGET], clients: [] }));
    socket.write(encode({ type: PROBE, token: 9, duration: 5_000 }));
    const reports = () => received.filter((m) => m.type === PROBE_REPORT);
    await until(() => reports().length > 0, 'PROBE_REPORT');
    const [first] = reports();
    expect(first).toMatchObject({ token: 9, capturesOn: 'lo', filter: 'port 80', foreign: 0, sightings: [] });
    expect(first!.devices.find(({ name }) => name === 'lo')?.addresses).not.toEqual([]);
    if (first!.open) {
      socket.write(encode({ type: PROBE, token: 10, duration: 0 }));
      await until(() => reports().length > 1, 'the second PROBE_REPORT');
      expect(reports()[1]).toMatchObject({ token: 9, open: false, problem: '' });
    } else {
      // Without the right to capture.
      expect(first!.problem).toMatch(/not permitted/);
    }
  });

  it('leases ports and delivers responses, in order in each session, over all connections', async () => {
    const lab = await startIntercept();
    const link = makeLink(lab.intercept.port, { connections: 4 });
    await link.link.connect();
    expect(link.events).toEqual(['leased 4', 'up']);
    expect(link.link.up).toBe(true);
    await until(() => lab.intercept.stats().connections === 4, 'four connections');

    const sent: Response[] = Array.from({ length: 4_000 }, (_, i) => ({ port: link.firstPort + (i % 50), seq: i }));
    for (let i = 0; i < sent.length; i += 500) lab.respond(...sent.slice(i, i + 500));
    await until(() => link.responses.length >= sent.length, 'all responses');
    expect(link.responses).toHaveLength(sent.length);
    for (let port = link.firstPort; port < link.firstPort + 50; port++) {
      const seqs = link.responses.filter((r) => r.port === port).map((r) => r.seq);
      expect(seqs).toEqual(sent.filter((r) => r.port === port).map((r) => r.seq));
    }
    expect(lab.intercept.stats()).toMatchObject({ frames: 4_000, segments: 4_000, forwarded: 4_000, dropped: 0 });
    await until(() => link.link.losses().forwarded === 4_000, 'the figures of the intercept');
  });

  it('sends as much payload as is asked for', async () => {
    const lab = await startIntercept();
    const link = makeLink(lab.intercept.port, { connections: 1 });
    await link.link.connect();
    const respond = async (seq: number) => {
      lab.respond({ port: link.firstPort, seq, payload: Buffer.from('hello, world') });
      await until(() => link.responses.some((r) => r.seq === seq), 'the response');
      return link.responses.find((r) => r.seq === seq);
    };
    expect(await respond(1)).toMatchObject({ payload: '', missing: 12 });
    // A lease message behind it says when the wish has arrived.
    link.link.wantPayload(PAYLOAD_ALL);
    link.link.requestLease(1);
    await until(() => link.blocks.size === 5, 'a fifth block');
    expect(await respond(2)).toMatchObject({ payload: 'hello, world', missing: 0 });
    link.link.wantPayload(5);
    link.link.requestLease(1);
    await until(() => link.blocks.size === 6, 'a sixth block');
    expect(await respond(3)).toMatchObject({ payload: 'hello', missing: 7 });
  });

  it('drops responses with a wrong checksum, and wants whole ones from then on', async () => {
    const lab = await startIntercept();
    const limits: number[] = [];
    Object.assign(lab.source, { limitPayload: (bytes: number) => limits.push(bytes) });
    const link = makeLink(lab.intercept.port, { connections: 1 });
    await link.link.connect();
    expect(limits.at(-1)).toBe(0);
    const damaged = packet({ port: link.firstPort, seq: 1, payload: Buffer.from('hello') });
    damaged[30]! ^= 1;
    for (const bytes of [damaged, packet({ port: link.firstPort, seq: 2 })])
      lab.source.push({ bytes, time: monotonicNow(), linkType: LINKTYPE_RAW });
    await until(() => link.responses.length > 0, 'the sound response');
    expect(link.responses).toMatchObject([{ seq: 2 }]);
    expect(lab.intercept.stats()).toMatchObject({ segments: 2, damaged: 1, forwarded: 1 });
    expect(limits.at(-1)).toBeGreaterThan(65_535);
  });

  it('gives instances disjoint ports and each its own responses', async () => {
    const lab = await startIntercept();
    const links = [1, 2, 3].map(() => makeLink(lab.intercept.port, { blocks: 8 }));
    await Promise.all(links.map((link) => link.link.connect()));
    const all = links.flatMap((link) => [...link.blocks]);
    expect(all).toHaveLength(24);
    expect(new Set(all).size).toBe(24);
    lab.respond(...links.map((link, seq) => ({ port: link.firstPort + 1023, seq })));
    await until(() => links.every((link) => link.responses.length === 1), 'one response each');
    links.forEach((link, seq) => expect(link.responses[0]).toMatchObject({ seq, port: link.firstPort + 1023 }));
  });

  it('refuses with counts what it has not, and says so', async () => {
    const lab = await startIntercept();
    const first = await rawPeer(lab.intercept.port, 1);
    first.socket.write(encode({ type: LEASE_REQUEST, blocks: 60 }));
    await until(() => lab.intercept.stats().freeBlocks === 3, 'a lease of 60 blocks');
    const second = makeLink(lab.intercept.port, { blocks: 10 });
    await second.link.connect();
    expect(second.events).toContain('refused 10 3 0');
    expect(second.blocks.size).toBe(3);
    const third = makeLink(lab.intercept.port);
    await expect(third.link.connect()).rejects.toMatchObject({ code: 'E_LEASE' });
    await second.link.close();
    await until(() => lab.intercept.stats().freeBlocks === 3, 'the blocks of the second');
    await third.link.connect();
    expect(third.blocks.size).toBe(3);
    expect(third.events).toContain('refused 4 3 0');
  });

  it('frees the lease at once when tcpcopy takes leave, after the silence when it vanishes', async () => {
    const patient = await startIntercept();
    const link = makeLink(patient.intercept.port);
    await link.link.connect();
    expect(patient.intercept.stats().freeBlocks).toBe(59);
    await link.link.close();
    await until(() => patient.intercept.stats().freeBlocks === 63, 'a free lease', 10_000);

    const lab = await startIntercept({}, { leaseSilence: millis(1_000) });
    const { socket } = await rawPeer(lab.intercept.port, 1);
    socket.write(encode({ type: LEASE_REQUEST, blocks: 2 }));
    await until(() => lab.intercept.stats().freeBlocks === 61, 'a lease');
    socket.destroy();
    await until(() => lab.intercept.stats().connections === 0, 'the end of the connection');
    expect(lab.intercept.stats()).toMatchObject({ freeBlocks: 61, instances: 1 });
    await until(() => lab.intercept.stats().freeBlocks === 63, 'the end of the silence');
    expect(lab.intercept.stats().instances).toBe(0);
  });

  it('never waits for a tcpcopy that does not read: drops, counts, and serves the others', async () => {
    const lab = await startIntercept({}, { outputCap: 300_000 });
    const { socket, received } = await rawPeer(lab.intercept.port, 1);
    socket.write(encode({ type: TARGETS, targets: [TARGET], clients: [] }));
    socket.write(encode({ type: WANT_PAYLOAD, maxBytes: PAYLOAD_ALL }));
    socket.write(encode({ type: LEASE_REQUEST, blocks: 1 }));
    await until(() => received.some((m) => m.type === LEASE_GRANT), 'a lease');
    const grant = received.find((m) => m.type === LEASE_GRANT);
    const slowPort = grant?.type === LEASE_GRANT ? grant.blocks[0]! * 1024 : 0;
    socket.pause();

    const link = makeLink(lab.intercept.port);
    await link.link.connect();
    const payload = new Uint8Array(1400).fill(120);
    const rounds = 150;
    for (let round = 0; round < rounds; round++) {
      lab.respond(...Array.from({ length: 60 }, (_, i) => ({ port: slowPort, seq: round * 60 + i, payload })), {
        port: link.firstPort,
        seq: round,
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => link.responses.length === rounds, 'all responses of the other');
    const stats = lab.intercept.stats();
    expect(stats.dropped).toBeGreaterThan(0);
    expect(stats.forwarded + stats.dropped).toBe(rounds * 61);
    expect(stats.segments).toBe(rounds * 61);
    socket.resume();
    await until(() => received.some((m) => m.type === STATS && m.dropped === stats.dropped), 'STATS name the drops');
  });

  it('stops reading when nobody takes the responses, and goes on when somebody does', () => nobodyReadsForAWhile());
});

it('answers heartbeats', async () => {
  const lab = await startIntercept();
  const { socket, received } = await rawPeer(lab.intercept.port, 1);
  socket.write(encode({ type: 13, token: 77 }));
  await until(() => received.some((m) => m.type === PONG && m.token === 77), 'PONG');
});
