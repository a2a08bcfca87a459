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

async function copy(
  heard: Heard,
  copies = 1,
): Promise<{ rig: Rig; send: (text: string) => void; replay: ConnectionReplay }> {
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
  pipeline.hooks.http.exchange.tap('test', ({ request, target, targetTime }) => {
    heard.exchanges.push(`${request.method} ${request.path} ${target?.status} ${targetTime}`);
  });
  const rig = new Rig({ reading: ResponseReading.of(pipeline) });
  const info = { client: CLIENT, server: TARGET, openedBy: 'syn' } as const;
  const { detect, codec } = pipeline.protocols.get('http')!.definition;
  const detecting = new DetectingCodec(
    [
      {
        detect: (bytes, offset, length) => detect!(bytes, offset, length, info),
        codec: (fromBoundary) => codec!(info, fromBoundary),
      },
    ],
    true,
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
  const send = (text: string): void => {
    replay.data(Buffer.from(text, 'latin1'), 0, text.length, instant(0), ack);
    ack = seqAdd(ack, 10);
  };
  return { rig, send, replay };
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
    expect(heard.exchanges).toEqual([`GET /a 200 ${millis(5)}`, `HEAD /head 200 ${millis(10)}`]);
    replay.ended('fin', seqNum(100));
    expect(rig.buckets).toEqual({ answered: 2 });
    expect(rig.ledger.responsesRead).toBe(3);
  });

  it('see the exchange of every copy, and of requests that were sent only', async () => {
    const heard = new Heard();
    const { rig, send, replay } = await copy(heard, 2);
    send(request('GET /drop'));
    send(request('GET /a'));
    const [first, second] = rig.target.sessions;
    first!.ack();
    first!.say(OK);
    second!.end('refused');
    expect(heard.exchanges).toEqual(['GET /a 200 0', 'GET /a undefined undefined']);
    replay.ended('fin', seqNum(100));
    expect(rig.buckets).toEqual({ answered: 1, filtered: 2, refused: 1 });
  });
});
