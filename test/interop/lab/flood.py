"""Three bursts of 400 initiations, right in MAC1 and meaningless otherwise: ADDRESS PORT PUBLIC_KEY."""
import base64, hashlib, os, socket, sys, time

address, port, public_key = sys.argv[1], int(sys.argv[2]), base64.b64decode(sys.argv[3])
mac1_key = hashlib.blake2s(b"mac1----" + public_key).digest()
messages = []
for _ in range(1200):
    body = b"\1\0\0\0" + os.urandom(112)
    messages.append(body + hashlib.blake2s(body, key=mac1_key, digest_size=16).digest() + bytes(16))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((address, port))
for number, message in enumerate(messages):
    if number % 400 == 0:
        time.sleep(0.12)
    try:
        sock.send(message)
    except OSError:
        pass
time.sleep(2)  # the socket takes the cookie replies, so that no ICMP is sent for them
