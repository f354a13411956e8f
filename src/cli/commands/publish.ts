import { IngotError } from '../../core/errors.ts';
import type { DeliverRequest } from '../requests/delivery.ts';
import type { Session } from '../session.ts';
import { bytes } from '../text.ts';
import { archName, hexDigest } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot publish`: a finished image where it is used, or a file of one's own among the artifacts. */
export const publish: Verb = {
  summary: 'Put a finished image where it is used, or a file of your own among the artifacts',
  examples: [
    ['publish web --to ssh://root@pve/srv/iso --as web.img', 'to a machine that ssh reaches'],
    ['publish web --to /srv/www --format raw.zst', 'with the chunks for `ingot fetch`'],
    ['publish web --to lab', 'as `publish: { lab: ... }` in ingot.yaml says'],
    ['publish proxmox-ve.iso --as isos/proxmox-ve.iso', 'served as /isos/proxmox-ve.iso, with its checksum beside it'],
  ],
  notes: [
    'With --to the copy gets its name when all of it has arrived, its SHA-256 is right there and it is on the disk; until then an ' +
      'older one stays whole. When the connection breaks, the same command goes on. ssh is used with your own settings, keys and ' +
      'known hosts, and asks nothing; the other side needs a POSIX shell and sha256sum. Its checksum lies beside it (NAME.sha256).',
    'Without --to a file is copied among the artifacts of this machine; paths begin with isos/, keys/, netboot/, answers/ or ' +
      'files/. Whoever is downloading an earlier file of the same name gets all of that; everybody after gets the new one.',
  ],
  register(command, act) {
    command
      .argument('<what>', 'an image, also IMAGE@BUILD, with --to; else a file')
      .option('--to <place>', 'a folder, ssh://[user@]host[:port]/path, or a name of ingot.yaml')
      .option('--as <name>', 'what it is called there; without --to its path among the artifacts')
      .option('--format <format>', 'with --to: the format (default: the first that is compressed)')
      .option('--arch <arch>', 'with --to: x86_64 or aarch64 (default: of this machine)', archName)
      .option('--sha256 <hex>', 'of a file: what its SHA-256 must be', hexDigest)
      .action((what, options, cmd) => {
        const { to, as, format, arch, sha256 } = options;
        const globals = cmd.optsWithGlobals();
        if (to !== undefined) {
          if (sha256 !== undefined) throw wrongUse('--sha256 is for a file without --to');
          const more = { ...(as === undefined ? {} : { as }), ...(format === undefined ? {} : { format }) };
          return act(
            globals,
            (session) => deliver(session, { image: what, arch: arch ?? 'native', to, ...more }),
            'streams',
          );
        }
        if (as === undefined) throw wrongUse('say where: --to PLACE for an image, --as PATH for a file');
        if (format !== undefined || arch !== undefined) throw wrongUse('--format and --arch are for --to');
        return act(globals, (session) => putFile(session, what, as, sha256));
      });
  },
};

function wrongUse(message: string): IngotError {
  return new IngotError({ code: 'USAGE', message, hint: 'ingot help publish' });
}

async function deliver(session: Session, request: DeliverRequest): Promise<number> {
  const engine = await session.engine();
  const done = await engine.deliver(request, session.io);
  if (session.json) session.printJson('publish', done);
  else session.print([done.path]);
  const sent = done.outcome === 'unchanged' ? 'it is there already' : `${bytes(done.sentBytes)} sent`;
  session.remark(`sha256 ${done.sha256}, ${bytes(done.bytes)}, ${sent}`);
  return 0;
}

async function putFile(session: Session, file: string, as: string, sha256: string | undefined): Promise<number> {
  const engine = await session.engine();
  const done = await engine.publish({ file, as, ...(sha256 === undefined ? {} : { sha256 }) }, session.io);
  if (session.json) session.printJson('publish', done);
  else session.print([done.file]);
  session.remark(`sha256 ${done.sha256}, ${bytes(done.bytes)}`);
  return 0;
}
