import { describe, expect, it } from 'vitest';
import { screen, titleOf } from '../../../src/diagnosis/screen.ts';
import { stagesOf } from '../../../src/diagnosis/stages.ts';
import { CASES, judge } from './cases.ts';
import { assistantProbe, evidence, probe, SILENT } from './samples.ts';

describe('screen', () => {
  it.each(CASES)('$what fits a terminal, and every fix says where', ({ is }) => {
    const lines = screen(titleOf(is.plan), stagesOf(is), judge(is));
    for (const line of lines) if (!/^ {3}(fix|look) /.test(line)) expect(line.length).toBeLessThanOrEqual(100);
    expect(
      lines
        .filter((line) => /^ {3}fix/.test(line))
        .every((line) => /^ {3}fix {3}(online|test|assistant)# +\S/.test(line)),
    ).toBe(true);
    expect(lines.join('\n')).not.toMatch(/undefined|\[object/);
  });

  it.each([40, 80, 200])('fills %i columns', (columns) => {
    const e = evidence({ probes: [probe(SILENT), assistantProbe()] });
    const lines = screen(titleOf(e.plan), stagesOf(e), judge(e), columns);
    const longest = Math.max(...lines.filter((line) => !/^ {3}(fix|look) /.test(line)).map((line) => line.length));
    expect(longest).toBeLessThanOrEqual(Math.max(60, Math.min(100, columns)));
    expect(longest).toBeGreaterThan(50);
  });

  it('notes forwarding where it does not show what becomes of answers', () => {
    const forwards = CASES.find(({ what }) => what === 'forwarding that a firewall there keeps in')!.is;
    const note = '  note  forwarding         on for eth0 at 192.0.2.20, which may pass answers on';
    expect(screen(titleOf(forwards.plan), stagesOf(forwards), [])).toContain(note);
    const seen = CASES.find(({ what }) => what === 'forwarding')!.is;
    expect(screen(titleOf(seen.plan), stagesOf(seen), judge(seen)).join('\n')).not.toContain('note  forwarding');
  });

  it('is short where all is well', () => {
    const well = evidence();
    expect(screen(titleOf(well.plan), stagesOf(well), []).join('\n')).toMatchInlineSnapshot(`
      "tcpcopy doctor: port 80 to 192.0.2.10:8080, from 10.9.8.0/24

        ok    this host          50 packets to port 80 in 1 s on eth0
        ok    intercept          192.0.2.20:36524, release 1.0.0, captures on eth0
        ok    probes left        1 of 1, by eth0
        ok    target answered    1 of 1
        ok    answers arrived    1 of 1, at 192.0.2.20
        ok    answers matched    1 of 1
        ok    full-size packets  1500 bytes

      Nothing found."
    `);
  });

  it('shows how far probes got', () => {
    const e = evidence({ probes: [probe(SILENT), assistantProbe()] });
    expect(screen(titleOf(e.plan), stagesOf(e), judge(e)).join('\n')).toMatchInlineSnapshot(`
      "tcpcopy doctor: port 80 to 192.0.2.10:8080, from 10.9.8.0/24

        ok    this host          50 packets to port 80 in 1 s on eth0
        ok    intercept          192.0.2.20:36524, release 1.0.0, captures on eth0
        ok    probes left        1 of 1, by eth0
        NO    target answered    0 of 1
        -     answers arrived
        -     answers matched
        -     full-size packets

      One thing to mend:

      1. Likely: the test server has no route to 10.9.8.0/24, or a wrong one
         It answers this host and, from here, 192.0.2.20; nobody sees an answer to 10.9.8.1.
         fix   test#      ip route replace 10.9.8.0/24 via 192.0.2.20
         look  test#      ip route get 10.9.8.1"
    `);
  });
});
