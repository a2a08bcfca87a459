/** docs/doctor.md shows what the program prints. `UPDATE_DOC=1` writes it there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { programVersion } from '../../../src/cli/version.ts';
import { checkFindings, checkStages, type InterceptHost } from '../../../src/diagnosis/check.ts';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { Evidence } from '../../../src/diagnosis/evidence.ts';
import { CAUSES } from '../../../src/diagnosis/finding.ts';
import { screen, titleOf } from '../../../src/diagnosis/screen.ts';
import { setupLines, setupOf } from '../../../src/diagnosis/setup.ts';
import { stagesOf } from '../../../src/diagnosis/stages.ts';
import { assistantProbe, evidence, FULL, INTERCEPT, PLAN, probe, seen, SILENT } from './samples.ts';

const file = new URL('../../../docs/doctor.md', import.meta.url);
const page = readFileSync(file, 'utf8');
const VERSION = programVersion();
/** As of this release. */
const now = (e: Evidence): Evidence => ({
  ...e,
  intercepts: e.intercepts.map((intercept) => ({ ...intercept, version: VERSION })),
});
const show = (e: Evidence): string[] => screen(titleOf(e.plan), stagesOf(now(e)), diagnose(now(e), VERSION));

const CHECKED: InterceptHost = {
  devices: ['eth0'],
  port: 36_524,
  permission: undefined,
  missingDevices: [],
  forwarding: [{ name: 'eth0', family: 4 }],
  frames: 212,
  listen: 'in-use',
};

const SCREENS: Record<string, string[]> = {
  healthy: show(evidence()),
  'no-route-back': show(evidence({ probes: [probe(SILENT), assistantProbe()] })),
  'two-things': show(
    evidence({
      intercepts: [{ ...INTERCEPT, devices: [{ ...INTERCEPT.devices[1]!, forwards4: true }] }],
      probes: [
        probe({ seen: [seen('syn-ack'), seen('syn-ack', { outgoing: true, device: 'eth1' })] }),
        probe({ ...FULL, ...SILENT }),
        probe({ ...FULL, size: 1400 }),
      ],
    }),
  ),
  check: screen(
    'intercept --check: captures on eth0, control port 36524',
    checkStages(CHECKED),
    checkFindings(CHECKED),
  ),
  setup: setupLines(setupOf(PLAN, '-x 80-192.0.2.10:8080 -s 192.0.2.20 -c 10.9.8.x', [])),
};

const BLOCK = /<!-- screen: ([\w-]+) -->\n```\n([\s\S]*?)```/g;

describe('docs/doctor.md', () => {
  it('shows what is printed', () => {
    const wanted = page.replaceAll(
      BLOCK,
      (_, name: string) => `<!-- screen: ${name} -->\n\`\`\`\n${SCREENS[name]!.join('\n')}\n\`\`\``,
    );
    if (process.env['UPDATE_DOC'] !== undefined) writeFileSync(file, wanted);
    else expect(page).toBe(wanted);
    expect([...page.matchAll(BLOCK)].map(([, name]) => name).sort()).toEqual(Object.keys(SCREENS).sort());
  });

  it('has every cause', () => {
    expect(CAUSES.filter((cause) => !page.includes(`\`${cause}\``))).toEqual([]);
  });
});
