/** What the sessions that share a configuration count. */
export class SessionStats {
  /** Segments sent again, SYN and FIN included. */
  retransmissions = 0;
  /** Expiries of the retransmission timer. */
  timeouts = 0;
  fastRetransmits = 0;
  zeroWindowProbes = 0;
  /** Segments with text that came ahead of its turn. */
  outOfOrder = 0;
  /** Segments with text that was already here. */
  duplicates = 0;
  /** Segments refused: bad checksum, out of window, impossible acknowledgement, old timestamp, wrong for the state. */
  refused = 0;
}
