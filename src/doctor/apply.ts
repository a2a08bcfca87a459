/** `--apply`: the only place where the doctor changes anything, on the host it runs on, and only what it has printed. */
import { execFile } from 'node:child_process';
import type { RunEnvironment } from '../core/run-environment.ts';
import type { HostRole } from '../diagnosis/evidence.ts';
import type { Finding } from '../diagnosis/finding.ts';

/** A command that does not come back is no fix. */
const PATIENCE_MS = 20_000;

/** Runs the commands for `host` one after the other; whether there were any. */
export async function applyFixes(
  findings: readonly Finding[],
  host: HostRole,
  { log }: RunEnvironment,
): Promise<boolean> {
  const steps = findings.flatMap(({ fix }) => fix).filter((step) => step.host === host && step.isOption !== true);
  for (const { command } of steps) {
    log.warn(`applying: ${command}`);
    const problem = await run(command);
    if (problem !== undefined) log.error(`it failed: ${problem}`);
  }
  if (steps.length === 0) log.warn('nothing of it can be mended by a command on this host');
  return steps.length > 0;
}

function run(command: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile('sh', ['-c', command], { timeout: PATIENCE_MS }, (error, _, stderr) =>
      resolve(error === null ? undefined : stderr.trim() || error.message),
    );
  });
}
