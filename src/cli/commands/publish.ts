import { bytes } from '../text.ts';
import { hexDigest } from '../values.ts';
import type { Verb } from '../verb.ts';

/** `ingot publish`: a file that Ingot did not build, among the artifacts. */
export const publish: Verb = {
  summary: 'Put a file of your own among the artifacts that are served',
  examples: [
    ['publish proxmox-ve.iso --as isos/proxmox-ve.iso', 'served as /isos/proxmox-ve.iso, with its checksum beside it'],
    ['publish lab.pub --as keys/lab.pub --sha256 HEX', 'refused when its SHA-256 is another'],
  ],
  notes: [
    'Paths begin with isos/, keys/, netboot/, answers/ or files/. The file is copied. Whoever is downloading an earlier file of ' +
      'the same name gets all of that; everybody after gets the new one.',
  ],
  register(command, act) {
    command
      .argument('<file>', 'the file')
      .requiredOption('--as <path>', 'its path among the artifacts')
      .option('--sha256 <hex>', 'what its SHA-256 must be', hexDigest)
      .action((file, options, cmd) =>
        act(cmd.optsWithGlobals(), async (session) => {
          const engine = await session.engine();
          const { as, sha256 } = options;
          const done = await engine.publish({ file, as, ...(sha256 === undefined ? {} : { sha256 }) }, session.io);
          if (session.json) session.printJson('publish', done);
          else session.print([done.file]);
          session.remark(`sha256 ${done.sha256}, ${bytes(done.bytes)}`);
          return 0;
        }),
      );
  },
};
