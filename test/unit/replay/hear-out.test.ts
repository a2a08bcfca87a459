import { describe, expect, it } from 'vitest';
import { addTime, instant, millis, seconds, type Instant } from '../../../src/core/time.ts';
import { hearOut } from '../../../src/replay/hear-out.ts';

const GOODBYE = millis(500);
const STEP = millis(10);

/** A target that does something at each step; resolves with the milliseconds it was listened to. */
async function listenedTo(
  step: (target: { openSessions: number; heard: number }, ms: number) => void,
  hurriedFrom = Infinity,
): Promise<number> {
  const target = { openSessions: 3, heard: 0 };
  const begun = instant(1e12);
  let now: Instant = begun;
  const passed = () => (now - begun) / 1_000;
  await hearOut(target, GOODBYE, {
    now: () => now,
    wait: () => {
      now = addTime(now, STEP);
      step(target, passed());
      return Promise.resolve();
    },
    hurried: () => passed() >= hurriedFrom,
  });
  return passed();
}

describe('the end of a run', () => {
  it('comes when the last session has ended', async () => {
    expect(await listenedTo((target, ms) => (target.openSessions = ms < 200 ? 3 : 0))).toBe(200);
  });

  it('comes after a quiet', async () => {
    expect(await listenedTo(() => undefined)).toBe(5_000);
  });

  it('waits while the target goes on answering', async () => {
    const answering = await listenedTo((target, ms) => {
      if (ms <= 20_000) target.heard++;
    });
    expect(answering).toBe(25_000);
  });

  it('does not wait for endless responses', async () => {
    const ms = await listenedTo((target, at) => {
      target.heard++;
      if (at >= 5_000) target.openSessions = 2;
    });
    expect(ms).toBe(5_000 + seconds(60) / 1_000);
  });

  it('comes soon when it is asked for', async () => {
    expect(await listenedTo((target) => target.heard++, 1_000)).toBe(1_500);
  });
});
