import { IngotError } from '../core/errors.ts';
import type { RunResult } from '../core/host.ts';
import { NoSpaceError } from '../core/space.ts';
import { type DeliveryPlace, placeName } from './place.ts';
import type { Parcel } from './script.ts';

/** What the far end refused, by the word of its script. */
export function refusal(said: string, place: DeliveryPlace, parcel: Parcel): IngotError {
  const [word = '', ...more] = said.split(' ');
  const where = placeName(place);
  const file = `${where}/${parcel.name}`;
  if (word === 'full') return new NoSpaceError(file, parcel.bytes, {});
  if (word === 'no-folder') {
    return new IngotError({ code: 'NOT_FOUND', message: `there is no folder ${where}`, hint: 'make it first' });
  }
  if (word === 'denied') {
    const hint = 'have its owner give you the right to write there';
    return new IngotError({ code: 'AUTH', message: `${where} may not be written to`, hint });
  }
  if (word === 'occupied') {
    return new IngotError({ code: 'USAGE', message: `${file} is a folder`, hint: 'choose another name: --as NAME' });
  }
  if (word === 'busy') {
    const message = `somebody else is publishing ${parcel.name} to ${where} (process ${more.join(' ')} there)`;
    const hint = `wait for it; if there is no such process, remove .${parcel.name}.ingot-lock there`;
    return new IngotError({ code: 'BUSY', message, hint });
  }
  if (word === 'no-digest') {
    const message = `${where} has no program for SHA-256`;
    return new IngotError({ code: 'TOOL_FAILED', message, hint: 'install sha256sum (coreutils) there' });
  }
  if (word === 'wrong') {
    return new IngotError({
      code: 'INPUT_REFUSED',
      message: `what arrived as ${file} has not the SHA-256 ${parcel.sha256}; it was removed`,
      hint: 'see whether the file here is whole (`ingot verify`), then run the same command',
    });
  }
  const detail = more.length === 0 ? {} : { detail: [more.join(' ')] };
  return new IngotError({ code: 'TOOL_FAILED', message: `${file} could not be written`, ...detail });
}

export function lostConnection(place: DeliveryPlace, { name }: Parcel, sent: number): IngotError {
  return new IngotError({
    code: 'TOOL_FAILED',
    message: `the connection to ${placeName(place)} was lost while ${name} was sent (${sent} bytes)`,
    hint: 'what was there is there still; the same command goes on with what arrived',
  });
}

type Sign = {
  readonly pattern: RegExp;
  readonly code: 'AUTH' | 'TOOL_FAILED';
  readonly what: string;
  readonly hint: string;
};

// What OpenSSH says (sshconnect.c, sshconnect2.c).
const signs: readonly Sign[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    code: 'AUTH',
    what: 'shows another host key than the one that is known',
    hint: 'find out why before anything else; if it was set up anew, `ssh-keygen -R HOST` forgets the old key',
  },
  {
    pattern: /host key is known for|Host key verification failed/,
    code: 'AUTH',
    what: 'is not among your known hosts',
    hint: 'log in once with ssh and compare its key with one you got another way',
  },
  {
    pattern: /Permission denied|Too many authentication failures|no mutual signature|Load key/,
    code: 'AUTH',
    what: 'does not let you in',
    hint: 'nothing is asked here: a key must be in the agent (ssh-add) or without a passphrase, and be allowed there',
  },
];

/** Why ssh, or the shell at the far end, ended before it came to any work. */
export function sshFailure({ exitCode, stderr }: RunResult, place: DeliveryPlace, { name }: Parcel): IngotError {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const detail = lines.slice(-12);
  if (place.ssh === undefined || exitCode !== 255) {
    const message = `${name} could not be sent to ${placeName(place)}: the shell there ended with exit code ${exitCode}`;
    return new IngotError({ code: 'TOOL_FAILED', message, detail });
  }
  const { code, what, hint } = signs.find(({ pattern }) => pattern.test(stderr)) ?? {
    ...{ code: 'TOOL_FAILED' as const, what: 'cannot be reached' },
    hint: 'see whether `ssh` with the same host works',
  };
  return new IngotError({ code, message: `${place.ssh.host} ${what}`, hint, detail });
}
