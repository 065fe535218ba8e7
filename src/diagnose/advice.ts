/** Commands that several rules advise, so that they are the same everywhere. */

/** ICMP errors and later IP fragments have no ports: a plain `udp port` filter loses both. */
export function captureLinux(port: number): string {
  return `tcpdump -i any -s 0 -w wgwhy.pcap 'udp port ${port} or icmp or icmp6 or (ip[6:2] & 0x1fff != 0) or ip6[6] = 44'`;
}

export function captureRouterOs(port: number): string {
  return `/tool sniffer set file-name=wgwhy.pcap file-limit=10000KiB filter-ip-protocol=udp,icmp; /tool sniffer start   (WireGuard here is UDP port ${port}; a port filter would lose the ICMP errors)`;
}

/** How to look from the other end. */
export function captureOtherEnd(to: { readonly port: number }): { linux: string[]; routeros: string[] } {
  return {
    linux: [`on the other end: ${captureLinux(to.port)}`],
    routeros: [`on the other end: ${captureRouterOs(to.port)}`],
  };
}
