import { describe, expect, it } from 'vitest';
import { parseCopyOptions } from '../../../src/config/copy-options-schema.ts';
import { TcpcopyError } from '../../../src/core/errors.ts';
import { seconds } from '../../../src/core/time.ts';
import { CONTEXT, lineOf } from './options-fixture.ts';

const BASE = { map: ['80-192.0.2.10:8080'], intercept: ['192.0.2.20'] };
const parse = (raw: Record<string, unknown>) => parseCopyOptions({ ...BASE, ...raw }, CONTEXT);
const options = (raw: Record<string, unknown>) => parse(raw).options;
const error = (raw: Record<string, unknown>) => lineOf(() => parse(raw));

it('a dry run needs no intercept, and one process only', () => {
  expect(parseCopyOptions({ map: ['80-192.0.2.10:80'], dryRun: true }, CONTEXT).options.dryRun).toBe(true);
  const several = { map: ['80-192.0.2.10:80'], dryRun: true, workers: '2' };
  expect(lineOf(() => parseCopyOptions(several, CONTEXT))).toContain('--workers 2: is for sending');
});

it('defaults', () => {
  const { mappings, ...rest } = options({});
  expect(mappings).toHaveLength(1);
  expect(rest).toEqual({
    input: { devices: ['any'] },
    workers: 1,
    io: 'auto',
    plugins: [],
    onPluginError: { kind: 'pass' },
    target: 'raw',
    intercepts: [{ host: '192.0.2.20', port: 36524 }],
    controlConnections: 2,
    controlKey: undefined,
    controlTls: undefined,
    clientAddresses: [],
    filter: undefined,
    copies: 1,
    captureBuffer: undefined,
    snapLength: 65_600,
    pace: 'response',
    acceleration: 1,
    maxGap: undefined,
    repeat: 1,
    onlyFromSyn: false,
    stayWithoutIntercept: false,
    memoryLimit: 512 * 1024 * 1024,
    maxSessions: 65_536,
    maxCpu: undefined,
    maxHostCpu: undefined,
    shed: 'all',
    mtu: 1500,
    mss: 1460,
    sessionTimeout: seconds(600),
    keepaliveTimeout: seconds(720),
    dryRun: false,
    writeFile: undefined,
    summaryJson: undefined,
    minFidelity: undefined,
    seed: undefined,
    summaryInterval: seconds(10),
    process: {
      logFile: undefined,
      logLevel: 'info',
      logFormat: 'auto',
      pidFile: undefined,
      daemon: false,
      nice: 'polite',
      ui: false,
      metrics: undefined,
      debug: false,
    },
  });
});

it('every option finds its place', () => {
  expect(
    options({
      input: ['recording'],
      client: ['10.9.8.x'],
      port: '4000',
      connections: '16',
      controlKeyFile: 'key',
      tlsCa: 'a.crt',
      copies: '3',
      percent: '20',
      gradual: true,
      filter: ' tcp and dst port 80 ',
      buffer: '16',
      snaplen: '1500',
      pace: 'capture',
      accelerate: '2.5',
      maxGap: '500',
      repeat: '4',
      onlyFromSyn: true,
      lonely: true,
      memory: '100',
      maxSessions: '10',
      maxCpu: '150',
      maxHostCpu: '90',
      shed: 'host',
      mtu: '1400',
      mss: '1000',
      timeout: '60',
      keepaliveTimeout: '90',
      summaryJson: 'out.json',
      minFidelity: '99.9',
      seed: '7',
      summaryInterval: '0',
      write: 'out.pcap',
      io: 'pcap',
      log: 'my.log',
      logLevel: 'warn',
      logFormat: 'json',
      pidFile: 'my.pid',
    }),
  ).toMatchObject({
    input: { file: 'recording' },
    intercepts: [{ host: '192.0.2.20', port: 4000 }],
    clientAddresses: [{ count: 254 }],
    controlConnections: 16,
    controlKey: 'correct horse battery',
    controlTls: { ca: 'certificate' },
    copies: 3,
    filter: 'tcp and dst port 80',
    captureBuffer: 16 * 1024 * 1024,
    snapLength: 1500,
    pace: 'capture',
    acceleration: 2.5,
    maxGap: seconds(0.5),
    repeat: 4,
    onlyFromSyn: true,
    stayWithoutIntercept: true,
    memoryLimit: 100 * 1024 * 1024,
    maxSessions: 10,
    maxCpu: 1.5,
    maxHostCpu: 0.9,
    shed: 'host',
    mtu: 1400,
    mss: 1000,
    sessionTimeout: seconds(60),
    keepaliveTimeout: seconds(90),
    summaryJson: 'out.json',
    minFidelity: 99.9,
    seed: 7,
    summaryInterval: 0,
    writeFile: 'out.pcap',
    io: 'pcap',
    process: { logFile: 'my.log', logLevel: 'warn', logFormat: 'json', pidFile: 'my.pid' },
  });
});

describe('-r, -g and -n', () => {
  const plugins = (raw: Record<string, unknown>) =>
    options(raw).plugins.map(({ plugin, options: given, where }) => [plugin, given, where]);

  it('refuses what is neither text nor a plugin with its options', () => {
    for (const given of [[], {}, null, { plugin: 5, options: {}, where: '' }, { plugin: 'log' }]) {
      expect(() => options({ plugin: [given], gradual: true })).toThrow(TcpcopyError);
    }
    const spec = { plugin: 'log', options: {}, where: 'a file', directory: undefined };
    expect(plugins({ plugin: [spec] })).toEqual([['log', {}, 'a file']]);
  });

  it('are the plugins sample and amplify, ahead of those given by name', () => {
    expect(plugins({ percent: '12.5%', copies: '3', plugin: ['log'] })).toEqual([
      ['sample', { share: 12.5, gradual: false }, '-r 12.5%'],
      ['amplify', { factor: 3 }, '-n 3'],
      ['log', [], '--plugin log'],
    ]);
    expect(plugins({ gradual: true })).toEqual([['sample', { share: 100, gradual: true }, '-g']]);
    expect(plugins({ gradual: true, percent: '20' })).toEqual([['sample', { share: 20, gradual: true }, '-r 20']]);
  });

  it('are nothing where they leave everything as it is', () => {
    expect(plugins({ percent: '100', copies: '1' })).toEqual([]);
  });

  it('and those plugins exclude each other', () => {
    const hint = 'which is given too; leave one of them out [E_OPTION]';
    expect(error({ percent: '10', plugin: ['sample=5%'] })).toBe(`-r 10: means the plugin sample, ${hint}`);
    expect(error({ copies: '2', plugin: ['amplify=3'] })).toBe(`-n 2: means the plugin amplify, ${hint}`);
    expect(plugins({ percent: '100', plugin: ['sample=5%'] })).toHaveLength(1);
  });
});

describe('what depends on something else', () => {
  it('-W passes live traffic on at once and keeps the times of a recording', () => {
    expect(options({ dontWait: true }).pace).toBe('asap');
    expect(options({ dontWait: true, input: ['recording'] }).pace).toBe('capture');
    expect(options({ dontWait: true, pace: 'capture' }).pace).toBe('capture');
    expect(error({ dontWait: true, pace: 'response' })).toContain('--pace response: contradicts -W');
  });

  it('the largest payload follows the MTU and the family', () => {
    expect(options({ mtu: '1400' }).mss).toBe(1360);
    expect(options({ map: ['80-[2001:db8::10]:80'] }).mss).toBe(1440);
    expect(error({ mss: '1461' })).toBe('-D 1461: does not fit an MTU of 1500; at most 1460, or raise -M [E_OPTION]');
    expect(error({ map: ['80-[2001:db8::10]:80'], mtu: '1279' })).toContain('from 1280 to 65535');
  });

  it('-k follows -t', () => expect(options({ timeout: '30' }).keepaliveTimeout).toBe(seconds(150)));

  it('a daemon has a log file', () => {
    expect(options({ daemon: true }).process.logFile).toBe('/var/log/program.log');
    expect(options({ daemon: true, log: 'my.log' }).process.logFile).toBe('my.log');
  });

  it('--debug logs everything', () => expect(options({ debug: true }).process.logLevel).toBe('debug'));

  it('--target socket leaves out what only raw has, and says so', () => {
    const parsed = parse({ target: 'socket', client: ['10.9.8.7'] });
    expect(parsed.options).toMatchObject({ intercepts: [], clientAddresses: [] });
    expect(parsed.notes).toEqual([
      '-s has no effect with --target socket, which needs no intercept',
      '-c has no effect with --target socket, which uses this host as client',
    ]);
    expect(parse({ target: 'socket', intercept: [] }).notes).toEqual([]);
  });

  it('-w needs no intercept', () => expect(options({ intercept: [], write: 'x.pcap' }).intercepts).toEqual([]));

  it('MAC addresses in -x are mentioned', () => {
    expect(parse({ map: ['80@00:11:22:33:44:55-192.0.2.10:8080@66:77:88:99:aa:bb'] }).notes).toHaveLength(1);
  });
});

describe('refused', () => {
  it.each([
    [{ map: [] }, '-x: is required: what to copy, and where to'],
    [{ intercept: [] }, '-s: is required: where intercept runs'],
    [{ target: 'kernel' }, '--target kernel: must be one of raw, socket'],
    [{ logLevel: 'loud' }, '--log-level loud: must be one of error, warn, info, debug'],
    [{ filter: '  ' }, '-F (empty): is an empty filter'],
    [{ accelerate: '2' }, '-a 2: works on a recording only'],
    [{ maxGap: '2' }, '-I 2: works on a recording only'],
    [{ repeat: '2', input: ['eth0'] }, '-T 2: works on a recording only'],
    [{ repeat: '2', input: ['-'] }, '-T 2: standard input can be read only once'],
    [{ workers: '0' }, '--workers 0: must be a whole number from 1 to 64'],
    [{ workers: 'some' }, '--workers some: must be a whole number from 1 to 64'],
    [{ workers: '2', input: ['-'] }, '--workers 2: standard input can be read by one process only'],
    [{ workers: '2', write: 'out.pcap' }, '--workers 2: would write one file from several processes'],
    [{ daemon: true, input: ['-'] }, '-i -: a daemon has no standard input'],
    [{ pace: 'asap', accelerate: '2', input: ['recording'] }, '--pace asap keeps no recorded times'],
    [{ write: 'x.pcap', target: 'socket' }, '-w x.pcap: writes the packets of --target raw'],
    [{ write: 'a.pcap', input: ['a.pcap'] }, '-w a.pcap: is the recording that -i reads'],
    [{ write: '/no/where' }, '-w /no/where: its directory does not exist'],
    [{ log: '/root/x' }, '-l /root/x: this user may not write there'],
    [{ pidFile: 'dir' }, '-P dir: is a directory'],
    [{ summaryJson: '/no/where' }, '--summary-json /no/where: its directory does not exist'],
    [{ summaryJson: '' }, '--summary-json (empty): names no file; name one, or leave the flag out'],
    [{ write: '' }, '-w (empty): names no file'],
    [{ log: '' }, '-l (empty): names no file'],
    [{ tlsCa: 'other' }, '--tls-ca other: holds no certificate in PEM form; give the CA'],
    [{ controlKeyFile: 'other' }, '--control-key-file other: holds fewer than 8 characters'],
    [{ map: ['198.51.100.1:80-[2001:db8::10]:80'] }, 'crosses address families; add -c with IPv6 addresses'],
    [{ copies: '1024' }, '-n 1024: must be a whole number from 1 to 1023'],
    [{ connections: '17' }, '-C 17: must be a whole number from 1 to 16'],
    [{ percent: '101' }, '-r 101: must be a percentage above 0 and at most 100'],
    [{ seed: '-1' }, '--seed -1: must be a whole number from 0 to 4294967295'],
    [{ summaryInterval: '0.5' }, '--summary-interval 0.5: must be a time from 1s to 1d'],
  ])('%j: %s', (raw, message) => expect(error(raw)).toContain(message));

  it('a key file names no key', () => {
    expect(error({ controlKeyFile: 'other' })).not.toContain('short');
  });
});

it('workers: one a processor on wish', () => {
  expect(options({ workers: 'auto' }).workers).toBe(4);
  expect(options({ workers: '3' }).workers).toBe(3);
});
