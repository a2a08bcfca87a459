"""Sends what nobody should: abuse.py KIND DEVICE SOURCE TARGET TARGET_MAC PORT COUNT SEED

KIND: flood (SYNs that are never followed up), scan (SYN, FIN, Xmas and null probes of all ports), hostile (segments with
wrong lengths, options, checksums and fragments of them). Prints how many frames it has sent. All come from source ports that
are nobody's else, and each of these has sent a SYN before.
"""
import random
import socket
import struct
import sys
import time

RATE = 8000  # frames a second
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
PORTS = range(5000, 9000)  # below those that the lab's hosts take by themselves (network.ts)

kind, device, source, target, mac, port, count, seed = sys.argv[1:9]
port, count = int(port), int(count)
chance = random.Random(int(seed))
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((device, 0))
ethernet = bytes.fromhex(mac.replace(":", "")) + wire.getsockname()[4] + b"\x08\x00"
addresses = socket.inet_aton(source) + socket.inet_aton(target)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tcp(to, flags, options=b"", payload=b"", offset=None, own=None):
    """A segment with a good checksum; `offset` in place of the right length of its header, `own` source port."""
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4 if offset is None else offset
    head = struct.pack("!HHIIBBHHH", chance.choice(PORTS) if own is None else own, to, chance.getrandbits(32), chance.getrandbits(32),
                       (words & 15) << 4, flags, 1024, 0, 0)
    segment = head + options + payload
    total = checksum(addresses + struct.pack("!BBH", 0, 6, len(segment)) + segment)
    return segment[:16] + struct.pack("!H", total) + segment[18:]


def ip(payload, length=None, words=5, fragment=0, number=1):
    """A packet; `length`, `words` (of its header) and `fragment` (flags and offset) as they are to be claimed."""
    head = struct.pack("!BBHHHBBH", 0x40 | words, 0, 20 + len(payload) if length is None else length, number, fragment,
                       64, 6, 0) + addresses
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def flood(_):
    yield ip(tcp(port, SYN, b"\x02\x04\x05\xb4"))


def scan(i):
    yield ip(tcp(1 + i % 65535, (SYN, FIN, FIN | PSH | URG, 0)[i % 4]))


def hostile(i):
    request = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % i
    choice = chance.randrange(8)
    if choice == 0:
        yield ip(tcp(port, chance.getrandbits(8), payload=request, offset=chance.randrange(16)))
    elif choice == 1:
        yield ip(tcp(port, ACK, chance.randbytes(chance.randrange(41)), request))
    elif choice == 2:
        yield ip(tcp(port, PSH | ACK, payload=request), length=chance.randrange(65536))
    elif choice == 3:
        yield ip(tcp(port, PSH | ACK, payload=request), words=chance.randrange(16))
    elif choice == 4:
        whole = tcp(port, PSH | ACK, payload=request)
        yield ip(whole[:24], fragment=0x2000, number=i & 0xFFFF)
        yield ip(whole[16:], fragment=chance.choice((2, 3, 0x1FFF)), number=i & 0xFFFF)
    elif choice == 5:
        packet = bytearray(ip(tcp(port, PSH | ACK, payload=request)))
        packet[chance.randrange(20, len(packet))] ^= 1 + chance.randrange(255)
        yield bytes(packet)
    elif choice == 6:
        yield ip(tcp(port, PSH | ACK, payload=request))[: chance.randrange(1, 60)]
    else:
        yield chance.randbytes(chance.randrange(1, 200))


began = time.monotonic()


def keep_pace(done):
    ahead = done / RATE - (time.monotonic() - began)
    if ahead > 0.01:
        time.sleep(ahead)


for i, own in enumerate(PORTS):
    wire.send(ethernet + ip(tcp(port, SYN, own=own)))
    keep_pace(i + 1)
sent = 0
for i in range(count):
    for packet in {"flood": flood, "scan": scan, "hostile": hostile}[kind](i):
        try:
            wire.send(ethernet + packet)
        except OSError:
            continue
        sent += 1
    keep_pace(len(PORTS) + sent)
print(sent)
