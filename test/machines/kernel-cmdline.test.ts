import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { kernelCmdlineScript } from '../../src/kinds/steps/kernel-cmdline.ts';
import { openSmallTree, printed, type SmallTree } from '../support/small-tree.ts';

// What a guest's image may look like is laid out in a tree: the script knows nothing of where it runs.
let tree: SmallTree;

beforeAll(async () => {
  tree = await openSmallTree([]);
});

afterAll(() => tree.close());

const sh = (text: string) => tree.work((work) => work.exec({ text: `set -eu\n${text}` }));

beforeEach(() =>
  sh(`rm -rf /boot/* /etc/default/grub /etc/default/grub.d /etc/kernel /usr/local/sbin/* /called
mkdir -p /boot/grub /etc/default/grub.d`),
);

const change = (add: string[], remove: string[] = [], bench: 'tree' | 'guest' = 'guest') =>
  tree.work((work) => work.exec(kernelCmdlineScript({ add, remove }, bench)));

/** A program that writes down how it was called. */
const program = (name: string) =>
  sh(
    `printf '#!/bin/sh\\necho "\${0##*/}" "$@" >> /called\\n' > /usr/local/sbin/${name}; chmod 755 /usr/local/sbin/${name}`,
  );

test('the line of an image of ours and its menu are changed, and no menu is made anew', async () => {
  await program('update-grub');
  await sh(`mkdir -p /etc/kernel
echo 'root=LABEL=root ro quiet' > /etc/kernel/cmdline
cat > /boot/grub/grub.cfg <<'GRUB'
# Written by Ingot; more words.
menuentry 'Linux' {
  if [ -e /vmlinuz ]; then
    linux /vmlinuz root=LABEL=root ro quiet
    initrd /initrd.img
  fi
}
GRUB`);
  await change(['panic=30', 'ro'], ['quiet']);
  expect(await printed(tree, 'cat /etc/kernel/cmdline')).toBe('root=LABEL=root ro panic=30');
  expect(await printed(tree, 'cat /boot/grub/grub.cfg')).toBe(`# Written by Ingot; more words.
menuentry 'Linux' {
  if [ -e /vmlinuz ]; then
    linux /vmlinuz root=LABEL=root ro panic=30
    initrd /initrd.img
  fi
}`);
  expect(await tree.present('/called')).toEqual([]);
});

test('an image of others keeps its root: GRUB makes its menu anew from the settings', async () => {
  await program('update-grub');
  await sh(`echo '# made by grub-mkconfig' > /boot/grub/grub.cfg
printf 'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"\\nGRUB_TIMEOUT=0\\n' > /etc/default/grub`);
  await change(['a=$(id)', 'panic=30'], ['quiet']);
  expect(await printed(tree, 'cat /etc/default/grub')).toBe(
    'GRUB_CMDLINE_LINUX_DEFAULT="splash"\nGRUB_TIMEOUT=0\n\nGRUB_CMDLINE_LINUX="a=\\$(id) panic=30"',
  );
  expect(await printed(tree, 'cat /called')).toBe('update-grub');
  expect(await tree.present('/etc/kernel/cmdline')).toEqual([]);
});

test('settings that are read after those of GRUB are followed by ours, also the second time', async () => {
  await program('update-grub');
  await sh(`touch /boot/grub/grub.cfg
printf 'GRUB_CMDLINE_LINUX="old"\\n' > /etc/default/grub
printf 'GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200 quiet"\\n' > /etc/default/grub.d/10_cloud.cfg`);
  await change(['panic=30'], ['quiet']);
  await change(['a=b'], ['console=tty0']);
  const effective =
    'for f in /etc/default/grub /etc/default/grub.d/*.cfg; do . $f; done; echo "$GRUB_CMDLINE_LINUX|$GRUB_CMDLINE_LINUX_DEFAULT"';
  expect(await printed(tree, effective)).toBe('console=ttyS0,115200 panic=30 a=b|');
  expect(await printed(tree, 'cat /called')).toBe('update-grub\nupdate-grub');
});

test.each([
  ['grub-mkconfig', '/boot/grub'],
  ['grub2-mkconfig', '/boot/grub2'],
])('where there is only %s, it writes the menu of %s', async (name, folder) => {
  await program(name);
  await sh(`mkdir -p ${folder}; touch ${folder}/grub.cfg; echo 'GRUB_CMDLINE_LINUX=""' > /etc/default/grub`);
  await change(['panic=30']);
  expect(await printed(tree, 'cat /called')).toBe(`${name} -o ${folder}/grub.cfg`);
});

test('grubby changes the entries of Fedora and its kin, and GRUB is left alone', async () => {
  await program('grubby');
  await program('grub2-mkconfig');
  await sh('mkdir -p /boot/loader/entries /boot/grub2; touch /boot/loader/entries/a.conf /boot/grub2/grub.cfg');
  await change(['panic=30', 'a=b'], ['rhgb', 'quiet']);
  await change(['x']);
  expect(await printed(tree, 'cat /called')).toBe(
    'grubby --update-kernel=ALL --args=panic=30 a=b --remove-args=rhgb quiet\ngrubby --update-kernel=ALL --args=x',
  );
});

test('entries of systemd-boot are changed in their place', async () => {
  await sh(`mkdir -p /boot/loader/entries
printf 'title A\\nlinux /a/linux\\noptions root=UUID=1 $opts quiet\\n' > /boot/loader/entries/a.conf
printf 'title B\\noptions\\troot=UUID=2\\n' > /boot/loader/entries/b.conf`);
  await change(['panic=30'], ['quiet']);
  expect(await printed(tree, 'cat /boot/loader/entries/*')).toBe(
    'title A\nlinux /a/linux\noptions root=UUID=1 $opts panic=30\ntitle B\noptions root=UUID=2 panic=30',
  );
});

test('a guest without a boot loader that is known is an error; a tree gets its own later', async () => {
  await expect(change(['panic=30'])).rejects.toMatchObject({
    code: 'STEP_FAILED',
    detail: expect.arrayContaining([expect.stringContaining('no boot loader that can be told')]),
  });
  await change(['panic=30'], [], 'tree');
  expect(await printed(tree, 'cat /etc/kernel/cmdline')).toBe('panic=30');
});
