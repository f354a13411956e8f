import { createHost } from '../../src/host/host.ts';
import { formats } from '../../src/kinds/formats/index.ts';
import { sync } from '../../src/store/durable.ts';
import { say } from './compare.ts';

// Write one format of a raw disk as a build does, until it is on the disk itself; says how many seconds that took.
// usage: write-format.ts FORMAT OPTIONS DISK OUTPUT
const [name = '', options = '{}', disk = '', output = ''] = process.argv.slice(2);
const format = formats.get(name);
if (format === undefined) throw new Error(`there is no format ${name}`);
const ctx = { host: createHost(), signal: new AbortController().signal, emit: () => undefined, step: 'format' };
// A build that comes to its formats has started programs before.
await ctx.host.run({ argv: ['true'] });
const started = performance.now();
const image = { name: 'bench', arch: 'x86_64', firmware: ['bios', 'uefi'] } as const;
await format.write(format.options.parse(JSON.parse(options)), { disk, output, image }, ctx);
await sync(output);
say(String((performance.now() - started) / 1000));
