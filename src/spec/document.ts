import {
  type Alias,
  Composer,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  Parser,
  type Document as YamlDocument,
} from 'yaml';
import type { Problem } from '../core/errors.ts';
import { type Entry, type Node, placeOf, type ScalarNode, type SourceText, type Spot, sourceText } from './node.ts';
import { shorten } from './words.ts';

/** One spec file: its content if it could be read, and what is wrong with it. Parsed at the first look. */
export type Document = { readonly path: string; readonly file: string; content(): Content };

/** `root` is undefined for an empty file and for one that cannot be understood; else problems concern parts of it. */
export type Content = { readonly root: Node | undefined; readonly start: Spot; readonly problems: readonly Problem[] };

// Far above any honest file; they keep hostile ones (bombs of depth, aliases, tokens) under 200 ms and the stack whole.
const limits = { tokens: 50_000, depth: 200, aliases: 32, nodes: 50_000, problems: 5 };
const plainTags = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((tag) => `tag:yaml.org,2002:${tag}`),
);
const refusedKeys = new Set(['__proto__', 'constructor', 'prototype']);

type YamlNode = YamlDocument['contents'];

/** A spec file from its text; `path` is relative to the project, `file` absolute. */
export function readDocument(path: string, file: string, text: string): Document {
  let content: Content | undefined;
  return {
    path,
    file,
    content() {
      content ??= parse(sourceText(file, text));
      return content;
    },
  };
}

/** A spec file that was not read, and why. */
export function refusedDocument(
  path: string,
  file: string,
  refusal: { readonly message: string; readonly hint?: string },
): Document {
  const start: Spot = { source: sourceText(file, ''), offset: 0 };
  const problem: Problem = { ...refusal, place: { file, line: 1, column: 1 } };
  return { path, file, content: () => ({ root: undefined, start, problems: [problem] }) };
}

function parse(source: SourceText): Content {
  const start: Spot = { source, offset: 0 };
  const reader = new Reader(source);
  const root = reader.read();
  return { root: reader.fatal ? undefined : root, start, problems: reader.problems };
}

/** Reads one file; it lives for one call and keeps the counts that stop bombs. */
class Reader {
  readonly problems: Problem[] = [];
  /** Whether what was read is too little to judge the file by. */
  fatal = false;
  private readonly source: SourceText;
  private document: YamlDocument | undefined;
  private aliases = 0;
  private nodes = 0;

  constructor(source: SourceText) {
    this.source = source;
  }

  read(): Node | undefined {
    const nul = this.source.text.indexOf('\0');
    if (nul >= 0) return this.refuse(nul, 'this file has a NUL byte; it is not text');
    this.document = this.compose();
    const contents = this.document?.contents;
    if (contents === undefined || contents === null || this.fatal) return undefined;
    return this.isEmpty(contents) ? undefined : this.node(contents, []);
  }

  private compose(): YamlDocument | undefined {
    const parser = new Parser();
    const tokens = [];
    let count = 0;
    for (const lexeme of new Lexer().lex(this.source.text)) {
      count += 1;
      for (const token of parser.next(lexeme)) tokens.push(token);
      if (parser.stack.length > limits.depth) return this.refuse(parser.offset, 'this file is nested too deep');
      if (count > limits.tokens) return this.refuse(parser.offset, 'this file has too many values for a spec file');
    }
    for (const token of parser.end()) tokens.push(token);
    const directive = tokens.find((token) => token.type === 'directive');
    if (directive !== undefined) return this.refuse(directive.offset, 'YAML directives (%) are not used here');
    // yaml's own search for duplicate keys takes quadratic time; `map` below has a linear one.
    const [first, second] = [...new Composer({ uniqueKeys: false, logLevel: 'silent' }).compose(tokens)];
    if (second !== undefined)
      return this.refuse(second.range[0], 'a spec file holds one document; there is a second one after "---"');
    for (const error of first?.errors.slice(0, limits.problems) ?? []) {
      this.refuse(error.pos[0], `not valid YAML: ${plainYaml(error.message)}`, yamlHint(error.code, error.message));
    }
    return first;
  }

  private node(node: NonNullable<YamlNode>, inside: readonly unknown[]): Node | undefined {
    const offset = node.range?.[0] ?? 0;
    this.nodes += 1;
    if (this.nodes > limits.nodes) return this.refuse(offset, 'the aliases of this file unfold to too many values');
    if (isAlias(node)) return this.alias(node, inside);
    if (node.tag !== undefined && !plainTags.has(node.tag)) {
      return this.refuse(
        offset,
        `YAML tags are not used here: ${shorten(node.tag)}`,
        'remove the word that starts with "!"',
      );
    }
    if (isScalar(node)) return this.scalar(node.value, node.source, offset);
    const within = [...inside, node];
    if (isSeq(node)) {
      const items = node.items.map((item) => this.item(item, within, offset));
      return { type: 'list', items: items.filter((item) => item !== undefined), spot: this.spot(offset) };
    }
    return isMap(node) ? this.map(node.items, within, offset) : undefined;
  }

  private item(item: unknown, inside: readonly unknown[], offset: number): Node | undefined {
    return isYamlNode(item) ? this.node(item, inside) : this.scalar(null, '', offset);
  }

  private alias(alias: Alias, inside: readonly unknown[]): Node | undefined {
    const offset = alias.range?.[0] ?? 0;
    this.aliases += 1;
    if (this.aliases > limits.aliases) {
      const hint = 'put what is shared into a fragment and name it in "extends"';
      return this.aliases === limits.aliases + 1
        ? this.refuse(offset, 'too many YAML aliases in one file', hint)
        : undefined;
    }
    const target = this.document === undefined ? undefined : alias.resolve(this.document);
    if (target === undefined) return this.refuse(offset, `no anchor "&${shorten(alias.source)}" in this file`);
    if (inside.includes(target)) return this.refuse(offset, `the alias "*${shorten(alias.source)}" holds itself`);
    return this.node(target, inside);
  }

  private scalar(value: unknown, source: string | undefined, offset: number): ScalarNode | undefined {
    const text = source ?? '';
    const spot = this.spot(offset);
    if (typeof value === 'number' && !(Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
      this.note(
        offset,
        `${shorten(text)} is not a number that can be kept exactly`,
        `put it in quotes: "${shorten(text)}"`,
      );
      return { type: 'scalar', value: text, text, spot };
    }
    if (typeof value === 'string') return { type: 'scalar', value, text: value, spot };
    if (typeof value === 'number' || typeof value === 'boolean') return { type: 'scalar', value, text, spot };
    return { type: 'scalar', value: null, text: '', spot };
  }

  private map(
    pairs: readonly { readonly key: unknown; readonly value: unknown }[],
    inside: readonly unknown[],
    offset: number,
  ): Node {
    const entries = new Map<string, Entry>();
    for (const { key, value } of pairs) {
      const at = isYamlNode(key) ? (key.range?.[0] ?? offset) : offset;
      const name = this.keyName(key, at);
      const first = name === undefined ? undefined : entries.get(name);
      if (name === undefined) continue;
      if (first !== undefined) {
        this.note(
          at,
          `the key "${shorten(name)}" is here twice`,
          `the first one is in line ${placeOf(first.key).line}`,
        );
        continue;
      }
      const node = isYamlNode(value) ? this.node(value, inside) : this.scalar(null, '', at);
      if (node !== undefined) entries.set(name, { key: this.spot(at), value: node });
    }
    return { type: 'map', entries, spot: this.spot(offset) };
  }

  private keyName(key: unknown, offset: number): string | undefined {
    if (!isScalar(key) || key.value === null) return this.note(offset, 'a key must be one word');
    if (key.tag !== undefined && !plainTags.has(key.tag)) return this.refuse(offset, 'YAML tags are not used here');
    const name = typeof key.value === 'string' ? key.value : (key.source ?? '');
    if (name === '<<')
      return this.refuse(offset, 'YAML merge keys (<<) are not used here', 'name fragments in "extends" instead');
    if (refusedKeys.has(name)) return this.note(offset, `unknown key "${name}"`, 'this name is refused everywhere');
    return name;
  }

  private isEmpty(contents: NonNullable<YamlNode>): boolean {
    return isScalar(contents) && contents.value === null;
  }

  private spot(offset: number): Spot {
    return { source: this.source, offset };
  }

  private refuse(offset: number, message: string, hint?: string): undefined {
    this.fatal = true;
    return this.note(offset, message, hint);
  }

  private note(offset: number, message: string, hint?: string): undefined {
    if (this.problems.length < limits.problems * 4) {
      this.problems.push({ message, place: placeOf(this.spot(offset)), ...(hint === undefined ? {} : { hint }) });
    }
    return undefined;
  }
}

function isYamlNode(value: unknown): value is NonNullable<YamlNode> {
  return isScalar(value) || isAlias(value) || isMap(value) || isSeq(value);
}

function plainYaml(message: string): string {
  return shorten(message.charAt(0).toLowerCase() + message.slice(1), 120);
}

function yamlHint(code: string, message: string): string | undefined {
  if (code === 'TAB_AS_INDENT') return 'indent with spaces';
  if (message.startsWith('Nested mappings')) return 'put text that holds ": " in quotes';
  if (code === 'BAD_SCALAR_START') return 'put the text in quotes';
  if (code === 'MULTILINE_IMPLICIT_KEY') return 'is a ":" missing, or is this line indented wrongly?';
  return undefined;
}
