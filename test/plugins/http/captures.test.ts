/** Every HTTP stream of the recordings, both directions, against what is known of it. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { HttpResponseCodec } from '../../../plugins/http/index.ts';
import { captureManifest, CAPTURES, type CaptureStream } from '../../support/shared-captures.ts';
import { captureStreams } from '../../support/capture-streams.ts';
import { cut } from '../../support/codec-driving.ts';
import { bodyOf, feed, type Transcript } from './transcript.ts';

interface HttpStream extends CaptureStream {
  /** Heads; what follows counts and hashes complete requests and all decoded bodies, and responses. */
  readonly http_requests?: number;
  readonly http?: {
    readonly requests_complete: number;
    readonly request_lines_sha256: string;
    readonly request_bodies_sha256: string;
    readonly responses: number;
    readonly response_body_bytes: number;
  };
}

/** HTTP/0.9, which llhttp reads and we pass on raw. */
const OTHER_VERSION = 'link/zeek__mixed-vlan-mpls.pcap';

const FILES = captureManifest()
  .map(({ file, streams }) => ({ file, streams: (streams as readonly HttpStream[]).filter((s) => s.http) }))
  .filter(({ streams }) => streams.length > 0);

it('there are recordings', () => {
  expect(FILES.flatMap(({ streams }) => streams).length).toBeGreaterThan(400);
});

it.each(FILES.map(({ file, streams }) => [file, streams] as const))('%s', async (file, wanted) => {
  const streams = await captureStreams(CAPTURES + file);
  const exceptions: string[] = [];
  for (const stream of wanted) {
    const client = streams.get(stream.c2s_sha256)!;
    const server = streams.get(stream.s2c_sha256)!;
    const segments = cutAt(client, 1400);
    const streamed = feed(segments);
    const held = feed(segments, { end: true, settings: { wantsBody: () => true, bodyLimit: 1 << 26 } });
    if (streamed.unparsable === 'other-version') {
      exceptions.push(file);
      continue;
    }
    expect({ stream: stream.stream, ...requestsOf(streamed), ...bodiesOf(held), ...responsesTo(held, server) }).toEqual(
      {
        stream: stream.stream,
        requests: stream.http_requests,
        complete: stream.http!.requests_complete,
        lines: stream.http!.request_lines_sha256,
        bodies: stream.http!.request_bodies_sha256,
        responses: stream.http!.responses,
        responseBytes: stream.http!.response_body_bytes,
      },
    );
    // Unchanged bytes are the captured bytes.
    expect(Buffer.compare(streamed.bytes, client.subarray(0, streamed.bytes.length))).toBe(0);
    expect(Buffer.compare(feed(segments, { end: true }).bytes, client)).toBe(0);
  }
  expect(exceptions).toEqual(file === OTHER_VERSION ? [file] : []);
});

function cutAt(bytes: Uint8Array, length: number): Uint8Array[] {
  return cut(
    bytes,
    Array.from({ length: Math.floor(bytes.length / length) }, (_, i) => (i + 1) * length),
  );
}

function requestsOf(t: Transcript) {
  return {
    requests: t.messages.length,
    complete: t.messages.filter((m) => m.complete).length,
    lines: sha256(t.messages.map((m) => `${m.line}\n`).join('')),
  };
}

function bodiesOf(t: Transcript) {
  return { bodies: sha256(Buffer.concat(t.messages.map(bodyOf))) };
}

function responsesTo(t: Transcript, server: Uint8Array) {
  const codec = new HttpResponseCodec<string>();
  for (const { request, line } of t.messages) codec.expect(request.method, line);
  let [responses, responseBytes] = [0, 0];
  const drain = () => {
    for (let response = codec.next(); response !== undefined; response = codec.next()) {
      responses++;
      responseBytes += response.bodyLength;
    }
  };
  for (const segment of cutAt(server, 1400)) {
    codec.push(segment, 0, segment.length);
    drain();
  }
  codec.end();
  drain();
  return { responses, responseBytes };
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
