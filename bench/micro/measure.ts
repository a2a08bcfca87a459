/** CPU time per operation: the median of seven runs after one to warm up, and the best of them. */
const RUNS = 7;
const WARM = 100_000;

export function measure(name: string, operations: number, run: (n: number) => void): number {
  run(Math.min(operations, WARM));
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const start = process.cpuUsage();
    run(operations);
    const { user, system } = process.cpuUsage(start);
    times.push(((user + system) * 1e3) / operations);
  }
  times.sort((a, b) => a - b);
  const median = times[RUNS >> 1]!;
  console.log(`${name.padEnd(66)} ${median.toFixed(0).padStart(7)} ns CPU (best ${times[0]!.toFixed(0)})`);
  return median;
}
