/** Which of two ports a service has, where nothing but the ports tells. */

/** Below it are the system ports (RFC 6335), which clients do not get. */
const SYSTEM_PORTS = 1024;
/** Of services that many run, above those: databases, caches, queues, proxies, web servers for development. */
const USUAL: ReadonlySet<number> = new Set([
  ...[1433, 1521, 1883, 2049, 2181, 2375, 2379, 3000, 3128, 3306, 3307, 3389, 4222, 5000, 5432, 5433, 5601, 5672, 5984],
  ...[6379, 6380, 6432, 6443, 7000, 7001, 8000, 8001, 8008, 8080, 8081, 8086, 8088, 8090, 8443, 8500, 8888, 9000, 9042],
  ...[9090, 9092, 9100, 9200, 9300, 9418, 11_211, 15_672, 26_379, 27_017, 27_018, 28_015],
]);

/** Whether `port` is the service's and `other` the client's: the better known one is, of two alike the lower. */
export function isServicePort(port: number, other: number): boolean {
  const [own, others] = [renown(port), renown(other)];
  return own === others ? port < other : own > others;
}

function renown(port: number): number {
  if (port < SYSTEM_PORTS) return 2;
  return USUAL.has(port) ? 1 : 0;
}
