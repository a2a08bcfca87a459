/** Trackers as they are set up for live traffic and for recordings, and a handshake to begin with. */
import { expect } from 'vitest';
import { LIVE_TRACKER, RECORDING_TRACKER, type TrackerOptions } from '../../../src/reassembly/tracker-options.ts';
import { clientSegment as c, serverSegment as s } from '../../support/segment-builder.ts';
import { TrackerTranscript } from '../../support/tracker-transcript.ts';

export const OPENED = '#0 opened syn 192.0.2.1:40000 > 198.51.100.1:80';

export function live(options: Partial<TrackerOptions> = {}): TrackerTranscript {
  return new TrackerTranscript({ ...LIVE_TRACKER, ...options });
}

export function recording(options: Partial<TrackerOptions> = {}): TrackerTranscript {
  return new TrackerTranscript({ ...RECORDING_TRACKER, ...options });
}

/** After a handshake with client ISN 100 and server ISN 500. */
export function established(t: TrackerTranscript): TrackerTranscript {
  expect(t.handle(c({ flags: 'S', seq: 100 }))).toEqual([OPENED]);
  expect(t.handle(s({ flags: 'SA', seq: 500, ack: 101 }))).toEqual([]);
  expect(t.handle(c({ seq: 101, ack: 501 }))).toEqual([]);
  return t;
}
