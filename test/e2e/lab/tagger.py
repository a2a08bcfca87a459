#!/usr/bin/env python3
"""A mirror port: repeats what passes one device on another, each frame with a VLAN tag (802.1Q).

    tagger.py SOURCE MIRROR VLAN

The kernel here has no VLAN devices, and a switch's mirror port is where tagged captures come from anyway.
"""
import socket
import struct
import sys

ETH_P_ALL = 3


def main():
    source, mirror, vlan = sys.argv[1], sys.argv[2], int(sys.argv[3])
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
    tap.bind((source, 0))
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((mirror, 0))
    tag = struct.pack("!HH", 0x8100, vlan)
    print("mirroring", flush=True)
    while True:
        frame = tap.recv(70000)
        try:
            out.send(frame[:12] + tag + frame[12:])
        except OSError as error:
            print(f"not mirrored: {len(frame)} bytes: {error}", flush=True)


if __name__ == "__main__":
    main()
