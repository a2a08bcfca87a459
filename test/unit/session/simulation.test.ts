import { describe, expect, it } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import { SendBufferPool } from '../../../src/session/send-buffer.ts';
import { sessionConfig, type SessionConfig } from '../../../src/session/session-config.ts';
import { Random } from './simulation/random.ts';
import { runConnection, type Exchanges, type Outcome, type Scenario } from './simulation/run-connection.ts';

const LOSSES = [0, 0.01, 0.05, 0.1, 0.2, 0.3];
const WINDOWS = [1, 4, 16, 64, 256].map((k) => k * 1_024);
const ROUND_TRIPS = [1, 10, 100, 300];
const SMALL_PER_CELL = 84;

interface Cell {
  readonly loss: number;
  readonly window: number;
  readonly roundTrip: number;
}

const CELLS: Cell[] = LOSSES.flatMap((loss) =>
  WINDOWS.flatMap((window) => ROUND_TRIPS.map((roundTrip) => ({ loss, window, roundTrip }))),
);

/** Gives up only after what no run of bad luck explains. */
const PATIENT: Partial<SessionConfig> = { synTries: 100, dataTries: 100, giveUpAfter: seconds(100_000) };

function scenario(cell: Cell, random: Random, exchanges: Exchanges, options: Partial<SessionConfig> = {}): Scenario {
  const slow = random.chance(0.15);
  const sendBuffer = new SendBufferPool({ limit: 1 << 19, blockSize: random.pick([256, 2_048]) });
  return {
    config: sessionConfig({
      ...PATIENT,
      sendBuffer,
      receiveWindow: Math.max(cell.window, 1_024),
      sack: random.chance(0.75),
      timestamps: random.chance(0.4),
      mss: random.pick([536, 1_460]),
      packetMax: random.pick([1_500, 4_000, 65_280]),
      ...options,
    }),
    server: {
      mss: random.pick([536, 1_400, 1_460]),
      window: cell.window,
      windowShift: random.chance(0.8) ? random.pick([2, 7]) : -1,
      sack: random.chance(0.75),
      timestamps: random.chance(0.6),
      delayedAck: random.pick([0, 40_000]),
      readSize: slow ? random.between(100, 4_000) : Infinity,
      readPause: random.between(1, 50) * 1_000,
    },
    faults: {
      loss: cell.loss,
      duplicate: random.pick([0, 0, 0.05]),
      reorder: random.pick([0, 0, 0.1]),
      corrupt: random.pick([0, 0, 0.01]),
      delay: cell.roundTrip / 2,
      reorderDelay: 50,
    },
    exchanges,
    duplex: random.chance(0.1),
    closes: random.pick(['client', 'server', 'both'] as const),
    withoutPayload: random.chance(0.3),
  };
}

function run(
  seed: number,
  cell: Cell,
  exchanges: (random: Random) => Exchanges,
  options?: Partial<SessionConfig>,
): Outcome {
  const random = new Random(seed);
  try {
    return runConnection(scenario(cell, random, exchanges(random), options), random);
  } catch (error) {
    throw new Error(`seed ${seed}, ${JSON.stringify(cell)}: ${(error as Error).message}`, { cause: error });
  }
}

const small = (random: Random): Exchanges =>
  Array.from({ length: random.between(0, 3) }, () => [random.between(1, 2_000), random.between(1, 3_000)] as const);

const bulk = (random: Random): Exchanges => [[random.between(30_000, 120_000), random.between(30_000, 120_000)]];

describe('simulation', () => {
  it('ends every one of 10,000 connections with every byte delivered once and in order', () => {
    let connections = 0;
    let retransmissions = 0;
    CELLS.forEach((cell, c) => {
      for (let i = 0; i < SMALL_PER_CELL; i++) {
        const outcome = run(c * 1_000 + i, cell, small);
        expect(outcome.end).toBe('closed');
        connections++;
        retransmissions += outcome.retransmissions;
      }
    });
    expect(connections).toBeGreaterThanOrEqual(10_000);
    expect(retransmissions, 'the link does lose').toBeGreaterThan(5_000);
  });

  it('moves bulk in both directions through every loss, window and round trip', () => {
    CELLS.forEach((cell, c) => {
      expect(run(500_000 + c, cell, bulk).end).toBe('closed');
    });
  });

  it('needs no retransmission on a link that loses nothing', () => {
    for (const roundTrip of ROUND_TRIPS) {
      const faults = { loss: 0, duplicate: 0, reorder: 0, corrupt: 0, delay: roundTrip / 2, reorderDelay: 0 };
      for (let seed = 0; seed < 20; seed++) {
        const random = new Random(seed);
        const base = scenario({ loss: 0, window: 65_535, roundTrip }, random, bulk(random));
        const server = { ...base.server, readSize: Infinity, delayedAck: 0 };
        expect(runConnection({ ...base, faults, server }, random)).toMatchObject({ end: 'closed', retransmissions: 0 });
      }
    }
  });

  it('with the default patience, loses no connection up to 10 % loss, and all of them end within two minutes', () => {
    const defaults = { synTries: 12, dataTries: 15, giveUpAfter: seconds(60) };
    for (const loss of [0.05, 0.1, 0.3]) {
      for (let seed = 0; seed < 200; seed++) {
        const outcome = run(900_000 + seed, { loss, window: 65_536, roundTrip: 10 }, small, defaults);
        if (loss <= 0.1) expect(outcome.end).toBe('closed');
        expect(outcome.seconds).toBeLessThan(120);
      }
    }
  });

  it('gives up on a target that vanishes, and leaves nothing behind', () => {
    for (let seed = 0; seed < 20; seed++) {
      const outcome = run(seed, { loss: 1, window: 65_536, roundTrip: 10 }, small, { synTries: 5, dataTries: 5 });
      expect(outcome).toMatchObject({ end: 'timed-out', connected: false });
    }
  });

  it('repeats itself exactly for the same seed', () => {
    const cell = { loss: 0.2, window: 16_384, roundTrip: 10 };
    for (let seed = 0; seed < 10; seed++) expect(run(seed, cell, bulk)).toEqual(run(seed, cell, bulk));
  });
});
