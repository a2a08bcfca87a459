/** The examples of systemd units and of a container: what can be told of them without systemd and without Docker. */
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { copyCommand } from '../../../src/cli/copy-command.ts';
import { interceptCommand } from '../../../src/cli/intercept-command.ts';
import { parseCopyOptions } from '../../../src/config/copy-options-schema.ts';
import { parseInterceptOptions } from '../../../src/config/intercept-options-schema.ts';
import { CONTEXT } from '../config/options-fixture.ts';

const PROGRAMS = {
  tcpcopy: { command: copyCommand, parse: parseCopyOptions, minimum: ['-x', '80-192.0.2.10:8080', '-s', '192.0.2.20'] },
  intercept: { command: interceptCommand, parse: parseInterceptOptions, minimum: [] },
} as const;

/** Throws where the program would refuse it. */
function check(name: keyof typeof PROGRAMS, args: readonly string[]): void {
  const program = PROGRAMS[name];
  const command: Command = program.command();
  command.action(() => undefined).parse([...args], { from: 'user' });
  program.parse(command.opts(), CONTEXT);
}

describe.each(['tcpcopy', 'intercept'] as const)('%s.service', (name) => {
  const text = readFileSync(`examples/systemd/${name}.service`, 'utf8');
  const settings = new Map(
    text.split('\n').flatMap((line) => {
      const match = /^(\w+)=(.*)$/.exec(line);
      return match === null ? [] : [[match[1]!, match[2]!] as const];
    }),
  );

  it('starts it with options that it knows', () => {
    const [program, ...args] = settings.get('ExecStart')!.split(' ');
    expect(program).toBe(`/usr/bin/${name}`);
    expect(args.at(-1)).toBe(`$${name.toUpperCase()}_ARGS`);
    check(name, [...args.slice(0, -1), ...PROGRAMS[name].minimum]);
  });

  it('shows in its comment arguments that it takes', () => {
    const [, shown] = new RegExp(`${name.toUpperCase()}_ARGS=([^']+)'`).exec(text)!;
    check(name, shown!.split(' '));
  });

  it('gives it one capability, which test/e2e/rights.test.ts shows to be enough', () => {
    expect(settings.get('DynamicUser')).toBe('yes');
    expect(settings.get('AmbientCapabilities')).toBe('CAP_NET_RAW');
    expect(settings.get('CapabilityBoundingSet')).toBe('CAP_NET_RAW');
    expect(settings.get('NoNewPrivileges')).toBe('yes');
    // V8 writes code and runs it.
    expect(text).not.toContain('MemoryDenyWriteExecute');
  });

  it('leaves no core dump, which would hold traffic', () => {
    expect(settings.get('LimitCORE')).toBe('0');
  });
});

describe('the container', () => {
  const dockerfile = readFileSync('examples/docker/Dockerfile', 'utf8');
  const ignore = readFileSync('.dockerignore', 'utf8').split('\n');

  it('is built from files that are there, and reach the build', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, files]) => files!.split(' '));
    expect(copied).toContain('src');
    for (const file of copied) {
      expect(existsSync(file), file).toBe(true);
      const allowed = ignore.some(
        (line) => line === `!${file.split('/')[0]}` || (line === '!tsconfig*.json' && /^tsconfig.*\.json$/.test(file)),
      );
      expect(allowed, file).toBe(true);
    }
  });

  it('does not run as root, and starts programs that are there', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('FROM'));
    expect(last).toMatch(/^USER tcpcopy$/m);
    const bin = (JSON.parse(readFileSync('package.json', 'utf8')) as { bin: Record<string, string> }).bin;
    for (const path of Object.values(bin)) expect(last).toContain(`/opt/tcpcopy/${path.replace('./', '')}`);
  });

  it('is started by compose.yaml with options that the programs know, and NET_RAW alone', () => {
    interface Service {
      readonly command: readonly string[];
      readonly cap_drop: readonly string[];
      readonly cap_add: readonly string[];
      readonly network_mode: string;
      readonly ulimits: { readonly core: number };
      readonly build: { readonly dockerfile: string };
    }
    const { services } = parse(readFileSync('examples/docker/compose.yaml', 'utf8'), { merge: true }) as {
      readonly services: Readonly<Record<keyof typeof PROGRAMS, Service>>;
    };
    expect(Object.keys(services)).toEqual(['tcpcopy', 'intercept']);
    for (const service of Object.values(services)) {
      const [program, ...args] = service.command;
      check(program as keyof typeof PROGRAMS, args);
      expect([service.cap_drop, service.cap_add]).toEqual([['ALL'], ['NET_RAW']]);
      expect(service.network_mode).toBe('host');
      expect(service.ulimits.core).toBe(0);
      expect(existsSync(service.build.dockerfile)).toBe(true);
    }
  });
});
