/**
 * The hook table: every moment at which a plugin may look at, change or stop what is copied. One row a hook; its
 * tapable kind, its payload, when it is called, and what returning nothing means stand beside it.
 */
import { SyncBailHook, SyncHook } from 'tapable';
import type { Endpoint } from '../core/ip-address.ts';
import type { Piece } from '../protocol/codec.ts';

/** A captured connection, as plugins see it. */
export interface ConnectionInfo {
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** Whether its SYN was seen, or it was already open when copying began. */
  readonly openedBy: 'syn' | 'midstream';
}

/** The start of one message on one connection. */
export interface MessageInfo {
  readonly connection: ConnectionInfo;
  readonly protocol: string;
  /** Valid during the call. */
  readonly piece: Piece;
}

/** A verdict that stops a connection or a message; the reason is counted and printed. */
export interface Drop {
  readonly drop: string;
}

export interface Hooks {
  /** Bail. Once per captured connection, before anything is sent. Nothing: copy it. */
  readonly connection: SyncBailHook<[ConnectionInfo], Drop | undefined>;
  /** Bail. Once per message, at its first piece. Nothing: send it unchanged. */
  readonly request: SyncBailHook<[MessageInfo], Drop | undefined>;
  /** Observe. When a copied connection has ended, with all its sessions. */
  readonly session: SyncHook<[ConnectionInfo]>;
  /** Observe. Once, when the run ends, before the summary. */
  readonly shutdown: SyncHook<[]>;
}

export function createHooks(): Hooks {
  return {
    connection: new SyncBailHook(['connection'], 'connection'),
    request: new SyncBailHook(['message'], 'request'),
    session: new SyncHook(['connection'], 'session'),
    shutdown: new SyncHook([], 'shutdown'),
  };
}
