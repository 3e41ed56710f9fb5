#!/bin/sh
# Puts all that a release consists of into dist/. Nothing in it depends on the commit or the
# clock, so the same sources always make the same build.
set -eu
mkdir -p dist
cp shop.py prices.py page.html restart.sh dist/
