"""Pings through a tunnel: TARGET [--count N] [--interval S] [--size BYTES] [--at EPOCH] [--df] [--first]. Prints how many
came back; with --first it ends with the first one."""
import argparse, os, select, socket, struct, time

options = argparse.ArgumentParser()
options.add_argument("target")
options.add_argument("--count", type=int, default=1)
options.add_argument("--interval", type=float, default=1.0)
options.add_argument("--size", type=int, default=56)
options.add_argument("--at", type=float, default=0.0)
options.add_argument("--df", action="store_true")
options.add_argument("--first", action="store_true")
options = options.parse_args()


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


six = ":" in options.target
request, reply = (128, 129) if six else (8, 0)
family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if six else (socket.AF_INET, socket.IPPROTO_ICMP)
sock = socket.socket(family, socket.SOCK_RAW, protocol)
if options.df:
    sock.setsockopt(socket.IPPROTO_IP, 10, 3)  # IP_MTU_DISCOVER = IP_PMTUDISC_PROBE
ident = os.getpid() & 0xFFFF
payload = bytes(range(256)) * 8
payload = payload[: options.size + options.size % 2]
start = max(options.at, time.time())
answered = set()
for sequence in range(options.count + 1):
    if options.first and answered:
        break
    due = start + sequence * options.interval + (1.0 if sequence == options.count else 0.0)
    while (left := due - time.time()) > 0:
        if select.select([sock], [], [], left)[0]:
            packet = sock.recv(65536)
            body = packet if six else packet[(packet[0] & 15) * 4 :]
            if body[0] == reply and struct.unpack("!H", body[4:6])[0] == ident:
                answered.add(body[6:8])
                if options.first:
                    break
    if sequence == options.count:
        break
    # the sum of IPv6 is the system's
    header = struct.pack("!BBHHH", request, 0, 0, ident, sequence & 0xFFFF)
    header = struct.pack("!BBHHH", request, 0, checksum(header + payload), ident, sequence & 0xFFFF)
    try:
        sock.sendto(header + payload, (options.target, 0))
    except OSError:
        pass
print(f"{options.count} sent, {len(answered)} answered")
