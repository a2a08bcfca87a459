import { describe, expect, it } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import { conversation } from './conversation.ts';

const segment = (n: number, size = 1_000) => `. ${1 + n * size}:${1 + (n + 1) * size}(${size}) ack 1`;

/** Ten segments of 1,000 bytes in flight, the last of a send of 10,000. */
function tenSegments(options = 'mss 1000,sackOK') {
  const c = conversation().established(options);
  c.send(10_000);
  expect(c.left).toHaveLength(10);
  return c;
}

describe('retransmission timeout', () => {
  it('doubles up to the cap, and gives up after so many', () => {
    const c = conversation({ dataTries: 6, maxRto: seconds(3) }).established();
    c.send(10).skip();
    c.at(12_000).out(
      '@220 P. 1:11(10) ack 1',
      '@620 P. 1:11(10) ack 1',
      '@1420 P. 1:11(10) ack 1',
      '@3020 P. 1:11(10) ack 1',
      '@6020 P. 1:11(10) ack 1',
      '@9020 P. 1:11(10) ack 1',
    );
    c.at(12_020).out('R. 11:11(0) ack 1').events('timed-out').in_state('CLOSED');
    expect(c.config.stats).toMatchObject({ retransmissions: 6, timeouts: 7 });
    c.at(200_000).nothing();
  });

  it('gives up after the time for it', () => {
    const c = conversation({ giveUpAfter: seconds(10), dataTries: 99 }).established();
    c.send(10).skip();
    c.at(30_000).skip();
    c.in_state('CLOSED');
  });

  it('stays armed after a response that acknowledges only part of what was sent', () => {
    const c = conversation().established();
    c.send(10).skip();
    c.send(10).skip();
    c.at(40).in('P. 1:101(100) ack 11').skip();
    c.at(240).out('@80 . 21:21(0) ack 101', '@240 P. 11:21(10) ack 101');
    c.in('. 101:101(0) ack 21').skip();
    c.at(1_000).nothing();
  });

  it('begins anew for what is sent later, and comes down with each success', () => {
    const c = conversation().established();
    c.send(10).skip();
    c.at(620).out('@220 P. 1:11(10) ack 1', '@620 P. 1:11(10) ack 1');
    c.at(640).in('. 1:1(0) ack 11').skip();
    c.send(10).skip();
    c.at(1_040).out('@1040 P. 11:21(10) ack 1');
  });

  it('never gives up while there is progress', () => {
    const c = conversation({ giveUpAfter: seconds(3) }).established();
    for (let i = 0, t = 20; i < 20; i++) {
      c.send(10).skip();
      c.at((t += 1_000)).skip();
      c.in(`. 1:1(0) ack ${1 + 10 * (i + 1)}`).skip();
    }
    c.in_state('ESTABLISHED');
  });

  it('sends everything again, slowly at first, and not what was acknowledged meanwhile', () => {
    const c = tenSegments();
    c.at(220).out(`@220 ${segment(0)}`);
    c.in('. 1:1(0) ack 3001').out(segment(3), segment(4), segment(5), segment(6)).events('acked');
    c.in('. 1:1(0) ack 10001').nothing().events('acked');
    c.at(10_000).nothing();
    expect(c.config.stats).toMatchObject({ retransmissions: 5, timeouts: 1 });
  });

  it('is harmless when spurious: duplicates of the acknowledgement cause no more', () => {
    const c = tenSegments();
    c.at(220).out(segment(0));
    c.in('. 1:1(0) ack 10001').nothing();
    for (let i = 0; i < 6; i++) c.in('. 1:1(0) ack 10001').nothing();
    c.in('. 1:1(0) ack 10001 <sack 1:1001>').nothing();
    c.send(1_000).out('P. 10001:11001(1000) ack 1');
  });

  it('repeats a lost FIN', () => {
    const c = conversation().established();
    c.close().out('F. 1:1(0) ack 1');
    c.at(620).out('@220 F. 1:1(0) ack 1', '@620 F. 1:1(0) ack 1');
    c.in('. 1:1(0) ack 2').in_state('FIN-WAIT-2');
  });

  it('repeats data with its FIN', () => {
    const c = conversation().established();
    c.send(10).skip();
    c.close().out('F. 11:11(0) ack 1');
    c.at(220).out('@220 FP. 1:11(10) ack 1');
    c.in('. 1:1(0) ack 12').events('acked').in_state('FIN-WAIT-2');
  });
});

describe('fast retransmit', () => {
  it('follows three duplicate acknowledgements without SACK, one segment per partial one (NewReno)', () => {
    const c = tenSegments('mss 1000');
    c.at(40);
    c.in('. 1:1(0) ack 1001').skip();
    c.in('. 1:1(0) ack 1001').in('. 1:1(0) ack 1001').nothing();
    c.in('. 1:1(0) ack 1001').out(segment(1));
    for (let i = 0; i < 4; i++) c.in('. 1:1(0) ack 1001').nothing();
    c.in('. 1:1(0) ack 5001').out(segment(5)).events('acked');
    c.in('. 1:1(0) ack 10001').nothing().events('acked');
    expect(c.config.stats).toMatchObject({ fastRetransmits: 1, retransmissions: 2, timeouts: 0 });
    c.at(10_000).nothing();
  });

  it('fills the holes that SACK shows, and only those', () => {
    const c = tenSegments();
    c.at(40);
    c.in('. 1:1(0) ack 1001 <sack 2001:3001>').nothing();
    c.in('. 1:1(0) ack 1001 <sack 4001:5001 2001:3001>').nothing();
    c.in('. 1:1(0) ack 1001 <sack 4001:6001 2001:3001>').out(segment(1));
    c.in('. 1:1(0) ack 1001 <sack 4001:7001 2001:3001>').nothing();
    c.in('. 1:1(0) ack 1001 <sack 8001:9001 4001:7001 2001:3001>').out(segment(3), segment(7));
    c.in('. 1:1(0) ack 3001 <sack 8001:9001 4001:7001>').nothing();
    c.in('. 1:1(0) ack 10001').nothing();
    expect(c.config.stats).toMatchObject({ fastRetransmits: 1, retransmissions: 3, timeouts: 0 });
  });

  it('does not take a window update or data for a duplicate acknowledgement', () => {
    const c = tenSegments('mss 1000');
    c.in('. 1:1(0) ack 1001').skip();
    for (let i = 1; i < 6; i++) c.in(`. 1:1(0) ack 1001 win ${40_000 + i}`).nothing();
    for (let i = 0; i < 6; i++) c.in(`. ${1 + i}:${2 + i}(1) ack 1001 win 40005`);
    expect(c.left.every((p) => p.endsWith(`(0) ack ${p.split(' ').at(-1)}`))).toBe(true);
    expect(c.config.stats.fastRetransmits).toBe(0);
  });

  it('ignores SACK blocks that cannot be: behind, ahead, inverted', () => {
    const c = tenSegments();
    c.in('. 1:1(0) ack 3001').skip();
    for (let i = 0; i < 5; i++) {
      c.in('. 1:1(0) ack 3001 <sack 1:1001 9001:20001 8001:7001 -5000:-100>').nothing();
    }
    expect(c.config.stats.fastRetransmits).toBe(0);
  });

  it('gives up what SACK told when the peer reneges', () => {
    const c = tenSegments();
    c.in('. 1:1(0) ack 1 <sack 1001:10001>').out(segment(0));
    c.in('. 1:1(0) ack 1001').nothing();
    c.at(220).out(`@220 ${segment(1)}`);
    c.in('. 1:1(0) ack 2001').out(segment(2), segment(3));
    c.in('. 1:1(0) ack 4001').skip();
    c.in('. 1:1(0) ack 10001').skip();
    c.at(10_000).nothing();
  });

  it('falls back on the timer when the retransmission is lost too', () => {
    const c = tenSegments();
    c.in('. 1:1(0) ack 1 <sack 1001:10001>').out(segment(0));
    c.at(220).out(`@220 ${segment(0)}`);
    c.in('. 1:1(0) ack 10001').nothing();
  });

  it('sends new data on the first two duplicates (limited transmit)', () => {
    const c = conversation().established('mss 1000');
    c.send(20_000);
    expect(c.left).toHaveLength(10);
    c.in('. 1:1(0) ack 1').out(segment(10));
    c.in('. 1:1(0) ack 1').out(segment(11));
    c.in('. 1:1(0) ack 1').out(segment(0));
  });
});
