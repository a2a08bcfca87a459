#!/usr/bin/env python3
"""Relays frames between two devices of this network namespace and spoils some of them, from a seed.

    relay.py inner outer --port 80 --drop 1 --duplicate 2 --reorder 5 --hold-ms 4 --delay-ms 0 --seed 7

Percentages apply to TCP frames from or to --port (0: all), each way. A reordered frame is held for --hold-ms and so overtaken,
a corrupted one has another value in one byte behind its TCP ports. --lose-payload N
loses the Nth such frame that carries payload from inner to outer, and nothing else. Devices must not segment or
checksum for their hosts (ethtool -K DEV tx off tso off gso off gro off). Ends on SIGTERM with counts as one JSON line.
"""
import argparse
import heapq
import itertools
import json
import random
import select
import signal
import socket
import sys
import time

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23


def tcp_payload_length(frame, port):
    """Bytes of TCP payload, or None when the frame is not plain TCP over IPv4 or IPv6 from or to the port."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and frame[23] == 6:
        ip_header = (frame[14] & 15) * 4
        tcp, length = 14 + ip_header, int.from_bytes(frame[16:18], "big") - ip_header
    elif kind == b"\x86\xdd" and frame[20] == 6:
        tcp, length = 54, int.from_bytes(frame[18:20], "big")
    else:
        return None
    if port and port.to_bytes(2, "big") not in (frame[tcp : tcp + 2], frame[tcp + 2 : tcp + 4]):
        return None
    return length - (frame[tcp + 12] >> 4) * 4


def corrupted(frame, rng):
    """The frame with another value in one byte of its TCP header, behind the ports, or of its payload."""
    if frame[12:14] == b"\x08\x00":
        begin, end = 14 + (frame[14] & 15) * 4, 14 + int.from_bytes(frame[16:18], "big")
    else:
        begin, end = 54, 54 + int.from_bytes(frame[18:20], "big")
    spoilt = bytearray(frame)
    spoilt[rng.randrange(begin + 4, end)] ^= rng.randrange(1, 256)
    return bytes(spoilt)


def open_device(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.bind((name, 0))
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
    s.setblocking(False)
    return s


def main():
    p = argparse.ArgumentParser()
    p.add_argument("inner")
    p.add_argument("outer")
    for name in ("drop", "duplicate", "reorder", "corrupt"):
        p.add_argument("--" + name, type=float, default=0.0)
    p.add_argument("--port", type=int, default=80)
    p.add_argument("--hold-ms", type=float, default=4.0)
    p.add_argument("--delay-ms", type=float, default=0.0)
    p.add_argument("--lose-payload", type=int, default=0)
    p.add_argument("--seed", type=int, default=1)
    o = p.parse_args()

    rng = random.Random(o.seed)
    inner, outer = open_device(o.inner), open_device(o.outer)
    towards = {inner: outer, outer: inner}
    counts = dict.fromkeys(("relayed", "dropped", "duplicated", "reordered", "corrupted", "unsent"), 0)
    held = []  # (due, order, socket, frame)
    order = itertools.count()
    payloads = 0
    running = True

    def stop(*_):
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

    def send(s, frame):
        try:
            s.send(frame)
            counts["relayed"] += 1
        except OSError:
            counts["unsent"] += 1

    def handle(source, frame):
        nonlocal payloads
        target = towards[source]
        length = tcp_payload_length(frame, o.port)
        if length is None:
            send(target, frame)
            return
        if source is inner and length > 0:
            payloads += 1
            if payloads == o.lose_payload:
                counts["dropped"] += 1
                return
        if rng.random() * 100 < o.drop:
            counts["dropped"] += 1
            return
        if rng.random() * 100 < o.corrupt:
            counts["corrupted"] += 1
            frame = corrupted(frame, rng)
        wait = o.delay_ms
        if rng.random() * 100 < o.reorder:
            counts["reordered"] += 1
            wait += o.hold_ms
        times = 1
        if rng.random() * 100 < o.duplicate:
            counts["duplicated"] += 1
            times = 2
        for _ in range(times):
            if wait == 0:
                send(target, frame)
            else:
                heapq.heappush(held, (time.monotonic() + wait / 1000, next(order), target, frame))

    print("relaying", flush=True)
    while running:
        now = time.monotonic()
        while held and held[0][0] <= now:
            _, _, target, frame = heapq.heappop(held)
            send(target, frame)
        timeout = min(0.05, max(0.0, held[0][0] - now)) if held else 0.05
        readable, _, _ = select.select([inner, outer], [], [], timeout)
        for source in readable:
            for _ in range(64):
                try:
                    frame = source.recv(70000)
                except BlockingIOError:
                    break
                except OSError:
                    break  # the device went down for a moment
                if len(frame) >= 54:
                    handle(source, frame)
                else:
                    send(towards[source], frame)
    print(json.dumps(counts), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
