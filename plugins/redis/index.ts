/** Redis for tcpcopy: both halves of the codec, and the messages that plugins see. */
export { RedisCommand } from './command.ts';
export { RedisCommandCodec, type RedisPiece } from './command-codec.ts';
export { commandNames, commandSpec, type CommandSpec } from './command-spec.ts';
export type { CommandKind } from './command-table.ts';
export { detect, type Detection } from './detect.ts';
export { RedisReply } from './reply.ts';
export { RedisReplyReader } from './reply-reader.ts';
export { RedisError, type RedisValue } from './reply-value.ts';
export { redisSettings, RedisStats, type RedisSettings } from './settings.ts';
export { RedisReading } from './reading.ts';
export { redis as default } from './plugin.ts';
export { RedisDialogue, type DialogueSettings } from './dialogue.ts';
