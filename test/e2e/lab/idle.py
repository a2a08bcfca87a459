"""Opens COUNT connections, sends one request on each, and keeps them: idle.py ADDRESS PORT COUNT. Says `idle` once all are."""
import resource
import signal
import socket
import sys

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, max(count + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
held = []
for i in range(count):
    connection = socket.create_connection((address, port))
    connection.sendall(b"GET /1k?id=idle%d HTTP/1.1\r\nHost: online.example\r\n\r\n" % i)
    held.append(connection)
for connection in held:
    answer = b""
    while len(answer) < 1000:
        answer += connection.recv(65536)
print("idle", flush=True)
signal.pause()
