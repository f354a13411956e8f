/** How much larger the overlay of a check is than the disk it came from, so that growing can be seen: 1 GiB. */
export const grownBy = 1024 ** 3;

/** The size a root file system must have after it grew into that overlay; half of the growth is left to its own data. */
export function grownSize(diskSize: number): number {
  return diskSize + grownBy / 2;
}
