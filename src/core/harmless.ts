/** Text that cannot steer a terminal: CSI sequences (ECMA-48) dropped, C0 and C1 characters but tab and newline shown as escapes. */
export function harmless(text: string): string {
  return text
    .replace(/\x1b\[[0-?]*[ -/]*[@-~]/g, '')
    .replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
