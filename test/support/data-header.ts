import { V4_MAPPED_WORD } from '../../src/core/ip-address.ts';
import { seqNum } from '../../src/core/seq-num.ts';
import { TCP_ACK, TCP_PSH } from '../../src/wire/segment.ts';
import { TcpHeader } from '../../src/wire/tcp-writer.ts';

/** Headers of a data segment of a client, 10.0.0.1, to a server, 10.0.0.2:80. */
export function dataHeader(): TcpHeader {
  const header = new TcpHeader();
  header.src2 = header.dst2 = V4_MAPPED_WORD;
  header.src3 = 0x0a00_0001;
  header.dst3 = 0x0a00_0002;
  header.srcPort = 40_000;
  header.dstPort = 80;
  header.flags = TCP_ACK | TCP_PSH;
  header.seq = seqNum(1_000);
  header.ack = seqNum(1);
  header.window = 501;
  return header;
}
