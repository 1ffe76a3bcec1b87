// Writers of cohorts: genotypes and bytes a second of each format, beside a plain write of as many bytes to the same
// folder and beside plink2's conversion of the same genotypes, and the most memory that each took.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "core/base/philox.h"
#include "core/base/status.h"
#include "core/io/cohort_writer.h"

namespace genoserve {
namespace {

constexpr size_t kBatch = 4096;

struct Arguments {
  std::string folder;
  int64_t samples = 100'000;
  size_t variants = 805;
  bool phased = false;
  int runs = 3;
  std::vector<std::string> formats;
};

// What a child process took.
struct Cost {
  double seconds = 0;
  double cpu_seconds = 0;
  double mib = 0;  // of memory at most
  bool ok = false;
};

// Runs `work` in a process of its own.
Cost Measure(const std::function<bool()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work() ? 0 : 1);
  int status = 0;
  rusage used{};
  ::wait4(child, &status, 0, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
          seconds(used.ru_utime) + seconds(used.ru_stime), static_cast<double>(used.ru_maxrss) / 1024,
          WIFEXITED(status) && WEXITSTATUS(status) == 0};
}

// Samples at frequencies that differ from variant to variant; a cohort repeats them.
GenotypeMatrix Batch(Packing packing, size_t variants) {
  GenotypeMatrix rows(packing, kBatch * RowsPerSample(packing), variants);
  for (size_t row = 0; row < rows.rows(); ++row) {
    const PhiloxStream stream(1, row, 0, Purpose::kAllele);
    for (size_t v = 0; v < variants; ++v) {
      const uint32_t bits = stream.Bits(static_cast<uint32_t>(v));
      const uint32_t threshold = 100 + static_cast<uint32_t>(v * 7919 % 32'000);
      const int first = (bits & 0xFFFF) < threshold ? 1 : 0;
      const int second = (bits >> 16) < threshold ? 1 : 0;
      rows.Set(row, v, packing == Packing::kDiploid2Bit ? first + second : first);
    }
  }
  return rows;
}

CohortDescription Describe(const Arguments& arguments) {
  std::vector<VariantRecord> variants;
  for (size_t v = 0; v < arguments.variants; ++v) {
    variants.push_back({"1", static_cast<int64_t>(100 * (v + 1)), absl::StrCat("m", v + 1), "A", "C"});
  }
  CohortDescription cohort;
  cohort.variants = VariantTable::Create(std::move(variants), {}).value();
  cohort.packing = arguments.phased ? Packing::kHaplotype1Bit : Packing::kDiploid2Bit;
  cohort.cohort_size = cohort.sample_count = arguments.samples;
  return cohort;
}

absl::Status WriteCohort(CohortFormat format, const std::string& path, const CohortDescription& cohort,
                         const GenotypeMatrix& batch) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto writer, OpenCohortWriter(format, path, cohort));
  int64_t left = cohort.sample_count;
  for (; left >= static_cast<int64_t>(kBatch); left -= kBatch) GENOSERVE_RETURN_IF_ERROR(writer->Append(batch));
  if (left > 0) {
    std::vector<size_t> rest(static_cast<size_t>(left));
    for (size_t i = 0; i < rest.size(); ++i) rest[i] = i;
    GENOSERVE_RETURN_IF_ERROR(writer->Append(batch.SelectSamples(rest)));
  }
  return writer->Close();
}

// Writes as many bytes, and syncs them.
bool WritePlain(const std::string& path, uintmax_t bytes) {
  const std::vector<char> block(size_t{1} << 20, 'x');
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  bool ok = fd >= 0;
  for (uintmax_t left = bytes; ok && left > 0;) {
    const size_t size = std::min<uintmax_t>(left, block.size());
    ok = ::write(fd, block.data(), size) == static_cast<ssize_t>(size);
    left -= size;
  }
  ok = ok && ::fsync(fd) == 0;
  ::close(fd);
  ::unlink(path.c_str());
  return ok;
}

uintmax_t SizeOf(CohortFormat format, const std::string& path) {
  uintmax_t bytes = 0;
  for (const std::string& file : FilesOfCohort(format, path)) {
    if (!std::filesystem::is_directory(file)) {
      bytes += std::filesystem::file_size(file);
      continue;
    }
    for (const auto& entry : std::filesystem::recursive_directory_iterator(file)) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
  }
  return bytes;
}

// What plink2 is told to make each format of the same genotypes; empty where it cannot.
std::string Plink2(CohortFormat format, const std::string& source) {
  const auto from = [](const char* what) { return absl::StrCat("plink2 --threads 1 ", what); };
  switch (format) {
    case CohortFormat::kVcf:
      return absl::StrCat(from("--pfile "), source, " --export vcf");
    case CohortFormat::kVcfGz:
      return absl::StrCat(from("--pfile "), source, " --export vcf bgz");
    case CohortFormat::kBcf:
      return absl::StrCat(from("--pfile "), source, " --export bcf");
    case CohortFormat::kBed:
      return absl::StrCat(from("--pfile "), source, " --make-bed");
    case CohortFormat::kPgen:
      return absl::StrCat(from("--pfile "), source, " --make-pgen");
    case CohortFormat::kHap:
      return absl::StrCat(from("--pfile "), source, " --export hapslegend ref-first");
    case CohortFormat::kHaps:
      return absl::StrCat(from("--pfile "), source, " --export haps ref-first");
    default:
      return "";
  }
}

// The run in the middle by time.
Cost Median(std::vector<Cost> costs) {
  std::sort(costs.begin(), costs.end(), [](const Cost& a, const Cost& b) { return a.seconds < b.seconds; });
  return costs[costs.size() / 2];
}

absl::Status Bench(const Arguments& arguments) {
  const CohortDescription cohort = Describe(arguments);
  const GenotypeMatrix batch = Batch(cohort.packing, arguments.variants);
  const std::string source = absl::StrCat(arguments.folder, "/source");
  GENOSERVE_RETURN_IF_ERROR(WriteCohort(CohortFormat::kPgen, source, cohort, batch));
  const double genotypes = static_cast<double>(arguments.samples) * static_cast<double>(arguments.variants);
  std::printf("%lld samples x %zu variants, %s, median of %d runs\n", static_cast<long long>(arguments.samples),
              arguments.variants, arguments.phased ? "phased" : "unphased", arguments.runs);
  std::printf(
      "| format | MB | s | CPU s | M genotypes/s | MB/s | plain write MB/s | peak MiB | plink2 s | plink2 CPU s |\n"
      "|---|---|---|---|---|---|---|---|---|---|\n");
  for (const std::string& name : arguments.formats) {
    const std::string path = absl::StrCat(arguments.folder, "/c.", name);
    GENOSERVE_ASSIGN_OR_RETURN(const CohortFormat format, FormatOfPath(path));
    const std::string plink2 = Plink2(format, source);
    std::vector<Cost> ours;
    std::vector<Cost> plain;
    std::vector<Cost> theirs;
    uintmax_t bytes = 0;
    for (int run = 0; run < arguments.runs; ++run) {
      ours.push_back(Measure([&] {
        const absl::Status status = WriteCohort(format, path, cohort, batch);
        if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
        return status.ok();
      }));
      if (!ours.back().ok) return absl::InternalError(absl::StrCat(name, " could not be written"));
      bytes = SizeOf(format, path);
      plain.push_back(Measure([&] { return WritePlain(arguments.folder + "/plain", bytes); }));
      if (!plink2.empty()) {
        const std::string command = absl::StrCat(plink2, " --out ", arguments.folder, "/p >/dev/null");
        theirs.push_back(Measure([&command] {
          ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
          return false;
        }));
      }
      for (const std::string& file : FilesOfCohort(format, path)) std::filesystem::remove_all(file);
    }
    const Cost our = Median(ours);
    const double mb = static_cast<double>(bytes) / 1e6;
    std::printf("| %s | %.1f | %.2f | %.2f | %.0f | %.0f | %.0f | %.0f |", name.c_str(), mb, our.seconds,
                our.cpu_seconds, genotypes / our.seconds / 1e6, mb / our.seconds, mb / Median(plain).seconds, our.mib);
    if (theirs.empty()) {
      std::printf(" | |\n");
    } else {
      std::printf(" %.2f | %.2f |\n", Median(theirs).seconds, Median(theirs).cpu_seconds);
    }
    std::fflush(stdout);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) {
  genoserve::Arguments arguments;
  CLI::App app("Measures the writers of cohorts");
  app.add_option("folder", arguments.folder, "An empty folder on the disk to measure")->required();
  app.add_option("--samples", arguments.samples);
  app.add_option("--variants", arguments.variants);
  app.add_flag("--phased", arguments.phased);
  app.add_option("--runs", arguments.runs)->check(CLI::PositiveNumber);
  app.add_option("--formats", arguments.formats)->delimiter(',')->required();
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = genoserve::Bench(arguments);
  if (status.ok()) return 0;
  std::fprintf(stderr, "writer_bench: %s\n", std::string(status.message()).c_str());
  return 1;
}
