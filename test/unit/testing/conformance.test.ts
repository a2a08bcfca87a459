import { codecChecks, type CodecSpec } from 'tcpcopy/testing';
import { describe, expect, it } from 'vitest';
import { FAULTS, lines, type Fault, type Line } from './faulty-lines.ts';

function specOf(fault: Fault): CodecSpec<Line, Uint8Array> {
  return {
    plugin: lines(fault),
    protocol: 'lines',
    conversations: {
      some: {
        client: ['first line\nsecond one\n', 'a third\nthe last of them\n'],
        messages: ['first line', 'second one', 'a third', 'the last of them'],
        server: ['+one\n-two\n', '+three\n-four\n'],
        responses: ['+one', '-two', '+three', '-four'],
      },
    },
    tell: ({ text }) => text,
    tellResponse: (bytes) => Buffer.from(bytes).toString().trimEnd(),
    edit: (line) => (line.text = `changed ${line.text}`),
    rounds: 20,
  };
}

async function failures(fault: Fault): Promise<Map<string, string>> {
  const failed = new Map<string, string>();
  for (const { name, run } of codecChecks(specOf(fault))) {
    await run().catch((error: Error) => failed.set(name.replace('lines, some: ', ''), error.message));
  }
  return failed;
}

describe('conformance', () => {
  it.each(Object.entries(FAULTS))('%s', async (fault, found) => {
    const failed = await failures(fault as Fault);
    if (fault === 'none') expect([...failed]).toEqual([]);
    for (const check of found) expect([...failed.keys()]).toContain(check);
  });

  it('says what was expected, what came, and how', async () => {
    expect((await failures('segments are messages')).get('cut in two anywhere')).toBe(
      [
        'cut before byte 1',
        '  message 1 differs:',
        String.raw`  expected [first line\nsecond one] "first line\nsecond one\n" whole`,
        '  got      [f] "f" whole',
        String.raw`  the bytes came as "f" | "irst line\nsecond one\n" | "a third\nthe last of them\n" | end`,
      ].join('\n'),
    );
    expect((await failures('goes on after a gap')).get('with bytes missing')).toMatch(
      /^bytes \d+ to \d+ are missing\n {2}\[.*\] was read, which nobody sent/,
    );
    expect((await failures('throws on one byte')).get('byte by byte')).toContain('it threw: RangeError: one byte');
    expect((await failures('loses bytes')).get('ended anywhere')).toContain('0 came out in pieces and 0 are counted');
  });

  it('asks for a protocol that is there, and for a codec', async () => {
    const [check] = codecChecks({ ...specOf('none'), protocol: 'gopher' });
    await expect(check!.run()).rejects.toThrow("no plugin of this run provides 'gopher'");
  });
});
