/** The control connections: is there an intercept, and does it want us. */
import type { Evidence, InterceptEvidence } from '../evidence.ts';
import { finding, on, option, type Finding } from '../finding.ts';
import { hostPort } from '../networks.ts';

export function controlFindings({ intercepts }: Evidence, version: string): Finding[] {
  return intercepts.flatMap((intercept) => {
    const found = intercept.problem === undefined ? undefined : judge(intercept, intercept.problem, version);
    return found === undefined ? [] : [found];
  });
}

function judge(
  { host, port }: InterceptEvidence,
  { code, message }: { readonly code: string; readonly message: string },
  version: string,
): Finding {
  const where = hostPort(host, port);
  const start = `intercept -i any${port === 36524 ? '' : ` -p ${port}`}`;
  switch (code) {
    case 'E_INTERCEPT_UNREACHABLE':
      if (/ECONNREFUSED/.test(message)) {
        return finding({
          cause: 'intercept-down',
          host: 'assistant',
          title: `no intercept runs at ${where}`,
          reason: 'the host refuses connections to that port',
          fix: [on('assistant', `${start} -d`)],
        });
      }
      return finding({
        cause: 'intercept-firewall',
        certainty: 'likely',
        host: 'assistant',
        title: `a firewall keeps us from the intercept at ${where}`,
        reason: `neither accepted nor refused: ${message}`,
        fix: [on('assistant', `iptables -I INPUT -p tcp --dport ${port} -j ACCEPT`)],
        confirm: [on('assistant', `ss -ltn 'sport = :${port}'`)],
      });
    case 'E_CONTROL_VERSION':
      return finding({
        cause: 'control-version',
        host: 'assistant',
        title: `the intercept at ${where} is of another release`,
        reason: message,
        fix: [on('assistant', `npm install --global tcpcopy@${version}`)],
      });
    case 'E_CONTROL_AUTH':
      return finding({
        cause: 'control-key',
        host: /this tcpcopy has none/.test(message) ? 'online' : 'assistant',
        title: `tcpcopy and the intercept at ${where} have not the same key`,
        reason: message,
        fix: [keyFix(message, start)],
      });
    case 'E_CONTROL_TLS':
      return finding({
        cause: 'control-tls',
        host: /TLS only/.test(message) ? 'online' : 'assistant',
        title: `TLS with the intercept at ${where} fails`,
        reason: message,
        fix: [
          /TLS only/.test(message)
            ? option('--tls-ca intercept.crt')
            : on('assistant', `${start} --tls-cert intercept.crt --tls-key intercept.key`),
        ],
      });
    case 'E_LEASE':
      return finding({
        cause: 'no-lease',
        host: 'assistant',
        title: `the intercept at ${where} has no source ports left`,
        reason: message,
        fix: [],
        confirm: [on('assistant', `ss -tn state established 'sport = :${port}'`)],
      });
    default:
      return finding({
        cause: 'control-other',
        host: 'assistant',
        title: `what answers at ${where} is no intercept of this program`,
        reason: message,
        fix: [on('assistant', start)],
        confirm: [on('assistant', `ss -ltnp 'sport = :${port}'`)],
      });
  }
}

/** Which side has to be given the key, or the right one. */
function keyFix(message: string, start: string) {
  return /intercept has a key/.test(message)
    ? option('--control-key-file control.key')
    : on('assistant', `${start} --control-key-file control.key`);
}
