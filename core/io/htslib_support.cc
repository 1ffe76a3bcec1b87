#include "core/io/htslib_support.h"

namespace genoserve {

void SilenceHtslib() {
  static const bool silenced = [] {
    hts_set_log_level(HTS_LOG_OFF);
    return true;
  }();
  static_cast<void>(silenced);
}

}  // namespace genoserve
