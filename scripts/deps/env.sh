# Where the unpacked dependencies live; sourced by the other scripts.
# shellcheck shell=bash
export GENOSERVE_DEPS="${GENOSERVE_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/genoserve}"
# A script that was called by another one finds the default already exported: that is not a choice of the user's.
if [ "${LIBTORCH_ROOT:-$GENOSERVE_DEPS/libtorch/torch}" != "$GENOSERVE_DEPS/libtorch/torch" ]; then
  LIBTORCH_ROOT_GIVEN=1
else
  export LIBTORCH_ROOT="$GENOSERVE_DEPS/libtorch/torch"
fi
