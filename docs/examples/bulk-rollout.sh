#!/usr/bin/env bash
# Bring an app to a thousand devices, then a revision that fails on a third of them: three rings, halted by the failures
# of the second one, rolled back by itself, reported.
#
#   make demo KEEP=1; . .outrider/demo/env.sh        # any control plane will do: OUTRIDER_URL and OUTRIDER_TOKEN
#   PATH=$PWD/.venv/bin:$PATH DEVICES=1000 docs/examples/bulk-rollout.sh
#
# The devices are simulated; everything else is as it would be. It ends with 0 when all went as described above.
set -euo pipefail

devices=${DEVICES:-1000}
processes=${PROCESSES:-1}
# Percent of the devices in the second ring. With few devices a fifth of them may hold none on which it fails: raise both.
early=${EARLY:-20}
# Share of the devices on which revision 2 fails.
failing=${FAILING:-0.33}
app=${APP:-bulk}
group=$app-fleet
rollout="$app r2"
source=$(dirname "$0")/../../deploy/demo
work=$(mktemp -d)
simulation=
finish() {
    [ -z "$simulation" ] || { kill "$simulation" 2> /dev/null || true; wait "$simulation" || true; }
    rm -rf "$work"
}
trap finish EXIT

step() { printf '\n== %s\n' "$*"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
# Another version of the app: the same files, another manifest.
manifest() { sed -e "s/^name:.*/name: $app/" -e "s/^displayVersion:.*/displayVersion: \"$1\"/" "$source/hello.yaml"; }

step "Two versions of an app"
outrider package build "$source/hello" --setup install.sh --output "$work" --quiet
manifest 1.0 > "$work/1.yaml"
manifest 2.0 > "$work/2.yaml"

step "$devices devices; on a share of $failing of them the installer of revision 2 fails"
outrider group create "$group"
outrider simulate --devices "$devices" --processes "$processes" --group "$group" --folder "$work/fleet" --name "$app" \
    --failing "$failing" --only-revision 2 --json > "$work/simulation.json" &
simulation=$!

step "Revision 1 for all of them"
outrider app publish "$work/install.intunewin" --manifest "$work/1.yaml"
# It enrols one device after the other: what is waited for below has to be all of them.
until [ "$(outrider group show "$group" --json | field members)" -eq "$devices" ]; do
    kill -0 "$simulation"
    sleep 1
done
outrider assign "$app" --group "$group" --intent required
outrider wait "$app" --until installed --timeout 30m

step "Revision 2 by rollout only: 5 %, then $early %, then the rest"
outrider app publish "$work/install.intunewin" --manifest "$work/2.yaml" --hold # revision 1 stays deployed
rings=(
    --ring "pilot=5%,success=0%,failure=100%,soak=2s" # whatever comes of it, so that the second ring shows the halt
    --ring "early=$early%,failure=10%,first-attempts"
    --ring "all=rest,failure=10%,first-attempts"
)
outrider rollout plan "$app" "${rings[@]}"
outrider rollout create "$app" --name "$rollout" "${rings[@]}" --at-once 200 --rollback-on-failure --start

step "Until it stops by itself"
# 1 says that it did not finish, which is what is expected here.
outrider rollout status "$rollout" --watch || [ $? -eq 1 ]

step "What happened"
outrider rollout history "$rollout"
outrider errors --past --rollout "$rollout"
outrider wait "$app" --until settled --timeout 30m
outrider status "$app" --summary

state=$(outrider rollout status "$rollout" --json | field state)
wanted=$(outrider status "$app" --summary --json | field done)
step "The rollout is $state; $wanted of $devices devices are as wanted"
[ "$state" = rolled-back ] && [ "$wanted" -eq "$devices" ]
