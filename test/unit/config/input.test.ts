import { describe, expect, it } from 'vitest';
import { parseDevices, parseInput } from '../../../src/config/input.ts';
import { CONTEXT, lineOf } from './options-fixture.ts';

describe('-i', () => {
  it.each([
    [['eth0'], { devices: ['eth0'] }],
    [['eth0,eth1'], { devices: ['eth0', 'eth1'] }],
    [['eth0', 'eth1', 'eth0'], { devices: ['eth0', 'eth1'] }],
    [['any'], { devices: ['any'] }],
    [['a.pcap'], { file: 'a.pcap' }],
    [['recording'], { file: 'recording' }],
    [['-'], { file: '-' }],
  ])('%j', (texts, expected) => expect(parseInput(texts, CONTEXT)).toEqual(expected));

  it.each([
    [['none.pcap'], '-i none.pcap: there is no such file; check the path [E_FILE]'],
    [['./none'], '-i ./none: there is no such file; check the path [E_FILE]'],
    [['none.PCAPNG'], '-i none.PCAPNG: there is no such file; check the path [E_FILE]'],
    [['dir/'], '-i dir/: is a directory; name one recording in it [E_FILE]'],
    [['secret.pcap'], '-i secret.pcap: may not be read by this user; check its permissions [E_FILE]'],
    [
      ['eth0,a.pcap'],
      '-i a.pcap: is a recording and cannot be combined with others; join recordings with mergecap [E_OPTION]',
    ],
    [
      ['a.pcap', 'b.pcap'],
      '-i a.pcap: is a recording and cannot be combined with others; join recordings with mergecap [E_OPTION]',
    ],
    [['any,eth0'], "-i any,eth0: 'any' already covers every device; leave the others out [E_OPTION]"],
    [['eth0,'], "-i (empty): is not a device name; name devices as 'ip link' lists them, as in 'eth0,eth1' [E_OPTION]"],
  ])('%j is refused', (texts, line) => expect(lineOf(() => parseInput(texts, CONTEXT))).toBe(line));

  it('of intercept takes devices only', () => {
    expect(parseDevices(['eth0, eth1'])).toEqual(['eth0', 'eth1']);
  });
});
