/** Recordings of MySQL replayed to a real MariaDB: statements with its ids, other users, compressed and lossy ones. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askMariaDb, mariaDbFiles, mariaDbObstacle } from '../support/mariadb.ts';
import { MariaDbServer } from '../support/mariadb-server.ts';
import { CAPTURES } from '../support/shared-captures.ts';
import { replayOffline } from './offline/offline-run.ts';

const PASSWORD = 'word of the test server';
const obstacle = mariaDbObstacle();

describe.skipIf(obstacle !== undefined)(`MariaDB${obstacle === undefined ? '' : ` [skipped: ${obstacle}]`}`, () => {
  let server: MariaDbServer;
  let data = '';
  let port = 0;

  beforeAll(async () => {
    server = await MariaDbServer.start();
    ({ data, port } = server);
    askMariaDb(
      data,
      `create user shadow@'%' identified by '${PASSWORD}'; grant all on *.* to shadow@'%'; create database t`,
    );
  }, 60_000);

  afterAll(() => server.stop());

  const replay = (file: string, options = '') =>
    replayOffline({
      input: [CAPTURES + file],
      map: [`3306-127.0.0.1:${port}`],
      target: 'socket',
      plugin: [`mysql,user=shadow,password=${PASSWORD}${options}`],
    });
  const rows = () => askMariaDb(data, 'select count(*) from t.a; checksum table t.a').trim();
  const said = (pattern: RegExp) => readFileSync(mariaDbFiles(data).generalLog, 'utf8').match(pattern)?.length ?? 0;

  it('all of a conversation, and the same where it is compressed, and where packets were lost and sent again', async () => {
    const found: string[] = [];
    for (const file of [
      'mysql_prep.server',
      'mysql_compress.server',
      'mysql_prep_lossy.client',
      'mysql_prep_lossy.server',
    ]) {
      const { summary, output } = await replay(`own/${file}.pcap`);
      expect(summary, output.join('\n')).toMatchObject({ balanced: true, fidelityPercent: 100, requests: { lost: 0 } });
      expect(output.join('\n')).not.toContain(PASSWORD);
      found.push(rows());
    }
    expect(new Set(found).size).toBe(1);
    expect(said(/ Execute\t/g)).toBe(4 * 70);
    expect(said(/ Change user\tshadow@/g)).toBe(4);
  }, 60_000);

  it('a file of the client, where that is allowed', async () => {
    const kept = await replay('own/mysql_load.server.pcap');
    expect(kept.summary?.requests.buckets).toMatchObject({ filtered: 2 });
    expect(rows()).toMatch(/^0\n/);
    const sent = await replay('own/mysql_load.server.pcap', ',localInfile=pass');
    expect(sent.summary, sent.output.join('\n')).toMatchObject({ fidelityPercent: 100, requests: { lost: 0 } });
    expect(Number(rows().split('\n')[0])).toBeGreaterThan(1_000);
  }, 60_000);

  it('a connection that was open before: all but the statements that were prepared before', async () => {
    const before = said(/ Query\t/g);
    const { summary, output } = await replay('own-derived/midstream_mysql_prep.pcap', ',database=t');
    const { buckets, lost } = summary!.requests;
    expect([summary!.balanced, buckets['not-replayable']], output.join('\n')).toEqual([true, lost]);
    expect(output.join('\n')).toContain('its statement is not known');
    expect(said(/ Query\t/g) - before).toBe(3);
  }, 60_000);

  it('a recording that lacks packets: what is lost is counted by reason', async () => {
    const { summary, output } = await replay('own-derived/loss2pct_mysql_prep.pcap');
    const { buckets, lost } = summary!.requests;
    expect(summary!.balanced).toBe(true);
    expect((buckets['not-replayable'] ?? 0) + (buckets['capture-gap'] ?? 0), output.join('\n')).toBe(lost);
    expect(summary!.fidelityPercent).toBeGreaterThan(80);
  }, 60_000);
});
