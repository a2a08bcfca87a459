/** `tcpcopy/plugin`: everything a plugin may import, and the only thing of tcpcopy's that it may. */
export { z } from 'zod';
export type { Log } from '../core/log.ts';
export type { Duration, Instant } from '../core/time.ts';
export type { Endpoint, IpAddress } from '../core/ip-address.ts';
export { formatEndpoint, formatIp, parseIp } from '../core/ip-address.ts';
export type { ClientBytes, Codec, Piece } from '../protocol/codec.ts';
export { ClientInput } from '../protocol/client-input.ts';
export { MessagePiece, type ChangeableMessage } from '../protocol/message-piece.ts';
export { PendingBytes, type ByteBudget } from '../protocol/pending-bytes.ts';
export { PieceOutlet } from '../protocol/piece-outlet.ts';
export { ReasonCounts } from '../protocol/reason-counts.ts';
export { Swallowed } from '../protocol/swallowed.ts';
export type { Dialogue, OutgoingRequest, Preparation } from '../protocol/dialogue.ts';
export type { ResponseOrigin, ResponseReader, ServerMessage } from '../protocol/response-reader.ts';
export type {
  AnyState,
  ConnectionContext,
  ConnectionInfo,
  CopyChange,
  Drop,
  ExchangeContext,
  PerCopy,
  PluginConnection,
  RequestContext,
  ResponseContext,
  ShutdownContext,
  StatsContext,
} from '../pipeline/hooks.ts';
export { LruMap } from '../pipeline/lru-map.ts';
export { PHASES, type Phase } from '../pipeline/phases.ts';
export type { Plugin, PluginEnv } from '../pipeline/plugin.ts';
export type { AsyncTapPoint, PluginHooks, PromiseTapOptions, TapOptions, TapPoint } from '../pipeline/taps.ts';
export type { ConfigPlugin, TcpcopyConfig } from '../config/config-file.ts';
export { defineConfig, definePlugin, type DefinedPlugin, type PluginDefinition } from './define-plugin.ts';
export type { Condition, ConditionSubject } from './condition.ts';
export { CredentialMap, Credentials } from './credentials.ts';
export { option } from './option.ts';
export { parsePattern, type Matches } from './pattern.ts';
export { parseReplacement, type Replace } from './replacement.ts';
export { seededPosition } from './seeded-position.ts';
// With `*`, so that `declare module 'tcpcopy/plugin'` can add to ProtocolHooks.
export * from '../pipeline/protocol-hooks.ts';
// The built-in protocols: their messages, and with them the types of their hooks.
export type {
  HttpHead,
  HttpHeaders,
  HttpJson,
  HttpQuery,
  HttpReading,
  HttpRequest,
  HttpResponse,
  HttpResponseHead,
  JsonPath,
  JsonVerdict,
} from '../../plugins/http/index.ts';
export type { RedisCommand, RedisError, RedisReading, RedisReply, RedisValue } from '../../plugins/redis/index.ts';
export type {
  MysqlCommand,
  MysqlCommandName,
  MysqlConnection,
  MysqlParameter,
  MysqlReading,
  MysqlResponse,
  MysqlValue,
  SqlAnalysis,
  SqlEffect,
} from '../../plugins/mysql/index.ts';
