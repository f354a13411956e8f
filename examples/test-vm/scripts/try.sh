#!/bin/sh -eu
# The service runs already: what it answers now, it answers in each copy of this image.
nginx -t
curl -fsS http://localhost/ | grep -q 'Made to be tested'
# The next machine starts with empty logs.
systemctl stop nginx
truncate -s 0 /var/log/nginx/*.log
