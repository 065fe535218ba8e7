/**
 * `kernel open|seal BYTES TIMES`: ChaCha20-Poly1305 out of Linux's assembly for MIPS, put together as lib/crypto/chacha20poly1305.c
 * does it, and prints the last tag. The key is 0 to 31, the plaintext 0, 1, 2…, and the counter 7, each time.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG = 16, BLOCK = 16, MOST = 65535 };

void chacha_crypt_arch(uint32_t *state, uint8_t *to, const uint8_t *from, unsigned length, int rounds);
void poly1305_init_mips(void *state, const uint8_t *key);
void poly1305_blocks_mips(void *state, const uint8_t *from, uint32_t length, uint32_t high);
void poly1305_emit_mips(void *state, uint8_t *tag, const uint32_t *nonce);

static uint32_t le32(const uint8_t *at) {
  return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void start(uint32_t *state, const uint8_t *key, uint32_t counter) {
  state[0] = 0x61707865;
  state[1] = 0x3320646e;
  state[2] = 0x79622d32;
  state[3] = 0x6b206574;
  for (int i = 0; i < 8; i++) state[4 + i] = le32(key + 4 * i);
  state[12] = state[13] = state[15] = 0;
  state[14] = counter;
}

static void tag_of(const uint8_t *sealed, unsigned length, const uint8_t *once, uint8_t *tag) {
  uint64_t state[32];
  uint8_t last[BLOCK] = {0};
  uint32_t nonce[4];
  for (int i = 0; i < 4; i++) nonce[i] = le32(once + 16 + 4 * i);
  poly1305_init_mips(state, once);
  const unsigned whole = length & ~15u;
  if (whole > 0) poly1305_blocks_mips(state, sealed, whole, 1);
  if (length > whole) {
    memcpy(last, sealed + whole, length - whole);
    poly1305_blocks_mips(state, last, BLOCK, 1);
  }
  const uint64_t lengths[2] = {0, length};
  poly1305_blocks_mips(state, (const uint8_t *)lengths, BLOCK, 1);
  poly1305_emit_mips(state, tag, nonce);
}

static void seal(const uint8_t *key, uint32_t counter, const uint8_t *plain, unsigned length, uint8_t *out) {
  static const uint8_t zero[32];
  uint32_t state[16];
  uint8_t once[32];
  start(state, key, counter);
  chacha_crypt_arch(state, once, zero, sizeof once, 20);
  chacha_crypt_arch(state, out, plain, length, 20);
  tag_of(out, length, once, out + length);
}

static int open(const uint8_t *key, uint32_t counter, const uint8_t *sealed, unsigned length, uint8_t *out) {
  static const uint8_t zero[32];
  uint32_t state[16];
  uint8_t once[32], tag[TAG];
  start(state, key, counter);
  chacha_crypt_arch(state, once, zero, sizeof once, 20);
  tag_of(sealed, length, once, tag);
  uint8_t differ = 0;
  for (int i = 0; i < TAG; i++) differ |= tag[i] ^ sealed[length + i];
  if (differ != 0) return 0;
  chacha_crypt_arch(state, out, sealed, length, 20);
  return 1;
}

int main(int argc, char **argv) {
  static uint8_t plain[MOST], sealed[MOST + TAG], opened[MOST], key[32];
  if (argc != 4) return 2;
  const int opening = strcmp(argv[1], "open") == 0;
  const unsigned length = (unsigned)atoi(argv[2]);
  const long times = atol(argv[3]);
  if (length > MOST) return 2;
  for (unsigned i = 0; i < sizeof key; i++) key[i] = (uint8_t)i;
  for (unsigned i = 0; i < length; i++) plain[i] = (uint8_t)i;
  seal(key, 7, plain, length, sealed);
  for (long i = 0; i < times; i++) {
    if (!opening) seal(key, 7, plain, length, sealed);
    else if (!open(key, 7, sealed, length, opened)) return 1;
  }
  if (opening && times > 0 && memcmp(plain, opened, length) != 0) return 1;
  for (int i = 0; i < TAG; i++) printf("%02x", sealed[length + i]);
  printf("\n");
  return 0;
}
