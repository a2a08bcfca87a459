import { describe, expect, it } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import { conversation } from './conversation.ts';

describe('closing first', () => {
  it('goes through FIN-WAIT-1, FIN-WAIT-2 and a short TIME-WAIT', () => {
    const c = conversation().established();
    c.close().out('F. 1:1(0) ack 1');
    c.at(30).in('. 1:1(0) ack 2').nothing();
    c.at(40).in('F. 1:1(0) ack 2').out('. 2:2(0) ack 2').events('peer-fin', 'closed').in_state('TIME-WAIT');
    expect(c.session.finished).toBe(false);
    c.at(900).in('F. 1:1(0) ack 2').out('. 2:2(0) ack 2').events();
    c.at(1_899).nothing().in_state('TIME-WAIT');
    c.at(1_900).in_state('CLOSED');
    expect(c.session.finished).toBe(true);
    expect(c.states).toEqual(['CLOSED', 'SYN-SENT', 'ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'CLOSED']);
  });

  it('takes ACK and FIN in one segment, with the last data', () => {
    const c = conversation().established();
    c.close().skip();
    c.in('FP. 1:11(10) ack 2').out('. 2:2(0) ack 12').events('data 10 push', 'peer-fin', 'closed');
  });

  it('sends everything before its FIN', () => {
    const c = conversation().established('mss 1000', 1_000);
    c.send(2_500).out('. 1:1001(1000) ack 1');
    c.close().nothing().in_state('FIN-WAIT-1');
    expect(c.trySend(5)).toBe(0);
    c.in('. 1:1(0) ack 1001 win 1000').out('. 1001:2001(1000) ack 1');
    c.in('. 1:1(0) ack 2001 win 1000').out('FP. 2001:2501(500) ack 1');
    c.in('. 1:1(0) ack 2502 win 1000').in_state('FIN-WAIT-2');
  });

  it('puts the FIN on the last segment', () => {
    const c = conversation();
    c.send(10).open().skip();
    c.close();
    c.in('S. 0:0(0) ack 1').out('FP. 1:11(10) ack 1').events('connected');
  });

  it('reads late data while half closed', () => {
    const c = conversation().established();
    c.close().skip();
    c.in('. 1:1(0) ack 2').in_state('FIN-WAIT-2');
    c.in('. 1:1461(1460) ack 2').in('. 1461:2921(1460) ack 2').out('. 2:2(0) ack 2921');
    c.in('F. 2921:2921(0) ack 2').out('. 2:2(0) ack 2922').events('data 1460', 'data 1460', 'peer-fin', 'closed');
  });

  it('waits for the data before an early FIN', () => {
    const c = conversation().established();
    c.close().skip();
    c.in('F. 11:11(0) ack 2').out('. 2:2(0) ack 1').events().in_state('FIN-WAIT-2');
    c.in('. 1:11(10) ack 2').out('. 2:2(0) ack 12').events('data 10', 'peer-fin', 'closed');
  });

  it('does not wait for ever for the FIN of the peer, but for late data', () => {
    const c = conversation({ finWait2Timeout: seconds(5) }).established();
    c.close().skip();
    c.in('. 1:1(0) ack 2').skip();
    c.at(4_000).in('. 1:11(10) ack 2').skip();
    c.at(8_900).skip();
    c.in_state('FIN-WAIT-2');
    c.at(9_000).out('R. 2:2(0) ack 11').events('timed-out').in_state('CLOSED');
  });

  it('closes simultaneously', () => {
    const c = conversation().established();
    c.close().out('F. 1:1(0) ack 1');
    c.in('F. 1:1(0) ack 1').out('. 2:2(0) ack 2').events('peer-fin').in_state('CLOSING');
    c.in('. 2:2(0) ack 2').events('closed').in_state('TIME-WAIT');
  });

  it('repeats its FIN in CLOSING', () => {
    const c = conversation().established();
    c.close().skip();
    c.in('F. 1:1(0) ack 1').skip();
    c.at(220).out('@220 F. 1:1(0) ack 2');
    c.in('. 2:2(0) ack 2').in_state('TIME-WAIT');
  });
});

describe('closing second', () => {
  it('goes through CLOSE-WAIT and LAST-ACK', () => {
    const c = conversation().established();
    c.in('F. 1:1(0) ack 1').out('. 1:1(0) ack 2').events('peer-fin').in_state('CLOSE-WAIT');
    c.at(30).send(10).out('P. 1:11(10) ack 2');
    c.close().out('F. 11:11(0) ack 2').in_state('LAST-ACK');
    c.in('. 2:2(0) ack 12').events('acked', 'closed').in_state('CLOSED');
    expect(c.session.finished).toBe(true);
    c.in('. 2:2(0) ack 12').out('R 12:12(0)');
  });

  it('acknowledges the FIN again', () => {
    const c = conversation().established();
    c.in('F. 1:1(0) ack 1').skip();
    c.in('F. 1:1(0) ack 1').out('. 1:1(0) ack 2').events();
  });

  it('repeats its FIN in LAST-ACK', () => {
    const c = conversation().established();
    c.in('F. 1:1(0) ack 1').skip();
    c.close().out('F. 1:1(0) ack 2');
    c.at(620).out('@220 F. 1:1(0) ack 2', '@620 F. 1:1(0) ack 2');
    c.in('. 2:2(0) ack 2').events('closed');
  });

  it('takes a FIN with data out of order, and ignores text beyond it', () => {
    const c = conversation().established();
    c.in('. 31:41(10) ack 1').skip();
    c.in('F. 11:21(10) ack 1').skip();
    c.in('. 1:11(10) ack 1').out('. 1:1(0) ack 22').events('data 10', 'data 10', 'peer-fin');
    c.in('. 22:32(10) ack 1').events();
  });
});

describe('reset', () => {
  it.each([
    ['ESTABLISHED', [], 'R. 1:1(0) ack 1', 'reset'],
    ['ESTABLISHED', [], 'RP. 1:20(19) ack 1', 'reset'],
    ['FIN-WAIT-1', ['close'], 'R. 1:1(0) ack 1', 'reset'],
    ['FIN-WAIT-2', ['close', '. 1:1(0) ack 2'], 'R 1:1(0)', 'reset'],
    ['CLOSE-WAIT', ['F. 1:1(0) ack 1'], 'R 2:2(0)', 'reset'],
    ['CLOSING', ['close', 'F. 1:1(0) ack 1'], 'R 2:2(0)', 'closed'],
    ['LAST-ACK', ['F. 1:1(0) ack 1', 'close'], 'R 2:2(0)', 'closed'],
  ])('in %s', (state, steps, reset, event) => {
    const c = conversation().established();
    for (const step of steps) {
      if (step === 'close') c.close();
      else c.in(step);
      c.skip();
    }
    c.in_state(state);
    c.in(reset).nothing().events(event).in_state('CLOSED');
    c.at(100_000).nothing();
    expect(c.pool.usedBlocks).toBe(0);
  });

  it('in LAST-ACK with data on its way is a loss', () => {
    const c = conversation().established();
    c.in('F. 1:1(0) ack 1').skip();
    c.send(10).skip();
    c.close().skip();
    c.in('R 2:2(0)').events('reset');
  });

  it('in TIME-WAIT ends it early', () => {
    const c = conversation().established();
    c.close().skip();
    c.in('F. 1:1(0) ack 2').skip();
    c.in_state('TIME-WAIT').in('R 2:2(0)').events().in_state('CLOSED');
  });

  it('after a FIN that crossed it is believed', () => {
    const c = conversation().established();
    c.in('F. 1:1(0) ack 1').skip();
    c.in('R. 2:2(0) ack 1').events('reset');
  });

  it('by abort says where we are, and drops what was queued', () => {
    const c = conversation().established();
    c.send(10).skip();
    c.in('. 1:6(5) ack 1').skip();
    c.abort().out('R. 11:11(0) ack 6').events('closed').in_state('CLOSED');
    expect(c.pool.usedBlocks).toBe(0);
    expect(c.session.finished).toBe(true);
    expect(c.trySend(5)).toBe(0);
    c.abort().close().nothing().events();
    c.in('P. 6:16(10) ack 11').out('R 11:11(0)').in('R 6:6(0)').nothing();
  });

  it('goes to a target that still holds a connection long given up', () => {
    const c = conversation({ dataTries: 1 }).established();
    c.send(10).skip();
    c.at(10_000).skip();
    c.in('. 1:1(0) ack 11').out('R 11:11(0)');
  });
});
