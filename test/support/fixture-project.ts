import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** What decides the bytes of the fixture image: its tree and its two steps. */
export type Marks = { readonly source: string; readonly first: string; readonly last: string; readonly bytes?: number };

/** Make a project whose images are small: `base.tar` holds the few programs that sealing a tree and making a disk need. */
export async function makeFixtureProject(root: string): Promise<void> {
  await mkdir(join(root, 'images'), { recursive: true });
  await writeFile(join(root, 'ingot.yaml'), 'name: fixture\n');
  await exec('sh', ['-euc', baseScript, join(root, 'base'), join(root, 'base.tar')]);
}

/** Write an image of a fixture project. */
export async function writeFixtureImage(root: string, name: string, marks: Marks, more = ''): Promise<void> {
  const text = `description: a small image
source: { fixture: { archive: base.tar, mark: ${marks.source} } }
disk: 128M
steps:
  - data: { mark: ${marks.first}, bytes: 400000 }
  - data: { mark: ${marks.last}, bytes: ${marks.bytes ?? 200_000} }
checks: [present]
${more === '' ? 'formats: [qcow2, { raw: { compression: zstd } }]\n' : more}`;
  await writeFile(join(root, 'images', `${name}.yaml`), text);
}

const programs =
  'sh rm find grep sed tr mkdir cat chmod cp cmp readlink ls base64 stat sort uniq env sleep dirname touch';

const baseScript = `
mkdir -p "$0" && cd "$0"
mkdir -p etc root tmp var/log var/tmp run proc sys dev boot usr/bin usr/sbin usr/lib/grub/i386-pc
mkdir -p usr/lib/grub/x86_64-efi usr/lib/grub/arm64-efi etc/systemd/system
ln -s usr/bin bin
for program in ${programs}; do
  path=$(readlink -f "$(command -v $program)")
  cp "$path" usr/bin/$program
  for library in $(ldd "$path" | grep -o '/[^ )]*'); do
    mkdir -p ".$(dirname "$library")" && cp -Ln "$library" ".$library"
  done
done
printf 'ID=fixture\\nVERSION_ID="1"\\n' > etc/os-release
printf 'root:x:0:0::/root:/bin/sh\\n' > etc/passwd
head -c 512 /dev/zero > usr/lib/grub/i386-pc/boot.img
cat > usr/bin/grub-mkimage <<'PROGRAM'
#!/bin/sh
while [ "$1" != -o ]; do shift; done
echo core > "$2"
PROGRAM
chmod 755 usr/bin/grub-mkimage
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@1700000000 -cf "$1" .
rm -rf "$0"
`;
