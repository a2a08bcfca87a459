/** Recording live traffic of a real nginx: as captured, and without secrets; what is recorded can be replayed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { inspectFile } from '../../src/replay/inspect-recording.ts';
import { ASSISTANT, TARGET } from './lab/live-copy.ts';
import { runLoad } from './lab/load.ts';
import { Nginx } from './lab/nginx.ts';
import { IO, RunningProgram, startIntercept } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';

const LOAD = { requests: 3_000, connections: 16, perConnection: 30, rate: 1_500 };
const WRONG = 'tcp.checksum.status == 0 || ip.checksum.status == 0 || _ws.malformed || tcp.analysis.ack_lost_segment';

describeLab('record', () => {
  labTest('as captured and through a plugin, then replayed', {}, async (lab) => {
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    const host = lab.host('online');
    const [frames, requests] = [host.file('frames.pcapng'), host.file('requests.pcapng.gz')];
    const record = (args: readonly string[]) =>
      new RunningProgram('tcpcopy', host, ['record', '-i', 'front', '-x', '80', ...args]);
    const recorders = [record(['-w', frames]), record(['-w', requests, '--plugin', 'header-scrub=drop'])];
    for (const recorder of recorders) await recorder.says(/recording 80/);
    await runLoad(lab.host('client'), { address: host.on('front').v4, ...LOAD });
    await online.settled(500);
    for (const recorder of recorders) {
      const { code, took, output } = await recorder.stop();
      expect({ code, summary: recorder.summary() }, output).toMatchObject({ code: 0, summary: { balanced: true } });
      expect(took).toBeLessThan(5_000);
      expect(recorder.summary().frames.kernelDropped).toBe(0);
    }
    expect(recorders[1]!.summary().requests).toMatchObject({ captured: LOAD.requests, lost: 0 });
    // Both directions, and none twice.
    expect(readFileSync(frames, 'latin1').match(/HTTP\/1\.1 200 OK\r\n/g)).toHaveLength(LOAD.requests);
    if (spawnSync('tshark', ['-v']).status === 0) {
      const checks = ['-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE', '-Y', WRONG];
      // libpcap does not say of which frames the checksum was left to the device, so they are recorded as they were.
      for (const file of IO === 'pcap' ? [requests] : [frames, requests]) {
        expect(execFileSync('tshark', ['-r', file, ...checks], { encoding: 'utf8', stdio: 'pipe' })).toBe('');
      }
    }

    const intercept = await startIntercept(lab.host('assistant'));
    const sent = online.records().map(({ id, fingerprint }) => `${id} ${fingerprint}`);
    for (const file of [frames, requests]) {
      const before = test.records().length;
      const args = ['-i', file, '-x', TARGET, '-s', ASSISTANT, '-c', '192.168.100.x', '--min-fidelity', '100'];
      const replay = new RunningProgram('tcpcopy', host, args);
      expect((await replay.child.exited).code, replay.output).toBe(0);
      const copied = test.records().slice(before);
      expect(copied.map(({ id, fingerprint }) => `${id} ${fingerprint}`).toSorted()).toEqual(sent.toSorted());
    }
    await intercept.stop();
  });

  labTest('a full disk ends it with one line, and the online server does not notice', {}, async (lab) => {
    const online = await Nginx.start(lab.host('online'));
    const host = lab.host('online');
    const mount = host.file('small');
    execFileSync('mkdir', [mount]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', mount]);
    try {
      const recorder = new RunningProgram('tcpcopy', host, [
        'record',
        '-i',
        'front',
        '-x',
        '80',
        '-w',
        `${mount}/a.pcapng`,
      ]);
      await recorder.says(/recording 80/);
      await runLoad(lab.host('client'), { address: host.on('front').v4, ...LOAD, requests: 1_000 });
      const { code } = await recorder.child.exited;
      expect(code, recorder.output).toBe(1);
      expect(recorder.output).toMatch(/tcpcopy: \S*a\.pcapng: the disk is full; .* \[E_FILE\]\n/);
      expect(recorder.summary().recording!.failed).toBeGreaterThan(0);
      const left = await inspectFile(`${mount}/a.pcapng`, () => undefined);
      expect(left.unreadable).toEqual([]);
      expect(left.frames).toBe(recorder.summary().recording!.packets);
      expect(online.records()).toHaveLength(1_000);
    } finally {
      // What has just been read is closed by another thread.
      execFileSync('umount', ['--lazy', mount]);
    }
  });
});
