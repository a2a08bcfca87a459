import { describe, expect, it } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import { SendBufferPool } from '../../../src/session/send-buffer.ts';
import { conversation } from './conversation.ts';

describe('sending', () => {
  it('cuts a large send to the MSS, pushes its last segment, and reports what was acknowledged', () => {
    const c = conversation().established();
    c.send(3_000).out('. 1:1461(1460) ack 1', '. 1461:2921(1460) ack 1', 'P. 2921:3001(80) ack 1');
    expect(c.session.queued).toBe(3_000);
    c.at(40).in('. 1:1(0) ack 3001').events('acked');
    expect(c.session.acknowledged).toBe(3_000);
    expect(c.session.queued).toBe(0);
    expect(c.pool.usedBlocks).toBe(0);
    c.at(100_000).nothing();
  });

  it('does not wait for acknowledgements to fill segments (Nagle off)', () => {
    const c = conversation().established();
    c.send(10).out('P. 1:11(10) ack 1').send(10).out('P. 11:21(10) ack 1');
  });

  it('counts timestamps and SACK blocks against the segment, not the MSS option', () => {
    const c = conversation({ timestamps: true, timestampOffset: -1_000_000 });
    c.established('mss 1460,sackOK,TS val 7 ecr 0');
    c.send(1_460).out('. 1:1449(1448) ack 1 <TS val 20 ecr 7>', 'P. 1449:1461(12) ack 1 <TS val 20 ecr 7>');
    c.in('. 11:21(10) ack 1461 <TS val 8 ecr 20>').skip();
    c.send(1_460).out(
      '. 1461:2897(1436) ack 1 <TS val 20 ecr 7,sack 11:21>',
      'P. 2897:2921(24) ack 1 <TS val 20 ecr 7,sack 11:21>',
    );
  });

  it('writes many segments as one packet where that is cut later, within windows and the largest packet', () => {
    const c = conversation({ packetMax: 3_150 }).established('mss 1000,sackOK,ws 7');
    c.send(2_500).out('. 1:1001(1000) ack 1 + . 1001:2001(1000) ack 1 + P. 2001:2501(500) ack 1');
    c.send(3_200).out(
      '. 2501:3501(1000) ack 1 + . 3501:4501(1000) ack 1 + . 4501:5501(1000) ack 1',
      'P. 5501:5701(200) ack 1',
    );
    // Ten segments may be on their way: 4,300 bytes more.
    c.send(9_000).out(
      '. 5701:6701(1000) ack 1 + . 6701:7701(1000) ack 1 + . 7701:8701(1000) ack 1',
      '. 8701:9701(1000) ack 1',
    );
    // The peer's window ends within the third of these; the rest waits for more of it.
    c.at(20).in('. 1:1(0) ack 9701 win 18').out('. 9701:10701(1000) ack 1 + . 10701:11701(1000) ack 1');
  });

  it('ends a packet of many segments with the FIN', () => {
    const c = conversation({ packetMax: 65_280 }).established('mss 1000');
    c.send(1).out('P. 1:2(1) ack 1').in('. 1:1(0) ack 2 win 0').events('acked');
    c.send(1_500).nothing().close().nothing();
    c.at(40).in('. 1:1(0) ack 2 win 9000').out('. 2:1002(1000) ack 1 + FP. 1002:1502(500) ack 1');
  });

  it('sends again what is lost of a large packet by segments', () => {
    const c = conversation({ packetMax: 65_280 }).established('mss 1000,sackOK');
    c.send(4_000).skip();
    for (const end of [2_001, 3_001, 4_001]) c.in(`. 1:1(0) ack 1 <sack 1001:${end}>`);
    c.out('. 1:1001(1000) ack 1');
  });

  it('begins with ten segments and grows with what is acknowledged', () => {
    const c = conversation().established('mss 1000,ws 7');
    c.send(200_000);
    expect(c.left).toHaveLength(10);
    c.at(40).in('. 1:1(0) ack 2001 win 1000');
    expect(c.left).toHaveLength(4);
    c.at(41).in('. 1:1(0) ack 10001 win 1000');
    expect(c.left).toHaveLength(16);
  });

  it('is back at ten segments after a long pause', () => {
    const c = conversation().established('mss 1000,ws 7');
    c.send(50_000);
    expect(c.left).toHaveLength(10);
    c.at(40).in('. 1:1(0) ack 10001 win 1000');
    expect(c.left).toHaveLength(20);
    c.at(60).in('. 1:1(0) ack 30001 win 1000');
    expect(c.left).toHaveLength(20);
    c.at(80).in('. 1:1(0) ack 50001 win 1000').nothing();
    c.at(5_000).send(50_000);
    expect(c.left).toHaveLength(10);
  });

  it('keeps to the cap per session and to the pool, and counts what the pool refused', () => {
    const pool = new SendBufferPool({ limit: 8_192, blockSize: 1_024 });
    const c = conversation({ sendBuffer: pool, sendBufferPerSession: 5_000 }).established();
    expect(c.trySend(10_000)).toBe(5_000);
    expect(pool.refusedBytes).toBe(0);
    expect(c.left.at(-1), 'a send cut short does not push').toBe('. 4381:5001(620) ack 1');
    const d = conversation({ sendBuffer: pool }).established();
    expect(d.trySend(10_000)).toBe(3 * 1_024);
    d.skip();
    expect(pool.refusedBytes).toBe(10_000 - 3 * 1_024);
    c.in('. 1:1(0) ack 5001');
    expect(pool.usedBlocks).toBe(3);
    expect(d.trySend(1_000)).toBe(1_000);
  });

  it('carries the acknowledgement of a response on the next request', () => {
    const c = conversation().established();
    c.send(10).skip();
    c.at(30).in('P. 1:101(100) ack 11').nothing().events('acked', 'data 100 push');
    c.at(35).send(10).out('P. 11:21(10) ack 101');
    c.at(50).in('. 101:101(0) ack 21').skip();
    c.at(200).nothing();
  });

  it('wraps sequence numbers', () => {
    const c = conversation().established();
    for (let i = 0; i < 4; i++) {
      c.send(100).out(`P. ${1 + 100 * i}:${101 + 100 * i}(100) ack ${1 + 100 * i}`);
      c.in(`P. ${1 + 100 * i}:${101 + 100 * i}(100) ack ${101 + 100 * i}`).events('acked', 'data 100 push');
    }
    expect(c.session.acknowledged).toBe(400);
  });

  it('cuts to a smaller path MTU and sends again at once', () => {
    const c = conversation().established();
    c.send(1_460).out('P. 1:1461(1460) ack 1');
    c.mtu(600).out('. 1:561(560) ack 1', '. 561:1121(560) ack 1', 'P. 1121:1461(340) ack 1');
    c.mtu(600).nothing().mtu(1_400).nothing();
    c.in('. 1:1(0) ack 1461').events('acked');
    c.send(600).out('. 1461:2021(560) ack 1', 'P. 2021:2061(40) ack 1');
  });

  it('survives an absurd MTU', () => {
    const c = conversation().established();
    c.send(100).skip();
    c.mtu(0);
    expect(c.left.length).toBe(3);
    c.in('. 1:1(0) ack 101').events('acked');
  });

  it('does not believe an absurd MSS', () => {
    const c = conversation().established('mss 1');
    c.send(100);
    expect(c.left.length).toBe(3);
  });
});

describe('windows', () => {
  it('fills a small window and goes on as it opens', () => {
    const c = conversation().established('mss 1460', 1_000);
    c.send(2_500).out('. 1:1001(1000) ack 1');
    c.in('. 1:1(0) ack 1001 win 1000').out('. 1001:2001(1000) ack 1').events('acked');
    c.in('. 1:1(0) ack 2001 win 1000').out('P. 2001:2501(500) ack 1').events('acked');
  });

  it('does not send silly segments while others are on their way', () => {
    const c = conversation().established('mss 1460', 4_000);
    c.send(8_000).out('. 1:1461(1460) ack 1', '. 1461:2921(1460) ack 1');
    c.in('. 1:1(0) ack 1461 win 2600').nothing();
    c.in('. 1:1(0) ack 2921 win 1100').out('. 2921:4021(1100) ack 1');
  });

  it('probes a shut window, with growing pauses, for as long as the peer answers', () => {
    const c = conversation().established('mss 1460', 100);
    c.send(300).out('. 1:101(100) ack 1');
    c.at(40).in('. 1:1(0) ack 101 win 0').nothing();
    for (const t of [240, 640, 1_440, 3_040, 6_240, 11_240, 16_240, 21_240]) {
      c.at(t).out(`@${t} . 100:100(0) ack 1`);
      c.in('. 1:1(0) ack 101 win 0').nothing();
    }
    expect(c.config.stats.zeroWindowProbes).toBe(8);
    c.in('. 1:1(0) ack 101 win 1000').out('P. 101:301(200) ack 1');
    c.in('. 1:1(0) ack 301 win 1000').skip();
    c.at(100_000).nothing();
  });

  it('recovers a lost window update by its probe', () => {
    const c = conversation().established('mss 1460', 100);
    c.send(200).skip();
    c.at(40).in('. 1:1(0) ack 101 win 0').nothing();
    c.at(240).out('. 100:100(0) ack 1').in('. 1:1(0) ack 101 win 5000').out('P. 101:201(100) ack 1');
  });

  it('gives up on a shut window when the peer falls silent', () => {
    const c = conversation({ giveUpAfter: seconds(20) }).established('mss 1460', 100);
    c.send(200).skip();
    c.at(40).in('. 1:1(0) ack 101 win 0').skip();
    c.at(60_000);
    expect(c.left.at(-1)).toBe('R. 101:101(0) ack 1');
    c.events('timed-out');
    expect(c.pool.usedBlocks).toBe(0);
  });

  it('gives up on a shut window after the patience for it, though the peer answers', () => {
    const c = conversation({ zeroWindowTimeout: seconds(30) }).established('mss 1460', 100);
    c.send(200).skip();
    c.at(40).in('. 1:1(0) ack 101 win 0').skip();
    for (let t = 100; c.state !== 'CLOSED' && t < 60_000; t += 100) {
      c.at(t);
      if (c.left.length > 0 && c.state !== 'CLOSED') c.in('. 1:1(0) ack 101 win 0');
    }
    c.skip();
    expect(c.now).toBeGreaterThan(1_000_000_000 + 30_000_000);
    expect(c.now).toBeLessThan(1_000_000_000 + 36_000_000);
  });

  it('does not send beyond a window that shrank, nor lose what lies there', () => {
    const c = conversation().established('mss 1000', 4_000);
    c.send(4_000).skip();
    c.at(40).in('. 1:1(0) ack 1001 win 500').nothing();
    c.at(240).out('@240 . 1001:1501(500) ack 1');
    c.in('. 1:1(0) ack 1501 win 3000').out('. 1501:2501(1000) ack 1');
    c.in('. 1:1(0) ack 2501 win 3000').out('. 2501:3501(1000) ack 1', 'P. 3501:4001(500) ack 1');
    c.in('. 1:1(0) ack 4001 win 3000').skip();
    c.at(100_000).nothing();
  });

  it('does not time out while a window that shrank to nothing is answered', () => {
    const c = conversation({ dataTries: 3, giveUpAfter: seconds(30) }).established('mss 1000', 2_000);
    c.send(2_000).skip();
    c.at(40).in('. 1:1(0) ack 1 win 0').nothing();
    for (let t = 100; t < 120_000; t += 100) {
      c.at(t);
      for (const text of c.left) {
        expect(text, 'the first segment is the probe').toBe('. 1:1001(1000) ack 1');
        c.in('. 1:1(0) ack 1 win 0').nothing();
      }
    }
    c.in_state('ESTABLISHED');
    c.in('. 1:1(0) ack 1 win 2000').skip();
    c.at(130_000).skip();
    c.in('. 1:1(0) ack 2001 win 2000').skip();
    expect(c.session.queued).toBe(0);
  });

  it('is not taken back by an older segment', () => {
    const c = conversation().established('mss 1000', 2_000);
    c.send(10).skip();
    c.in('P. 1:11(10) ack 11 win 3000').skip();
    c.in('P. 11:21(10) ack 11 win 3000').skip();
    c.in('. 1:1(0) ack 11 win 0').skip();
    c.send(10).out('P. 11:21(10) ack 21');
  });

  it('holds a FIN behind a shut window, and sends it when it opens', () => {
    const c = conversation().established('mss 1000', 100);
    c.send(100).skip();
    c.in('. 1:1(0) ack 101 win 0').skip();
    c.close().nothing().in_state('FIN-WAIT-1');
    c.at(220).out('. 100:100(0) ack 1');
    c.in('. 1:1(0) ack 101 win 100').out('F. 101:101(0) ack 1');
  });
});
