/** `wgwhy/node`: what needs Node. Files and streams as sources, and captures read by the pcap-parser package. */

export { nodeCrypto } from '../crypto/node.ts';
export { checkReadable, FileError, fileSource, streamSource } from './files.ts';
export { openWithPcapParser } from './pcap-parser-reader.ts';
