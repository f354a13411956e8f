/** The netmask of an IPv4 prefix: 24 is 255.255.255.0. */
export function netmaskOf(prefix: number): string {
  return [0, 8, 16, 24].map((at) => 256 - 2 ** (8 - Math.min(8, Math.max(0, prefix - at)))).join('.');
}

/** The prefix of a netmask; undefined where its ones are not all in front. */
export function prefixOf(netmask: string): number | undefined {
  return Array.from({ length: 33 }, (_, prefix) => prefix).find((prefix) => netmaskOf(prefix) === netmask);
}
