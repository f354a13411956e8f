import { expect, test } from 'vitest';
import { shellQuote } from '../core/script.ts';
import { cannotRest, goOn, lastActScript, restScript, restWords } from './rest.ts';

/** Whether these words stand in the text in this order. */
function inOrder(text: string, words: readonly string[]): readonly string[] {
  let at = 0;
  return words.filter((word) => {
    const found = text.indexOf(word, at);
    if (found !== -1) at = found + word.length;
    return found === -1;
  });
}

test('a guest gives back, writes, freezes, and says so; it goes on only when it is told', () => {
  const steps = ['sync', 'fstrim', 'drop_caches', 'fsfreeze -f', `echo ${restWords.frozen} >&3`, 'read -r word now'];
  expect(inOrder(restScript.text, steps)).toEqual([]);
  expect(inOrder(restScript.text, ['read -r', '\nthaw\n', '>/dev/urandom', 'date -s', restWords.thawed])).toEqual([]);
});

test('without a channel, or where the root cannot be frozen, nothing stays frozen and the exit code says it', () => {
  expect(restScript.text).toContain(`[ -n "$channel" ] || exit ${cannotRest}\n`);
  expect(restScript.text).toContain(`elif [ "$place" = / ]; then thaw; exit ${cannotRest}\n`);
});

test('only disks that are written to are frozen', () => {
  const mounts = ['/dev/*) ;; *) continue', 'iso9660 | squashfs | erofs) continue', 'rw | rw,*) places='];
  expect(inOrder(restScript.text, mounts)).toEqual([]);
});

test('a rest ends with the time in seconds and entropy, on one line', () => {
  expect(goOn(1_795_262_400_123, Buffer.from([0, 255, 16]))).toBe('go 1795262400.123 00ff10');
  expect(goOn(5, Buffer.alloc(0))).toBe('go 0.005 ');
});

const sealing = `printf '%s' "it's sealed"`;

test('the last act is in memory and runs when all else has ended', () => {
  const { text } = lastActScript(sealing);
  expect(inOrder(text, ['act=/run/', 'system-shutdown', 'ingot-seal', 'systemctl poweroff --no-block'])).toEqual([]);
  // Without systemd nobody runs hooks.
  expect(text).toMatch(
    /\[ ! -d \/run\/systemd\/system \]; then sync; sh "\$act" && echo o >\/proc\/sysrq-trigger; exit/,
  );
});

test('what seals stands in the last act as it is written, between a disk that may be written and one that may not', () => {
  const { text } = lastActScript(sealing);
  expect(text).toContain(shellQuote(`\n${sealing}\n`).slice(1, -1));
  const act = ['remount,rw /', 'rm -f "$hook"', 'set -eu', 'sealed', 'sync', 'fstrim /', 'remount,ro /'];
  expect(inOrder(text, [...act, `echo ${restWords.sealed} >"$channel"`, `ingot: ${restWords.sealed}`])).toEqual([]);
});

test('a guest whose sealing failed does not say that it is sealed', () => {
  const { text } = lastActScript(sealing);
  expect(inOrder(text, ['ended=$?', '[ $ended = 0 ] || exit $ended', `echo ${restWords.sealed}`])).toEqual([]);
});
