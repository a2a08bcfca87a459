/** What happens when the timers of a session run out (RFC 9293 §3.10.8). */
import { NEVER, type Instant } from '../core/time.ts';
import type { ControlBlock } from './control-block.ts';
import { SYN_RECEIVED, SYN_SENT, TIME_WAIT } from './tcp-state.ts';

export function timeoutsPass(tcb: ControlBlock, now: Instant): void {
  const { timers } = tcb;
  if (now < timers.wake) return;
  if (timers.delayedAck <= now) {
    timers.delayedAck = NEVER;
    tcb.receiver.ackNow = true;
  }
  if (timers.retransmit <= now) retransmitTimedOut(tcb, now);
  if (timers.persist <= now && !tcb.sender.persistTimedOut(now)) tcb.giveUp();
  if (timers.linger <= now) {
    if (tcb.state === TIME_WAIT) tcb.close();
    else tcb.giveUp();
  }
  timers.rewake();
}

function retransmitTimedOut(tcb: ControlBlock, now: Instant): void {
  if (tcb.state === SYN_SENT || tcb.state === SYN_RECEIVED) {
    if (tcb.sender.synTimedOut(now)) tcb.synDue = true;
    else tcb.giveUp();
  } else if (!tcb.sender.retransmitTimedOut(now)) {
    tcb.giveUp();
  }
}
