import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { TestRun } from 'tcpcopy/testing';
import tokenLookup from './token-lookup.ts';

const ACCOUNTS: Record<string, string> = { anna: 'test-1', bert: 'test-2' };
const asked: string[] = [];
/** The service, which answers `slow` never and falls over on `broken`. */
const service = createServer((request, response) => {
  void new Response(request as never).text().then((body) => {
    const { token } = JSON.parse(body) as { token: string };
    asked.push(token);
    if (token === 'slow') return;
    const found = ACCOUNTS[token];
    response.statusCode = token === 'broken' ? 500 : found === undefined ? 404 : 200;
    response.end(JSON.stringify({ token: found }));
  });
});
let url: string;

before(async () => {
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/tokens`;
});
after(() => {
  service.close();
  service.closeAllConnections();
});
beforeEach(() => void (asked.length = 0));

const get = (token?: string): string =>
  `GET / HTTP/1.1\r\nHost: shop\r\n${token === undefined ? '' : `Authorization: Bearer ${token}\r\n`}\r\n`;

test('requests go on in their order, with the tokens of test accounts', async () => {
  const run = await TestRun.start([[tokenLookup, { url, deadline: '30s' }]]);
  const [one, other] = [run.connect(), run.connect()];
  one.send(get('anna') + get() + get('bert') + get('anna'));
  other.send(get('anna'));
  await run.settled();
  assert.equal(one.sent().toString(), get('test-1') + get() + get('test-2') + get('test-1'));
  assert.equal(other.sent().toString(), get('test-1'));
  assert.deepEqual(asked.sort(), ['anna', 'bert']);
  assert.deepEqual(run.figures('token-lookup'), { 'tokens remembered': 2 });
  assert.ok((await run.finish()).balanced);
});

test('what nobody knows is dropped', async () => {
  const run = await TestRun.start([[tokenLookup, { url, deadline: '30s' }]]);
  const connection = run.connect();
  connection.send(get('nobody') + 'GET / HTTP/1.1\r\nHost: shop\r\nAuthorization: Basic YTpi\r\n\r\n' + get('anna'));
  await run.settled();
  assert.equal(connection.sent().toString(), get('test-1'));
  assert.deepEqual(connection.dropped, ['no test account', 'no test account']);
});

test('what fails is dropped, whatever the run says, and asked again', async () => {
  const run = await TestRun.start([[tokenLookup, { url, deadline: '30s' }]], { onPluginError: 'pass' });
  const connection = run.connect();
  connection.send(get('broken'));
  await run.settled();
  connection.send(get('broken'));
  await run.settled();
  assert.equal(connection.sent().length, 0);
  assert.deepEqual(asked, ['broken', 'broken']);
  const { units, plugins } = await run.finish();
  assert.deepEqual(units, { 'plugin-error': 2 });
  assert.equal(plugins.find(({ name }) => name === 'token-lookup')!.failures.threw, 2);
  assert.doesNotMatch(run.lines.join(), /Bearer|broken/);
});

test('an answer that does not come in time is not waited for', async () => {
  const run = await TestRun.start([[tokenLookup, { url, deadline: '30s' }]]);
  const connection = run.connect();
  connection.send(get('slow') + get());
  await run.pass(29_999);
  assert.equal(connection.messages[0]!.verdict, 'waiting');
  await run.pass(1);
  assert.equal(connection.messages[0]!.cause, 'plugin-error');
  assert.equal(connection.sent().toString(), get());
});
