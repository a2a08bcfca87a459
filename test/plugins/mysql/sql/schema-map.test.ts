import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_MODE, mapSchemas } from '../../../../plugins/mysql/sql/index.ts';
import { sqlText } from './sql-texts.ts';

const NAMES: Readonly<Record<string, string>> = { shop: 'shop_copy', 'a b': 'c', tmp: 'select', 'x`y': 'z' };
const map = (schema: string): string | undefined => (Object.hasOwn(NAMES, schema) ? NAMES[schema] : undefined);

describe('mapSchemas', () => {
  it.each([
    ['SELECT * FROM shop.t, other.t', 'SELECT * FROM shop_copy.t, other.t'],
    [
      'SELECT shop.t.a, shop.b, shop.f(1) FROM shop . t AS shop',
      'SELECT shop_copy.t.a, shop.b, shop_copy.f(1) FROM shop_copy . t AS shop',
    ],
    ['SELECT shop FROM shop', 'SELECT shop FROM shop'],
    [
      'SELECT "shop.t", `shop.t`, shop/* shop.t */.`t`.a FROM t -- shop.t',
      'SELECT "shop.t", `shop.t`, shop_copy/* shop.t */.`t`.a FROM t -- shop.t',
    ],
    ["INSERT INTO `shop`.`t` VALUES ('shop.t')", "INSERT INTO `shop_copy`.`t` VALUES ('shop.t')"],
    ['SELECT * FROM `a b`.t, `x``y`.t', 'SELECT * FROM `c`.t, `z`.t'],
    // A name that needs quotes gets some.
    ['SELECT * FROM tmp.t', 'SELECT * FROM `select`.t'],
    ['USE shop', 'USE shop_copy'],
    ['use `shop`;', 'use `shop_copy`;'],
    ['CREATE DATABASE IF NOT EXISTS shop', 'CREATE DATABASE IF NOT EXISTS shop_copy'],
    ['DROP TABLE a, shop.b; DELETE FROM shop.c', 'DROP TABLE a, shop_copy.b; DELETE FROM shop_copy.c'],
    ['SHOW COLUMNS FROM t FROM shop', 'SHOW COLUMNS FROM t FROM shop_copy'],
    ['GRANT SELECT ON shop.* TO shop@shop', 'GRANT SELECT ON shop_copy.* TO shop@shop'],
    ['CALL shop.p(shop.t)', 'CALL shop_copy.p(shop.t)'],
    ['/*!50000 SELECT * FROM shop.t */', '/*!50000 SELECT * FROM shop_copy.t */'],
    ["PREPARE s FROM 'SELECT ''shop.t'' FROM shop.t'", "PREPARE s FROM 'SELECT ''shop.t'' FROM shop_copy.t'"],
    ["EXECUTE IMMEDIATE 'DELETE FROM shop.t'", "EXECUTE IMMEDIATE 'DELETE FROM shop_copy.t'"],
    ["SELECT 'USE shop'", "SELECT 'USE shop'"],
    // What no server runs stays so.
    ['USE `shop', 'USE `shop'],
    ['SHOW COLUMNS FROM t FROM@shop', 'SHOW COLUMNS FROM t FROM@shop'],
    ["SHOW TABLES FROM 'shop'", "SHOW TABLES FROM 'shop'"],
    ['SHOW CREATE TABLE @shop.t', 'SHOW CREATE TABLE @shop.t'],
    ['USE `shop``', 'USE `shop``'],
    ["SELECT * FROM shop.t WHERE a = '\xff\0", "SELECT * FROM shop_copy.t WHERE a = '\xff\0"],
  ])('%s', (text, wanted) => {
    expect(mapSchemas(text, DEFAULT_MODE, map)).toBe(wanted);
  });

  it('keeps the quotes of the session', () => {
    const mode = { ...DEFAULT_MODE, ansiQuotes: true };
    expect(mapSchemas('SELECT "shop".t.a FROM "shop"."t"', mode, map)).toBe(
      'SELECT "shop_copy".t.a FROM "shop_copy"."t"',
    );
  });

  it('leaves every text as it is where no name changes', () => {
    fc.assert(
      fc.property(sqlText, (text) => {
        expect(mapSchemas(text, DEFAULT_MODE, () => undefined)).toBe(text);
        expect(mapSchemas(text, DEFAULT_MODE, (name) => name)).toBe(text);
      }),
    );
  });

  it('can be undone, where the other name is nobody else’s', () => {
    fc.assert(
      fc.property(sqlText, (text) => {
        const there = mapSchemas(text, DEFAULT_MODE, (name) => (name === 'shop' ? 'zzz' : undefined));
        expect(mapSchemas(there, DEFAULT_MODE, (name) => (name === 'zzz' ? 'shop' : undefined))).toBe(text);
      }),
    );
  });
});
