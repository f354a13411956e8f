import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { inTurn, machineLine, present, ratio, roundsAsked, say, withFolder } from './compare.ts';
import { ingot, mkosi, mmdebstrap, writeProject } from './peers.ts';

// A whole image from nothing, downloads included: against the floor (the packages alone) and against mkosi.
await withFolder((folder) => {
  const project = join(folder, 'project');
  const home = join(folder, 'home');
  writeProject(project);
  say(machineLine());
  const peer = present('mkosi') ? [mkosi(folder, 'cold')] : [];
  if (peer.length === 0) say('mkosi is not on this machine: left out');
  const fresh = { prepare: () => rmSync(home, { recursive: true, force: true }) };
  const times = inTurn(roundsAsked(), [mmdebstrap(folder), ingot(project, home, fresh), ...peer]);
  const ours = times.get('ingot') ?? [];
  say(`floor ratio ${ratio(ours, times.get('mmdebstrap to a tar') ?? []).toFixed(2)}`);
  if (peer.length > 0) say(`mkosi ratio ${ratio(ours, times.get('mkosi, cold') ?? []).toFixed(2)}`);
});
