/** The protocol `tally`: counters by name, a line a command. Others can tap `hooks.tally.command` and its siblings. */
import { definePlugin, option, z, type ExchangeHook, type RequestHook, type ResponseHook } from 'tcpcopy/plugin';
import { TallyCodec } from './codec.ts';
import type { Command } from './command.ts';
import { ReplyReader, type Reply } from './reply.ts';

declare module 'tcpcopy/plugin' {
  interface ProtocolHooks {
    readonly tally: {
      readonly command: RequestHook<Command>;
      readonly reply: ResponseHook<Reply>;
      readonly exchange: ExchangeHook<Command, Reply>;
    };
  }
}

const BEGINNING = /^(incr |get |quit\n)/;
const MAY_BEGIN = ['incr ', 'get ', 'quit\n'];

export function detect(bytes: Uint8Array, offset: number, length: number): 'yes' | 'no' | 'more' {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + offset, Math.min(length, 5)).toString('latin1');
  if (BEGINNING.test(text)) return 'yes';
  return MAY_BEGIN.some((beginning) => beginning.startsWith(text)) ? 'more' : 'no';
}

export default definePlugin({
  name: 'tally',
  description: 'Reads tally, a protocol of counters.',
  options: z.object({
    held: option.size().prefault('16M').describe('most that lines which are not whole yet may take, all together'),
  }),
  apply(hooks, { held }) {
    const budget = { used: 0, limit: held };
    hooks.provide('tally', {
      hooks: {
        command: { role: 'request', payload: 'Command', moment: 'Each command.', nothing: 'It is sent as it is.' },
        reply: { role: 'response', payload: 'Reply', moment: 'Each reply.', nothing: 'Later taps see it as it is.' },
        exchange: {
          role: 'exchange',
          payload: 'ExchangeContext<Command, Reply>',
          moment: 'Each command with its reply.',
          nothing: 'As always.',
        },
      },
      detect,
      effect: ({ verb }) => (verb === 'incr' ? 'write' : 'read'),
      codec: (_connection, fromBoundary) => new TallyCodec(fromBoundary, budget),
      responses: () => new ReplyReader(),
    });
  },
});
