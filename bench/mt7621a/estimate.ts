/** From instructions to Mbit/s on an MT7621A: all of it is assumption but the instructions, and each assumption is said. */
import type { Counts } from './guest.ts';

const HZ = 880e6;
/** Instructions per cycle of one thread on a core that issues one at a time: likely, least, greatest. */
const IPC = { likely: 0.65, least: 0.5, greatest: 0.8 } as const;
/** Of one floating point instruction without an FPU: the trap into the kernel, its emulator, and the way back. */
const TRAP_CYCLES = 300;
/** Published for a hEX S (MT7621A), large packets, the kernel with both cores and all four threads at work. */
export const CEILING_MBIT = { least: 385, greatest: 420 } as const;

export interface Rate {
  readonly likely: number;
  readonly least: number;
  readonly greatest: number;
}

/** Mbit/s of one thread that does nothing else, never above the ceiling; `fpu`: as if there were one. */
export function rate(bytes: number, { all, fp }: Counts, fpu: boolean): Rate {
  const of = (ipc: number): number => {
    const cycles = all / ipc + (fpu ? 0 : Math.max(0, fp) * TRAP_CYCLES);
    return Math.min(CEILING_MBIT.greatest, (bytes * 8 * HZ) / cycles / 1e6);
  };
  return { likely: of(IPC.likely), least: of(IPC.least), greatest: of(IPC.greatest) };
}

/** Milliseconds of one operation that has no bytes to divide by. */
export function milliseconds({ all, fp }: Counts, fpu: boolean): number {
  return ((all / IPC.likely + (fpu ? 0 : Math.max(0, fp) * TRAP_CYCLES)) / HZ) * 1000;
}

export const ASSUMPTIONS: readonly string[] = [
  `instructions are those of the guest under qemu-mipsel, counted, not timed; a cycle is assumed: one core of ${HZ / 1e6} MHz that issues one instruction at a time, ${IPC.likely} per cycle (${IPC.least} to ${IPC.greatest}) by a single thread, caches warm`,
  `Debian's mipsel has floating point instructions and an MT7621A has no FPU: each is assumed to trap into the kernel's emulator at ${TRAP_CYCLES} cycles; "with an FPU" leaves that out`,
  'the rows of the AEAD and of the engine are user space alone: reading and writing sockets and the TUN device come on top, in user space and in the kernel',
  'one thread has one of two cores; several workers could at best double it',
  `the ceiling is what is published for the kernel on a hEX S, ${CEILING_MBIT.least} to ${CEILING_MBIT.greatest} Mbit/s with both cores and all four hardware threads: no figure here is let above it`,
  'Node 18 is the last line of Node with a compiler for 32-bit MIPS and runs on Debian, not on RouterOS or on OpenWrt, whose user land is built without floating point; WebAssembly is compiled by TurboFan before it runs (--no-liftoff), as it is after some use anyway',
];
