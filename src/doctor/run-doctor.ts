/** `tcpcopy doctor`: gathers, judges, says what it found, and with `--apply` mends what is this host's to mend. */
import pc from 'picocolors';
import type { CopyOptions } from '../config/copy-options.ts';
import { hostDevices } from '../capture/host-devices.ts';
import { formatIp } from '../core/ip-address.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import type { Finding } from '../diagnosis/finding.ts';
import { planOf } from '../diagnosis/plan-of.ts';
import { screen, titleOf } from '../diagnosis/screen.ts';
import { setupLines, setupOf } from '../diagnosis/setup.ts';
import { stagesOf, type Stage } from '../diagnosis/stages.ts';
import { applyFixes } from './apply.ts';
import { gather } from './gather.ts';

export const HEALTHY = 0;
export const FOUND_SOMETHING = 1;

export interface DoctorOptions extends CopyOptions {
  readonly doctor: {
    /** Run the fixes for this host, then look again. */
    readonly apply: boolean;
    readonly json: boolean;
    /** Print the commands that set everything up, and do nothing. `line`: the options as they were typed. */
    readonly printSetup: boolean;
    readonly line: string;
  };
}

/** Resolves with the exit code: 0 nothing found, 1 something. */
export async function runDoctor(options: DoctorOptions, environment: RunEnvironment): Promise<number> {
  const { apply, json, printSetup, line } = options.doctor;
  const { stdout } = environment;
  if (printSetup) {
    const own = hostDevices().flatMap(({ addresses }) => addresses.map(({ address }) => formatIp(address)));
    for (const text of setupLines(setupOf(planOf(options), line, own))) stdout(text);
    return HEALTHY;
  }
  const version = environment.version ?? '';
  const look = async (): Promise<Finding[]> => {
    const evidence = await gather(options, version);
    const findings = diagnose(evidence, version);
    tell(environment, json, titleOf(evidence.plan), stagesOf(evidence), findings, evidence);
    return findings;
  };
  let findings = await look();
  if (apply && findings.length > 0) {
    if (await applyFixes(findings, 'online', environment)) {
      if (!json) stdout('');
      findings = await look();
    }
  }
  return findings.length === 0 ? HEALTHY : FOUND_SOMETHING;
}

/** Lines for a person, or one object for a machine. */
export function tell(
  { stdout, columns, colors: colored }: RunEnvironment,
  json: boolean,
  title: string,
  stages: readonly Stage[],
  findings: readonly Finding[],
  evidence: unknown,
): void {
  if (json) stdout(JSON.stringify({ healthy: findings.length === 0, findings, stages, evidence }));
  else {
    const colors = pc.createColors(colored ?? false);
    const paint = { bad: colors.red, title: colors.bold, fix: colors.magenta };
    for (const text of screen(title, stages, findings, columns, paint)) stdout(text);
  }
}
