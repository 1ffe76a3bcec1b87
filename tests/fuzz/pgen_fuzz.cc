// A .pgen as a stranger may write it, read beside a .pvar and a .psam of the numbers that it has.
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/io/packed_calls.h"
#include "core/io/variant_reader.h"

namespace {

constexpr uint32_t kMostSamples = 300;
constexpr uint32_t kMostVariants = 64;

// A folder with the tables; they are written anew where the numbers change.
class Fileset {
 public:
  Fileset() {
    std::string folder = std::filesystem::temp_directory_path() / "genoserve-pgen-fuzz-XXXXXX";
    if (::mkdtemp(folder.data()) == nullptr) std::abort();
    prefix_ = folder + "/x";
  }
  ~Fileset() {
    for (const char* suffix : {".pgen", ".pvar", ".psam"}) ::unlink((prefix_ + suffix).c_str());
    ::rmdir(prefix_.substr(0, prefix_.size() - 2).c_str());
  }

  const std::string& Write(const uint8_t* data, size_t size) {
    const uint32_t variants = std::min(Number(data, size, 3), kMostVariants);
    const uint32_t samples = std::min(Number(data, size, 7), kMostSamples);
    if (variants != variants_) {
      // Every third variant has several ALT alleles.
      std::string text = "#CHROM\tPOS\tID\tREF\tALT\n";
      for (uint32_t v = 1; v <= variants; ++v)
        absl::StrAppend(&text, "1\t", v, "\t.\tA\t", v % 3 == 0 ? "C,G,T\n" : "C\n");
      std::ofstream(prefix_ + ".pvar") << text;
    }
    if (samples != samples_) {
      std::string text = "#IID\n";
      for (uint32_t i = 1; i <= samples; ++i) absl::StrAppend(&text, "s", i, "\n");
      std::ofstream(prefix_ + ".psam") << text;
    }
    variants_ = variants;
    samples_ = samples;
    std::ofstream(prefix_ + ".pgen", std::ios::binary)
        .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    return prefix_;
  }

 private:
  static uint32_t Number(const uint8_t* data, size_t size, size_t at) {
    uint32_t number = 0;
    for (size_t i = 0; i < 4 && at + i < size; ++i) number |= uint32_t{data[at + i]} << (8 * i);
    return number;
  }

  std::string prefix_;
  uint32_t variants_ = UINT32_MAX;
  uint32_t samples_ = UINT32_MAX;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using genoserve::GenotypeSource;
  static Fileset files;
  const auto reader = genoserve::OpenVariantReader({GenotypeSource::Format::kPgen, files.Write(data, size), "", ""},
                                                   {genoserve::MultiAllelic::kSplit, {}});
  if (!reader.ok()) return 0;
  const size_t samples = (*reader)->samples().size();
  genoserve::VariantCalls calls;
  for (size_t i = 0;; ++i) {
    const absl::StatusOr<bool> more = (*reader)->Next();
    if (!more.ok() || !*more) return 0;
    if (i % 5 == 4) continue;  // a variant whose calls nobody wants
    if (!(*reader)->ReadCalls(&calls).ok()) return 0;
    // What is read is as a reader promises it.
    if (calls.codes.size() != genoserve::CodeBytes(samples)) std::abort();
    if (!calls.alt_first.empty() && calls.alt_first.size() != genoserve::BitBytes(samples)) std::abort();
    if (samples % 4 != 0 && calls.codes.back() >> (2 * (samples % 4)) != 0) std::abort();
  }
}
