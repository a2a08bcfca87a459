import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Budget } from '../../plugins/limit/budget.ts';
import plugin from '../../plugins/limit/index.ts';
import sample from '../../plugins/sample/index.ts';
import { instant } from '../../src/core/time.ts';
import { PluginRig, refusal, request } from './plugin-rig.ts';

const start = (text: string, recording = false) => PluginRig.start([[plugin, text]], { recording });
const GET = request('GET /');
const OVER = 'over the limit';
const REST = 'over the limit, rest of the connection';

describe('limit, waiting', () => {
  it('holds requests back until it is their turn, whatever connection they are of', async () => {
    const rig = await start('limit=10/s,burst=2');
    const [one, two] = [rig.connect(), rig.connect()];
    expect(one.send(GET + GET + GET)).toBe(GET + GET);
    two.send(GET);
    expect([one.delays, two.delays]).toEqual([[0, 0, 100], [200]]);
    await rig.pass(250);
    two.send(GET);
    expect(two.delays).toEqual([200, 50]);
    await rig.pass(60_000);
    two.send(GET + GET + GET);
    expect(two.delays.slice(2)).toEqual([0, 0, 100]);
    expect(rig.figures('limit')).toEqual({ 'held back': 4 });
  });

  it('lets as many through at once as the rate gives in 100 ms, where no burst is given', async () => {
    const connection = (await start('limit=50/s')).connect();
    connection.send(GET.repeat(7));
    expect(connection.delays).toEqual([0, 0, 0, 0, 0, 20, 40]);
  });

  it('begins no connection from half of the longest wait on, and ends those under way at all of it', async () => {
    const rig = await start('limit=10/s,burst=1,wait=1s');
    const busy = rig.connect();
    busy.send(GET.repeat(6));
    expect(rig.connect().plan?.dropped).toBeUndefined();
    const waiting = rig.connect();
    busy.send(GET);
    expect(rig.connect().plan?.dropped).toMatchObject({ reason: OVER, cause: 'sampled-out' });
    busy.send(GET.repeat(10));
    expect([busy.delays.at(-1), busy.delays.length, busy.dropped]).toEqual([1_100, 12, [REST]]);
    expect([waiting.send(GET), waiting.dropped]).toEqual(['', [OVER]]);
    await rig.pass(1_000);
    expect(busy.send(GET)).toBe('');
    const late = rig.connect();
    late.send(GET);
    expect(late.delays).toHaveLength(1);
  });

  it('leaves nothing of a recording out', async () => {
    const rig = await start('limit=1/s,wait=1s', true);
    const connection = rig.connect();
    expect(connection.send(GET.repeat(5_000))).toBe(GET);
    expect(connection.dropped).toEqual([]);
    expect(connection.delays.slice(0, 3)).toEqual([0, 1_000, 2_000]);
    expect(connection.delays.at(-1)).toBe(3_600_000);
  });

  it('keeps to its part where several processes share the traffic', async () => {
    const rig = await PluginRig.start([[plugin, 'limit=40/s,burst=8']], { processes: 4 });
    const connection = rig.connect();
    connection.send(GET.repeat(4));
    expect(connection.delays).toEqual([0, 0, 100, 200]);
  });

  it('limits what nobody reads', async () => {
    const rig = await PluginRig.start([[plugin, 'limit=10/s']], { opaque: true });
    const connection = rig.connect();
    connection.send('one');
    connection.send('two');
    expect(connection.delays).toEqual([0, 100]);
  });

  it('counts what others leave over', async () => {
    const rig = await PluginRig.start([
      [sample, 'sample=0%,by=request'],
      [plugin, 'limit=1/s'],
    ]);
    rig.connect().send(GET.repeat(100));
    expect(rig.figures('limit')).toEqual({ 'held back': 0 });
  });
});

describe('limit, shedding', () => {
  it('leaves whole connections out, and sends the others at once', async () => {
    const rig = await start('limit=10/s,burst=2,excess=shed');
    const connections = [rig.connect(), rig.connect(), rig.connect()];
    expect(connections.map(({ plan }) => plan?.dropped?.reason)).toEqual([undefined, undefined, OVER]);
    expect(connections.map((connection) => connection.send(GET))).toEqual([GET, GET, '']);
    await rig.pass(100);
    expect(rig.connect().plan?.dropped).toBeUndefined();
    expect(rig.connect().plan?.dropped?.reason).toBe(OVER);
    expect(connections[0]!.delays).toEqual([0]);
  });

  it('never cuts a connection under way, says so, and begins none meanwhile', async () => {
    const rig = await start('limit=10/s,burst=1,excess=shed');
    const busy = rig.connect();
    expect(busy.send(GET.repeat(1_000))).toBe(GET.repeat(1_000));
    expect(busy.dropped).toEqual([]);
    expect(rig.figures('limit')).toEqual({ 'over the limit on connections under way': 999 });
    await rig.pass(1_090);
    expect(rig.connect().plan?.dropped?.reason).toBe(OVER);
    await rig.pass(10);
    expect(rig.connect().plan?.dropped).toBeUndefined();
  });

  it('of connections: so many begin', async () => {
    const rig = await start('limit=100/m,of=connections,burst=3');
    const begun = () => Array.from({ length: 10 }, () => rig.connect()).filter(({ plan }) => !plan?.dropped).length;
    expect(begun()).toBe(3);
    await rig.pass(1_200);
    expect(begun()).toBe(2);
    const connection = rig.connect();
    expect([connection.plan?.dropped?.reason, connection.send(GET)]).toEqual([OVER, '']);
  });
});

describe('limit', () => {
  it('never lets more through than burst and rate give', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), steps, (rate, burst, gaps) => {
        let now = 1_000_000;
        const [waiting, taking] = [new Budget(rate, burst, instant(now)), new Budget(rate, burst, instant(now))];
        const begun = now;
        let taken = 0;
        let last = 0;
        gaps.forEach((gap, i) => {
          now += gap;
          if (taking.take(instant(now))) taken++;
          const due = now + waiting.overdraw(instant(now)) * 1_000;
          expect(due).toBeGreaterThanOrEqual(last - 1);
          last = due;
          // Of i + 1 the burst is free, each of the others needs its share of the time before it is due.
          expect(i + 1).toBeLessThanOrEqual(burst + ((due - begun) * rate) / 1e6 + 1e-3);
          expect(taken).toBeLessThanOrEqual(burst + ((now - begun) * rate) / 1e6 + 1e-3);
        });
      }),
    );
  });

  it('refuses wrong options', () => {
    expect(refusal(plugin, 'limit')).toContain('rate: is required');
    expect(refusal(plugin, 'limit=fast')).toContain('must be a rate from 0.1 to 1000000000 a second');
    expect(refusal(plugin, 'limit=0/s')).toContain('must be a rate');
    expect(refusal(plugin, 'limit=5/s,wait=0')).toContain('must be above 0 and at most 1h');
    expect(refusal(plugin, 'limit=5/s,burst=0')).toContain('burst=0');
    expect(refusal(plugin, 'limit=5/s,of=connections,excess=wait')).toContain('connections cannot wait');
  });
});
