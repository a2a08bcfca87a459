/** What ends or empties a copy by the C tools, where no other test here has it: each costs nothing, or has a name. */
import { expect } from 'vitest';
import type { Lab } from './lab/lab.ts';
import { ASSISTANT, STANDARD_ARGS, TARGET, arrived, copyLive, perfect } from './lab/live-copy.ts';
import { runLoad } from './lab/load.ts';
import { Nginx } from './lab/nginx.ts';
import { HOSTS } from './lab/plan.ts';
import { startIntercept, startTcpcopy, stopTcpcopy } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { sleep } from './lab/shell.ts';
import { runWrk, Wrk } from './lab/wrk.ts';

/** After a fault: retransmissions, by a timer that doubles from a second (RFC 6298). */
const PATIENCE = 20_000;

/** Long and short connections for some seconds. */
function mixedLoad(lab: Lab, seconds: number): Promise<unknown> {
  const client = lab.host('client');
  const load = { address: lab.host('online').on('front').v4, seconds, connections: 16, rate: 200 };
  return Promise.all([
    runWrk(client, { ...load, tag: 'long' }),
    runWrk(client, { ...load, tag: 'short', short: true }),
  ]);
}

describeLab('the kernel refuses to send', () => {
  labTest('everything for three seconds (EPERM): retransmitted afterwards, and named', {}, async (lab) => {
    const online = lab.host('online');
    const rule = 'OUTPUT -p tcp -d 10.77.2.2 --dport 80 -j DROP';
    const { summary } = await copyLive(
      lab,
      async () => {
        const load = mixedLoad(lab, 6);
        await sleep(2_000);
        online.sh(`iptables -A ${rule}`);
        // Longer than a target may be silent before connections are left out: this one was not asked.
        await sleep(3_000);
        online.sh(`iptables -D ${rule}`);
        await load;
      },
      { patience: PATIENCE },
    );
    expect(summary.target.sendFailures['EPERM']).toBeGreaterThan(100);
    expect(summary).toMatchObject({ fidelityPercent: 100, requests: { lost: 0 } });
  });

  labTest(
    'what the path no longer takes (EMSGSIZE): sessions already open go on in smaller packets',
    {},
    async (lab) => {
      const online = lab.host('online');
      const { v4: address } = online.on('front');
      const posts = { address, path: '/post', requests: 240, rate: 60, body: 8_000, connections: 4 };
      const { summary, test } = await copyLive(
        lab,
        async () => {
          const load = runLoad(lab.host('client'), posts);
          await sleep(2_000);
          online.sh('ip route replace 10.77.2.2/32 dev back mtu lock 600');
          await load;
        },
        { patience: PATIENCE },
      );
      // The same connections before and after.
      expect(new Set(test.map((r) => r.connection)).size).toBe(posts.connections);
      expect(summary.target.sendFailures['EMSGSIZE']).toBeGreaterThan(0);
      // Once a session knows, it sends no more that do not fit.
      expect(summary.target.sendFailures['EMSGSIZE']).toBeLessThan(100 * posts.connections);
      expect(summary).toMatchObject({ fidelityPercent: 100, requests: { lost: 0 } });
    },
  );
});

describeLab('an intercept that is stalled', () => {
  labTest('for a second, twice, costs neither the connections that are open nor new ones', {}, async (lab) => {
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    const intercept = await startIntercept(lab.host('assistant'));
    const tcpcopy = await startTcpcopy(lab.host('online'), STANDARD_ARGS);
    const load = mixedLoad(lab, 6);
    for (let i = 0; i < 2; i++) {
      await sleep(1_000);
      intercept.child.kill('SIGSTOP');
      await sleep(1_000);
      intercept.child.kill('SIGCONT');
    }
    await load;
    await arrived(online, test, { patience: PATIENCE });
    const { stopped, summary } = await stopTcpcopy(tcpcopy);
    perfect({ online: online.records(), test: test.records(), stopped, summary });
    expect(summary).toMatchObject({ fidelityPercent: 100, requests: { lost: 0 } });
  });
});

describeLab('source ports', () => {
  labTest('at the top of the range, with -n 3 and two -c addresses, collide with nothing', {}, async (lab) => {
    const ports = 200;
    const copies = 3;
    const { online } = await copyLive(
      lab,
      () => {
        const loops = HOSTS.client.aliases.slice(0, 2).map(
          (from) => `
          for port in $(seq ${65_535 - ports + 1} 65535); do
            curl -sS -o /dev/null --interface ${from} --local-port $port "http://10.77.1.1/1k?id=${from}-$port"
          done &`,
        );
        lab.host('client').sh(`${loops.join('\n')}\nwait`);
        return Promise.resolve();
      },
      {
        args: ['-x', TARGET, '-s', ASSISTANT, '-c', '192.168.100.7,192.168.100.8', '-i', 'front', '-n', String(copies)],
        copies,
      },
    );
    expect(online).toHaveLength(2 * ports);
  });

  labTest('of two instances on one host collide with nothing', {}, async (lab) => {
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    await startIntercept(lab.host('assistant'));
    const args = ['-x', TARGET, '-s', ASSISTANT, '-c', '192.168.100.7', '-i', 'front'];
    const instances = [await startTcpcopy(lab.host('online'), args), await startTcpcopy(lab.host('online'), args)];
    const wrk = new Wrk(lab.host('client'), {
      address: lab.host('online').on('front').v4,
      connections: 16,
      rate: 200,
      seconds: 3,
      short: true,
    });
    await wrk.finished();
    await arrived(online, test, { copies: 2 });
    for (const [i, instance] of instances.entries()) {
      const { stopped, summary } = await stopTcpcopy(instance);
      if (i === 1) perfect({ online: online.records(), test: test.records(), stopped, summary }, { copies: 2 });
    }
  });
});
