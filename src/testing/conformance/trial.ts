/** One conversation under trial: its protocol set up as in a run, and the reading that others are compared with. */
import { parseIp } from '../../core/ip-address.ts';
import type { ConnectionInfo } from '../../pipeline/hooks.ts';
import type { ProtocolDefinition } from '../../pipeline/protocol-hooks.ts';
import { Random } from '../random.ts';
import { TestRun } from '../test-run.ts';
import type { CodecSpec, TriedConversation } from './codec-spec.ts';
import { Judge } from './judge.ts';
import { readSteps, type ReadOptions, type Step } from './read.ts';
import { lengthOf, wholeTurns } from './steps.ts';
import type { ReadMessage, Transcript } from './transcript.ts';

const INFO = {
  client: { address: parseIp('192.0.2.1')!, port: 40_000 },
  server: { address: parseIp('198.51.100.1')!, port: 80 },
};
const ROUNDS = 50;

export class Trial {
  readonly spec: CodecSpec;
  readonly conversation: TriedConversation;
  readonly definition: ProtocolDefinition;
  readonly turns;
  /** Bytes in all turns. */
  readonly length: number;
  readonly random: Random;
  readonly rounds: number;
  /** Each turn in one segment, and the client's end. */
  readonly reference: Transcript;

  private constructor(spec: CodecSpec, conversation: TriedConversation, definition: ProtocolDefinition) {
    this.spec = spec;
    this.conversation = conversation;
    this.definition = definition;
    this.turns = wholeTurns(conversation);
    this.length = lengthOf(this.turns);
    this.random = new Random(spec.seed ?? 1);
    this.rounds = spec.rounds ?? ROUNDS;
    this.reference = this.read([...this.turns, 'end']);
  }

  static async begin(spec: CodecSpec, conversation: TriedConversation): Promise<Trial> {
    const run = await TestRun.start([spec.plugin]);
    return new Trial(spec, conversation, run.protocol(spec.protocol));
  }

  /** `fromBoundary`: the connection is seen from its SYN on. */
  read(steps: readonly Step[], options: Partial<ReadOptions> = {}, fromBoundary = true): Transcript {
    const { codec } = this.definition;
    if (codec === undefined) throw new TypeError(`the plugin provides no codec for '${this.spec.protocol}'`);
    const tell = (message: unknown): string => this.spec.tell(message);
    return readSteps(codec(this.info(fromBoundary), fromBoundary), steps, { tell, ...options });
  }

  info(fromBoundary = true): ConnectionInfo {
    return { ...INFO, openedBy: fromBoundary ? 'syn' : 'midstream' };
  }

  /** Reads the steps, which hold the whole conversation, and expects what the reference has. */
  expectSame(how: string, steps: readonly Step[], options: Partial<ReadOptions> = {}): void {
    const all = [...steps, 'end' as const];
    const judge = new Judge(how, all);
    const transcript = this.read(all, options);
    judge.sound(transcript, true);
    judge.same(this.reference.messages, transcript.messages);
  }

  /** What was told of messages. */
  static told(messages: readonly ReadMessage[]): string[] {
    return messages.flatMap(({ told }) => told ?? []);
  }
}
