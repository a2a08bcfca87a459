import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { registerCompletion } from '../../../src/cli/completion-command.ts';
import { completionScript } from '../../../src/cli/completion.ts';
import { copyCommand } from '../../../src/cli/copy-command.ts';
import { registerInspect } from '../../../src/cli/inspect.ts';
import { interceptCommand } from '../../../src/cli/intercept-command.ts';
import { registerPluginCommands } from '../../../src/cli/plugin-commands.ts';
import { registerRecord } from '../../../src/cli/record-command.ts';

function script(shell: 'bash' | 'zsh'): string {
  const program = copyCommand();
  registerRecord(program, () => Promise.resolve());
  registerInspect(program);
  registerPluginCommands(program);
  registerCompletion(program);
  return completionScript(shell, [program, interceptCommand()], ['sample', 'log']);
}

/** What bash offers behind these words, the last of which is being typed. */
function offered(...words: string[]): string[] {
  const [program] = words;
  const line = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`;
  const shown = `${script('bash')}\n${line}; _${program}; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', shown], { encoding: 'utf8' }).split('\n').filter(Boolean);
}

describe('completion', () => {
  it('offers commands, and behind a dash the options of the one that is typed', () => {
    expect(offered('tcpcopy', '')).toEqual(['record', 'inspect', 'plugins', 'plugin', 'config', 'completion']);
    expect(offered('tcpcopy', '--dr')).toEqual(['--dry-run']);
    expect(offered('tcpcopy', '-x', '80', '--max-s')).toEqual(['--max-sessions']);
    expect(offered('tcpcopy', 'record', '-x', '80', '--max-s')).toEqual(['--max-size']);
    expect(offered('tcpcopy', 'plugin', '')).toEqual(['new', 'check']);
    expect(offered('tcpcopy', 'config', 'print', '--dr')).toEqual(['--dry-run']);
    expect(offered('intercept', '--b')).toEqual(['--buffer', '--bind']);
  });

  it('offers what an option may be, and else leaves it to the shell', () => {
    expect(offered('tcpcopy', '--pace', '')).toEqual(['response', 'capture', 'asap']);
    expect(offered('tcpcopy', 'inspect', '--plugin', 's')).toEqual(['sample']);
    expect(offered('tcpcopy', 'plugins', 'l')).toEqual(['log']);
    expect(offered('tcpcopy', 'completion', '')).toEqual(['bash', 'zsh']);
    expect(offered('tcpcopy', '-i', '')).toEqual([]);
    expect(offered('tcpcopy', 'inspect', '')).toEqual([]);
  });

  it('does not offer flags that have no use here', () => {
    expect(script('bash')).not.toMatch(/'.* -U .*'/);
  });

  it('makes zsh understand it first', () => {
    // It takes a letter behind a colon for a modifier.
    expect(script('zsh')).not.toMatch(/\[@\]:\d:[A-Z]/);
    expect(script('zsh')).toBe(`autoload -U +X compinit bashcompinit && compinit && bashcompinit\n${script('bash')}`);
  });

  it('is printed for a shell that it knows only', () => {
    const program = new Command('tcpcopy').exitOverride().configureOutput({ writeErr: () => undefined });
    registerCompletion(program);
    program.commands[0]!.exitOverride().configureOutput({ writeErr: () => undefined });
    expect(() => program.parse(['completion', 'fish'], { from: 'user' })).toThrow('Allowed choices are bash, zsh');
  });
});
