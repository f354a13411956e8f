/** The name of a file that may lie beside artifacts: one word, no hidden file. */
const sidecarName = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$/;

const ours = /^(?:manifest\.json|image-version\.txt|contents\..*|sbom\..*|provenance\..*|.*\.sha256|.*\.minisig)$/;

/** Why a file of a step may not have this name beside these artifacts; undefined when it may. */
export function refusedSidecar(name: string, artifacts: readonly string[] = []): string | undefined {
  if (!sidecarName.test(name)) return 'expected a plain file name of letters, digits, dots, dashes, plus signs or _';
  if (ours.test(name)) return `${name} is the name of a file that Ingot itself puts beside the artifacts`;
  if (artifacts.includes(name)) return `${name} is the name of an artifact of this image`;
  return undefined;
}
