/** The values of wg settings: numbers, prefixes, endpoints; each comes back read or with what is wrong and a hint. */
import { type Prefix, parseIp, parsePrefix } from '../base/address.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { trimmed, withoutSpace } from './text.ts';
import type { ConfEndpoint } from './wg-conf.ts';

export interface ValueFault {
  /** Completes "ListenPort …". */
  readonly predicate: string;
  readonly hint?: string;
}

function refuse(predicate: string, hint?: string): { readonly ok: false; readonly error: ValueFault } {
  return fail(hint === undefined ? { predicate } : { predicate, hint });
}

/**
 * Quotes an address-like text and nothing else: problems must not repeat a secret that stands in the wrong place, so
 * anything with more than seven letters or digits in a row, as every key has, is not shown.
 */
export function quote(text: string): string {
  const harmless = /^[0-9a-fA-F.:/]{1,60}$/.test(text) && !/[0-9a-fA-F/]{8}/.test(text);
  return harmless ? ` '${text}'` : '';
}

/** Digits only, in whole range; leading zeros are taken, as strtoul does. */
export function readNumber(text: string, min: number, max: number, hint?: string): Result<number, ValueFault> {
  if (text === '') return refuse('has no value', hint);
  if (!/^[0-9]{1,20}$/.test(text)) return refuse('is not a number', hint);
  const value = Number(text);
  return value >= min && value <= max ? ok(value) : refuse(`is not between ${min} and ${max}`, hint);
}

/** `least` is 0 for ListenPort, where it means "any", and 1 for an endpoint. */
export function readPort(text: string, least: 0 | 1): Result<number, ValueFault> {
  const number = readNumber(text, 0, 99_999_999);
  if (!number.ok)
    return refuse(
      text === '' ? 'has no port' : 'has a port that is not a number',
      'a port is a number from 1 to 65535',
    );
  if (number.value > 65535) {
    return refuse('has a port above 65535', `wg on Linux would silently use ${number.value % 65536} instead`);
  }
  return number.value < least
    ? refuse('has port 0, to which nothing can be sent', 'write the listen port of the other end')
    : ok(number.value);
}

/** wg reads `0x` as hexadecimal and `off` as 0. */
export function readFwMark(text: string): Result<number, ValueFault> {
  if (text.toLowerCase() === 'off') return ok(0);
  const hint = "write a number up to 0xffffffff, or 'off'";
  if (/^0x[0-9a-fA-F]{1,8}$/.test(text)) return ok(Number.parseInt(text.slice(2), 16));
  return readNumber(text, 0, 0xffffffff, hint);
}

export function readKeepalive(text: string): Result<number, ValueFault> {
  if (text.toLowerCase() === 'off') return ok(0);
  return readNumber(text, 0, 65535, "write seconds without a unit, such as 25, or 'off'");
}

export function readPrefix(text: string): Result<Prefix, ValueFault> {
  if (text === '') return refuse('has an empty entry', 'take out the comma');
  const plain = text.replace(/\/0+([0-9])/, '/$1');
  const prefix = parsePrefix(plain);
  if (prefix !== undefined) return ok(prefix);
  const shown = quote(text);
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const length = slash < 0 ? undefined : text.slice(slash + 1);
  const ip = parseIp(address);
  if (ip === undefined) {
    if (/^[0-9.]+$/.test(address)) {
      if (/(^|\.)0[0-9]/.test(address))
        return refuse(`has an address with a leading zero${shown}`, 'write each number without leading zeros');
      return refuse(`has an address that is not IPv4${shown}`, 'an IPv4 address is four numbers from 0 to 255');
    }
    if (address.includes(':')) return refuse(`has an address that is not IPv6${shown}`);
    return refuse(
      'has something that is not an address',
      'write an address and a length, such as 10.0.0.2/32, separated by commas',
    );
  }
  if (length !== undefined && parseIp(length) !== undefined) {
    return refuse(`has a netmask${shown}`, 'write the number of bits, such as /24 for 255.255.255.0');
  }
  return refuse(`has a wrong prefix length${shown}`, `write / and a number from 0 to ${ip.length * 8}`);
}

/** The parts of a list and where each begins, from 0; wg splits at commas, wg-quick's own settings at spaces too. */
export function listParts(text: string, alsoSpaces: boolean): { readonly text: string; readonly at: number }[] {
  const out: { text: string; at: number }[] = [];
  const parts = alsoSpaces ? /[^,\t-\r ]+/g : /[^,]*(?:,|$)/g;
  for (let match = parts.exec(text); match !== null; match = parts.exec(text)) {
    const end = match.index + match[0].length - (match[0].endsWith(',') ? 1 : 0);
    out.push(trimmed(text, match.index, end));
    if (parts.lastIndex >= text.length) {
      if (!alsoSpaces && match[0].endsWith(',')) out.push({ text: '', at: text.length });
      break;
    }
  }
  return out;
}

export interface EndpointRead {
  readonly endpoint: ConfEndpoint;
  /** Taken as wg takes it, but worth a word. */
  readonly remark?: ValueFault;
}

/** `host:port`, `[v6]:port`; unbracketed IPv6 as wg on Linux takes it, with a remark. */
export function readEndpoint(written: string): Result<EndpointRead, ValueFault> {
  const text = withoutSpace(written);
  const form = 'write HOST:PORT, such as vpn.example.net:51820 or [2001:db8::1]:51820';
  if (text === '') return refuse('has no value', form);
  if (/^["'`]/.test(text)) return refuse('stands in quotation marks', 'write it without quotation marks');
  if (text.includes('://')) return refuse('begins like a web address', form);
  const bracketed = text.startsWith('[');
  const close = bracketed ? text.indexOf(']') : text.lastIndexOf(':');
  if (close < 0) return bracketed ? refuse("lacks the closing ']'", form) : refuse('has no port', form);
  const host = text.slice(bracketed ? 1 : 0, close);
  const rest = text.slice(close + (bracketed ? 1 : 0));
  if (!rest.startsWith(':')) return refuse('has no port', form);
  const port = readPort(rest.slice(1), 1);
  if (!port.ok) return port;
  if (host === '') return refuse('has no host', form);
  const zone = host.indexOf('%');
  const ip = parseIp(zone < 0 ? host : host.slice(0, zone));
  if (ip !== undefined && (zone < 0 || ip.length === 16)) {
    const endpoint = { host, port: port.value, ip };
    if (bracketed || ip.length === 4) return ok({ endpoint });
    return ok({
      endpoint,
      remark: {
        predicate: 'has an IPv6 address without brackets',
        hint: 'write [ADDRESS]:PORT; here the last group was taken as the port',
      },
    });
  }
  if (bracketed || host.includes(':')) return refuse(`has an address that is not IPv6${quote(host)}`, form);
  if (/^[0-9.]+$/.test(host))
    return refuse(`has an address that is not IPv4${quote(host)}`, 'an IPv4 address is four numbers from 0 to 255');
  if (host.length > 253 || !/^[A-Za-z0-9._-]+$/.test(host))
    return refuse('has a host that is neither an address nor a name', form);
  return ok({ endpoint: { host, port: port.value } });
}
