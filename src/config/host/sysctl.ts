/** Kernel settings as `sysctl` and files under /proc/sys show them: `net.ipv4.ip_forward` and its like. */
import { type Pasted, pastedLines } from '../pasted.ts';

export interface SysctlSetting {
  readonly line: number;
  /** With dots: `net.ipv4.ip_forward`. */
  readonly name: string;
  readonly value: string;
}

const NAMED =
  /^(?:\/proc\/sys\/)?((?:net|kernel|vm|fs)[./][A-Za-z0-9_./-]{1,120}?)\s*[:=]\s*(-?\d{1,12}(?:\s+-?\d{1,12}){0,8})$/;
const PATH = /\/proc\/sys\/([A-Za-z0-9_./-]{1,120})/;

/** A path has slashes where a name has dots, and an interface's name may hold dots itself. */
function dotted(name: string): string {
  return name.includes('/')
    ? name
        .replace(/\./g, '\u0000')
        .replace(/\//g, '.')
        .replace(/\u0000/g, '/')
    : name;
}

/** `command` is what was typed, if that is known: `cat /proc/sys/net/ipv4/ip_forward` prints a bare number. */
export function parseSysctl(text: Pasted, command = ''): readonly SysctlSetting[] {
  const asked =
    PATH.exec(command)?.[1] ?? /^(?:sudo )?sysctl\b.{0,200}? -n[be]* ([a-z][A-Za-z0-9_.-]{1,120})/.exec(command)?.[1];
  return pastedLines(text).flatMap(({ number, text: line }) => {
    const body = line.trim();
    const named = NAMED.exec(body);
    if (named !== null) return [{ line: number, name: dotted(named[1] ?? ''), value: named[2] ?? '' }];
    return asked !== undefined && /^-?\d{1,12}$/.test(body) ? [{ line: number, name: dotted(asked), value: body }] : [];
  });
}
