/** intercept's command line. */
import type { Command } from 'commander';
import { addBackendOptions, addProcessOptions, baseCommand, collect } from './command-base.ts';
import { addReplacedFlags, INTERCEPT_REPLACED_FLAGS } from './replaced-flags.ts';

const EXAMPLES = `
Examples:
  On the machine that the test server routes its responses to:
    intercept -i eth0
  Only the responses of one service, control connections on one address only:
    intercept -i eth0 -F 'src host 192.0.2.10 and src port 8080' -b 192.0.2.20
  In the background, with log and pid file:
    intercept -i any -d -l /var/log/intercept.log -P /run/intercept.pid
  Two machines only: on the test server itself, its client network routed to a
  black-hole device:
    intercept -i dummy0

Routing, on the test server, so that responses to the copied clients' network
end at the intercept:
    ip route add 10.9.8.0/24 via 192.0.2.20

In parentheses: what holds without the option.
Exit codes: 0 done; 1 it failed while running, or --check found something;
2 bad use. SIGUSR1 prints figures, SIGINT and SIGTERM end with them.
`;

export function interceptCommand(): Command {
  const command = baseCommand(
    'intercept',
    '[-i <devices>] [options]',
    "Captures a test server's responses and hands each to the tcpcopy whose session it belongs to.",
  );
  command
    .optionsGroup('Traffic:')
    .option('-i, --input <devices>', 'devices to capture on, comma separated (any)', collect)
    .option('-F, --filter <filter>', 'capture only what matches this pcap filter too');
  addBackendOptions(command);
  command
    .optionsGroup('Control:')
    .option('-b, --bind <ip>', 'address to listen on (all)')
    .option('-p, --port <port>', 'port to listen on (36524)')
    .option('--control-key-file <file>', 'accept only a tcpcopy that knows the key in this file')
    .option('--tls-cert <file>', 'speak TLS only, with this certificate and its intermediates (PEM)')
    .option('--tls-key <file>', 'the private key of --tls-cert (PEM, without passphrase)');
  command.optionsGroup('Output:').option('--summary-json <file>', 'write the final figures there, for machines');
  command
    .optionsGroup('Check:')
    .option('--check', 'say whether this host can do the work of an intercept, and what is in the way; then end')
    .option('--apply', 'with --check: run the fixes, and look again')
    .option('--json', 'with --check: one object, for machines');
  addProcessOptions(command, 'intercept');
  addReplacedFlags(command, INTERCEPT_REPLACED_FLAGS);
  return command.addHelpText('after', EXAMPLES);
}
