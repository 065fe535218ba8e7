"""A bulk TCP transfer: `serve ADDRESS BYTES` gives that much to one caller, `fetch ADDRESS` takes it all."""
import os, socket, sys

PORT = 5001
if sys.argv[1] == "serve":
    listener = socket.create_server((sys.argv[2], PORT))
    listener.settimeout(30)
    caller = listener.accept()[0]
    caller.sendall(os.urandom(int(sys.argv[3])))
    caller.close()
else:
    caller = socket.create_connection((sys.argv[2], PORT), timeout=30)
    while caller.recv(65536):
        pass
