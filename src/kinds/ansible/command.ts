import { join } from 'node:path';
import type { Login } from '../../core/kinds.ts';
import { shellLine } from '../../core/script.ts';

/** What the image is called in inventories: `host_vars/image.yml` is for it. */
const hostName = 'image';

/** Ansible's work files, all in one folder that is gone after the step. */
export type AnsibleFolder = {
  readonly folder: string;
  /** Folders with roles, the first found counts. */
  readonly roles: readonly string[];
  /** Whether a vault password lies in `vaultFile`. */
  readonly hasVault: boolean;
};

export const inventoryFile = ({ folder }: Pick<AnsibleFolder, 'folder'>) => join(folder, 'inventory.json');
export const varsFile = ({ folder }: Pick<AnsibleFolder, 'folder'>) => join(folder, 'vars.json');
export const vaultFile = ({ folder }: Pick<AnsibleFolder, 'folder'>) => join(folder, 'vault-password');
export const installedFolder = ({ folder }: Pick<AnsibleFolder, 'folder'>) => join(folder, 'installed');

/** The image as the only host, in these groups. */
export function inventory(login: Login, groups: readonly string[]): object {
  const { host, port, user, sudo, options } = login;
  const variables = {
    ansible_host: host,
    ansible_port: port,
    ansible_user: user,
    ansible_ssh_common_args: shellLine(options),
    // As in a tree, where everything runs as root; not for the build machine, where tasks may be delegated to.
    ...(sudo ? { ansible_become: true } : {}),
  };
  const member = { hosts: { [hostName]: {} } };
  const children = Object.fromEntries(groups.map((group) => [group, member]));
  return { all: { hosts: { [hostName]: variables }, children } };
}

export type PlaybookWords = {
  /** Absolute path. */
  readonly playbook: string;
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  readonly hasVars: boolean;
};

/** Values of variables may be secrets: they are in a file and never here. */
export function playbookArgv(words: PlaybookWords, place: AnsibleFolder): readonly [string, ...string[]] {
  return [
    'ansible-playbook',
    `--inventory=${inventoryFile(place)}`,
    ...(words.hasVars ? [`--extra-vars=@${varsFile(place)}`] : []),
    ...words.tags.map((tag) => `--tags=${tag}`),
    ...words.skipTags.map((tag) => `--skip-tags=${tag}`),
    words.playbook,
  ];
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Ansible with settings of its own: none of the user's variables and files, our events on stdout, one connection that is
 * told to it, and modules that come over stdin. Persistent connections of its own would outlive us.
 */
export function playbookEnvironment(
  given: { readonly login: Login; readonly env: Environment },
  place: AnsibleFolder,
): Environment {
  const { login, env } = given;
  const installed = installedFolder(place);
  return {
    ...privateEnvironment(place, env),
    ANSIBLE_ROLES_PATH: [...place.roles, join(installed, 'roles')].join(':'),
    ANSIBLE_STDOUT_CALLBACK: 'ingot_events',
    ANSIBLE_CALLBACK_PLUGINS: join(import.meta.dirname, 'callback'),
    ANSIBLE_SSH_EXECUTABLE: login.ssh,
    ANSIBLE_SSH_ARGS: '',
    ANSIBLE_SSH_TRANSFER_METHOD: 'piped',
    ANSIBLE_PIPELINING: 'True',
    ANSIBLE_HOST_KEY_CHECKING: 'True',
    ANSIBLE_TIMEOUT: '120',
    // Root becomes others without sudo, which the image may not have.
    ANSIBLE_BECOME_METHOD: login.sudo ? 'sudo' : 'su',
    // Users of services have no shell of their own.
    ANSIBLE_SU_FLAGS: '-s /bin/sh',
    ANSIBLE_PYTHON_INTERPRETER: 'auto_silent',
    // In the one folder that the seal takes away.
    ANSIBLE_ASYNC_DIR: '~/.ansible/async',
    ...(place.hasVault ? { ANSIBLE_VAULT_PASSWORD_FILE: vaultFile(place) } : {}),
  };
}

/** Only our own folders: for ansible-galaxy too. */
export function privateEnvironment(place: Pick<AnsibleFolder, 'folder'>, env: Environment): Environment {
  const theirs = Object.keys(env).filter((name) => /^(ANSIBLE|INGOT_SECRET)_/.test(name));
  return {
    ...Object.fromEntries(theirs.map((name) => [name, undefined])),
    ANSIBLE_CONFIG: join(place.folder, 'ansible.cfg'),
    ANSIBLE_HOME: join(place.folder, 'home'),
    ANSIBLE_LOCAL_TEMP: join(place.folder, 'tmp'),
    ANSIBLE_COLLECTIONS_PATH: installedFolder(place),
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_RETRY_FILES_ENABLED: 'False',
    // Python would write beside plugins of the project, whose folder is an input.
    PYTHONDONTWRITEBYTECODE: '1',
  };
}
