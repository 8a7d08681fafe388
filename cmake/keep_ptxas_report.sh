#!/usr/bin/env bash
# A compiler launcher for nvcc (CMAKE_CUDA_COMPILER_LAUNCHER): runs the command and keeps what ptxas says of each kernel,
# registers, spills and shared memory, as JSON beside the object: activation.cu.o.ptxas.json. The rest of what the
# compiler says goes on to standard error.
set -u
object=
previous=
for argument in "$@"; do
  [ "$previous" = -o ] && object=$argument
  previous=$argument
done
case $object in
  *.o) ;;
  *) exec "$@" ;;  # not a compilation
esac
said=$(mktemp)
trap 'rm -f "$said"' EXIT
"$@" -Xptxas -v 2>"$said"
status=$?
grep -vE '^ptxas info|^ +[0-9]+ bytes (stack frame|cumulative)|^$' "$said" >&2
awk '
  function number(pattern) { return match($0, pattern) ? substr($0, RSTART, RLENGTH) + 0 : 0 }
  /Compiling entry function/ { split($0, part, "\047"); kernel = part[2]; target = part[4]; stack = stores = loads = 0 }
  /bytes stack frame/ {
    stack = number("[0-9]+ bytes stack"); stores = number("[0-9]+ bytes spill stores")
    loads = number("[0-9]+ bytes spill loads")
  }
  /Used [0-9]+ registers/ && kernel != "" {
    printf "%s  {\"kernel\": \"%s\", \"target\": \"%s\", \"registers\": %d, ", count++ ? ",\n" : "[\n", kernel, target,
           number("[0-9]+ registers")
    printf "\"shared_bytes\": %d, \"stack_bytes\": %d, \"spill_store_bytes\": %d, \"spill_load_bytes\": %d}",
           number("[0-9]+ bytes smem"), stack, stores, loads
    kernel = ""
  }
  END { print count ? "\n]" : "[]" }
' "$said" >"$object.ptxas.json"
exit $status
