import { describe, expect, it } from 'vitest';
import plugin from '../../plugins/http-filter/index.ts';
import { PluginRig, refusal, request } from './plugin-rig.ts';

const SHOP = request('GET /api/v1/items?debug=1&q=a%20b', 'Host: Shop.example:80', 'X-Tag: one', 'X-Tag: two');

const verdict = async (options: string, message: string): Promise<string> => {
  const connection = (await PluginRig.start([[plugin, `http-filter${options}`]])).connect();
  const sent = connection.send(message);
  if (sent !== '') expect(sent).toBe(message);
  return sent === '' ? connection.dropped.join() : 'copied';
};

describe('http-filter', () => {
  it.each([
    ['=/api/*', 'copied'],
    ['=/api', 'path not allowed'],
    ['=/API/*', 'path not allowed'],
    ['=/static/*,/api/v?/items', 'copied'],
    ['=/v[12]/', 'copied'],
    ['=/v[23]/', 'path not allowed'],
    ['=/api/v1.items', 'path not allowed'],
    [',denyPath=/api*', 'denyPath'],
    ['=/api/*,denyPath=*items', 'denyPath'],
    [',method=get,HEAD', 'copied'],
    [',method=POST', 'method not allowed'],
    [',denyMethod=G*', 'denyMethod'],
    [',host=*.example', 'copied'],
    [',host=shop.example:80', 'copied'],
    [',host=shop', 'host not allowed'],
    [',denyHost=shop.example', 'denyHost'],
    [',header=x-tag=two', 'copied'],
    [',header=X-Tag', 'copied'],
    [',header=X-Tag=three', 'header not allowed'],
    [',denyHeader=X-Tag=/^o/', 'denyHeader'],
    [',query=q=a b', 'copied'],
    [',query=debug', 'copied'],
    [',query=q=b', 'query not allowed'],
    [',denyQuery=debug=1', 'denyQuery'],
    ['=/api/*,method=GET,header=X-Tag,query=missing', 'query not allowed'],
  ])('%s: %s', async (options, expected) => {
    expect(await verdict(options, SHOP)).toBe(expected);
  });

  it('takes single requests out of a connection, with their bodies', async () => {
    const connection = (await PluginRig.start([[plugin, 'http-filter,denyMethod=POST']])).connect();
    const post = `${request('POST /2', 'Content-Length: 29')}GET /fake HTTP/1.1\r\nHost: x\r\n`;
    const chunked = `${request('POST /4', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`;
    const given = request('GET /1') + post + request('GET /3') + chunked + request('GET /5');
    let sent = '';
    for (let i = 0; i < given.length; i += 11) sent += connection.send(given.slice(i, i + 11), 0);
    expect(sent).toBe(request('GET /1') + request('GET /3') + request('GET /5'));
    expect(connection.dropped).toEqual(['denyMethod', 'denyMethod']);
  });

  it('passes what is no HTTP request, or does not', async () => {
    const odd = 'GET / HTTP/1.1\r\nHost : x\r\n\r\n';
    const upgraded = `${request('GET /chat', 'Connection: Upgrade', 'Upgrade: chat')}\u0001frame`;
    for (const message of ['PING\r\n', odd, upgraded]) expect(await verdict(',method=GET', message)).toBe('copied');
    const strict = (await PluginRig.start([[plugin, 'http-filter,others=drop']])).connect();
    expect(strict.send(upgraded)).toBe(request('GET /chat', 'Connection: Upgrade', 'Upgrade: chat'));
    expect(await verdict(',others=drop', 'PING\r\n')).toBe('no HTTP request');
    expect(await verdict(',others=drop', odd)).toBe('');
  });

  it('by a condition, together with the lists', async () => {
    const rig = await PluginRig.start([
      [plugin, `http-filter=/api/*,expr=method == 'POST' || header['X-A'],denyQuery=no`],
    ]);
    const one = rig.connect();
    const chunked = `${request('POST /api/b', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`;
    const kept = [request('GET /api/a', 'x-a: 1'), chunked];
    // Pipelined, on one connection.
    expect(one.send([kept[0], request('GET /api/c'), kept[1], request('GET /x', 'X-A: 1')].join(''))).toBe(
      kept.join(''),
    );
    expect(one.send(request('GET /api/a?no', 'X-A: 1'))).toBe('');
    expect(one.dropped).toEqual(['expr not met', 'path not allowed', 'denyQuery']);
  });

  it('refuses wrong options', () => {
    expect(refusal(plugin, `http-filter,expr=path = '/'`)).toContain(
      `expr=path = '/': expected &&, || or the end at character 6, not =`,
    );
    expect(refusal(plugin, 'http-filter')).toContain('nothing is allowed or denied');
    expect(refusal(plugin, 'http-filter=/[/')).toContain("'/[/' has no name, or is no regular expression");
    expect(refusal(plugin, 'http-filter,header==x')).toContain("'=x' has no name");
    expect(refusal(plugin, 'http-filter,others=keep')).toContain('others=keep');
    expect(refusal(plugin, 'http-filter,pth=/a')).toContain('no option pth');
  });
});
