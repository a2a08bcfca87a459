import { describe, expect, it } from 'vitest';
import { setupOf } from '../../../src/diagnosis/setup.ts';
import { PLAN } from './samples.ts';

const commands = (...args: Parameters<typeof setupOf>) =>
  Object.fromEntries(setupOf(...args).map(({ title, commands: list, undo }) => [title.split(' ')[0], { list, undo }]));

describe('setupOf', () => {
  it('routes the copies to the assistant server, which does not forward', () => {
    const { test, assistant, online } = commands(PLAN, '-x …', []);
    expect(assistant!.list).toEqual([
      '[ -e /run/tcpcopy.undo ] || sysctl net.ipv4.ip_forward > /run/tcpcopy.undo',
      'sysctl -w net.ipv4.ip_forward=0',
      'intercept -i any -d -P /run/intercept.pid',
    ]);
    expect(assistant!.undo.at(-1)).toBe('sysctl -p /run/tcpcopy.undo && rm /run/tcpcopy.undo');
    expect(test!.list).toEqual(['ip route replace 10.9.8.0/24 via 192.0.2.20']);
    expect(test!.undo).toEqual(['ip route del 10.9.8.0/24 via 192.0.2.20']);
    expect(online!.list).toEqual(['tcpcopy -x …']);
  });

  it('makes a black hole on the test server when intercept runs there', () => {
    const { test, assistant } = commands({ ...PLAN, intercepts: [{ host: '192.0.2.10', port: 36_524 }] }, '', []);
    expect(assistant).toBeUndefined();
    expect(test!.list).toContain('ip route add 10.9.8.0/24 dev tcpcopy0');
    expect(test!.list).toContain('sysctl -w net.ipv4.conf.all.rp_filter=2');
    expect(test!.undo).toContain('ip link del tcpcopy0');
    expect(test!.list).toContain('[ -e /run/tcpcopy.undo ] || sysctl net.ipv4.conf.all.rp_filter > /run/tcpcopy.undo');
    expect(test!.undo).toContain('sysctl -p /run/tcpcopy.undo && rm /run/tcpcopy.undo');
  });

  it("keeps this host's kernel out when copies have its address", () => {
    const plan = { ...PLAN, clients: [{ network: '192.0.2.5/32', first: '192.0.2.5' }] };
    const { online } = commands(plan, '', ['192.0.2.5']);
    expect(online!.list[0]).toBe('iptables -I INPUT -p tcp -s 192.0.2.10 --sport 8080 -j DROP');
    expect(online!.undo).toContain('iptables -D INPUT -p tcp -s 192.0.2.10 --sport 8080 -j DROP');
  });

  it('speaks of IPv6, another control port, and clients that keep their addresses', () => {
    const v6 = {
      ...PLAN,
      targets: [{ address: '2001:db8::10', port: 80 }],
      intercepts: [{ host: '2001:db8::20', port: 9 }],
      clients: [],
    };
    const { test, assistant } = commands(v6, '', []);
    expect(assistant!.list).toEqual([
      '[ -e /run/tcpcopy.undo ] || sysctl net.ipv6.conf.all.forwarding > /run/tcpcopy.undo',
      'sysctl -w net.ipv6.conf.all.forwarding=0',
      'intercept -i any -p 9 -d -P /run/intercept.pid',
    ]);
    expect(test!.list).toEqual(['ip -6 route replace <network of the clients> via 2001:db8::20']);
  });

  it('needs nothing for ordinary sockets', () => {
    expect(setupOf({ ...PLAN, targetKind: 'socket' }, '-x …', [])).toHaveLength(1);
  });
});
