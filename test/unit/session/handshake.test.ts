import { describe, expect, it } from 'vitest';
import { micros, millis, seconds } from '../../../src/core/time.ts';
import { conversation } from './conversation.ts';

const SYN = 'S 0:0(0) <mss 1460,sackOK,ws 3>';

describe('handshake', () => {
  it('opens with MSS, SACK and window scale, and acknowledges', () => {
    const c = conversation().showWindows();
    c.open().out('S 0:0(0) win 65535 <mss 1460,sackOK,ws 3>');
    c.at(20).in('S. 0:0(0) ack 1 <mss 1460,sackOK,ws 7>').out('. 1:1(0) ack 1 win 32768').events('connected');
    expect(c.states).toEqual(['CLOSED', 'SYN-SENT', 'ESTABLISHED']);
    expect(c.session.roundTripTime).toBe(20_000);
    c.at(10_000).nothing();
  });

  it('lets data queued before the handshake carry the acknowledgement', () => {
    const c = conversation();
    c.send(10).open().out(SYN);
    c.at(1).in('S. 0:0(0) ack 1').out('P. 1:11(10) ack 1').events('connected');
  });

  it('leaves the acknowledgement to the data of a user who sends first', () => {
    const c = conversation();
    c.open(true).out(SYN);
    c.at(1).in('S. 0:0(0) ack 1').events('connected').nothing();
    c.at(30).send(10).out('P. 1:11(10) ack 1');
    c.in('. 1:1(0) ack 11');
    c.at(10_000).nothing();
  });

  it('acknowledges alone when that user sends nothing for the delay', () => {
    const c = conversation({ delayedAck: millis(40) });
    c.open(true).out(SYN);
    c.at(1).in('S. 0:0(0) ack 1').events('connected');
    c.at(40).nothing();
    c.at(41).out('. 1:1(0) ack 1');
    c.at(10_000).nothing();
  });

  it('offers timestamps when asked, and uses them only when the peer does', () => {
    const c = conversation({ timestamps: true, timestampOffset: -1_000_000 });
    c.open().out('S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,ws 3>');
    c.at(20).in('S. 0:0(0) ack 1 <mss 1460,TS val 500 ecr 0>').out('. 1:1(0) ack 1 <TS val 20 ecr 500>');
    const d = conversation({ timestamps: true }).established('mss 1460');
    d.send(3).out('P. 1:4(3) ack 1');
  });

  it('scales no window when the peer does not, and announces no more than 64 KiB then', () => {
    const c = conversation().showWindows();
    c.open().skip();
    c.in('S. 0:0(0) ack 1 win 1000 <mss 1460>').out('. 1:1(0) ack 1 win 65535');
    c.send(2_000).out('. 1:1001(1000) ack 1 win 65535');
  });

  it('repeats a lost SYN with growing pauses, then gives up', () => {
    const c = conversation({ synTries: 5, maxRto: seconds(4) });
    c.open().out(SYN);
    c.at(11_000).out(`@1000 ${SYN}`, `@3000 ${SYN}`, `@7000 ${SYN}`, `@11000 ${SYN}`);
    c.at(14_999).nothing();
    c.at(15_000).out('R 1:1(0)').events('timed-out');
    expect(c.session.finished).toBe(true);
    c.at(100_000).nothing();
  });

  it('gives up on the handshake after the time for it, whatever the tries', () => {
    const c = conversation({ synTries: 1_000, giveUpAfter: seconds(10) });
    c.open().skip();
    c.at(13_000).skip();
    expect(c.state).toBe('CLOSED');
  });

  it.each([1, 2, 3, 4, 5])('connects when %i SYNs were lost', (lost) => {
    const c = conversation();
    c.open().out(SYN);
    for (let i = 0, t = 0; i < lost; i++) {
      t += Math.min(1_000 * 2 ** i, 5_000);
      c.at(t).out(SYN);
    }
    c.in('S. 0:0(0) ack 1').out('. 1:1(0) ack 1').events('connected');
    expect(c.session.roundTripTime, 'no sample from a SYN sent twice (Karn)').toBe(0);
    c.send(1).out('P. 1:2(1) ack 1');
  });

  it('answers the SYN-ACK again when the acknowledgement was lost', () => {
    const c = conversation().established();
    c.in('S. 0:0(0) ack 1 <mss 1460>').out('. 1:1(0) ack 1').events();
    c.in_state('ESTABLISHED');
  });

  it('refuses a second SYN-ACK with another ISN and stays with the first', () => {
    const c = conversation().established();
    c.in('S. 5000:5000(0) ack 1 <mss 1460>').out('. 1:1(0) ack 1');
    c.in('P. 1:11(10) ack 1').events('data 10 push');
  });

  it('goes on when SYN cookies dropped every extension', () => {
    const c = conversation().established('mss 536');
    c.send(600).out('. 1:537(536) ack 1', 'P. 537:601(64) ack 1');
    c.in('P. 11:21(10) ack 601').out('. 601:601(0) ack 1').events('acked');
    c.in('P. 1:11(10) ack 601').out('. 601:601(0) ack 21').events('data 10 push', 'data 10 push');
  });

  it('takes 536 bytes where the peer names no MSS', () => {
    conversation().established('').send(1_000).out('. 1:537(536) ack 1', 'P. 537:1001(464) ack 1');
  });

  it('is refused by a RST to its SYN', () => {
    const c = conversation();
    c.open().skip();
    c.in('R. 0:0(0) ack 1').events('refused').in_state('CLOSED');
    c.at(100_000).nothing();
    expect(c.session.finished).toBe(true);
  });

  it('ignores a RST that acknowledges nothing or something else', () => {
    const c = conversation();
    c.open().skip();
    c.in('R 0:0(0)').nothing().events();
    c.in('R. 0:0(0) ack 77').nothing().events();
    c.in_state('SYN-SENT');
  });

  it('resets a stale connection that answers with a challenge ACK, and sends its SYN again soon', () => {
    const c = conversation();
    c.open().out(SYN);
    c.at(1).in('. 9000:9000(0) ack -500').out('R -500:-500(0)');
    c.at(3).out(`@3 ${SYN}`);
    c.at(4).in('. 9000:9000(0) ack -500').out('R -500:-500(0)');
    c.at(5).in('S. 0:0(0) ack 1').out('. 1:1(0) ack 1').events('connected');
  });

  it('takes the SYN-ACK of an older SYN of ours for stale', () => {
    const c = conversation();
    c.open().skip();
    c.in('S. 0:0(0) ack -99').out('R -99:-99(0)').in_state('SYN-SENT');
  });

  it('opens simultaneously (RFC 9293 figure 8)', () => {
    const c = conversation();
    c.open().skip();
    c.in('S 0:0(0) <mss 1460,sackOK>').out('S. 0:0(0) ack 1 <mss 1460,sackOK>').in_state('SYN-RECEIVED');
    c.in('S. 0:0(0) ack 1 <mss 1460,sackOK>').out('. 1:1(0) ack 1').events('connected');
    expect(c.states).toEqual(['CLOSED', 'SYN-SENT', 'SYN-RECEIVED', 'ESTABLISHED']);
  });

  it('opens through a split handshake', () => {
    const c = conversation();
    c.open().skip();
    c.in('. 0:0(0) ack 1').nothing();
    c.in('S 0:0(0) <mss 1400,ws 2>').out('S. 0:0(0) ack 1 <mss 1460,ws 3>');
    c.in('. 1:1(0) ack 1 win 500').events('connected');
    c.send(1_500).out('. 1:1401(1400) ack 1', 'P. 1401:1501(100) ack 1');
  });

  it('repeats the SYN-ACK of a crossed handshake, and is refused by a RST', () => {
    const c = conversation();
    c.open().skip();
    c.in('S 0:0(0) <mss 1460>').skip();
    c.at(1_000).out('@1000 S. 0:0(0) ack 1 <mss 1460>');
    c.in('R 1:1(0)').events('refused');
  });

  it('resets a peer that acknowledges something else in SYN-RECEIVED', () => {
    const c = conversation();
    c.open().skip();
    c.in('S 0:0(0)').skip();
    c.in('. 1:1(0) ack 50').out('R 50:50(0)').in_state('SYN-RECEIVED');
  });

  it('ignores data on a SYN-ACK', () => {
    const c = conversation();
    c.open().skip();
    c.in('S. 0:5(5) ack 1 <mss 1460>').out('. 1:1(0) ack 1').events('connected');
  });

  it('cuts to its own MTU, and announces it', () => {
    const c = conversation({ mtu: 1_000 });
    c.open().out('S 0:0(0) <mss 960,sackOK,ws 3>');
    c.in('S. 0:0(0) ack 1 <mss 1460>').skip();
    c.send(1_000).out('. 1:961(960) ack 1', 'P. 961:1001(40) ack 1');
  });

  it('closes after the handshake when asked before it', () => {
    const c = conversation();
    c.open().skip();
    c.close().nothing();
    c.in('S. 0:0(0) ack 1').out('F. 1:1(0) ack 1').events('connected').in_state('FIN-WAIT-1');
  });

  it('closes without a packet when never opened', () => {
    const c = conversation();
    c.close().events('closed').nothing();
    expect(c.session.finished).toBe(true);
    expect(c.trySend(5)).toBe(0);
  });

  it('resets a half-open target on abort', () => {
    const c = conversation();
    c.open().skip();
    c.abort().out('R 1:1(0)').events('closed');
    c.in('S. 0:0(0) ack 1').out('R 1:1(0)');
  });

  it('measures nothing with absurd configuration, but stays alive', () => {
    const c = conversation({ initialRto: micros(1), minRto: micros(1), maxRto: millis(1), synTries: 3 });
    c.open().skip();
    c.at(10).skip();
    expect(c.state).toBe('CLOSED');
  });
});
