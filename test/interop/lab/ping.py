"""Pings through a tunnel: TARGET [--count N] [--interval S] [--size BYTES] [--at EPOCH] [--df]. Prints how many came back."""
import argparse, os, select, socket, struct, time

options = argparse.ArgumentParser()
options.add_argument("target")
options.add_argument("--count", type=int, default=1)
options.add_argument("--interval", type=float, default=1.0)
options.add_argument("--size", type=int, default=56)
options.add_argument("--at", type=float, default=0.0)
options.add_argument("--df", action="store_true")
options = options.parse_args()


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
if options.df:
    sock.setsockopt(socket.IPPROTO_IP, 10, 3)  # IP_MTU_DISCOVER = IP_PMTUDISC_PROBE
ident = os.getpid() & 0xFFFF
payload = bytes(range(256)) * 8
payload = payload[: options.size + options.size % 2]
start = max(options.at, time.time())
answered = set()
for sequence in range(options.count + 1):
    due = start + sequence * options.interval + (1.0 if sequence == options.count else 0.0)
    while (left := due - time.time()) > 0:
        if select.select([sock], [], [], left)[0]:
            packet = sock.recv(65536)
            body = packet[(packet[0] & 15) * 4 :]
            if body[0] == 0 and struct.unpack("!H", body[4:6])[0] == ident:
                answered.add(body[6:8])
    if sequence == options.count:
        break
    header = struct.pack("!BBHHH", 8, 0, 0, ident, sequence & 0xFFFF)
    header = struct.pack("!BBHHH", 8, 0, checksum(header + payload), ident, sequence & 0xFFFF)
    try:
        sock.sendto(header + payload, (options.target, 0))
    except OSError:
        pass
print(f"{options.count} sent, {len(answered)} answered")
