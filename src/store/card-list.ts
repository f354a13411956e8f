import type { Manifest } from '../core/manifest.ts';

/** What stands for the address of the server, which only that one knows; as Caddy's templates write it. */
export const hostMark = 'http://{{.Req.Host}}';

/** The disk that unpacking an image for SD cards gives. */
export type CardFacts = { readonly bytes: number; readonly sha256: string };

/** Device tags of Raspberry Pi Imager's own list for processors that run aarch64. */
const devices = ['pi3-64bit', 'pi4-64bit', 'pi5-64bit'];

/** Whether Raspberry Pi Imager can write a file: the format `img`, which also has a block map. */
export function isCard(manifest: Manifest, file: string): boolean {
  return manifest.arch === 'aarch64' && /\.img(\.(xz|gz|zst))?$/.test(file);
}

/**
 * The list of images for Raspberry Pi Imager (`os_list.json`; rpi-imager doc/json-schema/os-list-schema.json). It refuses
 * to write an image whose unpacked digest is not the one that is listed, so those of unknown digest are left out.
 */
export function cardList(manifests: readonly Manifest[], facts: ReadonlyMap<string, CardFacts>): string {
  const entries = manifests.flatMap((manifest) =>
    manifest.artifacts.flatMap((artifact) => {
      const disk = facts.get(artifact.sha256);
      if (disk === undefined || !isCard(manifest, artifact.file)) return [];
      const folder = `${hostMark}/images/${manifest.image}/${manifest.arch}`;
      const hasMap = manifest.artifacts.some(({ format }) => format === 'bmap');
      return [
        {
          name: manifest.image,
          description: manifest.description,
          icon: `${hostMark}/icon.svg`,
          url: `${folder}/${artifact.file}`,
          extract_size: disk.bytes,
          extract_sha256: disk.sha256,
          image_download_size: artifact.bytes,
          image_download_sha256: artifact.sha256,
          release_date: manifest.builtAt.slice(0, 10),
          devices,
          architecture: 'armv8',
          // Left out, some versions take it for systemd.
          init_format: manifest.packages.some(({ name }) => name === 'cloud-init') ? 'cloudinit' : 'none',
          ...(hasMap ? { bmap_url: `${folder}/${manifest.image}.bmap` } : {}),
        },
      ];
    }),
  );
  return `${JSON.stringify({ os_list: entries }, undefined, 2)}\n`;
}

/** Imager wants a picture for each entry. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><path fill="#b8860b" d="M9 12h22l6 16H3z"/><path fill="#ffd54f" d="M9 12h22l-3 5H12z"/></svg>\n`;
