/**
 * The commands of Redis and Valkey: what each does, how many arguments it takes, and where its keys are. Taken from the
 * output of `COMMAND` of redis-server 7.0 and from the command reference for later ones (redis.io/commands); checked
 * against a real server by test/integration/redis-commands.test.ts.
 *
 * Commands are written `NAME:ARITY`, as `COMMAND` tells it: with the name counted, and negative where more may follow.
 */

/**
 * `script`: may read or write, the name does not tell. `publish`: changes no data, but others see it. `connection`: only
 * for the connection it comes on. `replication`: the connection becomes a replica's.
 */
export type CommandKind = 'read' | 'write' | 'script' | 'publish' | 'admin' | 'connection' | 'replication';

export interface CommandRow {
  readonly kind: CommandKind;
  /** The answer may take until somebody else does something. */
  readonly blocking?: true;
  /**
   * Where keys are, a list: `1` an argument; `1..` from there to the end, `1..-2` to the last but one, `1..2` to that one,
   * `1../2` every second; `#2` a count, then so many; `STORE@6` behind that word, looked for from there; `STREAMS@1`
   * likewise, half of what follows; `SORT` and `MIGRATE` have rules of their own.
   */
  readonly keys: string;
  readonly commands: string;
}

/** Commands whose first argument is part of their name. */
export const CONTAINERS: ReadonlySet<string> = new Set([
  ...['ACL', 'CLIENT', 'CLUSTER', 'COMMAND', 'CONFIG', 'FUNCTION', 'LATENCY', 'MEMORY', 'MODULE', 'OBJECT', 'PUBSUB'],
  ...['SCRIPT', 'SLOWLOG', 'XGROUP', 'XINFO'],
]);

export const COMMANDS: readonly CommandRow[] = [
  {
    kind: 'read',
    keys: '1',
    commands: `
      BITCOUNT:-2 BITFIELD_RO:-2 BITPOS:-3 DUMP:2 EXPIRETIME:2 GEODIST:-4 GEOHASH:-2 GEOPOS:-2 GEORADIUSBYMEMBER_RO:-5
      GEORADIUS_RO:-6 GEOSEARCH:-7 GET:2 GETBIT:3 GETRANGE:4 HEXISTS:3 HEXPIRETIME:-5 HGET:3 HGETALL:2 HKEYS:2 HLEN:2
      HMGET:-3 HPEXPIRETIME:-5 HPTTL:-5 HRANDFIELD:-2 HSCAN:-3 HSTRLEN:3 HTTL:-5 HVALS:2 LINDEX:3 LLEN:2 LPOS:-3
      LRANGE:4 PEXPIRETIME:2 PTTL:2 SCARD:2 SISMEMBER:3 SMEMBERS:2 SMISMEMBER:-3 SORT_RO:-2 SRANDMEMBER:-2 SSCAN:-3
      STRLEN:2 SUBSTR:4 TTL:2 TYPE:2 XLEN:2 XPENDING:-3 XRANGE:-4 XREVRANGE:-4 ZCARD:2 ZCOUNT:4 ZLEXCOUNT:4 ZMSCORE:-3
      ZRANDMEMBER:-2 ZRANGE:-4 ZRANGEBYLEX:-4 ZRANGEBYSCORE:-4 ZRANK:-3 ZREVRANGE:-4 ZREVRANGEBYLEX:-4
      ZREVRANGEBYSCORE:-4 ZREVRANK:-3 ZSCAN:-3 ZSCORE:3`,
  },
  { kind: 'read', keys: '1..', commands: 'EXISTS:-2 MGET:-2 PFCOUNT:-2 SDIFF:-2 SINTER:-2 SUNION:-2 TOUCH:-2' },
  { kind: 'read', keys: '1..2', commands: 'LCS:-3' },
  {
    kind: 'read',
    keys: '2',
    commands: `
      MEMORY|USAGE:-3 OBJECT|ENCODING:3 OBJECT|FREQ:3 OBJECT|IDLETIME:3 OBJECT|REFCOUNT:3 XINFO|CONSUMERS:4
      XINFO|GROUPS:3 XINFO|STREAM:-3`,
  },
  { kind: 'read', keys: '#1', commands: 'SINTERCARD:-3 ZDIFF:-3 ZINTER:-3 ZINTERCARD:-3 ZUNION:-3' },
  { kind: 'read', keys: '#2', commands: 'EVALSHA_RO:-3 EVAL_RO:-3 FCALL_RO:-3' },
  { kind: 'read', keys: 'STREAMS@1', blocking: true, commands: 'XREAD:-4' },
  {
    kind: 'read',
    keys: '',
    commands: `
      ACL|CAT:-2 ACL|DRYRUN:-4 ACL|GENPASS:-2 ACL|GETUSER:3 ACL|HELP:2 ACL|LIST:2 ACL|LOG:-2 ACL|USERS:2 ACL|WHOAMI:2
      CLIENT|GETNAME:2 CLIENT|GETREDIR:2 CLIENT|HELP:2 CLIENT|ID:2 CLIENT|INFO:2 CLIENT|LIST:-2 CLIENT|TRACKINGINFO:2
      CLUSTER|COUNT-FAILURE-REPORTS:3 CLUSTER|COUNTKEYSINSLOT:3 CLUSTER|GETKEYSINSLOT:4 CLUSTER|HELP:2 CLUSTER|INFO:2
      CLUSTER|KEYSLOT:3 CLUSTER|LINKS:2 CLUSTER|MYID:2 CLUSTER|MYSHARDID:2 CLUSTER|NODES:2 CLUSTER|REPLICAS:3
      CLUSTER|SHARDS:2 CLUSTER|SLAVES:3 CLUSTER|SLOTS:2 COMMAND:-1 COMMAND|COUNT:2 COMMAND|DOCS:-2 COMMAND|GETKEYS:-3
      COMMAND|GETKEYSANDFLAGS:-3 COMMAND|HELP:2 COMMAND|INFO:-2 COMMAND|LIST:-2 CONFIG|GET:-3 CONFIG|HELP:2 DBSIZE:1
      FUNCTION|DUMP:2 FUNCTION|HELP:2 FUNCTION|LIST:-2 FUNCTION|STATS:2 INFO:-1 KEYS:2 LASTSAVE:1 LATENCY|DOCTOR:2
      LATENCY|GRAPH:3 LATENCY|HELP:2 LATENCY|HISTOGRAM:-2 LATENCY|HISTORY:3 LATENCY|LATEST:2 LOLWUT:-1 MEMORY|DOCTOR:2
      MEMORY|HELP:2 MEMORY|MALLOC-STATS:2 MEMORY|STATS:2 MODULE|HELP:2 MODULE|LIST:2 OBJECT|HELP:2 PUBSUB|CHANNELS:-2
      PUBSUB|HELP:2 PUBSUB|NUMPAT:2 PUBSUB|NUMSUB:-2 PUBSUB|SHARDCHANNELS:-2 PUBSUB|SHARDNUMSUB:-2 RANDOMKEY:1 ROLE:1
      SCAN:-2 SCRIPT|EXISTS:-3 SCRIPT|HELP:2 SLOWLOG|GET:-2 SLOWLOG|HELP:2 SLOWLOG|LEN:2 TIME:1 XGROUP|HELP:2
      XINFO|HELP:2`,
  },
  {
    kind: 'write',
    keys: '1',
    commands: `
      APPEND:3 BITFIELD:-2 DECR:2 DECRBY:3 EXPIRE:-3 EXPIREAT:-3 GEOADD:-5 GETDEL:2 GETEX:-2 GETSET:3 HDEL:-3
      HEXPIRE:-6 HEXPIREAT:-6 HGETDEL:-5 HGETEX:-5 HINCRBY:4 HINCRBYFLOAT:4 HMSET:-4 HPERSIST:-5 HPEXPIRE:-6
      HPEXPIREAT:-6 HSET:-4 HSETEX:-6 HSETNX:4 INCR:2 INCRBY:3 INCRBYFLOAT:3 LINSERT:5 LPOP:-2 LPUSH:-3 LPUSHX:-3 LREM:4
      LSET:4 LTRIM:4 MOVE:3 PERSIST:2 PEXPIRE:-3 PEXPIREAT:-3 PFADD:-2 PSETEX:4 RESTORE:-4 RESTORE-ASKING:-4 RPOP:-2
      RPUSH:-3 RPUSHX:-3 SADD:-3 SET:-3 SETBIT:4 SETEX:4 SETNX:3 SETRANGE:4 SPOP:-2 SREM:-3 XACK:-4 XACKDEL:-6 XADD:-5
      XAUTOCLAIM:-6 XCLAIM:-6 XDEL:-3 XDELEX:-5 XSETID:-3 XTRIM:-4 ZADD:-4 ZINCRBY:4 ZPOPMAX:-2 ZPOPMIN:-2 ZREM:-3
      ZREMRANGEBYLEX:4 ZREMRANGEBYRANK:4 ZREMRANGEBYSCORE:4`,
  },
  { kind: 'write', keys: '1..', commands: 'DEL:-2 UNLINK:-2' },
  { kind: 'write', keys: '1../2', commands: 'MSET:-3 MSETNX:-3' },
  {
    kind: 'write',
    keys: '1 2',
    commands: 'COPY:-3 GEOSEARCHSTORE:-8 LMOVE:5 RENAME:3 RENAMENX:3 RPOPLPUSH:3 SMOVE:4 ZRANGESTORE:-5',
  },
  { kind: 'write', keys: '1 2..', commands: 'PFMERGE:-2 SDIFFSTORE:-3 SINTERSTORE:-3 SUNIONSTORE:-3' },
  { kind: 'write', keys: '1 #2', commands: 'ZDIFFSTORE:-4 ZINTERSTORE:-4 ZUNIONSTORE:-4' },
  {
    kind: 'write',
    keys: '2',
    commands: `
      PFDEBUG:3 XGROUP|CREATE:-5 XGROUP|CREATECONSUMER:5 XGROUP|DELCONSUMER:5 XGROUP|DESTROY:4 XGROUP|SETID:-5`,
  },
  { kind: 'write', keys: '2 3..', commands: 'BITOP:-4' },
  { kind: 'write', keys: '#1', commands: 'LMPOP:-4 ZMPOP:-4' },
  { kind: 'write', keys: '1 STORE@6 STOREDIST@6', commands: 'GEORADIUS:-6' },
  { kind: 'write', keys: '1 STORE@5 STOREDIST@5', commands: 'GEORADIUSBYMEMBER:-5' },
  { kind: 'write', keys: 'SORT', commands: 'SORT:-2' },
  { kind: 'write', keys: 'MIGRATE', commands: 'MIGRATE:-6' },
  { kind: 'write', keys: '1..-2', blocking: true, commands: 'BLPOP:-3 BRPOP:-3 BZPOPMAX:-3 BZPOPMIN:-3' },
  { kind: 'write', keys: '1 2', blocking: true, commands: 'BLMOVE:6 BRPOPLPUSH:4' },
  { kind: 'write', keys: '#2', blocking: true, commands: 'BLMPOP:-5 BZMPOP:-5' },
  { kind: 'write', keys: 'STREAMS@4', blocking: true, commands: 'XREADGROUP:-7' },
  {
    kind: 'write',
    keys: '',
    commands: `
      FLUSHALL:-1 FLUSHDB:-1 FUNCTION|DELETE:3 FUNCTION|FLUSH:-2 FUNCTION|LOAD:-3 FUNCTION|RESTORE:-3 SCRIPT|FLUSH:-2
      SCRIPT|LOAD:3 SWAPDB:3`,
  },
  { kind: 'script', keys: '#2', commands: 'EVAL:-3 EVALSHA:-3 FCALL:-3' },
  { kind: 'publish', keys: '', commands: 'PUBLISH:3 SPUBLISH:3' },
  {
    kind: 'connection',
    keys: '',
    commands: `
      ASKING:1 AUTH:-2 CLIENT|CACHING:3 CLIENT|NO-EVICT:3 CLIENT|NO-TOUCH:3 CLIENT|REPLY:3 CLIENT|SETINFO:4
      CLIENT|SETNAME:3 CLIENT|TRACKING:-3 DISCARD:1 ECHO:2 EXEC:1 HELLO:-1 MONITOR:1 MULTI:1 PING:-1 PSUBSCRIBE:-2
      PUNSUBSCRIBE:-1 QUIT:-1 READONLY:1 READWRITE:1 RESET:1 SELECT:2 SSUBSCRIBE:-2 SUBSCRIBE:-2 SUNSUBSCRIBE:-1
      UNSUBSCRIBE:-1 UNWATCH:1`,
  },
  { kind: 'connection', keys: '', blocking: true, commands: 'WAIT:3 WAITAOF:4' },
  { kind: 'connection', keys: '1..', commands: 'WATCH:-2' },
  { kind: 'replication', keys: '', commands: 'PSYNC:-3 REPLCONF:-1 SYNC:1' },
  {
    kind: 'admin',
    keys: '',
    commands: `
      ACL|DELUSER:-3 ACL|LOAD:2 ACL|SAVE:2 ACL|SETUSER:-3 BGREWRITEAOF:1 BGSAVE:-1 CLIENT|KILL:-3 CLIENT|PAUSE:-3
      CLIENT|UNBLOCK:-3 CLIENT|UNPAUSE:2 CLUSTER|ADDSLOTS:-3 CLUSTER|ADDSLOTSRANGE:-4 CLUSTER|BUMPEPOCH:2
      CLUSTER|DELSLOTS:-3 CLUSTER|DELSLOTSRANGE:-4 CLUSTER|FAILOVER:-2 CLUSTER|FLUSHSLOTS:2 CLUSTER|FORGET:3
      CLUSTER|MEET:-4 CLUSTER|REPLICATE:3 CLUSTER|RESET:-2 CLUSTER|SAVECONFIG:2 CLUSTER|SET-CONFIG-EPOCH:3
      CLUSTER|SETSLOT:-4 CONFIG|RESETSTAT:2 CONFIG|REWRITE:2 CONFIG|SET:-4 DEBUG:-2 FAILOVER:-1 FUNCTION|KILL:2
      LATENCY|RESET:-2 MEMORY|PURGE:2 MODULE|LOAD:-3 MODULE|LOADEX:-3 MODULE|UNLOAD:3 PFSELFTEST:1 REPLICAOF:3 SAVE:1
      SCRIPT|DEBUG:3 SCRIPT|KILL:2 SHUTDOWN:-1 SLAVEOF:3 SLOWLOG|RESET:2`,
  },
];
