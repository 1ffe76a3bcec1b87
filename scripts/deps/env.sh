# Where the unpacked dependencies live; sourced by the other scripts.
# shellcheck shell=bash
export GENOSERVE_DEPS="${GENOSERVE_DEPS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/genoserve}"
if [ -n "${LIBTORCH_ROOT:-}" ]; then
  LIBTORCH_ROOT_GIVEN=1
else
  export LIBTORCH_ROOT="$GENOSERVE_DEPS/libtorch/torch"
fi
