#!/bin/sh -eu
mkdir -p /usr/local/share/profiles/c
cat > /usr/local/share/profiles/c/try.mk <<'END'
try: try.c
	$(CC) -Wall -Werror -o $@ $< && ./$@
try.c:
	printf '#include <stdio.h>\nint main(void) { return puts("works") < 0; }\n' > $@
END
echo 'set auto-load safe-path ~/src' > /etc/gdb/gdbinit.d/src
