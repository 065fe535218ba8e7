"""A bad line for the router: a TUN device that holds back, reorders or damages IPv4 packets and gives them back.

DEVICE SERVER_NET [--up S] [--down S] [--jitter S] [--flip LENGTH:OFFSET:MASK]...
"up" is towards SERVER_NET (its first three bytes, "203.0.113."). --flip XORs one byte of UDP payloads of that length
and keeps the UDP checksum right.
"""
import argparse, fcntl, heapq, itertools, os, random, select, socket, struct, time

options = argparse.ArgumentParser()
options.add_argument("device")
options.add_argument("server_net")
options.add_argument("--up", type=float, default=0.0)
options.add_argument("--down", type=float, default=0.0)
options.add_argument("--jitter", type=float, default=0.0)
options.add_argument("--flip", action="append", default=[])
options = options.parse_args()
flips = [tuple(int(part, 0) for part in flip.split(":")) for flip in options.flip]

tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", options.device.encode(), 0x1001))  # TUNSETIFF, IFF_TUN | IFF_NO_PI


def udp_checksum(packet, at, length):
    pseudo = packet[12:20] + struct.pack("!BBH", 0, 17, length)
    data = bytes(pseudo) + bytes(packet[at : at + length]) + b"\0" * (length % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF) or 0xFFFF


def damage(packet):
    if packet[9] != 17 or struct.unpack("!H", packet[6:8])[0] & 0x3FFF:
        return packet
    at = (packet[0] & 15) * 4
    length = struct.unpack("!H", packet[at + 4 : at + 6])[0]
    for wanted, offset, mask in flips:
        if length - 8 == wanted:
            packet[at + 8 + offset] ^= mask
            packet[at + 6 : at + 8] = b"\0\0"
            packet[at + 6 : at + 8] = struct.pack("!H", udp_checksum(packet, at, length))
    return packet


queue, order = [], itertools.count()
while True:
    wait = max(0.0, queue[0][0] - time.monotonic()) if queue else None
    if select.select([tun], [], [], wait)[0]:
        packet = bytearray(os.read(tun, 65536))
        if packet[0] >> 4 == 4:
            up = socket.inet_ntoa(bytes(packet[16:20])).startswith(options.server_net)
            due = time.monotonic() + (options.up if up else options.down) + random.uniform(0, options.jitter)
            heapq.heappush(queue, (due, next(order), bytes(damage(packet))))
    while queue and queue[0][0] <= time.monotonic():
        os.write(tun, heapq.heappop(queue)[2])
