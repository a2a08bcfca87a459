import { describe, expect, it } from 'vitest';
import { CHECKSUM_BAD } from '../../../src/wire/segment.ts';
import { conversation } from './conversation.ts';

describe('acknowledgement policy', () => {
  it('delays the acknowledgement of a lone segment', () => {
    const c = conversation().established();
    c.at(100).in('P. 1:101(100) ack 1').nothing().events('data 100 push');
    c.at(139).nothing();
    c.at(140).out('@140 . 1:1(0) ack 101');
    c.at(10_000).nothing();
  });

  it('acknowledges every second full segment at once', () => {
    const c = conversation().established();
    c.in('. 1:1461(1460) ack 1').nothing();
    c.in('. 1461:2921(1460) ack 1').out('. 1:1(0) ack 2921');
    c.in('. 2921:4381(1460) ack 1').nothing();
    c.in('. 4381:5841(1460) ack 1').out('. 1:1(0) ack 5841');
  });

  it('acknowledges a merged segment at once', () => {
    const c = conversation().established();
    c.in('. 1:20001(20000) ack 1').out('. 1:1(0) ack 20001').events('data 20000');
  });

  it('answers keep-alive probes, with and without the byte', () => {
    const c = conversation().established();
    c.in('P. 1:11(10) ack 1').events('data 10 push');
    c.at(100).out('. 1:1(0) ack 11');
    c.at(5_000).in('. 10:10(0) ack 1').out('. 1:1(0) ack 11');
    c.at(6_000).in('. 10:11(1) ack 1').out('. 1:1(0) ack 11').events();
  });
});

describe('order', () => {
  it('holds what is early, reports it by SACK, and hands out everything in order', () => {
    const c = conversation().established();
    c.in('. 11:21(10) ack 1').out('. 1:1(0) ack 1 <sack 11:21>').events();
    c.in('P. 31:41(10) ack 1').out('. 1:1(0) ack 1 <sack 31:41 11:21>');
    c.in('. 21:31(10) ack 1').out('. 1:1(0) ack 1 <sack 11:41>');
    c.in('. 1:11(10) ack 1').out('. 1:1(0) ack 41');
    c.events('data 10', 'data 10', 'data 10', 'data 10 push');
    expect(c.receivedBytes).toBe(40);
  });

  it('owes one duplicate acknowledgement for each early segment of a batch', () => {
    const c = conversation().established('mss 1460');
    c.in('. 11:21(10) ack 1').out('. 1:1(0) ack 1');
    c.in('. 21:31(10) ack 1').out('. 1:1(0) ack 1');
    c.send(5).out('P. 1:6(5) ack 1');
    c.in('. 1:11(10) ack 6').out('. 6:6(0) ack 31');
  });

  it('takes only what is new of a segment that overlaps', () => {
    const c = conversation().established();
    c.in('. 1:11(10) ack 1').in('. 6:26(20) ack 1').events('data 10', 'data 15');
    c.in('. 1:26(25) ack 1').out('. 1:1(0) ack 26').events();
    c.in('. 36:46(10) ack 1').skip();
    c.in('. 41:56(15) ack 1').skip();
    c.in('. 26:51(25) ack 1').out('. 1:1(0) ack 56').events('data 25', 'data 5');
  });

  it('cuts what lies beyond the window', () => {
    const c = conversation({ receiveWindow: 1_000 }).established();
    c.in('. 901:1101(200) ack 1').out('. 1:1(0) ack 1 <sack 901:1001>');
    c.in('. 1:951(950) ack 1').out('. 1:1(0) ack 1001').events('data 950', 'data 50');
    c.in('. 5000:5010(10) ack 1').out('. 1:1(0) ack 1001').events();
  });

  it('refuses early data beyond its cap, and takes it when it comes again', () => {
    const c = conversation({ outOfOrderLimit: 100 }).established();
    c.in('. 101:301(200) ack 1').out('. 1:1(0) ack 1 <sack 101:201>');
    c.in('. 1:101(100) ack 1').out('. 1:1(0) ack 201').events('data 100', 'data 100');
    c.in('. 101:301(200) ack 1').events('data 100');
  });

  it('refuses early bytes beyond what all sessions together may hold, and gives back what it held', () => {
    const outOfOrderBudget = { used: 0, limit: 150 };
    const one = conversation({ outOfOrderBudget }).established();
    const other = conversation({ outOfOrderBudget }).established();
    one.in('. 101:201(100) ack 1').out('. 1:1(0) ack 1 <sack 101:201>');
    other.in('. 101:201(100) ack 1').out('. 1:1(0) ack 1').events();
    expect(outOfOrderBudget.used).toBe(100);
    one.in('. 1:101(100) ack 1').out('. 1:1(0) ack 201').events('data 100', 'data 100');
    expect(outOfOrderBudget.used).toBe(0);
    other.in('. 101:201(100) ack 1').out('. 1:1(0) ack 1 <sack 101:201>');
    other.abort().out('R. 1:1(0) ack 1').events('closed');
    expect(outOfOrderBudget.used).toBe(0);
  });

  it('goes on without payload that was left out', () => {
    const leaveOut = (keep: number) => (s: { payloadLength: number; payloadMissing: number }) => {
      s.payloadMissing = s.payloadLength - keep;
      s.payloadLength = keep;
    };
    const c = conversation().established();
    c.in('P. 1:101(100) ack 1', leaveOut(0)).events('data 100 missing push');
    c.in('P. 101:201(100) ack 1', leaveOut(30)).events('data 30', 'data 70 missing push');
    c.in('. 301:401(100) ack 1', leaveOut(0)).skip();
    c.in('P. 401:501(100) ack 1', leaveOut(10)).out('. 1:1(0) ack 201 <sack 301:501>');
    c.in('. 151:301(150) ack 1', leaveOut(0)).out('. 1:1(0) ack 501');
    c.events('data 100 missing', 'data 100 missing', 'data 10', 'data 90 missing push');
    expect(c.receivedBytes).toBe(500);
  });

  it('takes overlapping data of which the kept part is already here', () => {
    const c = conversation().established();
    c.in('. 1:51(50) ack 1').skip();
    c.in('. 1:101(100) ack 1', (s) => {
      s.payloadLength = 20;
      s.payloadMissing = 80;
    }).events('data 50 missing');
  });

  it('takes an acknowledgement that data overtook', () => {
    const c = conversation().established();
    c.send(10).skip();
    c.in('P. 1:11(10) ack 1').skip();
    c.in('. 1:1(0) ack 11').nothing().events('acked');
  });

  it('takes urgent data for data', () => {
    const c = conversation().established();
    c.in('PU. 1:11(10) ack 1', (s) => (s.urgentPointer = 5)).events('data 10 push');
  });
});

describe('what is refused', () => {
  it('a bad checksum', () => {
    const c = conversation().established();
    c.in('P. 1:11(10) ack 1', (s) => (s.checksum = CHECKSUM_BAD))
      .events()
      .nothing();
    expect(c.config.stats.refused).toBe(1);
  });

  it('old timestamps (PAWS), across the wrap of the clock', () => {
    const c = conversation({ timestamps: true, timestampOffset: -1_000_000 });
    c.established('mss 1460,TS val 4294967290 ecr 0');
    c.in('P. 1:11(10) ack 1 <TS val 4294967289 ecr 20>').out(
      '. 1:1(0) ack 1 <TS val 20 ecr -6>'.replace('-6', '4294967290'),
    );
    c.in('P. 1:11(10) ack 1 <TS val 3 ecr 20>').events('data 10 push');
    c.at(60).out('. 1:1(0) ack 11 <TS val 60 ecr 3>');
    c.in('P. 11:21(10) ack 1 <TS val 4294967295 ecr 20>').out('. 1:1(0) ack 11 <TS val 60 ecr 3>').events();
    c.in('P. 11:21(10) ack 1').events('data 10 push');
  });

  it('acknowledgements of what was never sent, and of long ago (RFC 5961)', () => {
    const c = conversation().established('mss 1460', 1_000);
    c.in('P. 1:11(10) ack 2').out('. 1:1(0) ack 1').events();
    c.send(1_000).skip();
    c.in('. 1:1(0) ack 1001 win 1000').skip();
    c.in('P. 1:11(10) ack 0').out('. 1001:1001(0) ack 1').events();
    c.in('P. 1:11(10) ack 1').events('data 10 push');
  });

  it('segments without ACK', () => {
    const c = conversation().established();
    c.in('P 1:11(10)').nothing().events();
  });

  it('a SYN inside the connection, with a challenge', () => {
    const c = conversation().established();
    c.in('S 1:1(0)')
      .out('. 1:1(0) ack 1')
      .in('S 500:500(0)')
      .out('. 1:1(0) ack 1')
      .in('S -9:-9(0)')
      .out('. 1:1(0) ack 1');
    c.in_state('ESTABLISHED');
  });

  it('resets from outside the window, and inexact ones, with a challenge', () => {
    const c = conversation().established();
    c.in('R -5:-5(0)').nothing().in('R 300000:300000(0)').nothing();
    c.in('R 2:2(0)').out('. 1:1(0) ack 1').in_state('ESTABLISHED');
    c.in('R 1:1(0)').nothing().events('reset').in_state('CLOSED');
  });

  it('challenges only so often', () => {
    const c = conversation().established();
    let answers = 0;
    for (let i = 0; i < 50; i++) answers += c.in('R 2:2(0)').left.length;
    expect(answers).toBe(10);
    c.at(5_000).in('R 2:2(0)').out('. 1:1(0) ack 1');
  });
});
