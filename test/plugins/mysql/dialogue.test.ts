import { describe, expect, it } from 'vitest';
import { mysqlSettings } from '../../../plugins/mysql/index.ts';
import { CLIENT } from '../../../plugins/mysql/login/index.ts';
import { CredentialMap, Credentials } from '../../../src/plugin/index.ts';
import { Copy, loggedIn } from './dialogue-copy.ts';
import { about, clientLogin, error, execute, FLAGS, greeting, ok, prepare, prepared } from './servers.ts';
import { packet, query } from './transcript.ts';

const IN_TRANSACTION = 1;

describe('a login', () => {
  it("is done with the target's challenge and credentials", () => {
    const copy = new Copy();
    expect(copy.client(clientLogin(), ok(2))).toEqual([]);
    expect(copy.target(greeting())).toEqual(['changed login shadow@shop']);
    expect(copy.client(query('select 1'))).toEqual([]);
    expect(copy.target(ok(2))).toEqual(['QUERY select 1']);
    expect(copy.shown).toEqual(['LOGIN: ok, 0 affected']);
    copy.target(ok());
    expect(copy.shown.slice(1)).toEqual(['QUERY: ok, 0 affected']);
  });

  it('goes out when the target has greeted, whenever that was', () => {
    const copy = new Copy();
    expect(copy.target(greeting())).toEqual([]);
    expect(copy.client(clientLogin())).toEqual(['changed login shadow@shop']);
  });

  it('that is lost while it waits is done all the same', () => {
    const copy = new Copy();
    copy.client(clientLogin(), ok(2));
    copy.lose();
    expect(copy.client(query('select 1'))).toEqual([]);
    expect(copy.target(greeting())).toEqual(['own login shadow@shop']);
    expect(copy.target(ok(2))).toEqual(['QUERY select 1']);
    const seen = new Copy();
    seen.client(clientLogin(), ok(2));
    seen.lose();
    seen.fresh();
    seen.client(query('select 1'));
    expect(seen.target(greeting())).toEqual(['own login shadow@shop']);
  });

  it('that is refused is the end of the copy', () => {
    const copy = new Copy();
    copy.client(clientLogin());
    copy.target(greeting());
    copy.target(error(1045, 2));
    expect(copy.dialogue.fault).toBe('the target refused user or password');
  });

  it('that there is no room for is tried again with the next session', () => {
    const copy = new Copy();
    copy.client(clientLogin());
    copy.target(error(1040, 0));
    expect([copy.dialogue.fault, copy.dialogue.reading]).toEqual([undefined, false]);
    copy.fresh();
    expect([copy.dialogue.reading, ...copy.target(greeting())]).toEqual([true, 'changed login shadow@shop']);
  });

  it('of a user that nothing is known of is the end of the copy', () => {
    const copy = new Copy({ credentials: new CredentialMap(new Map([['other', new Credentials('a', 'b')]])) });
    copy.client(clientLogin());
    copy.target(greeting());
    expect(copy.dialogue.fault).toBe('no user on the target is given for it');
  });

  it('of a client that was there before is one of our own, in the database that was named', () => {
    const copy = new Copy({ database: 'app' }, false);
    expect(copy.client(query('select 1'))).toEqual([]);
    expect(copy.target(greeting())).toEqual(['own login shadow@app']);
    expect(copy.target(ok(2))).toEqual(['QUERY select 1']);
  });
});

describe('statements', () => {
  it("are named by the target's ids", () => {
    const copy = loggedIn();
    expect(copy.client(prepare('select ?'), prepared(5, 1))).toEqual(['STMT_PREPARE select ?']);
    expect(copy.client(execute(5, 7))).toEqual([]);
    expect(copy.target(prepared(9, 1))).toEqual(['changed execute 9 0 0 0 0 1 0 0 0 0 1 3 0 7 0 0 0']);
    expect(copy.client(about(0x19, 5))).toEqual(['changed STMT_CLOSE 9']);
    expect(copy.client(execute(5, 7))).toEqual(['refused: its statement is not known']);
    // Closing it once more does no harm, as long as it is nobody else's.
    expect(copy.client(about(0x19, 5))).toEqual(['changed STMT_CLOSE 0']);
  });

  it('that were prepared before copying began are refused', () => {
    const copy = new Copy({}, false);
    copy.client(query('select 1'));
    copy.target(greeting());
    copy.target(ok(2));
    expect(copy.client(execute(5, 7))).toEqual(['refused: its statement is not known']);
  });

  it("whose answer online was lost are known by an id that is nobody else's", () => {
    const copy = loggedIn();
    copy.client(prepare('select ?'), prepared(5, 1));
    copy.target(prepared(9, 1));
    copy.client(prepare('insert ?'));
    copy.target(prepared(10, 1));
    expect(copy.client(execute(6, 7))).toEqual(['changed execute 10 0 0 0 0 1 0 0 0 0 1 3 0 7 0 0 0']);
    copy.client(Buffer.concat([prepare('update ?'), prepare('delete ?')]));
    copy.target(prepared(11, 1), prepared(12, 1));
    expect(copy.client(execute(8, 7))).toEqual(['refused: its statement is not known']);
  });

  it('that the target does not prepare are not executed', () => {
    const copy = loggedIn();
    copy.client(prepare('select ?'), prepared(5, 1));
    copy.target(error(1146));
    expect(copy.client(execute(5, 7))).toEqual(['refused: the target did not prepare its statement']);
  });

  it('are prepared anew in a fresh session, and told their types', () => {
    const copy = loggedIn();
    copy.client(prepare('select ?'), prepared(5, 1));
    copy.client(execute(5, 7), ok());
    copy.target(prepared(9, 1));
    copy.target(ok());
    copy.fresh();
    expect(copy.client(execute(5, 8, false))).toEqual([]);
    expect(copy.target(greeting())).toEqual(['own login shadow@shop']);
    expect(copy.target(ok(2))).toEqual(['own STMT_PREPARE select ?']);
    expect(copy.target(prepared(3, 1))).toEqual(['changed execute 3 0 0 0 0 1 0 0 0 0 1 3 0 8 0 0 0']);
    expect(copy.shown).toEqual([
      'LOGIN: ok, 0 affected',
      'STMT_PREPARE: ok, 0 affected',
      'STMT_EXECUTE: ok, 0 affected',
    ]);
  });

  it('are executed in bulk, and where the command streams past', () => {
    const copy = loggedIn({ codec: mysqlSettings({ commandLimit: 1000 }) });
    copy.client(prepare('insert ?'), prepared(5, 1));
    copy.target(prepared(9, 1));
    expect(copy.client(about(0xfa, 5, 128, 0, 3, 0, 0, 7, 0, 0, 0))).toEqual(['changed STMT_BULK_EXECUTE 9']);
    copy.target(ok());
    const long = Buffer.from(packet(0, 0x17, [5, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 253, 0], Buffer.alloc(3000)));
    expect(copy.client(long.subarray(0, 1500))[0]).toBe('changed begins 9 0 0 0 0');
  });

  it("of MariaDB's clients are executed as the one prepared last, before that is answered", () => {
    const copy = loggedIn();
    const last = Buffer.from(execute(5, 7));
    last.fill(0xff, 5, 9);
    expect(copy.client(Buffer.concat([prepare('select ?'), last]))).toEqual(['STMT_PREPARE select ?']);
    expect(copy.target(prepared(9, 1))).toEqual(['changed execute 9 0 0 0 0 1 0 0 0 0 1 3 0 7 0 0 0']);
  });

  it('whose values were sent ahead into a session that is gone are not executed without', () => {
    const copy = loggedIn();
    copy.client(prepare('insert ?'), prepared(5, 1));
    copy.target(prepared(9, 1));
    expect(copy.client(about(0x18, 5, 0, 0, 65))).toEqual(['changed STMT_SEND_LONG_DATA 9']);
    copy.fresh();
    copy.client(execute(5, 7));
    copy.target(greeting());
    copy.target(ok(2));
    expect(copy.target(prepared(3, 1))).toEqual(['refused: what was sent ahead went with the session']);
  });
});

describe('a fresh session', () => {
  it('has the database and the settings of the one before', () => {
    const copy = loggedIn();
    const said = [
      'use crm',
      'SET NAMES latin1',
      'set autocommit=0',
      'set names utf8mb4',
      'set global x = 1',
      'set @a := 2',
    ];
    for (const sql of said) {
      copy.client(query(sql), ok());
      copy.target(ok());
    }
    copy.fresh();
    copy.client(query('select 2'));
    expect(copy.target(greeting())).toEqual(['own login shadow@crm']);
    expect(copy.target(ok(2))).toEqual([
      'own QUERY set autocommit=0',
      'own QUERY set names utf8mb4',
      'own QUERY set @a := 2',
    ]);
    expect(copy.target(ok(), ok(), ok())).toEqual(['QUERY select 2']);
  });

  it('does not get the rest of a transaction', () => {
    const copy = loggedIn();
    copy.client(query('begin'));
    copy.target(ok(1, 2 | IN_TRANSACTION));
    copy.fresh();
    const refused = 'refused: its transaction ended with the session';
    expect(copy.client(query('insert 1'))).toEqual([refused]);
    expect(copy.client(query('COMMIT'))).toEqual([refused]);
    expect(copy.client(query('insert 2'))).toEqual([]);
    copy.target(greeting());
    expect(copy.target(ok(2))).toEqual(['QUERY insert 2']);
  });
});

describe('a change of user', () => {
  it("is done with the target's credentials, and forgets what was built up", () => {
    const copy = loggedIn();
    copy.client(query('set names latin1'));
    copy.target(ok());
    const change = packet(0, 0x11, 'ann\0', 0, 'crm\0', [45, 0], 'mysql_native_password\0');
    expect(copy.client(change, ok())).toEqual(['changed CHANGE_USER shadow crm']);
    expect(copy.client(query('select 1'))).toEqual([]);
    expect(copy.target(ok())).toEqual(['QUERY select 1']);
    copy.target(ok());
    expect(copy.shown.slice(-2)).toEqual(['CHANGE_USER: ok, 0 affected', 'QUERY: ok, 0 affected']);
    copy.fresh();
    copy.client(query('select 2'));
    expect(copy.target(greeting())).toEqual(['own login shadow@crm']);
    expect(copy.target(ok(2))).toEqual(['QUERY select 2']);
  });
});

describe('a file that the target asks for', () => {
  const load = query("load data local infile 'f' into table t");
  const wanted = packet(1, 0xfb, 'f');

  it('is not sent unless that is allowed', () => {
    const copy = loggedIn();
    copy.client(load);
    expect(copy.target(wanted)).toEqual(['own packet 2 ']);
    copy.target(ok(3));
    expect(copy.shown.slice(1)).toEqual(['LOCAL_DATA: ok, 0 affected']);
    expect(copy.client(packet(2, 'a file'))).toEqual(['refused: the target asked for no file']);
  });

  it('is sent where it is', () => {
    const copy = loggedIn({ localInfile: true });
    copy.client(load);
    copy.target(wanted);
    expect(copy.client(Buffer.concat([packet(2, 'a file'), packet(3)]))).toEqual(['packet 2 a file']);
    copy.target(ok(4));
    expect(copy.shown.slice(1)).toEqual(['QUERY: file-wanted', 'LOCAL_DATA: ok, 0 affected']);
  });
});

describe('query attributes', () => {
  const flags = FLAGS | CLIENT.QUERY_ATTRIBUTES;
  const select = packet(0, 3, [0, 1], 'select 1');

  it('are left out where the target takes none', () => {
    const copy = new Copy();
    copy.client(clientLogin('shop', flags));
    copy.target(greeting());
    copy.target(ok(2));
    expect(copy.client(select)).toEqual(['changed QUERY select 1']);
    const other = new Copy();
    other.client(clientLogin('shop', flags));
    other.target(greeting(flags));
    other.target(ok(2));
    expect(other.client(select)).toEqual(['QUERY select 1']);
  });
});
