/** `--target socket`: ordinary connections from this host are all there is. */
import type { Evidence } from '../evidence.ts';
import { finding, on, type Finding } from '../finding.ts';

export function socketFindings({ targets }: Evidence): Finding[] {
  return targets.flatMap(({ address, port, connect }): Finding[] => {
    if (connect === 'connected') return [];
    if (connect === 'refused') {
      return [
        finding({
          cause: 'not-listening',
          host: 'test',
          title: `nothing listens on ${address} port ${port}`,
          reason: 'the test server refuses connections',
          fix: [on('test', `ss -ltn 'sport = :${port}'   # start the service, on all addresses`)],
        }),
      ];
    }
    return [
      finding({
        cause: 'firewall',
        certainty: 'likely',
        host: 'test',
        title: `${address} port ${port} cannot be reached from here`,
        reason: connect === 'timeout' ? 'a connection is neither accepted nor refused' : `the kernel says ${connect}`,
        fix: [on('test', `iptables -I INPUT -p tcp --dport ${port} -j ACCEPT`)],
        confirm: [on('online', `ip route get ${address}`)],
      }),
    ];
  });
}
