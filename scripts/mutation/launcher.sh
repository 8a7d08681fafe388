#!/usr/bin/env bash
# Stands before the compiler in the build of mutants: FOLDER, then the command. Only sources that see a mutant, by their
# own text or a header's, and tests are compiled anew: quickly, for this machine alone, their common headers compiled
# beforehand. The others are compiled as the usual build does, which the compiler cache then remembers.
set -euo pipefail
folder=$1
shift
source=${*: -1}
name=${source#"$folder/tree/"}
if [[ $name != tests/* ]] && ! grep -qxF -- "$name" "$folder/affected"; then
  exec ${MELGRAD_MUTATION_CCACHE:+"$MELGRAD_MUTATION_CCACHE"} "$@"
fi
arguments=()
for argument in "$@"; do
  case $argument in
    -O?|-fPIE|-Werror|-Wall|-Wextra|-Wshadow) ;;
    *) arguments+=("$argument") ;;
  esac
done
exec "${arguments[@]}" $(cat "$folder/flags") -include "$folder/common.h"
