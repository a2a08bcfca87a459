import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalOf, TestRun } from 'tcpcopy/testing';
import apiVersion from './api-version.ts';

const get = (target: string, ...fields: string[]): string =>
  [`GET ${target} HTTP/1.1`, 'Host: shop', ...fields, '', ''].join('\r\n');

test('rewrites paths of the old version, and nothing else', async () => {
  const run = await TestRun.start([[apiVersion, 'api-version,from=/v1,to=/v2']]);
  const connection = run.connect();
  assert.equal(connection.send(get('/v1/cart?id=7')), get('/v2/cart?id=7', 'X-Original-Path: /v1/cart'));
  assert.equal(connection.send(get('/v1')), get('/v2', 'X-Original-Path: /v1'));
  for (const other of ['/v10/cart', '/health', '/?next=/v1/cart']) {
    assert.equal(connection.send(get(other)), get(other));
  }
  assert.deepEqual(run.figures('api-version'), { rewritten: 2 });
  assert.ok((await run.finish()).balanced);
});

test('says what is wrong with its options', () => {
  assert.match(refusalOf(apiVersion, 'api-version,from=v1,to=/v2'), /from=v1: is the first part of a path/);
  assert.match(refusalOf(apiVersion, 'api-version,from=/v1'), /to: is required/);
});
