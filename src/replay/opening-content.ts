/** What the first bytes of a stream tell of who sent them, where no SYN does: the least that a request or a response begins with. */
import type { Segment } from '../wire/segment.ts';

/** Bytes enough to tell. */
export const OPENING_BYTES = 16;

const REQUEST = /^(?:(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|TRACE|CONNECT|PATCH) |PRI \* HTTP)/;
/** HTTP, Redis status and error replies, and the greeting of MySQL protocol 10. */
const RESPONSE = /^(?:HTTP\/1\.|\+OK\r|-ERR |.{3}\0\x0a\d\.)/s;
/** A Redis command, or one of its replies. */
const ARRAY = /^\*\d+\r\n\$/;
/** Of Redis, its sentinels and cluster nodes, where such an array is a reply. */
const REDIS_PORTS: ReadonlySet<number> = new Set([6379, 7000, 26_379]);

/** `opening`: as Latin-1 text. */
export function senderOf(opening: string): 'client' | 'server' | undefined {
  if (REQUEST.test(opening)) return 'client';
  return RESPONSE.test(opening) ? 'server' : undefined;
}

/** Whether it is a Redis command, said by who was taken for the server on `port`. */
export function isCommand(opening: string, port: number): boolean {
  return ARRAY.test(opening) && !REDIS_PORTS.has(port);
}

/** Which end of a connection is the client, by what the first segment that is seen of it carries. */
export function clientByContent({
  bytes,
  payloadOffset,
  payloadLength,
}: Segment): 'source' | 'destination' | undefined {
  const length = Math.min(payloadLength, OPENING_BYTES);
  const sender = senderOf(String.fromCharCode(...bytes.subarray(payloadOffset, payloadOffset + length)));
  return sender === undefined ? undefined : sender === 'client' ? 'source' : 'destination';
}
