import type { Bytes } from '../bytes.ts';
import type { PluginGiven } from '../test-run.ts';

/** What a codec is tried with. */
export interface CodecSpec<Message = unknown, Response = unknown> {
  /** The plugin that provides the protocol, with what it is told if need be. */
  readonly plugin: PluginGiven;
  readonly protocol: string;
  /** By what they are about. The more kinds of messages they hold between them the better. */
  readonly conversations: Readonly<Record<string, TriedConversation>>;
  /** A message of the client's in one line: everything that taps may look at. */
  tell(message: Message): string;
  /** The same of the server's, where the protocol reads responses. */
  tellResponse?(response: Response): string;
  /** Changes a message as a tap might: what comes of it has to be readable again, and has to be taken back where it can be. */
  edit?(message: Message): void;
  /** Of what is tried at random; 1 when left out. */
  readonly seed?: number;
  /** How much is tried at random, per conversation; 50 when left out. */
  readonly rounds?: number;
}

export interface TriedConversation {
  /** What the client sends, turn by turn: before each but the first it has seen something of the server's. */
  readonly client: readonly Bytes[];
  /** The messages in it as `tell` tells them. Where they are left out, readings are only compared with one another. */
  readonly messages?: readonly string[];
  /** What the server says after each turn. */
  readonly server?: readonly Bytes[];
  /** The responses in it as `tellResponse` tells them. */
  readonly responses?: readonly string[];
  /**
   * Whether a codec that has lost its place, in a gap or because it came late, finds the last turn when the client sends it
   * once more. True when left out.
   */
  readonly resumes?: boolean;
}

/** One check, to be given to whatever test framework. */
export interface Check {
  readonly name: string;
  /** Rejects with an error whose text says what was expected, what came, and how to get there again. */
  readonly run: () => Promise<void>;
}
