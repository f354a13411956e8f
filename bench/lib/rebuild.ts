import { join } from 'node:path';
import { inTurn, machineLine, median, present, ratio, roundsAsked, say, timed, withFolder } from './compare.ts';
import { changeLastStep, ingot, mkosi, writeProject } from './peers.ts';

// After a first build: the last step changed, against mkosi's incremental rebuild; then nothing changed at all.
await withFolder((folder) => {
  const project = join(folder, 'project');
  const home = join(folder, 'home');
  const rounds = roundsAsked();
  writeProject(project);
  say(machineLine());
  timed(ingot(project, home));
  const peer = present('mkosi') ? [mkosi(folder, 'again')] : [];
  if (peer.length > 0) {
    const first = mkosi(folder, 'first');
    first.prepare?.();
    timed(first);
  }
  let number = 0;
  const changed = ingot(project, home, { prepare: () => changeLastStep(project, ++number) });
  const times = inTurn(rounds, [changed, ...peer]);
  const unchanged = inTurn(rounds, [ingot(project, home, { name: 'ingot, nothing changed' })]);
  if (peer.length > 0)
    say(`last step ratio ${ratio(times.get('ingot') ?? [], times.get('mkosi, incremental') ?? []).toFixed(2)}`);
  else say('mkosi is not on this machine: left out');
  say(`no-op seconds ${median(unchanged.get('ingot, nothing changed') ?? []).toFixed(2)}`);
});
