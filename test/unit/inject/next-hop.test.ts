import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  attributesOf,
  messagesOf,
  netlinkRequest,
  readWord,
  readWordAt,
  word,
  type Attribute,
} from '../../../src/inject/netlink.ts';
import { findNextHop } from '../../../src/inject/next-hop.ts';

const MAC = Uint8Array.from([2, 0, 0, 0, 0, 9]);
const V4 = Uint8Array.from([192, 0, 2, 7]);
const GATEWAY = Uint8Array.from([192, 0, 2, 1]);
const [GET_LINK, GET_ROUTE, GET_NEIGHBOUR] = [18, 26, 30];
const [UNICAST, BLACKHOLE] = [1, 6];
const [UP, LOOPBACK, RUNNING] = [0x1, 0x8, 0x40];
const [ETHERNET, TUNNEL] = [1, 768];
const [INCOMPLETE, REACHABLE, FAILED] = [0x01, 0x02, 0x20];
const nested = (type: number, value: number) => netlinkRequest(0, 0, [], [[type, word(value)]]).subarray(16);

/** A host with one route, one device and one neighbour, each of which a test can spoil. */
interface Tables {
  routeType: number;
  route: Attribute[];
  /** As the table has it, beside what is above. */
  entry: Attribute[];
  routeErrno: number;
  deviceType: number;
  flags: number;
  device: Attribute[];
  state: number;
  neighbour: Attribute[];
}

const plain = (): Tables => ({
  routeType: UNICAST,
  route: [[4, word(3)]],
  entry: [],
  routeErrno: 0,
  deviceType: ETHERNET,
  flags: UP | RUNNING,
  device: [[4, word(1_500)]],
  state: REACHABLE,
  neighbour: [[2, MAC]],
});

interface Asked {
  readonly type: number;
  readonly attributes: Map<number, Uint8Array>;
}

function kernel(tables: Tables): { ask: (protocol: number, request: Uint8Array) => Uint8Array; asked: Asked[] } {
  const asked: Asked[] = [];
  const ask = (protocol: number, request: Uint8Array): Uint8Array => {
    expect(protocol).toBe(0);
    const [{ type, body }] = [...messagesOf(request)] as [{ type: number; body: DataView }];
    asked.push({ type, attributes: attributesOf(body, type === GET_LINK ? 16 : 12) });
    switch (type) {
      case GET_ROUTE: {
        if (tables.routeErrno !== 0) return netlinkRequest(2, 0, [[4, -tables.routeErrno >>> 0]]);
        const matched = readWordAt(body, 8) === 0x2000;
        const fixed = [2, 32, 0, 0, 254, 0, 0, tables.routeType].map((value) => [1, value] as const);
        return netlinkRequest(24, 0, [...fixed, [4, 0]], [...tables.route, ...(matched ? tables.entry : [])]);
      }
      case GET_LINK:
        expect(readWordAt(body, 4)).toBe(3);
        return netlinkRequest(
          16,
          0,
          [
            [1, 0],
            [1, 0],
            [2, tables.deviceType],
            [4, 3],
            [4, tables.flags],
            [4, 0],
          ],
          tables.device,
        );
      default:
        expect(type).toBe(GET_NEIGHBOUR);
        return netlinkRequest(
          28,
          0,
          [
            [1, 2],
            [1, 0],
            [2, 0],
            [4, 3],
            [2, tables.state],
            [1, 0],
            [1, 0],
          ],
          tables.neighbour,
        );
    }
  };
  return { ask, asked };
}

const find = (change: Partial<Tables> = {}, routing = { mark: 0, device: 0 }) =>
  findNextHop(kernel({ ...plain(), ...change }).ask, V4, routing);

describe('findNextHop', () => {
  it('finds device, address and MTU', () => {
    expect(find()).toEqual({ device: 3, mac: MAC, mtu: 1_500 });
  });

  it('asks for the neighbour that the route names, or for the destination itself', () => {
    const neighbourAsked = (route: Attribute[]) => {
      const { ask, asked } = kernel({ ...plain(), route });
      findNextHop(ask, V4, { mark: 0, device: 0 });
      return asked.find(({ type }) => type === GET_NEIGHBOUR)!.attributes.get(1);
    };
    expect(neighbourAsked([[4, word(3)]])).toEqual(V4);
    expect(
      neighbourAsked([
        [4, word(3)],
        [5, GATEWAY],
      ]),
    ).toEqual(GATEWAY);
  });

  it('asks with the mark and the device that packets are sent with', () => {
    const { ask, asked } = kernel(plain());
    findNextHop(ask, V4, { mark: 7, device: 3 });
    for (const { type, attributes } of asked) {
      if (type === GET_ROUTE) expect([readWord(attributes.get(16)), readWord(attributes.get(4))]).toEqual([7, 3]);
    }
    expect(asked.filter(({ type }) => type === GET_ROUTE)).toHaveLength(2);
  });

  it('takes the smaller MTU, that of the route where it has one', () => {
    expect(
      find({
        route: [
          [4, word(3)],
          [8, nested(2, 1_400)],
        ],
      }),
    ).toMatchObject({ mtu: 1_400 });
    expect(
      find({
        route: [
          [4, word(3)],
          [8, nested(2, 9_000)],
        ],
      }),
    ).toMatchObject({ mtu: 1_500 });
    expect(
      find({
        route: [
          [4, word(3)],
          [8, nested(8, 1_400)],
        ],
      }),
    ).toMatchObject({ mtu: 1_500 });
  });

  it.each<[string, Partial<Tables>]>([
    ['no route (ENETUNREACH)', { routeErrno: constants.errno.ENETUNREACH }],
    ['its route leads to no other host', { routeType: BLACKHOLE }],
    ['its route has several ways', { entry: [[9, new Uint8Array(16)]] }],
    ['its route is a tunnel', { entry: [[22, new Uint8Array(4)]] }],
    [
      'its route is a tunnel',
      {
        route: [
          [4, word(3)],
          [18, new Uint8Array(18)],
        ],
      },
    ],
    ['its device is no Ethernet', { deviceType: TUNNEL }],
    ['its device is no Ethernet', { flags: UP | RUNNING | LOOPBACK }],
    ['its device is down', { flags: RUNNING }],
    ['its device is down', { flags: UP }],
    [
      'its device belongs to another',
      {
        device: [
          [4, word(1_500)],
          [10, word(9)],
        ],
      },
    ],
    ['its neighbour is not known', { state: INCOMPLETE, neighbour: [] }],
    ['its neighbour is not known', { state: FAILED }],
  ])('says why not: %s', (reason, change) => {
    expect(find(change)).toBe(reason);
  });

  it('says so when there is no answer that could be read', () => {
    expect(findNextHop(() => new Uint8Array(0), V4, { mark: 0, device: 0 })).toBe('no route (no answer)');
    expect(findNextHop(() => netlinkRequest(24, 0, [[4, 0]]), V4, { mark: 0, device: 0 })).toBe('no route (no answer)');
  });
});
