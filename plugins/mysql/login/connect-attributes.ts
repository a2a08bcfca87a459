/** What clients say about themselves in a login: `_client_name`, `program_name` and others. */
import { PacketReader } from './packet-reader.ts';

/**
 * The attributes in a block of them, as it stands in a login without the length before it. What is damaged ends the list.
 */
export function connectAttributes(block: Uint8Array): readonly (readonly [name: string, value: string])[] {
  const reader = new PacketReader(block);
  const attributes: (readonly [string, string])[] = [];
  while (reader.left > 0) {
    const name = Buffer.from(reader.lenencBytes()).toString();
    const value = Buffer.from(reader.lenencBytes()).toString();
    if (reader.failed) break;
    attributes.push([name, value]);
  }
  return attributes;
}
