/** A connection that speaks HTTP, copied while plugins look at what the target responds. */
import { describe, expect, it } from 'vitest';
import http from '../../../plugins/http/index.ts';
import { seqAdd, seqNum } from '../../../src/core/seq-num.ts';
import { instant, millis } from '../../../src/core/time.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import { DetectingCodec } from '../../../src/protocol/detecting-codec.ts';
import { ConnectionReplay } from '../../../src/replay/connection-replay.ts';
import { ResponseReading } from '../../../src/replay/response-reading.ts';
import { ENV } from '../../unit/pipeline/rig.ts';
import { CLIENT, Rig, TARGET } from '../../unit/replay/replay-rig.ts';
import { request } from '../plugin-rig.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** What a plugin heard. */
class Heard {
  readonly responses: string[] = [];
  readonly exchanges: string[] = [];
  readonly bodies: (string | undefined)[] = [];
}

interface Copying {
  readonly rig: Rig;
  readonly replay: ConnectionReplay;
  /** The client sends, having seen what the server had said before. */
  send(text: string, at?: number): void;
  /** The online server says this, or nothing that was captured. */
  say(text: string | { readonly missing: number }, at?: number): void;
}

async function copy(heard: Heard, copies = 1, openedBy: 'syn' | 'midstream' = 'syn'): Promise<Copying> {
  const pipeline = new Pipeline();
  await pipeline.register(http, { unparsable: 'raw', headLimit: 1_000, bodyLimit: 1_000 }, ENV);
  pipeline.hooks.http.request.tap('test', (message) => {
    if (message.path === '/drop') return { drop: 'unwanted' };
    if (message.path === '/head') message.method = 'HEAD';
    return undefined;
  });
  pipeline.hooks.http.responseHead.tap('test', (head) => head.wantBody());
  pipeline.hooks.http.response.tap('test', (response, { origin }) => {
    heard.responses.push(`${origin} ${response.request?.path} ${response.status}`);
    heard.bodies.push(response.body && Buffer.from(response.body).toString());
  });
  pipeline.hooks.http.exchange.tap('test', ({ request, target, targetTime, online, onlineTime }) => {
    const text = online === undefined ? '' : `, online ${online.status} ${onlineTime}`;
    heard.exchanges.push(`${request.method} ${request.path} ${target?.status} ${targetTime}${text}`);
  });
  const rig = new Rig({ reading: ResponseReading.of(pipeline) });
  const info = { client: CLIENT, server: TARGET, openedBy } as const;
  const { detect, codec } = pipeline.protocols.get('http')!.definition;
  const detecting = new DetectingCodec(
    [
      {
        detect: (bytes, offset, length) => detect!(bytes, offset, length, info),
        codec: (fromBoundary) => codec!(info, fromBoundary),
      },
    ],
    openedBy === 'syn',
  );
  const replay = new ConnectionReplay(
    rig,
    pipeline,
    info,
    TARGET,
    detecting,
    { copies, excluded: undefined },
    () => {},
  );
  let ack = seqNum(0);
  replay.sawFirstAck(ack);
  return {
    rig,
    replay,
    send(text, at = 0) {
      replay.data(Buffer.from(text, 'latin1'), 0, text.length, instant(at), ack);
    },
    say(text, at = 0) {
      const length = typeof text === 'string' ? text.length : text.missing;
      ack = seqAdd(ack, length);
      if (typeof text !== 'string') {
        replay.serverBytes(undefined, 0, length, instant(at));
        return;
      }
      const bytes = Buffer.from(`<${text}>`, 'latin1');
      replay.serverBytes(bytes, 1, length, instant(at));
      bytes.fill(0x21);
    },
  };
}

describe('plugins', () => {
  it('see each response, with the request as it was sent, and the two together', async () => {
    const heard = new Heard();
    const { rig, send, replay } = await copy(heard);
    send(request('GET /a') + request('GET /head'));
    rig.session.ack();
    rig.pass(5);
    rig.session.say(`HTTP/1.1 103 Early Hints\r\n\r\n${OK}`);
    rig.pass(5);
    rig.session.say('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    expect(heard.responses).toEqual(['target /a 103', 'target /a 200', 'target /head 200']);
    expect(heard.bodies).toEqual(['', 'hello', '']);
    expect(heard.exchanges).toEqual([]);
    replay.onlineEnded(instant(0));
    expect(heard.exchanges).toEqual([`GET /a 200 ${millis(5)}`, `HEAD /head 200 ${millis(10)}`]);
    replay.ended('fin', seqNum(100));
    expect(rig.buckets).toEqual({ answered: 2 });
    expect(rig.ledger.responsesRead).toBe(3);
  });

  it('see the exchange of every copy, and of requests that were sent only', async () => {
    const heard = new Heard();
    const { rig, send, say, replay } = await copy(heard, 2);
    send(request('GET /drop'));
    say(OK);
    send(request('GET /a'), 10);
    say(OK.replace('200', '404'), 30);
    const [first, second] = rig.target.sessions;
    first!.ack();
    first!.say(OK);
    second!.end('refused');
    const online = 'online 404 20';
    expect(heard.exchanges).toEqual([`GET /a 200 0, ${online}`, `GET /a undefined undefined, ${online}`]);
    replay.ended('fin', seqNum(100));
    expect(rig.buckets).toEqual({ answered: 1, filtered: 2, refused: 1 });
  });
});

describe('the online server', () => {
  it('is read, too: its responses belong to requests as the client sent them', async () => {
    const heard = new Heard();
    const { rig, send, say, replay } = await copy(heard);
    send(request('GET /head'), 10);
    say(`HTTP/1.1 103 Early Hints\r\n\r\n${OK.slice(0, 20)}`, 20);
    replay.ended('fin', seqNum(100));
    rig.session.ack();
    rig.session.say('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    expect([heard.exchanges, rig.ledger.connections.toJSON()]).toEqual([[], {}]);
    say(OK.slice(20), 50);
    replay.onlineEnded(instant(60));
    expect(heard.responses).toEqual(['online /head 103', 'target /head 200', 'online /head 200']);
    expect(heard.bodies).toEqual(['', '', 'hello']);
    expect(heard.exchanges).toEqual(['HEAD /head 200 0, online 200 40']);
    expect(rig.ledger).toMatchObject({ responsesRead: 1, onlineRead: 2 });
    expect(rig.ledger.connections.toJSON()).toEqual({ replayed: 1 });
    rig.expectIdle();
  });

  it('of which bytes are missing is read on with the next request that follows a response', async () => {
    const heard = new Heard();
    const { rig, send, say } = await copy(heard);
    const answer = (): void => {
      rig.session.ack();
      rig.session.say(OK);
    };
    send(request('GET /1'));
    say({ missing: 10 });
    say(OK.slice(10));
    answer();
    send(request('GET /2'));
    say(OK);
    answer();
    expect(heard.exchanges).toEqual(['GET /1 200 0', 'GET /2 200 0, online 200 0']);
    expect(rig.ledger.onlineUnread.toJSON()).toEqual({ 'not-understood': 1 });
    // Who pipelines cannot be told what belongs to what.
    send(request('GET /3') + request('GET /4'));
    say({ missing: 10 });
    send(request('GET /5'));
    say(OK);
    answer();
    answer();
    answer();
    expect(heard.exchanges.slice(2)).toEqual(['GET /3 200 0', 'GET /4 200 0', 'GET /5 200 0']);
  });

  it('is not believed where bytes of the client are missing', async () => {
    const heard = new Heard();
    const { rig, send, say, replay } = await copy(heard);
    send(request('GET /1'));
    replay.gap(100);
    say(OK + OK);
    send(request('GET /3'));
    say(OK.replace('200', '203'));
    send(request('GET /4'));
    say(OK.replace('200', '204'));
    for (let i = 0; i < 3; i++) {
      rig.session.ack();
      rig.session.say(OK);
    }
    expect(heard.exchanges).toEqual(['GET /1 200 0', 'GET /3 200 0', 'GET /4 200 0, online 204 0']);
  });

  it('of a connection that was open before is read from its first request on', async () => {
    const heard = new Heard();
    const { rig, send, say } = await copy(heard, 1, 'midstream');
    say('the rest of a response');
    send(request('GET /1'));
    say(OK);
    rig.session.ack();
    rig.session.say(OK);
    expect(heard.exchanges).toEqual(['GET /1 200 0, online 200 0']);
  });

  it('of such a connection is not believed about requests it was sent later, when a recording tells of it late', async () => {
    const heard = new Heard();
    const { rig, send, say } = await copy(heard, 1, 'midstream');
    send(request('GET /1'), 20);
    send(request('GET /2'), 40);
    say(OK.replace('200', '201'), 10);
    say(OK.replace('200', '202'), 30);
    say(OK.replace('200', '203'), 50);
    for (let i = 0; i < 2; i++) {
      rig.session.ack();
      rig.session.say(OK);
    }
    expect(heard.exchanges).toEqual(['GET /1 200 0, online 202 10', 'GET /2 200 0, online 203 10']);
  });

  it('that never answers costs no more than a thousand requests that wait', async () => {
    const heard = new Heard();
    const { rig, send, replay } = await copy(heard);
    for (let i = 0; i < 1_100; i++) {
      send(request(`GET /${i}`));
      rig.session.ack();
      rig.session.say(OK);
    }
    expect(heard.exchanges).toHaveLength(1_100);
    replay.ended('gone', seqNum(100));
    expect(rig.ledger.connections.toJSON()).toEqual({ replayed: 1 });
  });
});

describe('a tunnel', () => {
  const UPGRADE = request('GET /ws', 'Connection: Upgrade', 'Upgrade: echo');
  const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n';

  /** One whose first bytes are with the target. */
  async function tunnel(connect: string): Promise<Copying> {
    const copying = await copy(new Heard());
    copying.send(connect);
    copying.say(SWITCHED);
    copying.rig.session.ack();
    copying.rig.session.say(SWITCHED);
    copying.send('one');
    copying.rig.session.ack();
    return copying;
  }

  function end({ replay, rig }: Copying): void {
    replay.onlineEnded(instant(0));
    replay.ended('fin', seqNum(1_000));
    expect(rig.ledger.balance()).toMatchObject({ balanced: true });
  }

  it('is not carried on in a session that did not see it begin', async () => {
    const copying = await tunnel(UPGRADE);
    const { rig, send, say } = copying;
    rig.session.respond(4);
    rig.session.end('closed');
    say('echo');
    send('two');
    say('echo');
    send('three');
    expect(rig.target.sessions).toHaveLength(1);
    say('echo');
    // A request leads out of it.
    send(request('GET /a'));
    rig.session.ack();
    rig.session.say(OK);
    end(copying);
    expect(rig.target.sessions.map(({ sent }) => sent)).toEqual([`${UPGRADE}one`, request('GET /a')]);
    expect(rig.buckets).toEqual({ answered: 3, reset: 2 });
  });

  it('is lost from where bytes of it are missing', async () => {
    const connect = 'CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n';
    const copying = await tunnel(connect);
    const { rig, replay, send, say } = copying;
    replay.gap(3);
    say('echo');
    send('within');
    say('echo');
    send('three');
    say('echo');
    send('four');
    end(copying);
    expect(rig.target.sessions.map(({ sent }) => sent)).toEqual([`${connect}one`]);
    expect(rig.buckets).toEqual({ answered: 1, 'capture-gap': 3 });
  });

  it('is left out with the request that begins it', async () => {
    const copying = await copy(new Heard());
    const { rig, send, say } = copying;
    send(UPGRADE.replace('/ws', '/drop'));
    say(SWITCHED);
    send('one');
    end(copying);
    expect(rig.session.sent).toBe('');
    expect(rig.buckets).toEqual({ filtered: 2 });
  });
});
