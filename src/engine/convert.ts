import { basename, dirname, join, resolve } from 'node:path';
import type { Io } from '../cli/engine.ts';
import { homeFolder } from '../cli/place.ts';
import type { Converted, ConvertRequest } from '../cli/requests/artifacts.ts';
import { type Arch, archFromNode } from '../core/arch.ts';
import type { Context } from '../core/context.ts';
import { IngotError } from '../core/errors.ts';
import type { Files } from '../core/host.ts';
import type { Format } from '../core/kinds.ts';
import { diskFirmware } from '../qemu/disk-firmware.ts';
import { errorRecord } from '../run/error-record.ts';
import { withRoomForTools } from '../run/room.ts';
import { withStep } from '../run/workshop.ts';
import { sync } from '../store/durable.ts';
import { reap, withLedger } from '../store/ledger.ts';
import { storePaths } from '../store/paths.ts';
import { stagingName } from '../store/staging.ts';
import { chooseFormat } from './convert-format.ts';
import { bringRaw } from './convert-input.ts';
import { buildId, openJournal } from './journal.ts';
import type { Ground } from './site.ts';

/** Write any image file in another format: whole and under its name, or not at all. */
export async function convertFile(ground: Ground, request: ConvertRequest, io: Io): Promise<Converted> {
  const { host, kinds, place, cwd } = ground;
  const chosen = chooseFormat(kinds.formats, request);
  const [from, output] = [resolve(cwd, request.file), resolve(cwd, request.output)];
  const work = { from, output, arch: archOf(ground, request), ...chosen };
  await refuseOutput(work, request, ground);
  const paths = storePaths(homeFolder(place, { env: host.env, cwd }));
  await reap(paths);
  const build = buildId(host);
  const journal = openJournal({ host, paths }, build, io);
  const started = host.monotonic();
  const told = { image: basename(from), arch: work.arch };
  journal.emit({ type: 'build.start', ...told, key: '' });
  const end = (outcome: 'done' | 'failed' | 'cancelled', error?: unknown) => {
    const seconds = (host.monotonic() - started) / 1000;
    const more = outcome === 'failed' ? { error: errorRecord(error) } : {};
    journal.emit({ type: 'build.end', ...told, outcome, seconds, ...more });
    journal.close();
    return seconds;
  };
  try {
    const ctx: Context = { signal: io.signal, emit: journal.emit, host, step: 'convert' };
    const written = await withLedger(paths, build, io.signal, async (ledger) => {
      const folder = join(dirname(output), stagingName());
      await ledger.record({ folder });
      return convertIn(folder, work, request.force, ctx);
    });
    return { ...written, format: chosen.format.name, seconds: end('done') };
  } catch (error) {
    end(io.signal.aborted ? 'cancelled' : 'failed', error);
    throw error;
  }
}

type Work = {
  readonly from: string;
  readonly output: string;
  readonly arch: Arch;
  readonly format: Format;
  readonly options: unknown;
};

function archOf({ host }: Ground, { arch }: ConvertRequest): Arch {
  return arch === 'native' ? (archFromNode(host.arch) ?? 'x86_64') : arch;
}

async function refuseOutput({ from, output }: Work, { force, file }: ConvertRequest, { host }: Ground): Promise<void> {
  const refuse = (message: string, hint?: string) => {
    throw new IngotError({ code: 'USAGE', message, ...(hint === undefined ? {} : { hint }) });
  };
  const [found, folder] = [await host.files.stat(output), await host.files.stat(dirname(output))];
  if (folder === undefined) refuse(`there is no folder ${dirname(output)}`, 'make it first');
  if (found?.kind === 'directory') refuse(`${output} is a folder: name the file itself`);
  const real = (path: string) => host.files.realPath(path).catch(() => path);
  if (found !== undefined && (await real(output)) === (await real(from)))
    refuse(`${file} cannot be written over itself`);
  if (found !== undefined && !force) refuse(`${output} is there already`, '--force writes over it');
}

type Written = Pick<Converted, 'path' | 'bytes' | 'beside'>;

async function convertIn(folder: string, work: Work, force: boolean, ctx: Context): Promise<Written> {
  const { from, output, arch, format, options } = work;
  const { files } = ctx.host;
  const scratch = join(folder, 'work');
  await files.makeDirectory(scratch);
  const { value: disk } = await withStep({ id: 'read', title: `read ${basename(from)}` }, ctx, (inside) =>
    bringRaw(from, scratch, inside),
  );
  const target = join(folder, basename(output));
  const name = basename(output, `.${format.extension(options)}`);
  const { value: beside } = await withStep(
    { id: 'convert', title: `write ${format.title(options)}` },
    ctx,
    async (inside) => {
      const image = { name, arch, firmware: await diskFirmware(disk, arch, inside) };
      const size = async () => (await files.stat(disk))?.size ?? 0;
      await withRoomForTools(
        output,
        size,
        () => format.write(options, { disk, output: target, image }, inside),
        inside,
      );
      await files.remove(scratch);
      return place(folder, dirname(output), { first: basename(output), force, files });
    },
  );
  return { path: output, bytes: (await files.stat(output))?.size ?? 0, beside };
}

/** Give everything in a folder its name, durably; what belongs to the first one comes before it. Gives the others' paths. */
async function place(
  staged: string,
  to: string,
  { first, force, files }: { readonly first: string; readonly force: boolean; readonly files: Files },
): Promise<readonly string[]> {
  const others = (await files.list(staged)).filter((name) => name !== first);
  for (const name of others) {
    if (force || (await files.stat(join(to, name))) === undefined) continue;
    throw new IngotError({
      code: 'USAGE',
      message: `${join(to, name)} is there already`,
      hint: '--force writes over it',
    });
  }
  for (const name of [...others, first]) await sync(join(staged, name));
  for (const name of [...others, first]) await files.rename(join(staged, name), join(to, name));
  await sync(to);
  return others.map((name) => join(to, name));
}
