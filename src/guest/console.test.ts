import { expect, test } from 'vitest';
import { createConsole, troubleIn } from './console.ts';

const never = new AbortController().signal;

const encrypted = 'the guest asks for the passphrase of an encrypted disk, and nobody is there to give it';
const unanswered = 'the first boot of the guest asks questions, and nobody is there to answer them';
const damaged = 'the file system of the guest is damaged, and its check wants a person to decide';

test('lines are put together from bytes, with control characters shown', () => {
  const lines: string[] = [];
  const console = createConsole({ onLine: (line) => lines.push(line) });
  for (const part of ['[  OK  ] St', 'arted \u001b[0;1;39mssh\u001b[0m\r\n', '\u001b]0;title\u0007\r\nlog', 'in: ']) {
    console.add(Buffer.from(part));
  }
  expect(lines).toEqual(['[  OK  ] Started ssh', '\\x1b]0;title\\x07']);
  expect(console.tail(2)).toEqual(['\\x1b]0;title\\x07', 'login:']);
});

test('a flood without a line end takes no memory', () => {
  const lines: string[] = [];
  const console = createConsole({ onLine: (line) => lines.push(line) });
  for (let i = 0; i < 100; i += 1) console.add(Buffer.alloc(1000, 'x'));
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(4096);
  expect(console.tail(1000).length).toBeLessThanOrEqual(401);
});

const refused = 'Secure Boot refused what the disk boots: it is not signed by a key that the firmware knows';

test.each([
  ['[    2.898171] Kernel panic - not syncing: Fatal exception', 'the kernel panicked'],
  ['[    2.895632] Oops: int3: 0000 [#1] PREEMPT SMP NOPTI', 'the kernel hit a bug'],
  ['[    9.000001] BUG: kernel NULL pointer dereference', 'the kernel hit a bug'],
  ['You are in emergency mode. After logging in, type', 'the guest went into an emergency shell'],
  ['Give root password for maintenance', 'the guest went into an emergency shell'],
  ['(initramfs) ', 'the initial RAM disk did not find the root file system'],
  ['grub rescue> ', 'GRUB did not find its menu'],
  ['No bootable device.', 'the firmware found nothing to boot'],
  ['BdsDxe: No bootable option or device was found.', 'the firmware found nothing to boot'],
  ['BdsDxe: failed to load Boot0001 "UEFI Misc Device" from PciRoot(0x0)/Pci(0x3,0x0): Access Denied', refused],
  ['Verification failed: (0x1A) Security Violation', refused],
  ['error: ../../grub-core/kern/efi/sb.c:182:bad shim signature.', refused],
  ['Please enter passphrase for disk QEMU_HARDDISK (luks-root):', encrypted],
  ['Please unlock disk sda3_crypt: ', encrypted],
  ['Enter passphrase for hd0,gpt2 (0f8fad5b-d9cb-469f-a165-70867728950e): ', encrypted],
  ["Prompt: '?' for help, default=22> ", 'an installer asks a question, and nobody is there to answer it'],
  ['  lqqqqu [!!] Select a language tqqqqk', 'an installer asks a question, and nobody is there to answer it'],
  ['-- Press any key to proceed --', unanswered],
  ['Please enter system locale name or number', unanswered],
  ['/dev/vda1: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.', damaged],
  ['Clear<y>? ', damaged],
  ['Fix (y)<y>?', damaged],
])('%s is a dead end', (line, meaning) => {
  expect(troubleIn(line)).toBe(meaning);
});

test.each([
  '[   40.000000] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!',
  'cloud-init[312]: Oops, no such package',
  'debian login: ',
  '[    0.000000] Linux version 6.12.117',
  // The shell that the firmware tries when a disk has nothing to boot.
  'BdsDxe: failed to start Boot0002 "EFI Internal Shell" from Fv(7CB8BDC9)/FvFile(7C04A583): Security Violation',
  '[    1.000000] Command line: panic=-1 oops=panic',
  "Enter passphrase for key '/root/.ssh/id_rsa': ",
  '[    3.000000] systemd[1]: Starting systemd-ask-password-console.path - Dispatch Password Requests to Console',
  '[    3.100000] EXT4-fs (vda1): recovery complete',
  '[!] ssh keys are printed below',
])('%s is none', (line) => {
  expect(troubleIn(line)).toBeUndefined();
});

test('a prompt is a dead end though its line does not end, and it is told once', () => {
  const told: string[] = [];
  const console = createConsole({ onTrouble: (meaning) => told.push(meaning) });
  console.add(Buffer.from('Gave up waiting for root file system\r\n(initramfs) '));
  console.add(Buffer.from('more\n(initramfs) '));
  expect(told).toEqual(['the initial RAM disk did not find the root file system']);
});

test('a line can be waited for, before and after it came', async () => {
  const console = createConsole();
  const waiting = console.line(/^login:/, never);
  console.add(Buffer.from('hello\nlogin: root\n'));
  expect(await waiting).toBe('login: root');
  expect(await console.line(/hello/, never)).toBe('hello');
});

test('a wait that is given up fails with the reason', async () => {
  const stop = new AbortController();
  const waiting = createConsole().line(/never/, stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});

test('a line that ends with a question is told as long as it does not end', () => {
  const asked: string[] = [];
  const console = createConsole({ onQuestion: (question) => asked.push(question) });
  console.add(Buffer.from('Continue? [Y/n]\nReally (yes/no)?'));
  console.add(Buffer.from(' no\n[y/n] is how they ask'));
  expect(asked).toEqual(['Really (yes/no)?']);
});
