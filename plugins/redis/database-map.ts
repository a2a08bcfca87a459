/** Other databases on the target than online: numbers in commands that name one. */
import type { RedisCommand } from './command.ts';

export class DatabaseMap {
  readonly #map: ReadonlyMap<number, number>;

  constructor(map: ReadonlyMap<number, number>) {
    this.#map = map;
  }

  /** The target's database for one online. */
  targetOf(database: number): number {
    return this.#map.get(database) ?? database;
  }

  apply(command: RedisCommand): void {
    switch (command.name) {
      case 'SELECT':
        return this.#map1(command, 1);
      case 'MOVE':
        return this.#map1(command, 2);
      case 'SWAPDB':
        this.#map1(command, 1);
        return this.#map1(command, 2);
      case 'COPY':
        for (let i = 3; i + 1 < command.length; i++) {
          if (command.text(i)?.toUpperCase() === 'DB') return this.#map1(command, i + 1);
        }
    }
  }

  #map1(command: RedisCommand, index: number): void {
    const text = command.text(index);
    if (text === undefined || !/^\d{1,9}$/.test(text)) return;
    const target = this.targetOf(Number(text));
    if (target !== Number(text)) command.set(index, String(target));
  }
}
