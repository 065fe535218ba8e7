/** HChaCha20 (draft-irtf-cfrg-xchacha §2.2): a subkey from a key and 16 bytes of nonce. */

const STATE: usize = 512;

// @ts-ignore: decorator
@inline
function quarter(a: usize, b: usize, c: usize, d: usize): void {
  let w = load<u32>(STATE + a), x = load<u32>(STATE + b), y = load<u32>(STATE + c), z = load<u32>(STATE + d);
  w += x; z = rotl<u32>(z ^ w, 16);
  y += z; x = rotl<u32>(x ^ y, 12);
  w += x; z = rotl<u32>(z ^ w, 8);
  y += z; x = rotl<u32>(x ^ y, 7);
  store<u32>(STATE + a, w);
  store<u32>(STATE + b, x);
  store<u32>(STATE + c, y);
  store<u32>(STATE + d, z);
}

/** Once for a cookie: short rather than fast. */
export function subkey(key: usize, nonce: usize, out: usize): void {
  store<u32>(STATE, 0x61707865);
  store<u32>(STATE, 0x3320646e, 4);
  store<u32>(STATE, 0x79622d32, 8);
  store<u32>(STATE, 0x6b206574, 12);
  memory.copy(STATE + 16, key, 32);
  memory.copy(STATE + 48, nonce, 16);
  for (let i = 0; i < 10; i++) {
    quarter(0, 16, 32, 48);
    quarter(4, 20, 36, 52);
    quarter(8, 24, 40, 56);
    quarter(12, 28, 44, 60);
    quarter(0, 20, 40, 60);
    quarter(4, 24, 44, 48);
    quarter(8, 28, 32, 52);
    quarter(12, 16, 36, 56);
  }
  memory.copy(out, STATE, 16);
  memory.copy(out + 16, STATE + 48, 16);
  memory.fill(STATE, 0, 64);
}
