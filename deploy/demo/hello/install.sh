#!/bin/sh
# Installs hello for the account that runs the agent: below $HOME, so that the demo needs no root.
# Exit status 73 (EX_CANTCREAT): the folder for apps cannot be made.
set -eu

apps="$HOME/apps"
echo "installing hello into $apps/hello"
mkdir -p "$apps/hello.new" || {
    echo "cannot make $apps/hello.new" >&2
    exit 73
}
cp hello greetings.txt "$apps/hello.new/"
chmod 755 "$apps/hello.new/hello"
sleep 2 # long enough for a person to see the phase
"$apps/hello.new/hello" > /dev/null
rm -rf "$apps/hello"
mv "$apps/hello.new" "$apps/hello"
echo "installed: $("$apps/hello/hello")"
