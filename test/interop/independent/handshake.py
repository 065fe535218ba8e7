"""Computes every figure of `wgwhy vectors` anew from its private keys, with the standard library alone, and compares."""
import hashlib
import hmac
import json
import struct
import sys

P = 2**255 - 19


def x25519(scalar, u):
    """RFC 7748 §5."""
    k = bytearray(scalar)
    k[0] &= 248
    k[31] = (k[31] & 127) | 64
    k = int.from_bytes(k, "little")
    x1 = int.from_bytes(u, "little") & ((1 << 255) - 1)
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in range(254, -1, -1):
        bit = (k >> t) & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = (x2 + z2) % P, (x2 - z2) % P, (x3 + z3) % P, (x3 - z3) % P
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        e = (aa - bb) % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


def blake(*parts):
    return hashlib.blake2s(b"".join(parts)).digest()


def mac(key, message):
    return hashlib.blake2s(message, key=key, digest_size=16).digest()


def kdf(key, data, count):
    """HKDF over HMAC-BLAKE2s (wp §5.4)."""
    prk = hmac.new(key, data, hashlib.blake2s).digest()
    out, last = [], b""
    for i in range(1, count + 1):
        last = hmac.new(prk, last + bytes([i]), hashlib.blake2s).digest()
        out.append(last)
    return out


def rotate(value, by):
    return ((value << by) | (value >> (32 - by))) & 0xFFFFFFFF


def chacha_block(key, counter, nonce):
    """RFC 8439 §2.3."""
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    start += [*struct.unpack("<8I", key), counter, *struct.unpack("<3I", nonce)]
    w = list(start)

    def quarter(a, b, c, d):
        for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            w[x] = (w[x] + w[y]) & 0xFFFFFFFF
            w[z] = rotate(w[z] ^ w[x], by)

    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        quarter(0, 5, 10, 15)
        quarter(1, 6, 11, 12)
        quarter(2, 7, 8, 13)
        quarter(3, 4, 9, 14)
    return struct.pack("<16I", *[(a + b) & 0xFFFFFFFF for a, b in zip(w, start)])


def aead(key, counter, plain, ad):
    """RFC 8439 §2.8."""
    nonce = bytes(4) + struct.pack("<Q", counter)
    stream = b"".join(chacha_block(key, 1 + i, nonce) for i in range((len(plain) + 63) // 64))
    sealed = bytes(a ^ b for a, b in zip(plain, stream))
    one_time = chacha_block(key, 0, nonce)[:32]
    padded = [part + bytes(-len(part) % 16) for part in (ad, sealed)]
    message = b"".join(padded) + struct.pack("<QQ", len(ad), len(sealed))
    r = int.from_bytes(one_time[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total = 0
    for at in range(0, len(message), 16):
        total = (total + int.from_bytes(message[at : at + 16] + b"\1", "little")) * r % ((1 << 130) - 5)
    tag = (total + int.from_bytes(one_time[16:], "little")) & ((1 << 128) - 1)
    return sealed + tag.to_bytes(16, "little")


def main():
    given = json.load(sys.stdin)
    keys = {name: bytes.fromhex(value) for name, value in given["keys"].items()}
    cases = {case["id"]: case["packet"] for case in given["cases"]}
    made = []

    def same(where, name, value):
        if given[where][name] != value.hex():
            sys.exit(f"{where}.{name} differs")
        made.append(f"{where}.{name}")

    def same_packet(name, value):
        if cases[name] != value.hex():
            sys.exit(f"the packet {name} differs")
        made.append(name)

    for name in ("psk", "psk_other"):
        same("keys", name, blake(f"wgwhy vectors\n{given['seed']}\n{name}".encode()))
    roles = ("initiator_static", "responder_static", "initiator_ephemeral", "responder_ephemeral")
    s_i, s_r, e_i, e_r = (keys[f"{role}_private"] for role in roles)
    pub_si, pub_sr, pub_ei, pub_er = (x25519(secret, bytes([9]) + bytes(31)) for secret in (s_i, s_r, e_i, e_r))
    same("keys", "initiator_static_public", pub_si)
    same("keys", "responder_static_public", pub_sr)

    chain = blake(b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s")
    same("constants", "initial_chaining_key", chain)
    state = blake(chain, b"WireGuard v1 zx2c4 Jason@zx2c4.com")
    same("constants", "initial_hash", state)

    trace = "trace_initiation"
    state = blake(state, pub_sr)
    same(trace, "hash_after_responder_static", state)
    (chain,) = kdf(chain, pub_ei, 1)
    state = blake(state, pub_ei)
    same(trace, "ck_after_e", chain)
    same(trace, "hash_after_e", state)
    shared = x25519(e_i, pub_sr)
    same("dh", "dh_es", shared)
    chain, key = kdf(chain, shared, 2)
    same(trace, "ck_after_es", chain)
    same(trace, "key_static", key)
    same(trace, "initiator_static_pub", pub_si)
    static = aead(key, 0, pub_si, state)
    state = blake(state, static)
    same(trace, "hash_after_s", state)
    shared = x25519(s_i, pub_sr)
    same("dh", "dh_ss", shared)
    chain, key = kdf(chain, shared, 2)
    same(trace, "ck_after_ss", chain)
    same(trace, "key_timestamp", key)
    same(trace, "timestamp", bytes.fromhex(given["tai64n"]))
    timestamp = aead(key, 0, bytes.fromhex(given["tai64n"]), state)
    state = blake(state, timestamp)
    same(trace, "hash_after_t", state)
    message = struct.pack("<II", 1, given["initiator_index"]) + pub_ei + static + timestamp
    mac1_key = blake(b"mac1----", pub_sr)
    same(trace, "mac1_key", mac1_key)
    same(trace, "mac1", mac(mac1_key, message))
    same_packet("init.ok", message + mac(mac1_key, message) + bytes(16))

    after_initiation = chain, state
    for trace, psk, case in (
        ("trace_response_psk_other", keys["psk_other"], "resp.psk_other"),
        ("trace_response_psk_missing_on_responder", bytes(32), "resp.psk_missing_on_responder"),
        ("trace_response", keys["psk"], "resp.ok"),
    ):
        chain, state = after_initiation
        (chain,) = kdf(chain, pub_er, 1)
        state = blake(state, pub_er)
        same(trace, "ck_after_e", chain)
        same(trace, "hash_after_e", state)
        for token, secret in (("ee", x25519(e_r, pub_ei)), ("se", x25519(e_r, pub_si))):
            same("dh", f"dh_{token}", secret)
            (chain,) = kdf(chain, secret, 1)
            same(trace, f"ck_after_{token}", chain)
        chain, tau, key = kdf(chain, psk, 3)
        state = blake(state, tau)
        same(trace, "ck_after_psk", chain)
        same(trace, "tau", tau)
        same(trace, "key_empty", key)
        same(trace, "hash_after_psk", state)
        empty = aead(key, 0, b"", state)
        state = blake(state, empty)
        same(trace, "hash_final", state)
        sending, receiving = kdf(chain, b"", 2)
        same(trace, "transport_key_initiator_to_responder", sending)
        same(trace, "transport_key_responder_to_initiator", receiving)
        message = struct.pack("<III", 2, given["responder_index"], given["initiator_index"]) + pub_er + empty
        mac1_key = blake(b"mac1----", pub_si)
        same(trace, "mac1_key", mac1_key)
        same(trace, "mac1", mac(mac1_key, message))
        same_packet(case, message + mac(mac1_key, message) + bytes(16))

    inner = bytes.fromhex(given["inner_ping"])
    sealed = aead(sending, 0, inner + bytes(-len(inner) % 16), b"")
    same_packet("data.ok", struct.pack("<IIQ", 4, given["responder_index"], 0) + sealed)

    for where in ("constants", "dh", "trace_initiation", "trace_response"):
        left = [name for name in given[where] if f"{where}.{name}" not in made]
        if left:
            sys.exit(f"not computed: {where} {left}")
    print(len(set(made)))


main()
