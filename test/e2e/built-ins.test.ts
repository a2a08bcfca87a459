/** Every built-in plugin on the way from a recording, over our own TCP, to a real nginx: what arrives says what it did. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { builtInNames } from '../../src/replay/plugin-catalog.ts';
import { ASSISTANT, TARGET } from './lab/live-copy.ts';
import { Nginx, type NginxRecord } from './lab/nginx.ts';
import { RunningProgram, startIntercept } from './lab/programs.ts';
import { describeLab, labTest } from './lab/rig.ts';

/** 24 connections of five requests each: four GETs and a POST with a body. */
const RECORDING = fileURLToPath(new URL('../../examples/recordings/shop.pcap', import.meta.url));
const REQUESTS = 120;
const POSTS = 24;

/** Shown with a real Redis and a real MariaDB, elsewhere. */
const OF_OTHER_PROTOCOLS = ['redis', 'redis-filter', 'redis-rewrite', 'mysql', 'mysql-filter', 'mysql-rewrite'];

/** A request as nginx saw it. */
interface Seen {
  readonly length: number;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly id: string;
}

function seen({ fingerprint, id }: NginxRecord): Seen {
  const [length, method, target, , ...rest] = fingerprint.split(' ');
  return { length: Number(length), method: method!, target: target!, host: rest.at(-1)!, id };
}

type Check = (records: readonly Seen[], plain: readonly Seen[], output: string) => void;

const lengths = (records: readonly Seen[]): Map<string, number> => new Map(records.map((r) => [r.id, r.length]));

/** Every request is there, longer by so many bytes. */
const allLonger =
  (bytes: number): Check =>
  (records, plain) => {
    const before = lengths(plain);
    expect(records.map(({ id, length }) => length - before.get(id)!)).toEqual(Array(REQUESTS).fill(bytes));
  };

const only =
  (wanted: (request: Seen) => boolean): Check =>
  (records, plain) => {
    const ids = (all: readonly Seen[]): string[] => all.map(({ id }) => id).sort();
    expect(ids(records)).toEqual(ids(plain.filter(wanted)));
  };

const BUILT_INS: readonly (readonly [spec: string, check: Check])[] = [
  [
    'http-host-rewrite=a-longer-name.staging.example',
    (records, plain) => {
      expect(new Set(records.map(({ host }) => host))).toEqual(new Set(['a-longer-name.staging.example']));
      allLonger('a-longer-name.staging.example'.length - '10.77.1.1'.length)(records, plain, '');
    },
  ],
  ['http-filter=/cart*', only(({ target }) => target.startsWith('/cart'))],
  [
    `http-rewrite,body./quantity/=${'x'.repeat(90)}`,
    (records, plain) => {
      // nginx throws these bodies away and counts the head only, in which the length has a digit more.
      const before = lengths(plain);
      expect(records).toHaveLength(REQUESTS);
      for (const { id, method, length } of records) expect(length - before.get(id)!).toBe(method === 'POST' ? 1 : 0);
    },
  ],
  ['writes=drop', only(({ method }) => method !== 'POST')],
  ['shadow-header=yes,header=X-Copy', allLonger('X-Copy: yes\r\n'.length)],
  ['header-scrub=drop,headers=Accept', allLonger(-'Accept: */*\r\n'.length)],
  [
    'sample=50%,seed=3',
    (records) => {
      // Whole connections, of five requests with ids one after another.
      const connections = new Set(records.map(({ id }) => Math.floor((Number(id) - 1) / 5)));
      expect(connections.size).toBeGreaterThan(4);
      expect(connections.size).toBeLessThan(20);
      expect(records).toHaveLength(connections.size * 5);
    },
  ],
  ['filter,deny=10.77.1.10', (records) => expect(records).toHaveLength(REQUESTS / 2)],
  [
    'amplify=3',
    (records, plain) =>
      expect(records.map(({ id }) => id).sort()).toEqual(plain.flatMap(({ id }) => [id, id, id]).sort()),
  ],
  [
    'compare',
    (records, plain, output) => {
      only(() => true)(records, plain, '');
      // The target has no pages but those of posts.
      for (const figure of ['equal 24', 'status differs 96'])
        expect(output).toMatch(new RegExp(`compare: .*${figure}`));
    },
  ],
  ['limit=2000/s', (records) => expect(records).toHaveLength(REQUESTS)],
  [
    'log,responses,rate=10000/s',
    (_, __, output) => expect(output.match(/POST 10\.77\.1\.1 \/post \d+B 200 \d+B/g)).toHaveLength(POSTS),
  ],
];

/** Of a program in another language: every GET of an item has another path, everything else passes. */
const PROGRAM = `
import json, sys
for line in sys.stdin:
    request = json.loads(line)
    answer = {"id": request["id"]}
    if request.get("target", "").startswith("/item"):
        answer["target"] = "/1k" + request["target"][len("/item"):]
    print(json.dumps(answer), flush=True)
`;

describeLab('built-in plugins', () => {
  labTest(
    'each does to a recording what it says',
    {},
    async (lab) => {
      const nginx = await Nginx.start(lab.host('test'));
      await startIntercept(lab.host('assistant'));
      const online = lab.host('online');
      const program = online.file('program.py');
      writeFileSync(program, PROGRAM);
      const rewritten: Check = (records) => {
        expect(records).toHaveLength(REQUESTS);
        expect(records.filter(({ target }) => target.startsWith('/item'))).toEqual([]);
        expect(records.filter(({ target }) => target.startsWith('/1k?id='))).toHaveLength(48);
      };

      let begin = 0;
      const replay = async (spec: string | undefined): Promise<readonly [readonly Seen[], string]> => {
        const plugin = spec === undefined ? [] : ['--plugin', spec];
        // A lab's directories are root's: the program could not be read by nobody.
        if (spec?.startsWith('exec=')) plugin.push('--user', 'root');
        const args = ['-i', RECORDING, '-x', TARGET, '-s', ASSISTANT, '-c', '192.168.100.x', ...plugin];
        const run = new RunningProgram('tcpcopy', online, args);
        const { code } = await run.child.exited;
        expect(code, run.output).toBe(0);
        expect(run.summary()).toMatchObject({ balanced: true, requests: { lost: 0 } });
        await nginx.settled(100);
        const records = nginx.records().map(seen);
        const own = records.slice(begin);
        begin = records.length;
        return [own, run.output];
      };

      const [plain] = await replay(undefined);
      expect(plain).toHaveLength(REQUESTS);
      const all = [
        ...BUILT_INS,
        ['http-rewrite,path./item=/1k', rewritten],
        [`exec=python3 ${program}`, rewritten],
      ] as const;
      for (const [spec, check] of all) {
        const [records, output] = await replay(spec);
        check(records, plain, output);
      }
      // None is left out: protocols are read where the others ask for them.
      const names = new Set(all.map(([spec]) => /^[a-z-]+/.exec(spec)![0]));
      expect([...names, 'http', ...OF_OTHER_PROTOCOLS].sort()).toEqual(builtInNames().toSorted());
    },
    120_000,
  );
});
