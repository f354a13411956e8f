import { StringDecoder } from 'node:string_decoder';
import { harmless } from '../core/harmless.ts';

const longestLine = 4096;
const keptLines = 400;

/** What a guest says on its serial port. */
export type Console = {
  add(bytes: Uint8Array): void;
  /** The last lines, newest last, with control characters shown. */
  tail(count: number): readonly string[];
  /** Resolves with the first line, kept or still to come, that fits. */
  line(pattern: RegExp, signal: AbortSignal): Promise<string>;
};

export type ConsoleListeners = {
  readonly onLine?: (line: string) => void;
  /** Called once, with what the line means. */
  readonly onTrouble?: (meaning: string) => void;
  /** Called with a line that does not end and looks as if somebody waited for an answer; more of it may come. */
  readonly onQuestion?: (question: string) => void;
  /** Called with a line that does not end, as far as it was said. */
  readonly onUnfinished?: (line: string) => void;
  /** Further signs of a dead end; `none`: the line is a sign of nothing. */
  readonly signs?: (line: string) => string | undefined;
};

/** Listen to a guest: lines are made harmless, and signs of a dead end are told at once, also in an unfinished line. */
export function createConsole(listeners: ConsoleListeners = {}): Console {
  const decoder = new StringDecoder('utf8');
  const kept: string[] = [];
  const waiting = new Set<(line: string) => void>();
  let rest = '';
  let troubled = false;
  const look = (line: string): void => {
    const meaning = troubled ? undefined : (listeners.signs?.(line) ?? troubleIn(line));
    if (meaning === undefined || meaning === 'none') return;
    troubled = true;
    listeners.onTrouble?.(meaning);
  };
  const take = (raw: string): void => {
    const line = harmless(raw).trimEnd();
    if (line === '') return;
    kept.push(line);
    if (kept.length > keptLines) kept.shift();
    listeners.onLine?.(line);
    for (const tell of waiting) tell(line);
    look(line);
  };
  const add = (bytes: Uint8Array): void => {
    const parts = (rest + decoder.write(Buffer.from(bytes))).split(/[\r\n]+/);
    rest = parts.pop() ?? '';
    for (const part of parts) take(part.slice(0, longestLine));
    if (rest.length > longestLine) {
      take(rest.slice(0, longestLine));
      rest = '';
    }
    // A prompt is a line that does not end.
    const line = harmless(rest).trimEnd();
    look(line);
    if (line !== '') listeners.onUnfinished?.(line);
    if (isQuestion(line)) listeners.onQuestion?.(line);
  };
  return {
    add,
    tail: (count) => [...kept, harmless(rest).trimEnd()].filter((line) => line !== '').slice(-count),
    line: (pattern, signal) => nextLine(kept, waiting, { pattern, signal }),
  };
}

function nextLine(
  kept: readonly string[],
  waiting: Set<(line: string) => void>,
  { pattern, signal }: { pattern: RegExp; signal: AbortSignal },
): Promise<string> {
  const known = kept.find((line) => pattern.test(line));
  if (known !== undefined) return Promise.resolve(known);
  return new Promise((resolve, reject) => {
    const done = (): void => {
      waiting.delete(tell);
      signal.removeEventListener('abort', stop);
    };
    const tell = (line: string): void => {
      if (!pattern.test(line)) return;
      done();
      resolve(line);
    };
    const stop = (): void => {
      done();
      reject(signal.reason as Error);
    };
    if (signal.aborted) return stop();
    waiting.add(tell);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/**
 * Dead ends and how they look. Oopses count only with the kernel's time stamp, since programs print such words too.
 * A soft lockup is none: under translation on a busy machine it comes and goes.
 */
const troubles: readonly (readonly [RegExp, string])[] = [
  [/Kernel panic - not syncing/, 'the kernel panicked'],
  [/\[\s*\d+\.\d{6}\].*(\bOops\b|\bBUG: (?!soft lockup|workqueue lockup))/, 'the kernel hit a bug'],
  [/You are in (emergency|rescue) mode/, 'the guest went into an emergency shell'],
  [/Entering (emergency|rescue) mode/, 'the guest went into an emergency shell'],
  [
    /Give root password for maintenance|Press Enter for maintenance|the root account is locked/,
    'the guest went into an emergency shell',
  ],
  [/\(initramfs\)|^dracut:\/#/, 'the initial RAM disk did not find the root file system'],
  [/grub rescue>|^grub>/, 'GRUB did not find its menu'],
  // Firmware, shim and GRUB each look at what they start.
  [
    /failed to load Boot\d{4} .*: Access Denied|Verification failed: \(0x1A\)|bad shim signature/,
    'Secure Boot refused what the disk boots: it is not signed by a key that the firmware knows',
  ],
  [/No bootable device|No bootable option or device/, 'the firmware found nothing to boot'],
  [/UEFI Interactive Shell|^Shell>/, 'the firmware found nothing to boot'],
  // cryptsetup(8), its script in the initial RAM disk, systemd-ask-password(1), GRUB.
  [
    /Enter passphrase for (?!key )|Please enter passphrase for|Please unlock disk |Enter LUKS passphrase/i,
    'the guest asks for the passphrase of an encrypted disk, and nobody is there to give it',
  ],
  // Prompts of debian-installer's text frontend and of anaconda.
  [
    /^Prompt: '\?' for help|\[!{1,2}\] (Choose|Configure|Detect|Install|Partition|Select|Set up|Software)|Please make a selection from the above|Please make your choice from|^=+ (Choose|Select) your language/,
    'an installer asks a question, and nobody is there to answer it',
  ],
  // systemd-firstboot(1).
  [
    /-- Press any key to proceed --|Please enter (the )?(new )?(root password|system locale|timezone name|hostname)/i,
    'the first boot of the guest asks questions, and nobody is there to answer them',
  ],
  // fsck(8), e2fsck(8).
  [
    /UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY|^(Clear|Fix|Recreate|Relocate)( \([a-z]\))?<y>\?/i,
    'the file system of the guest is damaged, and its check wants a person to decide',
  ],
];

/** What a console line says about a guest that will not come up; undefined for every other line. */
export function troubleIn(line: string): string | undefined {
  return troubles.find(([pattern]) => pattern.test(line))?.[1];
}

/** Whether a line, at its end, asks for yes or no. */
function isQuestion(line: string): boolean {
  return /(\[(y\/n|yes\/no)\]|\((y\/n|yes\/no)\))\s*[:?]?$/i.test(line);
}
