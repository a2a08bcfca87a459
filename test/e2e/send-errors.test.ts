/** The kernel refuses to send some packets, or clients look alike: neither ends the copying or costs a request. */
import { expect } from 'vitest';
import { ASSISTANT, copyLive, TARGET } from './lab/live-copy.ts';
import { runLoad } from './lab/load.ts';
import { HOSTS } from './lab/plan.ts';
import { describeLab, labTest } from './lab/rig.ts';

describeLab('packets that the kernel will not send', () => {
  labTest('EPERM: the firewall of the online host drops a fifth of them', {}, async (lab) => {
    const online = lab.host('online');
    online.sh('iptables -A OUTPUT -p tcp -d 10.77.2.2 --dport 80 -m statistic --mode random --probability 0.2 -j DROP');
    const address = online.on('front').v4;
    const { summary } = await copyLive(
      lab,
      () => runLoad(lab.host('client'), { address, requests: 300, rate: 100, connections: 16, perConnection: 10 }),
      { patience: 20_000 },
    );
    expect(summary.target.sendFailures).toMatchObject({ EPERM: expect.any(Number) as number });
  });

  labTest('EMSGSIZE: the route to the test server has a small MTU', {}, async (lab) => {
    const online = lab.host('online');
    online.sh('ip route replace 10.77.2.2/32 dev back mtu lock 600');
    const address = online.on('front').v4;
    await copyLive(
      lab,
      () =>
        runLoad(lab.host('client'), {
          address,
          path: '/post',
          requests: 200,
          rate: 100,
          body: 6_000,
          perConnection: 20,
        }),
      { patience: 20_000 },
    );
  });
});

describeLab('clients with equal ports', () => {
  labTest('behind one -c address, none is lost', { extraHosts: ['client2'] }, async (lab) => {
    const loop = (host: string, from: string) => `
      for port in $(seq 20001 20008); do
        curl -sS -o /dev/null --interface ${from} --local-port $port "http://10.77.1.1/1k?id=${host}-${from}-$port" \\
          --next -o /dev/null "http://10.77.1.1/1k?id=${host}-${from}-$port-again" &
      done`;
    const { online } = await copyLive(
      lab,
      () => {
        for (const name of ['client', 'client2'] as const) {
          const loops = HOSTS[name].aliases.map((from) => loop(name, from));
          lab.host(name).sh(`${loops.join('\n')}\nwait`);
        }
        return Promise.resolve();
      },
      { args: ['-x', TARGET, '-s', ASSISTANT, '-c', '192.168.100.7', '-i', 'front', '-n', '3'], copies: 3 },
    );
    expect(online).toHaveLength(2 * 10 * 8 * 2);
  });
});
