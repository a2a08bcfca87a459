import { codecChecks } from 'tcpcopy/testing';
import type { HttpRequest, HttpResponse } from 'tcpcopy/plugin';
import { test } from 'vitest';
import http from '../../../plugins/http/index.ts';

const GET = 'GET /a?b=c HTTP/1.1\r\nHost: shop\r\nAccept: */*\r\n\r\n';
const POST = 'POST /form HTTP/1.1\r\nHost: shop\r\nContent-Length: 11\r\n\r\nname=a\r\n\r\nb';
const CHUNKED =
  'PUT /file HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n3\r\n\r\n\r\r\n0\r\nTrailer: t\r\n\r\n';
const HEAD = 'HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const NO_CONTENT = 'HTTP/1.1 204 No Content\r\n\r\n';
const STREAMED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n';

const checks = codecChecks<HttpRequest, HttpResponse>({
  plugin: http,
  protocol: 'http',
  conversations: {
    'a request at a time': {
      client: [GET, POST, CHUNKED, HEAD],
      messages: ['GET /a?b=c shop', 'POST /form shop', 'PUT /file shop', 'HEAD / shop'],
      server: [
        OK,
        NO_CONTENT,
        `HTTP/1.1 100 Continue\r\n\r\n${STREAMED}`,
        'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n',
      ],
    },
    pipelined: {
      client: [GET + POST + HEAD, CHUNKED + GET],
      messages: ['GET /a?b=c shop', 'POST /form shop', 'HEAD / shop', 'PUT /file shop', 'GET /a?b=c shop'],
      server: [OK + OK + 'HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n', STREAMED + NO_CONTENT],
    },
  },
  tell: ({ method, target, host }) => `${method} ${target} ${host}`,
  tellResponse: ({ status }) => String(status),
  edit(request) {
    request.path = '/changed';
    request.headers.set('X-Added', 'by a plugin');
  },
  rounds: 25,
});
for (const { name, run } of checks) test(name, run);
