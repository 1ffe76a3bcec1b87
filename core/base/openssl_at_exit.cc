#include "core/base/openssl_at_exit.h"

#include <openssl/crypto.h>

namespace genoserve {

void KeepOpenSslAtExit() { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr); }

}  // namespace genoserve
