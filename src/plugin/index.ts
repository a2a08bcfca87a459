/** `tcpcopy/plugin`: everything a plugin may import, and the only thing of tcpcopy's that it may. */
export { z } from 'zod';
export type { Instant } from '../core/time.ts';
export type { Endpoint, IpAddress } from '../core/ip-address.ts';
export { formatEndpoint, formatIp, parseIp } from '../core/ip-address.ts';
export type { ClientBytes, Codec, Piece } from '../protocol/codec.ts';
export type { ConnectionInfo, Drop, Hooks, MessageInfo } from '../pipeline/hooks.ts';
