/** 200 uploads of 1 MB arrive byte for byte. */
import { expect } from 'vitest';
import { arrived, perfect, STANDARD_ARGS } from '../lab/live-copy.ts';
import { runLoad } from '../lab/load.ts';
import { startIntercept, startTcpcopy, stopTcpcopy } from '../lab/programs.ts';
import { describeLab, labTest } from '../lab/rig.ts';
import { RecordingServer } from '../lab/servers.ts';

const POSTS = 200;
const MEGABYTE = 1_000_000;

describeLab('large posts', () => {
  for (const offloads of [true, false])
    labTest(`${POSTS} posts of 1 MB, offloads ${offloads ? 'on' : 'off'}`, { offloads }, async (lab) => {
      const online = await RecordingServer.start(lab.host('online'));
      const test = await RecordingServer.start(lab.host('test'));
      await startIntercept(lab.host('assistant'));
      const tcpcopy = await startTcpcopy(lab.host('online'), STANDARD_ARGS);
      await runLoad(lab.host('client'), {
        address: lab.host('online').on('front').v4,
        ...{ requests: POSTS, connections: 4, perConnection: 50, body: MEGABYTE, rate: 25 },
      });
      await arrived(online, test, { patience: 20_000 });
      const { stopped, summary } = await stopTcpcopy(tcpcopy);
      await online.stop();
      await test.stop();
      const records = { online: online.records(), test: test.records() };
      expect(records.online).toHaveLength(POSTS);
      perfect({ ...records, stopped, summary });
      const streams = (server: RecordingServer) =>
        server
          .closedConnections()
          .map(({ bytes, sha256 }) => `${bytes} ${sha256}`)
          .sort();
      expect(streams(test)).toEqual(streams(online));
    });
});
