import type { Manifest } from '../core/manifest.ts';

/** As the names of Ubuntu's and Debian's own indexes have it. */
const archNames: Readonly<Record<Manifest['arch'], string>> = { x86_64: 'amd64', aarch64: 'arm64' };

const streamsIndexPath = 'streams/v1/index.json';
const streamsProductsPath = 'streams/v1/images.json';

/** Manifests of other versions may say nothing of the system inside. */
type Listed = Omit<Manifest, 'system'> & { readonly system?: Manifest['system'] };

/**
 * All finished builds of images as an index of products (format `products:1.0` of simplestreams): each version's files
 * lie under their digests, so an index that was read before a publish still leads to what it says.
 */
export function productIndex(manifests: readonly Listed[]): Readonly<Record<string, string>> {
  const products: Record<string, Product> = {};
  for (const manifest of manifests) {
    const name = `ingot:${manifest.image}:${archNames[manifest.arch]}`;
    const product = products[name] ?? productOf(manifest);
    products[name] = product;
    product.versions[manifest.build] = { items: itemsOf(manifest) };
  }
  const updated = manifests.map(({ builtAt }) => builtAt).reduce((a, b) => (a > b ? a : b), '1970-01-01T00:00:00Z');
  const common = { datatype: 'image-downloads', format: 'products:1.0', updated };
  const index = { images: { ...common, path: streamsProductsPath, products: Object.keys(products).sort() } };
  return {
    [streamsIndexPath]: text({ format: 'index:1.0', index, updated }),
    [streamsProductsPath]: text({ ...common, content_id: 'images', products }),
  };
}

type Product = { readonly versions: Record<string, unknown> } & Readonly<Record<string, unknown>>;

/** As its newest version has it. */
function productOf({ image, arch, description, system = {} }: Listed): Product {
  return {
    arch: archNames[arch],
    os: system['ID'] ?? '',
    release: system['VERSION_CODENAME'] ?? system['VERSION_ID'] ?? '',
    version: system['VERSION_ID'] ?? '',
    release_title: description,
    aliases: image,
    versions: {},
  };
}

function itemsOf({ artifacts }: Listed): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    artifacts.map(({ file, format, bytes, sha256 }) => [
      file,
      { ftype: format, path: `blobs/sha256/${sha256}`, size: bytes, sha256 },
    ]),
  );
}

function text(data: unknown): string {
  return `${JSON.stringify(data, undefined, 2)}\n`;
}
