import { isMap, LineCounter, parseDocument, type YAMLMap, type Document as YamlDocument } from 'yaml';
import { arches } from '../core/arch.ts';
import { IngotError, type Place } from '../core/errors.ts';
import type { Deployment, Registry } from '../core/registry.ts';

/** What this program writes and understands. */
const version = 1;

const head = ` The images and deployments of this folder, for people and other programs.
 Ingot keeps \`images\` in step with artifacts/; paths are relative to this file. \`ingot registry record\` and
 \`forget\` change \`deployments\`. Comments and words of your own stay.`;

/** Words of a deployment that it may lack. */
export const optionalWords = ['arch', 'image', 'address'] as const;

export type ReadRegistry = { readonly document: YamlDocument; readonly data: Registry };

/** Read the text of the registry `file`; empty: a new one. Fails with the place of what is broken. */
export function readRegistry(file: string, text: string): ReadRegistry {
  const reader = new Reader(file, text);
  return { document: reader.document, data: reader.registry() };
}

/** Reads one file; what it says is checked where it decides anything. */
class Reader {
  readonly document: YamlDocument;
  private readonly file: string;
  private readonly source: string;
  private readonly lines = new LineCounter();

  constructor(file: string, text: string) {
    this.file = file;
    this.source = text;
    // `silent` would let a second document pass, and lose it.
    const document = parseDocument(text, { lineCounter: this.lines, logLevel: 'error' });
    const [error] = document.errors;
    if (error !== undefined) throw this.broken(`is not valid YAML: ${firstLine(error.message)}`, error.pos[0]);
    this.document = document;
    if (document.contents === null) this.begin();
    else if (!isMap(document.contents)) throw this.broken('is not a map', document.contents.range[0]);
    else this.checkVersion(document.get('version'));
  }

  registry(): Registry {
    const root = rootOf(this.document);
    const images = this.maps(root, 'images');
    for (const [name, archs] of images) this.mapsOf(archs, `images.${name}`);
    const deployments = this.maps(root, 'deployments');
    for (const [name, targets] of deployments) {
      for (const [target, deployment] of this.mapsOf(targets, `deployments.${name}`)) {
        this.checkDeployment(deployment, `deployments.${name}.${target}`);
      }
    }
    const data = this.unfolded() as Partial<Registry>;
    return { images: data.images ?? {}, deployments: textIds(data.deployments ?? {}) };
  }

  private begin(): void {
    this.document.contents = this.document.createNode({ version, images: {}, deployments: {} }) as never;
    this.document.commentBefore ??= head;
  }

  private unfolded(): unknown {
    try {
      return this.document.toJS();
    } catch (error) {
      throw this.broken(`cannot be read: ${firstLine(String(error))}`, 0);
    }
  }

  private checkVersion(said: unknown): void {
    const offset = this.offsetOf(rootOf(this.document), 'version');
    if (typeof said === 'number' && Number.isInteger(said) && said > version) {
      throw new IngotError({
        code: 'SPEC_INVALID',
        message: `the registry has version ${said}: a newer Ingot wrote it, this one knows version ${version}`,
        place: this.placeAt(offset),
        hint: 'run that Ingot; nothing was changed',
      });
    }
    if (said !== version) throw this.broken(`has no \`version: ${version}\``, offset);
  }

  private checkDeployment(map: YAMLMap, what: string): void {
    for (const key of ['type', 'id', 'deployed_at', 'image_cache_key']) {
      const said = map.get(key);
      const isText = typeof said === 'string' || (key === 'id' && typeof said === 'number');
      if (!isText) throw this.broken(`says no ${key} in ${what}`, this.offsetOf(map, key));
    }
    for (const key of optionalWords) {
      const said = map.get(key);
      const isArch = key !== 'arch' || arches.some((one) => one === said);
      if (said !== undefined && (typeof said !== 'string' || !isArch)) {
        throw this.broken(
          `says something else than ${key === 'arch' ? arches.join(' or ') : 'text'} in ${what}.${key}`,
          this.offsetOf(map, key),
        );
      }
    }
  }

  private maps(map: YAMLMap, key: string): ReadonlyMap<string, YAMLMap> {
    const found = map.get(key, true);
    if (found === undefined || isNothing(found)) return new Map();
    if (!isMap(found)) throw this.broken(`has no map in ${key}`, this.offsetOf(map, key));
    return this.mapsOf(found, key);
  }

  private mapsOf(map: YAMLMap, what: string): ReadonlyMap<string, YAMLMap> {
    return new Map(
      map.items.map((item) => {
        const key = nameOf(item);
        if (!isMap(item.value)) throw this.broken(`has no map in ${what}.${key}`, this.offsetOf(map, key));
        return [key, item.value];
      }),
    );
  }

  private offsetOf(map: YAMLMap, key: string): number {
    const item = map.items.find((one) => nameOf(one) === key);
    return rangeOf(item?.key) ?? map.range?.[0] ?? 0;
  }

  private broken(what: string, offset: number): IngotError {
    return new IngotError({
      code: 'SPEC_INVALID',
      message: `the registry ${what}`,
      place: this.placeAt(offset),
      hint: 'mend it, or move it away and run `ingot registry rebuild`, which knows the images but not the deployments',
    });
  }

  private placeAt(offset: number): Place {
    const { line, col } = this.lines.linePos(offset);
    const source = this.source.split('\n')[line - 1];
    const place = { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
    return source === undefined ? place : { ...place, source };
  }
}

/** The map that a registry is. */
export function rootOf({ contents }: YamlDocument): YAMLMap {
  if (!isMap(contents)) throw new Error('a registry is a map');
  return contents;
}

/** The key of an entry as text. */
export function nameOf({ key }: YAMLMap['items'][number]): string {
  return String(typeof key === 'object' && key !== null && 'value' in key ? key.value : key);
}

function rangeOf(node: unknown): number | undefined {
  const isNode = typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range);
  return isNode ? Number((node.range as readonly unknown[])[0]) : undefined;
}

function isNothing(node: unknown): boolean {
  return typeof node === 'object' && node !== null && 'value' in node && node.value === null;
}

function firstLine(text: string): string {
  return text.split('\n')[0]?.replace(/:$/, '') ?? '';
}

/** `id: 9000` means the text. */
function textIds(deployments: Registry['deployments']): Registry['deployments'] {
  const targets = (all: Readonly<Record<string, Deployment>>) =>
    Object.entries(all).map(([target, one]) => [target, { ...one, id: String(one.id) }] as const);
  return Object.fromEntries(Object.entries(deployments).map(([name, all]) => [name, Object.fromEntries(targets(all))]));
}
