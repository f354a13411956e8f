/**
 * Commands before and after what runs in the installed system, which lies at `root`: what `iso` holds for scripts is at
 * /media/ingot meanwhile. Both are words for a shell.
 */
export function mediumThere(iso: string, root: string): { readonly begin: string; readonly end: string } {
  const there = `${root}/media/ingot`;
  return {
    begin: `mkdir -p ${there} && mount -o bind ${iso}/ingot ${there}`,
    end: `umount ${there} && rmdir ${there}`,
  };
}
