/** qemu plugin: counts the guest instructions that run, and those of them that are floating point, load or store, multiply. */
#include <inttypes.h>
#include <qemu-plugin.h>
#include <stdio.h>
#include <string.h>

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

enum { ALL, FP, MEMORY, MULTIPLY, KINDS };

static uint64_t counts[KINDS];

/** By the major opcode and, where it has one, the function field (MIPS32 volume II-A). `lwc1` and its like count as both. */
static void classify(uint32_t word, uint64_t *of) {
  const uint32_t op = word >> 26, function = word & 63;
  of[ALL]++;
  /* cop1, cop1x, movci, and the loads and stores of its registers */
  const int moved = op == 0x31 || op == 0x35 || op == 0x39 || op == 0x3d;
  if (op == 0x11 || op == 0x13 || (op == 0 && function == 1) || moved) of[FP]++;
  if (op >= 0x20) of[MEMORY]++;
  /* mult, multu; madd, maddu, mul, msub, msubu */
  if ((op == 0 && (function == 0x18 || function == 0x19)) || (op == 0x1c && function <= 5)) of[MULTIPLY]++;
}

/** One addition per kind and block: what a block does not finish is counted all the same, and that is next to nothing. */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  uint64_t of[KINDS] = {0};
  const size_t length = qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < length; i++) {
    uint32_t word;
    memcpy(&word, qemu_plugin_insn_data(qemu_plugin_tb_get_insn(block, i)), sizeof word);
    classify(word, of);
  }
  for (int kind = 0; kind < KINDS; kind++)
    if (of[kind] > 0)
      qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, &counts[kind], of[kind]);
}

static void ended(qemu_plugin_id_t id, void *data) {
  (void)id;
  (void)data;
  char line[160];
  snprintf(line, sizeof line, "count all=%" PRIu64 " fp=%" PRIu64 " memory=%" PRIu64 " multiply=%" PRIu64 "\n",
           counts[ALL], counts[FP], counts[MEMORY], counts[MULTIPLY]);
  qemu_plugin_outs(line);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv) {
  (void)info;
  (void)argc;
  (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, ended, NULL);
  return 0;
}
