import { expect, test } from 'vitest';
import { readRequirements } from './requirements.ts';

const none = { roles: false, collections: false, local: [], loose: [] };

test.each<[string, string, object]>([
  ['a list of roles', '- acme.web\n', { roles: true, loose: ['acme.web'] }],
  ['a role with a version', '- { name: acme.web, version: 1.2.3 }\n', { roles: true }],
  ['a role as one word', '- "acme.web,v1.2"\n', { roles: true }],
  [
    'a role that is a tar of the project',
    '- { src: roles/web.tar.gz, name: web }\n',
    { roles: true, local: ['roles/web.tar.gz'] },
  ],
  [
    'a role from a branch',
    '- { src: git+https://a.example/web.git, version: main }\n',
    { roles: true, loose: ['git+https://a.example/web.git'] },
  ],
  [
    'both',
    'roles: [{ name: a.b, version: "1" }]\ncollections: [{ name: c.d, version: 1.0 }]\n',
    { roles: true, collections: true },
  ],
  ['a collection', 'collections: [acme.tools]\n', { collections: true, loose: ['acme.tools'] }],
  ['a collection with a version', 'collections: ["acme.tools:1.0.0"]\n', { collections: true }],
  [
    'a range of versions',
    'collections: [{ name: acme.tools, version: ">=1.0.0" }]\n',
    { collections: true, loose: ['acme.tools'] },
  ],
  ['a folder', 'collections: [{ source: ../tools, type: dir }]\n', { collections: true, local: ['../tools'] }],
  ['a folder by its name', 'collections: [{ name: tools, type: subdirs }]\n', { collections: true, local: ['tools'] }],
  [
    'a file by its name',
    'collections: [./tools-1.0.0.tar.gz]\n',
    { collections: true, local: ['./tools-1.0.0.tar.gz'] },
  ],
  [
    'a file by its address',
    'collections: [{ name: "file:///srv/t.tgz", type: file }]\n',
    { collections: true, local: ['/srv/t.tgz'] },
  ],
  [
    'an archive elsewhere',
    'collections: [{ name: "https://a.example/t-1.tar.gz", type: url, version: "1" }]\n',
    { collections: true },
  ],
  [
    'a collection from a server of its own',
    'collections: [{ name: a.b, source: "https://a.example", version: 1.2.3 }]\n',
    { collections: true },
  ],
  ['an empty list of roles', 'roles:\ncollections: []\n', {}],
])('%s is read', (_, yaml, expected) => {
  expect(readRequirements(yaml)).toEqual({ ...none, ...expected });
});

test.each(['', 'text', '{', '- 1', 'roles: text'])('%j is no requirements file', (yaml) => {
  expect(readRequirements(yaml)).toBeUndefined();
});
