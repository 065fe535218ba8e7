/** Prompts of shells and routers with the command behind them, as they come along when a terminal is copied. */

export interface Prompt {
  readonly kind: 'shell' | 'routeros';
  /** Empty where only the prompt stands. A router's menu is put before it: `/interface/wireguard print`. */
  readonly command: string;
  /** Where in the line the prompt ends, from 0. */
  readonly end: number;
  /** The menu, where the prompt names one, and where it begins. */
  readonly menu?: string;
  readonly menuAt?: number;
}

/** `[admin@MikroTik] > `, `[admin@MikroTik] /interface/wireguard> `, with safe mode on or not. */
const ROUTEROS = /^\s*\[[^\]@\s]{1,64}@[^\]]{1,64}\] ?(?:<SAFE> ?)?(\/[^>]{0,100})?> ?/;
/** `/interface/wireguard/peers> `, where somebody took the name of the router out; `> /ip route print`. */
const MENU_ONLY = /^(\/(?:interface|ip|ipv6|system|tool|queue|routing)\b[a-z0-9/ -]{0,80})> ?/;
const BARE_ROUTEROS = /^> ?(?=\/?(?:interface|ip|ipv6|system|tool|queue|routing|log|export)\b)/;

const SHELLS: readonly RegExp[] = [
  // root@host:~# , user@host ~ %, (venv) user@host:/etc$
  /^\s*(?:\([^()]{1,30}\) ?)?[\w.-]{1,32}@[\w.-]{1,64}(?::[^\s#$%>]{0,120}| ?[~/][^\s#$%>]{0,120})? ?[#$%>] ?(?=\S|$)/,
  // [root@host ~]#
  /^\s*\[[\w.-]{1,32}@[\w.-]{1,64} [^\]]{1,120}\][#$] ?/,
  // PS C:\Users\me>, C:\WINDOWS\system32>
  /^PS [A-Za-z]:\\[^>]{0,200}> ?/,
  /^[A-Za-z]:\\[^>]{0,200}>/,
];
/** A lone `#`, `$` or `/ #` begins comments and prices too: only with one of these behind it. */
const BARE_SHELL =
  /^\s*(?:[~/\w.-]{1,40} ?)?[#$%] (?=(?:sudo )?(?:wg(?: show\b.*| showconf\b.*)?$|ip6?tables-save|ip6?tables (?:.* )?-[LS]|nft (?:-\S+ )*list|ufw status|firewall-cmd|ss -|netstat -|ip (?:-[46] )?r(?:oute|o)?(?: (?:show|list|ls)\b.*)?$|sysctl |timedatectl|ping |dmesg|journalctl|cat \/))/;

export function readPrompt(text: string): Prompt | undefined {
  const router = ROUTEROS.exec(text) ?? MENU_ONLY.exec(text);
  if (router !== null) {
    const menu = router[1]?.trim();
    const end = router[0].length;
    const rest = text.slice(end).trim();
    if (menu === undefined || menu === '') return { kind: 'routeros', command: rest, end };
    const command = rest.startsWith('/') || rest === '' ? rest : `${menu} ${rest}`;
    return { kind: 'routeros', command, end, menu, menuAt: text.indexOf(menu) };
  }
  const bare = BARE_ROUTEROS.exec(text);
  if (bare !== null) return { kind: 'routeros', command: text.slice(bare[0].length).trim(), end: bare[0].length };
  for (const shell of [...SHELLS, BARE_SHELL]) {
    const match = shell.exec(text);
    if (match !== null) return { kind: 'shell', command: text.slice(match[0].length).trim(), end: match[0].length };
  }
  return undefined;
}

/** Whether it changes a router's configuration, so that it is worth as much as an export. */
export function isRouterChange(prompt: Prompt): boolean {
  return (
    prompt.kind === 'routeros' &&
    /(?:^|[\s/])(?:add|set|remove|enable|disable|unset)(?=\s|$)/.test(prompt.command) &&
    !/(?:^|[\s/])print\b/.test(prompt.command)
  );
}
