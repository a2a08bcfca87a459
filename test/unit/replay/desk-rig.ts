/** A replica of the protocol in test/support/desk-protocol.ts, and what is said to it from all sides. */
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import type { Dialogue } from '../../../src/protocol/dialogue.ts';
import { ResponseReading } from '../../../src/replay/response-reading.ts';
import { DeskDialogue, type DeskCommand } from '../../support/desk-protocol.ts';
import { piece, ReplicaRig, type RigOptions } from './replay-rig.ts';

/** A run whose only protocol has the dialogues that `make` gives. */
function dialogues(make: () => Dialogue): ResponseReading {
  const pipeline = new Pipeline();
  pipeline.hooks.provide('desk' as never, { hooks: {}, dialogue: make } as never);
  return ResponseReading.of(pipeline)!;
}

export class DeskRig extends ReplicaRig {
  /** Commands by their text, so that the same text is the same message. */
  readonly #commands = new Map<string, DeskCommand>();

  constructor(
    options: RigOptions = {},
    make: () => Dialogue = () => new DeskDialogue({ ann: 'secret', guest: 'g' }, 'guest'),
  ) {
    super({ reading: dialogues(make), protocol: 'desk', ...options });
  }

  command(line: string): DeskCommand {
    const [verb = '', ...words] = line.split(' ');
    const command = this.#commands.get(line) ?? { verb, text: words.join(' ') };
    this.#commands.set(line, command);
    return command;
  }

  /** The client sends a line, having seen a response before, if `answers` is not 0. */
  client(line: string, answers = 1): void {
    const p = piece(`${line}\n`, { last: true, answers });
    this.replica.push(p, undefined, { message: this.command(line), exchange: undefined });
    p.bytes.fill(0x21);
  }

  /** The target acknowledges what it got, and says this. */
  says(...lines: string[]): void {
    this.session.ack();
    for (const line of lines) this.session.say(`${line}\n`);
  }

  online(line: string, reply: string): void {
    this.replica.heardOnline({ message: { line: reply, origin: 'online' }, completes: true }, this.command(line));
  }

  get sent(): string[] {
    return this.session.sent.split('\n').slice(0, -1);
  }
}
