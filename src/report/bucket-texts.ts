/** What each line of the ledger means to someone who has not read the code, and what to do about it. */
import type { DropReasonName } from '../core/drop-reason.ts';
import type { ConnectionBucket, ShedReason, UnitBucket } from './ledger.ts';

export interface BucketText {
  readonly meaning: string;
  /** Only where there is something to do. */
  readonly hint?: string;
}

const KERNEL_DROP_HINT = 'enlarge the capture buffer (-B), narrow the capture (-F, -i) or copy a share (-r)';
const MEMORY_HINT = 'allow more memory (-m), or copy a share of the connections (-r)';
const QUEUE_HINT =
  'the target, or the intercept or a plugin on the way, is slower than the traffic: copy a share (-r), or look at the service under test';
const BUSY_HOST_HINT =
  'this host is busy: tcpcopy waited for a processor (Resources), which delays requests as a slow target does; copy a share (-r), or see --nice';
const SHED_HINT = 'the table below says why; see --shed';
const INTERCEPT_HINT = 'see that intercept runs and that its address (-s) is reachable from here';
const LEASE_HINT = 'give more client addresses (-c a.b.c.x or a block), or fewer copies (-n)';
const PLUGIN_HINT = 'the log names the plugin and what it threw';
const LOGIN_HINT = "see the users that the protocol's plugin is given; its line in the summary says why";
const NOT_REPLAYABLE_HINT = "the line of the protocol's plugin says why";
const REFUSED_HINT = "see that the service listens on the target's address and port";
const TIMED_OUT_HINT =
  'see that the target runs, that its route to the client addresses leads to the intercept, and that no firewall is between';
const SILENT_HINT =
  'the service under test may be hanging, or its answers may go elsewhere: tcpcopy doctor with the same options tells';
const WORKER_HINT = 'the log names it; the kernel ends processes when memory is short';
const SEND_FAILED_HINT = 'the log names the error; for EMSGSIZE lower -M, for EPERM look at the output firewall rules';

export const UNIT_TEXTS: Readonly<Record<UnitBucket, BucketText>> = {
  answered: { meaning: 'reached the target, which responded' },
  unanswered: {
    meaning: 'reached the target, which had not responded when the session ended',
    hint: 'expected of one-way protocols; else the service under test may be hanging',
  },
  refused: { meaning: 'the target refused the connection', hint: REFUSED_HINT },
  reset: {
    meaning: 'the target broke the connection off before it answered',
    hint: 'the service under test may be failing: look at its log',
  },
  'timed-out': { meaning: 'the target never confirmed receiving them', hint: TIMED_OUT_HINT },
  'sampled-out': { meaning: 'left out of the sample (-r, or a plugin)' },
  filtered: { meaning: 'left out by a plugin' },
  'plugin-error': { meaning: 'a plugin failed on them and nothing may pass it', hint: PLUGIN_HINT },
  'login-failed': { meaning: 'the target did not take the login', hint: LOGIN_HINT },
  'not-replayable': { meaning: "the protocol's plugin could not put them to the target", hint: NOT_REPLAYABLE_HINT },
  'not-picked-up': {
    meaning: 'in a connection older than the copying, before its first request boundary or excluded by -O',
  },
  'capture-gap': {
    meaning: 'not captured whole: bytes were missing',
    hint: 'frames were lost on the way to the capture, or the recording lacks them',
  },
  'kernel-drop': { meaning: 'not captured whole: the kernel dropped frames', hint: KERNEL_DROP_HINT },
  'queue-cap': { meaning: "the connection's queue was full", hint: QUEUE_HINT },
  'memory-cap': { meaning: 'the memory limit was reached', hint: MEMORY_HINT },
  'session-cap': {
    meaning: 'too many sessions were open',
    hint: 'raise --max-sessions, or look why the target keeps them open',
  },
  shed: { meaning: 'left out to spare this host or the target', hint: SHED_HINT },
  'no-lease': { meaning: 'no source port was free', hint: LEASE_HINT },
  'no-intercept': { meaning: 'no intercept was connected', hint: INTERCEPT_HINT },
  'send-failed': { meaning: 'the kernel would not send them', hint: SEND_FAILED_HINT },
  'worker-lost': { meaning: 'under way in a worker process that died', hint: WORKER_HINT },
  shutdown: { meaning: 'still under way when the run ended' },
};

export const SHED_TEXTS: Readonly<Record<ShedReason, BucketText>> = {
  cpu: { meaning: 'tcpcopy used more CPU time than --max-cpu allows', hint: 'allow more, or copy a share (-r)' },
  'host-cpu': { meaning: "this host's processors were busier than --max-host-cpu allows" },
  'kernel-drops': { meaning: 'the kernel dropped frames before they could be read', hint: KERNEL_DROP_HINT },
  memory: { meaning: 'too much waited for the target, or memory was short (-m)', hint: MEMORY_HINT },
  'target-silent': { meaning: 'the target answered nobody', hint: SILENT_HINT },
  'target-slow': { meaning: 'the target was more than ten seconds behind', hint: QUEUE_HINT },
  'target-full': { meaning: 'the target took no more bytes: its receive windows stayed shut', hint: QUEUE_HINT },
  'target-failing': {
    meaning: 'the target refused, broke off or failed more requests than it served',
    hint: 'the service under test may be failing: look at its log; --shed host sends it everything all the same',
  },
};

/** Where tcpcopy had to wait for this host's processors: not the target alone may have been slow. */
export const BUSY_HOST_UNIT_TEXTS = onBusyHost(UNIT_TEXTS);
export const BUSY_HOST_SHED_TEXTS = onBusyHost(SHED_TEXTS);

function onBusyHost<Bucket extends string>(
  texts: Readonly<Record<Bucket, BucketText>>,
): Readonly<Record<Bucket, BucketText>> {
  const changed = Object.entries<BucketText>(texts).map(([bucket, text]) => [
    bucket,
    text.hint === QUEUE_HINT ? { ...text, hint: BUSY_HOST_HINT } : text,
  ]);
  return Object.fromEntries(changed) as Readonly<Record<Bucket, BucketText>>;
}

/** Where the requests of a run go that sends nothing. */
export type Unsent = 'listed' | 'written' | 'recorded';

export function unsentUnitTexts(unsent: Unsent): typeof UNIT_TEXTS {
  const meaning = {
    listed: 'would be sent; this is a dry run',
    written: 'written to the file; nothing was sent, so nothing answered',
    recorded: 'recorded',
  }[unsent];
  return { ...UNIT_TEXTS, unanswered: { meaning } };
}

export const CONNECTION_TEXTS: Readonly<Record<ConnectionBucket, BucketText>> = {
  replayed: { meaning: 'every request of them reached the target' },
  'partly-replayed': { meaning: 'some of their requests reached the target, some did not' },
  'no-data': { meaning: 'the client sent nothing in them' },
  'sampled-out': { meaning: 'left out of the sample (-r, or a plugin)' },
  filtered: { meaning: 'left out by a plugin' },
  'plugin-error': { meaning: 'a plugin failed on them and nothing may pass it', hint: PLUGIN_HINT },
  'login-failed': { meaning: 'the target did not take the login', hint: LOGIN_HINT },
  'not-replayable': { meaning: "the protocol's plugin could not replay them", hint: NOT_REPLAYABLE_HINT },
  'not-picked-up': { meaning: 'older than the copying, with no request boundary to begin at or excluded by -O' },
  refused: { meaning: 'the target refused the connection', hint: REFUSED_HINT },
  reset: { meaning: 'the target broke them off', hint: 'the service under test may be failing: look at its log' },
  'timed-out': { meaning: 'the target did not answer', hint: TIMED_OUT_HINT },
  'capture-gap': { meaning: 'not captured whole: bytes were missing' },
  'kernel-drop': { meaning: 'not captured whole: the kernel dropped frames', hint: KERNEL_DROP_HINT },
  'queue-cap': { meaning: 'their queue was full', hint: QUEUE_HINT },
  'memory-cap': { meaning: 'the memory limit was reached', hint: MEMORY_HINT },
  'session-cap': { meaning: 'too many sessions were open', hint: 'raise --max-sessions' },
  shed: { meaning: 'left out to spare this host or the target', hint: SHED_HINT },
  'no-lease': { meaning: 'no source port was free', hint: LEASE_HINT },
  'no-intercept': { meaning: 'no intercept was connected', hint: INTERCEPT_HINT },
  'send-failed': { meaning: 'the kernel would not send', hint: SEND_FAILED_HINT },
  'worker-lost': { meaning: 'under way in a worker process that died', hint: WORKER_HINT },
  shutdown: { meaning: 'still under way when the run ended' },
};

export function unsentConnectionTexts(unsent: Unsent): typeof CONNECTION_TEXTS {
  return {
    ...CONNECTION_TEXTS,
    replayed: { meaning: `every request of them was ${unsent}` },
    'partly-replayed': { meaning: `some of their requests were ${unsent}, some were not` },
  };
}

export const FRAME_TEXTS: Readonly<Record<Exclude<DropReasonName, 'none'>, BucketText>> = {
  'not-ip': { meaning: 'neither IPv4 nor IPv6' },
  'not-tcp': { meaning: 'IP, but not TCP' },
  'frame-truncated': { meaning: 'cut off before the end of their headers', hint: 'raise the snap length (-S)' },
  'unknown-link-type': { meaning: 'of a link type that is not understood' },
  'ip-header-malformed': { meaning: 'with an IP header that makes no sense' },
  'ip-checksum-bad': { meaning: 'with a damaged IP header' },
  'ip-fragment-held': { meaning: 'IP fragments, put together with the others of their packet' },
  'ip-fragment-expired': { meaning: 'IP fragments whose other parts never came' },
  'ip-fragment-malformed': { meaning: 'IP fragments that cannot be put together' },
  'ip-fragment-cap': { meaning: 'IP fragments beyond what is kept waiting at once' },
  'ipv6-extension-malformed': { meaning: 'with IPv6 extension headers that make no sense' },
  'tunnel-unknown': { meaning: 'in a tunnel that is not looked into' },
  'tcp-header-malformed': { meaning: 'with a TCP header that makes no sense' },
  'not-selected': { meaning: 'TCP, but of no connection that -x selects' },
};
