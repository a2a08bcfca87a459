/** A server that knows caching_sha2_password alone, as a program: prints each login and each command. */
import { CachingSha2Server } from '../../support/caching-sha2-server.ts';

export interface Sha2ServerProgram {
  readonly port: number;
  readonly users: Readonly<Record<string, string>>;
}

const { port, users } = JSON.parse(process.argv[2]!) as Sha2ServerProgram;
await CachingSha2Server.start({
  users: new Map(Object.entries(users)),
  port,
  log: (line) => process.stdout.write(`${line}\n`),
});
