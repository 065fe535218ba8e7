/** How far an address reaches: over the internet, or only where it was given out. */
import { type IpBytes, inPrefix, type Prefix, parsePrefix } from './address.ts';

export type AddressScope =
  /** RFC 1918, RFC 4193 */
  | 'private'
  /** between a provider and its customers: RFC 6598 */
  | 'shared'
  | 'link-local'
  | 'loopback'
  | 'unspecified'
  | 'global';

const RANGES: readonly (readonly [AddressScope, readonly string[]])[] = [
  ['private', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']],
  ['shared', ['100.64.0.0/10']],
  ['link-local', ['169.254.0.0/16', 'fe80::/10']],
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['unspecified', ['0.0.0.0/8', '::/128']],
];

const SCOPES: readonly (readonly [AddressScope, readonly Prefix[]])[] = RANGES.map(([scope, texts]) => [
  scope,
  texts.flatMap((text) => parsePrefix(text) ?? []),
]);

export function scopeOf(ip: IpBytes): AddressScope {
  return SCOPES.find(([, ranges]) => ranges.some((range) => inPrefix(ip, range)))?.[0] ?? 'global';
}
