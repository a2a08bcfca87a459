/**
 * Whether anything on this host looks at packets between the routing of what it sends and the device: then they must not
 * be sent past it. Chains of nftables (linux/netfilter/nf_tables.h), tables of the older iptables, IPsec policies
 * (linux/xfrm.h). What cannot be found out counts as there.
 */
import { attributesOf, errnoOfMessage, messagesOf, netlinkRequest, NLM_F_DUMP, readWordAt, viewOf } from './netlink.ts';
import { errnoName } from './errno.ts';
import type { AskKernel } from './next-hop.ts';

/** The text of a file, or an error with `code`. */
export type ReadText = (path: string) => string;

const [NETLINK_XFRM, NETLINK_NETFILTER] = [6, 12];
/** Subsystem nf_tables, and its message. */
const NFT_GETCHAIN = (10 << 8) | 4;
/** struct nfgenmsg. */
const NFGEN_SIZE = 4;
const NFTA_CHAIN_HOOK = 4;
const NFTA_HOOK_HOOKNUM = 1;
/** NFPROTO_INET, _IPV4, _IPV6. */
const IP_FAMILIES = [1, 2, 10];
const [LOCAL_OUT, POST_ROUTING] = [3, 4];
const XFRM_GETSPDINFO = 0x25;
const XFRMA_SPD_INFO = 1;
/** What the kernel says of a part that it was built without. */
const ABSENT = ['EPROTONOSUPPORT', 'EAFNOSUPPORT', 'EINVAL', 'EOPNOTSUPP', 'ENOTSUP', 'ENOENT'];

/** What there is, or why that is not known; `undefined`: nothing. */
export function outputHook(ask: AskKernel, read: ReadText): string | undefined {
  return (
    unlessAbsent('nftables', () => nftChain(ask)) ??
    unlessAbsent('iptables', () => tables(read, '/proc/net/ip_tables_names')) ??
    unlessAbsent('iptables', () => tables(read, '/proc/net/ip6_tables_names')) ??
    unlessAbsent('IPsec', () => ipsecPolicy(ask))
  );
}

function nftChain(ask: AskKernel): string | undefined {
  const request = netlinkRequest(NFT_GETCHAIN, NLM_F_DUMP, [
    [1, 0],
    [1, 0],
    [2, 0],
  ]);
  for (const message of messagesOf(ask(NETLINK_NETFILTER, request))) {
    refuse(errnoOfMessage(message));
    const { body } = message;
    if (body.byteLength < NFGEN_SIZE || !IP_FAMILIES.includes(body.getUint8(0))) continue;
    const hook = attributesOf(body, NFGEN_SIZE).get(NFTA_CHAIN_HOOK);
    if (hook === undefined) continue;
    const number = attributesOf(viewOf(hook), 0).get(NFTA_HOOK_HOOKNUM);
    const at = number === undefined ? LOCAL_OUT : viewOf(number).getUint32(0);
    if (at === LOCAL_OUT || at === POST_ROUTING) return 'nftables has a chain for what this host sends';
  }
  return undefined;
}

function tables(read: ReadText, path: string): string | undefined {
  return read(path).trim() === '' ? undefined : 'iptables has rules';
}

function ipsecPolicy(ask: AskKernel): string | undefined {
  for (const message of messagesOf(ask(NETLINK_XFRM, netlinkRequest(XFRM_GETSPDINFO, 0, [[4, 0]])))) {
    refuse(errnoOfMessage(message));
    const info = attributesOf(message.body, 4).get(XFRMA_SPD_INFO);
    // How many policies for what comes in, and for what goes out.
    if (info === undefined || readWordAt(viewOf(info), 4) > 0) return 'IPsec has a policy for what this host sends';
  }
  return undefined;
}

function refuse(errno: number): void {
  if (errno !== 0) throw Object.assign(new Error(errnoName(errno)), { code: errnoName(errno) });
}

function unlessAbsent(what: string, question: () => string | undefined): string | undefined {
  try {
    return question();
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code;
    if (typeof code === 'string' && ABSENT.includes(code)) return undefined;
    return `whether ${what} looks at it is not known (${String(code ?? error)})`;
  }
}
