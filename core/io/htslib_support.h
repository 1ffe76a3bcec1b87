// What the parts that use htslib share.
#pragma once

#include <memory>

#include "htslib/bgzf.h"
#include "htslib/hts.h"
#include "htslib/vcf.h"

namespace genoserve {

/// Keeps htslib from writing to standard error: every failure is told by a Status. Call before any use of htslib.
/// Thread-safe.
void SilenceHtslib();

/// Frees what htslib allocates.
struct HtslibDeleter {
  void operator()(htsFile* file) const { hts_close(file); }
  void operator()(bcf_hdr_t* header) const { bcf_hdr_destroy(header); }
  void operator()(bcf1_t* record) const { bcf_destroy(record); }
  void operator()(BGZF* file) const { bgzf_close(file); }
  void operator()(hts_idx_t* index) const { hts_idx_destroy(index); }
};

/// An htslib object with an owner.
template <typename T>
using HtslibPtr = std::unique_ptr<T, HtslibDeleter>;

}  // namespace genoserve
