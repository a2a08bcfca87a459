/** Copies connections of certain clients only, or all but those, whatever protocol they speak. */
import { definePlugin, z, type IpAddress } from 'tcpcopy/plugin';
import { parseRange, type AddressRange } from './address-range.ts';

const ranges = (text: string): z.ZodType<readonly AddressRange[], readonly string[] | undefined> =>
  z
    .array(z.string())
    .default([])
    .transform((texts, context) =>
      texts.flatMap((each) => {
        const range = parseRange(each);
        if (range !== undefined) return [range];
        context.addIssue({ code: 'custom', message: `'${each}' is neither an address nor a range as in 192.0.2.0/24` });
        return [];
      }),
    )
    .describe(text);

export default definePlugin({
  name: 'filter',
  description: 'Copies connections of certain clients only, or all but those, whatever protocol they speak.',
  options: z
    .object({
      allow: ranges('addresses and ranges to copy from; all where none is given'),
      deny: ranges('addresses and ranges not to copy from, also of those allowed'),
    })
    .refine(({ allow, deny }) => allow.length + deny.length > 0, 'nothing is allowed or denied: give allow or deny'),
  shorthand: 'allow',
  phase: 'filter',
  examples: ['filter=192.0.2.0/24', 'filter,allow=10.0.0.0/8,2001:db8::/32,deny=10.1.2.3'],
  apply(hooks, { allow, deny }) {
    const among = (list: readonly AddressRange[], address: IpAddress) => list.some((range) => range.contains(address));
    hooks.connection.tap('filter', (context) => {
      const { client } = context.connection;
      if (among(deny, client.address)) context.drop('client denied');
      else if (allow.length > 0 && !among(allow, client.address)) context.drop('client not allowed');
    });
  },
});
