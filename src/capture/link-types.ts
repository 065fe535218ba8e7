/** Names of link types (LINKTYPE_ numbers), and what to do about those that captures come in by mistake. */

interface LinkType {
  readonly name: string;
  /** How to capture the same traffic in a link type that is read. */
  readonly hint?: string;
}

const WIRED = 'capture on the wired side, or on the WireGuard host itself';
const ON_INTERFACE = 'capture on the network interface instead';

const LINK_TYPES = new Map<number, LinkType>([
  [0, { name: 'NULL' }],
  [1, { name: 'ETHERNET' }],
  [6, { name: 'TOKEN RING' }],
  [7, { name: 'ARCNET' }],
  [8, { name: 'SLIP' }],
  [9, { name: 'PPP' }],
  [10, { name: 'FDDI' }],
  [12, { name: 'RAW (12)' }],
  [14, { name: 'RAW (14)' }],
  [50, { name: 'PPP_HDLC' }],
  [51, { name: 'PPP_ETHER' }],
  [100, { name: 'ATM_RFC1483' }],
  [101, { name: 'RAW' }],
  [104, { name: 'C_HDLC' }],
  [105, { name: 'IEEE802_11', hint: WIRED }],
  [107, { name: 'FRELAY' }],
  [108, { name: 'LOOP' }],
  [109, { name: 'ENC' }],
  [113, { name: 'LINUX_SLL' }],
  [117, { name: 'PFLOG', hint: 'capture on the interface instead of pflog' }],
  [119, { name: 'IEEE802_11_PRISM', hint: WIRED }],
  [127, { name: 'IEEE802_11_RADIOTAP', hint: WIRED }],
  [128, { name: 'TZSP' }],
  [143, { name: 'DOCSIS', hint: ON_INTERFACE }],
  [147, { name: 'USER0', hint: 'tailscale debug capture writes this' }],
  [163, { name: 'IEEE802_11_AVS', hint: WIRED }],
  [165, { name: 'BACNET_MS_TP', hint: ON_INTERFACE }],
  [166, { name: 'PPP_PPPD' }],
  [187, { name: 'BLUETOOTH_HCI_H4', hint: ON_INTERFACE }],
  [189, { name: 'USB_LINUX', hint: `this is USB traffic: ${ON_INTERFACE}` }],
  [192, { name: 'PPI', hint: WIRED }],
  [195, { name: 'IEEE802_15_4_WITHFCS', hint: ON_INTERFACE }],
  [197, { name: 'ERF', hint: 'convert it: editcap -T ether' }],
  [201, { name: 'BLUETOOTH_HCI_H4_WITH_PHDR', hint: ON_INTERFACE }],
  [204, { name: 'PPP_WITH_DIR' }],
  [220, { name: 'USB_LINUX_MMAPPED', hint: `this is USB traffic: ${ON_INTERFACE}` }],
  [227, { name: 'CAN_SOCKETCAN', hint: ON_INTERFACE }],
  [228, { name: 'IPV4' }],
  [229, { name: 'IPV6' }],
  [230, { name: 'IEEE802_15_4_NOFCS', hint: ON_INTERFACE }],
  [231, { name: 'DBUS', hint: ON_INTERFACE }],
  [239, { name: 'NFLOG', hint: 'capture on the interface instead of nflog' }],
  [240, { name: 'NETANALYZER' }],
  [249, { name: 'USBPCAP', hint: `this is USB traffic: ${ON_INTERFACE}` }],
  [252, { name: 'WIRESHARK_UPPER_PDU', hint: 'export the original frames, not upper PDUs' }],
  [253, { name: 'NETLINK', hint: 'capture on the interface instead of nlmon' }],
  [258, { name: 'PKTAP', hint: 'on macOS choose the interface and its link type: tcpdump -i en0 -y EN10MB' }],
  [271, { name: 'VSOCK', hint: ON_INTERFACE }],
  [274, { name: 'ETHERNET_MPACKET' }],
  [276, { name: 'LINUX_SLL2' }],
]);

const USER_FIRST = 147;
const USER_LAST = 162;

/** `LINUX_SLL2`, `USER3`, or `link type 4711`. */
export function linkTypeName(linkType: number): string {
  const known = LINK_TYPES.get(linkType);
  if (known !== undefined) return known.name;
  if (linkType > USER_FIRST && linkType <= USER_LAST) return `USER${linkType - USER_FIRST}`;
  return `link type ${linkType}`;
}

/** What to do when frames of this type cannot be read; undefined where there is nothing to say. */
export function linkTypeHint(linkType: number): string | undefined {
  if (linkType > USER_FIRST && linkType <= USER_LAST)
    return 'a private link type: only the program that wrote it can say what it is';
  return LINK_TYPES.get(linkType)?.hint;
}
