#!/bin/sh
set -eu

rm -rf "$HOME/apps/hello"
echo "hello is gone"
