import { join } from 'node:path';
import type { Io } from '../cli/engine.ts';
import type { BuildRequest } from '../cli/requests/images.ts';
import type { FailureActions } from '../run/build.ts';
import { rootShell } from '../run/guest/boot-shell.ts';
import { rootShellScript } from '../run/root-shell.ts';
import type { Workshop } from '../run/workshop.ts';
import { packLayer, takeSnapshot } from '../tree/layers.ts';

type Place = {
  readonly workshop: Workshop;
  readonly build: string;
  readonly onError: BuildRequest['onError'];
  readonly io: Io;
};

/** What `--on-error` does with what a step failed in, before it is dropped. */
export function failureActions(place: Place): FailureActions | undefined {
  return { clean: undefined, keep: keep(place), shell: shell(place) }[place.onError];
}

function shell({ io }: Place): FailureActions {
  const hint = 'exit the shell to go on; what failed is then dropped';
  const look = { where: 'failed step', greeting: [] };
  return {
    tree: async (tree, ctx) => {
      ctx.emit({ type: 'warning', message: 'a step failed: this shell is in its tree', hint });
      await io.withTerminal(() => tree.shell({ script: rootShellScript(look) }, ctx));
    },
    guest: async ({ guest }, ctx) => {
      if (guest.lost.aborted) {
        ctx.emit({ type: 'warning', message: 'a step failed, and its guest is lost: there is nothing to log in to' });
        return;
      }
      ctx.emit({ type: 'warning', message: 'a step failed: this shell is in its guest', hint });
      await io.withTerminal(() => rootShell(guest, look, ctx));
    },
  };
}

function keep({ workshop, build }: Place): FailureActions {
  const folder = join(workshop.paths.builds, build);
  return {
    tree: async (tree, ctx) => {
      const file = join(folder, 'failed-tree.tar.zst');
      const session = tree.as(ctx);
      const { packed } = await packLayer(session, [...(await takeSnapshot(session)).keys()].sort(), file);
      await packed;
      const hint = 'look at it with tar --zstd -tvf';
      ctx.emit({ type: 'warning', message: `the failed tree is kept in ${file}`, hint });
    },
    guest: async ({ guest, disk }, ctx) => {
      const path = join(folder, 'failed-disk.qcow2');
      await guest.exec({ text: 'sync' }).catch(() => undefined);
      await guest.stop();
      await disk.flatten({ path, format: 'qcow2' }, ctx);
      const hint = 'boot it with QEMU, or look inside with guestfish';
      ctx.emit({ type: 'warning', message: `the failed guest's disk is kept in ${path}`, hint });
    },
  };
}
