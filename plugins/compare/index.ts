/** Tells where the target's HTTP responses differ from those of the online server. */
import { definePlugin, formatEndpoint, option, z, type HttpRequest, type HttpResponse } from 'tcpcopy/plugin';
import { bodyDifference } from './body.ts';

/** As many lines a second as are read by people. */
const LINES_A_SECOND = 10;
const SECOND = 1e6;

/** How a pair of responses came out, in the summary's words. */
type Outcome = 'equal' | 'status differs' | 'header differs' | 'body differs' | 'body not compared' | 'not compared';

export default definePlugin({
  name: 'compare',
  description: "Tells where the target's HTTP responses differ from the online server's.",
  options: z.object({
    header: z.array(z.string().min(1)).default(['Content-Type']).describe('header fields to compare as well'),
    body: z.boolean().default(true).describe('whether bodies are compared'),
    ignore: z
      .array(option.jsonPointer().min(1, 'means the whole body: body=no leaves it out'))
      .default([])
      .describe('JSON bodies: pointers to what may differ; * for any key or index'),
    rate: option.rate().default(LINES_A_SECOND).describe('at most so many lines; the others are counted'),
  }),
  shorthand: 'header',
  protocol: 'http',
  phase: 'observe',
  examples: ['compare', 'compare,ignore=/time,/items/*/id', 'compare=Content-Type,Location,body=no'],
  apply(hooks, { header, body, ignore, rate }, { log, now, processes }) {
    const counts = new Map<Outcome, number>();
    let second = -Infinity;
    let written = 0;
    const tell = (line: string): void => {
      if (now() - second >= SECOND) {
        second = now();
        written = 0;
      }
      if (written++ < rate / processes) log.warn(line);
    };

    const compare = (online: HttpResponse, target: HttpResponse): [Outcome, string] => {
      if (online.status !== target.status) {
        return ['status differs', `status ${online.status} online, ${target.status} from the target`];
      }
      const field = header.find((name) => online.headers.get(name) !== target.headers.get(name));
      if (field !== undefined) return ['header differs', `header ${field} differs`];
      if (!body) return ['equal', ''];
      const difference = bodyDifference(online, target, ignore);
      if (difference === undefined) return ['equal', ''];
      return difference === 'unknown' ? ['body not compared', ''] : ['body differs', `body differs ${difference}`];
    };

    if (body) hooks.http.responseHead.tap('compare', (head) => head.wantBody());
    hooks.http.exchange.tap('compare', ({ request, connection, online, target }) => {
      const [outcome, what] =
        online === undefined || target === undefined ? (['not compared', ''] as const) : compare(online, target);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      if (what !== '') tell(`${formatEndpoint(connection.client)} ${request.method} ${place(request)}: ${what}`);
    });
    hooks.stats.tap('compare', (context) => {
      for (const [outcome, count] of counts) context.figure(outcome, count);
    });
  },
});

/** Without the query, which may hold secrets. */
function place({ host, path }: HttpRequest): string {
  return `${host ?? ''}${path ?? ''}`;
}
