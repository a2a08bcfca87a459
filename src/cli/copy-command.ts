/** tcpcopy's command line: TCPCopy's short flags with their meanings, a long name for each, and what is new here. */
import { Option, type Command } from 'commander';
import { PACES, SHEDS, TARGETS } from '../config/defaults.ts';
import { addBackendOptions, addProcessOptions, baseCommand, collect } from './command-base.ts';
import { addReplacedFlags, TCPCOPY_REPLACED_FLAGS } from './replaced-flags.ts';

const EXAMPLES = `
Examples:
  Copy what reaches port 80 here to a test server, through an intercept on a
  third machine:
    tcpcopy -x 80-192.0.2.10:8080 -s 192.0.2.20
  The same with other client addresses, a fifth of the connections, each sent
  three times:
    tcpcopy -x 80-192.0.2.10:8080 -s 192.0.2.20 -c 10.9.8.x -r 20 -n 3
  In the background, with log and pid file:
    tcpcopy -x 80-192.0.2.10:8080 -s 192.0.2.20 \\
      -d -l /var/log/tcpcopy.log -P /run/tcpcopy.pid
  Replay a recording to a server on this machine: no root, no intercept, no
  routes:
    tcpcopy -i traffic.pcapng -x 80-127.0.0.1:8080 --target socket
  The same at ten times the recorded speed, failing unless 99.9 % arrives:
    tcpcopy -i traffic.pcapng -x 80-127.0.0.1:8080 --target socket \\
      -a 10 --min-fidelity 99.9
  See what would be sent, without sending it:
    tcpcopy -i traffic.pcapng -x 80-192.0.2.10:8080 \\
      --plugin http-host-rewrite=staging --dry-run

In parentheses: what holds without the option.
Exit codes: 0 done; 1 it failed while running, the ledger does not balance, or
--min-fidelity was missed; 2 bad use: nothing was copied.
SIGUSR1 prints figures, SIGINT and SIGTERM end with the summary.
`;

export function copyCommand(): Command {
  const command = baseCommand(
    'tcpcopy',
    '-x <port-ip:port> [-s <intercept> | --target socket] [options]\n       tcpcopy record -x <port> -w <file> [options]' +
      '\n       tcpcopy doctor -x <port-ip:port> -s <intercept> [options]' +
      '\n       tcpcopy inspect <recording>' +
      '\n       tcpcopy plugins | plugin | config | completion ...',
    'Copies live or recorded TCP traffic to a test server. Online clients and servers never notice.',
  );
  addCopyOptions(command);
  addProcessOptions(command, 'tcpcopy');
  addReplacedFlags(command, TCPCOPY_REPLACED_FLAGS);
  return command.addHelpText('after', EXAMPLES);
}

/** The options of a run, which its diagnosis takes as well. */
export function addCopyOptions(command: Command): void {
  command
    .optionsGroup('Traffic:')
    .option(
      '-x, --map <list>',
      'what to copy where: port-ip:port or ip:port-ip:port, comma separated; IPv6 as [v6]; ' +
        'ranges as 8000-8010-ip:9000',
      collect,
    )
    .option(
      '-i, --input <devices>',
      "devices to capture on, comma separated, or one recording (pcap, pcapng, .gz; '-' for stdin) (any)",
      collect,
    )
    .option('-F, --filter <filter>', 'capture only what matches this pcap filter too, as in "src net 10.0.0.0/8"')
    .option('-r, --percent <percent>', 'copy this share of the connections (100)')
    .option('-g, --gradual', 'begin at 1 % of the connections and add one point a second')
    .option('-O, --only-from-syn', 'leave out connections that were open before copying began');
  addBackendOptions(command);
  command
    .optionsGroup('Target:')
    .addOption(
      new Option(
        '--target <kind>',
        "raw: own TCP client with the clients' addresses, needs root and -s; " +
          'socket: ordinary connections from this host, needs neither (raw)',
      ).choices(TARGETS),
    )
    .option('-n, --copies <num>', 'send every connection this many times, 1 to 1023 (1)')
    .option(
      '-c, --client <list>',
      "source addresses instead of the clients' own: ip, a.b.c.x, a.b.c.d/len, comma separated",
      collect,
    )
    .option('-M, --mtu <bytes>', 'largest IP packet sent (1500)')
    .option('-D, --mss <bytes>', 'largest TCP payload sent (what the MTU leaves)');
  command
    .optionsGroup('Plugins:')
    .option(
      '--plugin <spec>',
      'NAME[=VALUE][,KEY=VALUE...], repeatable, in the order they run; NAME: a built-in, a package, ' +
        'or a path like ./mine.ts',
      collect,
    )
    .option(
      '--on-plugin-error <policy>',
      'a message that a plugin fails on: pass (unchanged), drop, drop-connection, disable-after=N, abort (pass)',
    )
    .option('--config <file>', 'configuration file (tcpcopy.config.ts, .js, .json or .yaml in this directory)');
  command
    .optionsGroup('Intercept:')
    .option('-s, --intercept <list>', 'where intercept runs: host or host:port, comma separated', collect)
    .option('-p, --port <port>', 'port of every -s that names none (36524)')
    .option('-C, --connections <num>', 'control connections to each intercept, 1 to 16 (2)')
    .option('-L, --lonely', 'stay, and keep trying, when every intercept is gone (else exit 1 after a while)')
    .option('--control-key-file <file>', 'the key shared with the intercepts')
    .option('--tls', 'speak TLS with the intercepts, whose certificates are from a CA that Node trusts')
    .option('--tls-ca <file>', 'speak TLS, trusting these CAs or this self-signed certificate (PEM) only');
  command
    .optionsGroup('Pacing:')
    .addOption(
      new Option(
        '--pace <pace>',
        "response: wait for the target's response where the client waited; " +
          'capture: recorded times; asap: at once (response)',
      ).choices(PACES),
    )
    .option('-W, --dont-wait', 'do not wait for responses: --pace asap live, --pace capture for a recording')
    .option('-a, --accelerate <times>', 'recording: this many times as fast (1)')
    .option('-I, --max-gap <ms>', 'recording: cut longer silences down to this')
    .option('-T, --repeat <times>', 'recording: replay it this often (1)')
    .option('--seed <num>', 'same seed, same recording: the same bytes');
  command
    .optionsGroup('Limits:')
    .option('-m, --memory <mb>', 'memory for sessions; beyond it new connections are left out and counted (512 MB)')
    .option('--max-sessions <num>', 'sessions open at once; likewise (65536)')
    .option('--max-cpu <percent>', 'own CPU time, 100: one processor; beyond it connections are left out (no limit)')
    .option('--max-host-cpu <percent>', "likewise while this host's processors are busier than that (no limit)")
    .addOption(
      new Option(
        '--shed <when>',
        'leave connections out when this host or the target is in trouble: all; for this host alone: host; ' +
          'never (all)',
      ).choices(SHEDS),
    )
    .option('--workers <num>', 'processes that share the connections, 1 to 64, or auto: one a processor (1)')
    .option('-t, --timeout <s>', 'close a session that has had nothing to do for this long (600)')
    .option('-k, --keepalive-timeout <s>', 'the same while its connection is still open online (-t + 120)');
  command
    .optionsGroup('Output:')
    .option('--dry-run', 'list the requests that would be sent, changed or dropped; send nothing')
    .option('-w, --write <file>', 'write the packets to a pcap file instead of sending them')
    .option('--ui', 'show the run on the whole screen of the terminal; q ends it')
    .option('--summary-json <file>', 'write the summary there too, for machines')
    .option('--min-fidelity <percent>', 'exit 1 when less than this share of the requests reached the target')
    .option('--summary-interval <s>', 'between lines of figures where there is no terminal; 0: none (10)');
}
