/** The plugin that provides the protocol `http`. */
import {
  definePlugin,
  option,
  z,
  type EventHook,
  type ExchangeHook,
  type RequestHook,
  type ResponseHook,
} from 'tcpcopy/plugin';
import { detect } from './detect.ts';
import { effectOf, parseRequestTest, type RequestTest } from './effect.ts';
import { HttpHead, HttpReading, HttpResponseHead } from './reading.ts';
import { HttpRequestCodec } from './request-codec.ts';
import type { HttpRequest } from './request.ts';
import type { HttpResponse } from './response.ts';
import { HttpResponseReader } from './response-reader.ts';
import { httpSettings, type HttpSettings } from './settings.ts';

declare module 'tcpcopy/plugin' {
  interface ProtocolHooks {
    readonly http: {
      readonly request: RequestHook<HttpRequest>;
      readonly response: ResponseHook<HttpResponse<HttpRequest>>;
      readonly exchange: ExchangeHook<HttpRequest, HttpResponse<HttpRequest>>;
      /** How a connection is to be read. */
      readonly connection: EventHook<HttpReading>;
      /** Whether a body is wanted. */
      readonly head: EventHook<HttpHead>;
      readonly responseHead: EventHook<HttpResponseHead>;
    };
  }
}

/** A head longer than this is an attack on our memory; one shorter than a request line and a Host field is none. */
const SMALLEST_HEAD = 64;
const LARGEST_HEAD = 1 << 20;

export const http = definePlugin({
  name: 'http',
  description: 'Reads HTTP/1.x: requests, which plugins can look at and change, and responses to look at.',
  options: z.object({
    unparsable: z
      .enum(['raw', 'drop'])
      .default('raw')
      .describe('bytes that are not strictly HTTP/1.x: passed on exactly as they are, or not sent'),
    headLimit: option
      .size()
      .default(64 << 10)
      .refine((bytes) => bytes >= SMALLEST_HEAD && bytes <= LARGEST_HEAD, 'must be from 64 bytes to 1M')
      .describe('longest head; a longer one is unparsable'),
    bodyLimit: option
      .size()
      .default(1 << 20)
      .describe('longest body held for a plugin that asks for it; longer ones stream past'),
    reads: requestTests('requests that change nothing, whatever their method: POST /search'),
    writes: requestTests('requests that change something, whatever their method: GET /logout, * /admin/*'),
  }),
  examples: ['http', 'http,unparsable=drop', 'http,bodyLimit=8M', 'http,reads=POST /search*,writes=GET /logout'],
  apply(hooks, options) {
    const settings = httpSettings(options);
    const events = hooks.provide('http', {
      hooks: {
        request: {
          role: 'request',
          payload: 'HttpRequest',
          moment: 'Once per request, at its head; with its body where that was asked for.',
          nothing: 'The request goes on as it is.',
        },
        response: {
          role: 'response',
          payload: 'HttpResponse',
          moment: 'Once per response that has ended, informational ones too.',
          nothing: 'Later taps see the response as it is.',
        },
        exchange: {
          role: 'exchange',
          payload: 'ExchangeContext',
          moment: 'Once per request that was sent, when its final response has ended or will not come.',
          nothing: 'As always.',
        },
        connection: {
          role: 'event',
          payload: 'HttpReading',
          moment: 'Once per connection that turns out to speak HTTP, before it is read.',
          nothing: 'It is read as the options of `http` say.',
        },
        head: {
          role: 'event',
          payload: 'HttpHead',
          moment: 'Once per request that has a body, at its head, before `http.request`.',
          nothing: 'The body streams past and is not held.',
        },
        responseHead: {
          role: 'event',
          payload: 'HttpResponseHead',
          moment: 'Once per response that has a body, at its head, before `http.response`.',
          nothing: 'The body streams past and is not held.',
        },
      },
      detect,
      effect: (request) => effectOf(request, options.reads, options.writes),
      codec(info, fromBoundary) {
        const reading = new HttpReading();
        events.connection(reading, info);
        const own: HttpSettings = {
          ...settings,
          unparsable: reading.strict ? 'drop' : settings.unparsable,
          wantsBody(request) {
            const head = new HttpHead(request);
            events.head(head, info);
            return head.wanted;
          },
        };
        return new HttpRequestCodec(fromBoundary, own);
      },
      responses: (info, origin) =>
        new HttpResponseReader({
          ...settings,
          wantsResponseBody(response) {
            const head = new HttpResponseHead(response as HttpResponse<HttpRequest>, origin);
            events.responseHead(head, info);
            return head.wanted;
          },
        }),
    });
    hooks.stats.tap('http', (context) => {
      const { stats } = settings;
      const { requests, responses, bodiesHeld, bodiesOverLimit, upgrades, resynchronised } = stats;
      context.figure('requests', requests);
      if (responses > 0) context.figure('responses', responses);
      context.figure('bodies held', bodiesHeld);
      context.figure('bodies over the limit', bodiesOverLimit);
      context.figure('upgrades', upgrades);
      context.figure('resynchronised', resynchronised);
      stats.unparsable.tell(context, 'unparsable');
      stats.unreadable.tell(context, 'unreadable responses');
    });
  },
});

function requestTests(text: string): z.ZodType<readonly RequestTest[], readonly string[] | undefined> {
  return z
    .array(z.string())
    .default([])
    .transform((texts, context) =>
      texts.flatMap((each) => {
        const test = parseRequestTest(each);
        if (test !== undefined) return [test];
        context.addIssue({ code: 'custom', message: `'${each}' is no method and path, as in POST /search*` });
        return [];
      }),
    )
    .describe(text);
}
