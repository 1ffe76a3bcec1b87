// Parts that stay when a writer goes: killed, reopened, cut, of another cohort, with several ranges at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/philox.h"
#include "core/io/test_cohorts.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr size_t kSamples = 7001;
constexpr size_t kVariants = 65;

struct Case {
  CohortFormat format;
  Packing packing;
  size_t memory;
};

class KeptPartTest : public FolderTest, public testing::WithParamInterface<Case> {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    genotypes_ = TestGenotypes(GetParam().packing, kSamples, kVariants);
    cohort_ = TestDescription(genotypes_);
    std::filesystem::create_directory(Path("whole"));
    ASSERT_EQ(WriteCohort(GetParam().format, Target("whole"), cohort_, genotypes_), absl::OkStatus());
    std::filesystem::create_directory(Path("kept"));
  }

  std::string Target(const std::string& folder) const {
    return Path(absl::StrCat(folder, "/c.", CohortFormatName(GetParam().format)));
  }

  std::map<std::string, std::string> Files(const std::string& folder) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Path(folder))) {
      files[std::filesystem::relative(entry.path(), Path(folder))] = entry.is_regular_file() ? Read(entry.path()) : "";
    }
    return files;
  }

  CohortWriterOptions Options(std::vector<int64_t> done = {}) const {
    CohortWriterOptions options;
    options.memory = GetParam().memory;
    options.range_ends = range_ends_;
    options.keep_part = true;
    options.done = std::move(done);
    return options;
  }

  absl::StatusOr<std::unique_ptr<CohortWriter>> Open(std::vector<int64_t> done = {}) const {
    return OpenCohortWriter(GetParam().format, Target("kept"), cohort_, Options(std::move(done)));
  }

  int64_t Begin(size_t range) const { return range == 0 ? 0 : range_ends_[range - 1]; }

  // Appends the samples [from, to) of a range, `batch` at a time.
  absl::Status Append(CohortWriter& writer, size_t range, int64_t from, int64_t to, int64_t batch = 333) const {
    for (int64_t at = from; at < to; at += batch) {
      const auto first = static_cast<size_t>(Begin(range) + at);
      const auto end = static_cast<size_t>(Begin(range) + std::min(at + batch, to));
      if (absl::Status status = writer.Append(SamplesOf(genotypes_, first, end), range); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Goes on with a part to the end, and expects the files of an undisturbed writer.
  void ExpectWholeAfter(const std::vector<int64_t>& done) const {
    auto writer = Open(done);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (size_t i = 0; i < range_ends_.size(); ++i) {
      ASSERT_EQ(Append(**writer, i, done[i], range_ends_[i] - Begin(i)), absl::OkStatus());
    }
    ASSERT_EQ((*writer)->Close(), absl::OkStatus());
    EXPECT_EQ(Files("kept"), Files("whole"));
  }

  GenotypeMatrix genotypes_;
  CohortDescription cohort_;
  std::vector<int64_t> range_ends_ = {2048, 6144, static_cast<int64_t>(kSamples)};
};

TEST_P(KeptPartTest, AWriterThatGoesLeavesAPartThatIsGoneOnWith) {
  std::vector<int64_t> done;
  {
    auto writer = Open();
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_EQ(Append(**writer, 0, 0, 2048), absl::OkStatus());
    ASSERT_EQ(Append(**writer, 1, 0, 3000), absl::OkStatus());
    done = (*writer)->Save().value();
    EXPECT_THAT(done, ElementsAre(2048, 2048, 0));
    // What comes after is lost.
    ASSERT_EQ(Append(**writer, 1, 3000, 4000), absl::OkStatus());
  }
  EXPECT_EQ(Files("kept").size(), 1u);
  EXPECT_TRUE(std::filesystem::exists(
      Path("kept/") +
      (IsFileset(GetParam().format) ? "c.part" : absl::StrCat("c.", CohortFormatName(GetParam().format), ".part"))));
  ExpectWholeAfter(done);
}

// Writers that end at places drawn at random, each time with other ranges in turn, with batches of other sizes.
TEST_P(KeptPartTest, ManyInterruptionsLeaveNoTrace) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    const PhiloxStream random(seed, 0, 0, Purpose::kAllele);
    uint32_t draw = 0;
    std::vector<int64_t> done;
    for (int attempt = 0; attempt < 6; ++attempt) {
      auto writer = Open(done);
      ASSERT_TRUE(writer.ok()) << writer.status();
      std::vector<int64_t> at = done.empty() ? std::vector<int64_t>(range_ends_.size()) : done;
      for (int step = 0; step < 4; ++step) {
        const size_t range = random.Bits(draw++) % range_ends_.size();
        const int64_t to = std::min<int64_t>(range_ends_[range] - Begin(range), at[range] + random.Bits(draw++) % 1500);
        ASSERT_EQ(Append(**writer, range, at[range], to, 1 + random.Bits(draw++) % 700), absl::OkStatus());
        at[range] = to;
        if (random.Bits(draw++) % 2 == 0) done = (*writer)->Save().value();
      }
      if (done.empty()) done = (*writer)->Save().value();
    }
    ExpectWholeAfter(done);
    std::filesystem::remove_all(Path("kept"));
    std::filesystem::create_directory(Path("kept"));
  }
}

TEST_P(KeptPartTest, RangesAreAppendedToFromSeveralThreadsWhileOthersSave) {
  auto writer = Open();
  ASSERT_TRUE(writer.ok()) << writer.status();
  std::vector<std::thread> threads;
  for (size_t i = 0; i < range_ends_.size(); ++i) {
    threads.emplace_back(
        [&, i] { EXPECT_EQ(Append(**writer, i, 0, range_ends_[i] - Begin(i), 100), absl::OkStatus()); });
  }
  std::vector<int64_t> last(range_ends_.size());
  for (int i = 0; i < 20; ++i) {
    const std::vector<int64_t> saved = (*writer)->Save().value();
    for (size_t range = 0; range < saved.size(); ++range) EXPECT_GE(saved[range], last[range]);
    last = saved;
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT((*writer)->Save().value(), ElementsAre(2048, 4096, 857));
  ASSERT_EQ((*writer)->Close(), absl::OkStatus());
  EXPECT_EQ(Files("kept"), Files("whole"));
}

TEST_P(KeptPartTest, AKilledProcessLosesNothingThatWasSaved) {
  int report[2];
  ASSERT_EQ(::pipe(report), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto writer = Open();
    if (!writer.ok() || !Append(**writer, 0, 0, 1100).ok() || !Append(**writer, 2, 0, 857).ok()) ::_exit(1);
    const auto saved = (*writer)->Save();
    if (!saved.ok() || ::write(report[1], saved->data(), 3 * sizeof(int64_t)) != 3 * sizeof(int64_t)) ::_exit(1);
    // It is killed somewhere in this.
    static_cast<void>(Append(**writer, 1, 0, 4096, 100));
    while (true) ::pause();
  }
  std::vector<int64_t> done(3);
  ASSERT_EQ(::read(report[0], done.data(), 3 * sizeof(int64_t)), 3 * sizeof(int64_t));
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ::close(report[0]);
  ::close(report[1]);
  EXPECT_THAT(done, ElementsAre(1024, 0, 857));
  ExpectWholeAfter(done);
}

TEST_P(KeptPartTest, ACloseThatFailsLeavesThePart) {
  auto writer = Open();
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (size_t i = 0; i < range_ends_.size(); ++i) {
    ASSERT_EQ(Append(**writer, i, 0, range_ends_[i] - Begin(i)), absl::OkStatus());
  }
  const std::vector<int64_t> done = (*writer)->Save().value();
  EXPECT_THAT(done, ElementsAre(2048, 4096, 857));
  // Nothing more fits on the disk.
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit none{10, 10};
    ::setrlimit(RLIMIT_FSIZE, &none);
    ::_exit((*writer)->Close().code() == absl::StatusCode::kResourceExhausted ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(Files("kept").size(), 1u);
  writer->reset();
  ExpectWholeAfter(done);
}

TEST_P(KeptPartTest, APartThatWasCutIsRefused) {
  {
    auto writer = Open();
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_EQ(Append(**writer, 0, 0, 1500), absl::OkStatus());
    ASSERT_TRUE((*writer)->Save().ok());
  }
  const std::string part = PartPath(GetParam().format, Target("kept"));
  const auto size = std::filesystem::file_size(part);
  for (const uintmax_t left : {size - 1, size / 2, uintmax_t{100}, uintmax_t{0}}) {
    std::filesystem::resize_file(part, left);
    EXPECT_EQ(Open({1024, 0, 0}).status().code(), absl::StatusCode::kDataLoss) << left << " of " << size;
  }
  std::filesystem::remove(part);
  EXPECT_EQ(Open({1024, 0, 0}).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(KeptPartTest, AnotherCohortsPartIsRefused) {
  {
    auto writer = Open();
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_EQ(Append(**writer, 0, 0, 1500), absl::OkStatus());
    ASSERT_TRUE((*writer)->Save().ok());
    EXPECT_EQ(Open({1024, 0, 0}).status().code(), absl::StatusCode::kFailedPrecondition) << "it is open";
  }
  cohort_.provenance[2].second = "8";
  EXPECT_THAT(Message(Open({1024, 0, 0}).status()), HasSubstr("c.")) << "names the part";
  EXPECT_EQ(Open({1024, 0, 0}).status().code(), absl::StatusCode::kFailedPrecondition);
  cohort_.provenance[2].second = "7";
  range_ends_[0] = 1024;
  EXPECT_EQ(Open({1024, 0, 0}).status().code(), absl::StatusCode::kFailedPrecondition);
  range_ends_[0] = 2048;
  ExpectWholeAfter({1024, 0, 0});
}

std::string NameOfCase(const testing::TestParamInfo<Case>& tested) {
  return absl::StrCat(tested.index, "_", absl::StrReplaceAll(CohortFormatName(tested.param.format), {{".", ""}}));
}

// In place and not, with shards of more and of less than 1024 samples, and all samples in one.
INSTANTIATE_TEST_SUITE_P(Formats, KeptPartTest,
                         testing::Values(Case{CohortFormat::kVcf, Packing::kDiploid2Bit, 3 * 17 * 1100},
                                         Case{CohortFormat::kVcfGz, Packing::kHaplotype1Bit, 3 * 18 * 2100},
                                         Case{CohortFormat::kBcf, Packing::kDiploid2Bit, 3 * 17 * 200},
                                         Case{CohortFormat::kBed, Packing::kDiploid2Bit, 3 * 17 * 1100},
                                         Case{CohortFormat::kBed, Packing::kHaplotype1Bit, size_t{32} << 20},
                                         Case{CohortFormat::kPgen, Packing::kDiploid2Bit, size_t{3} << 20},
                                         Case{CohortFormat::kPgen, Packing::kHaplotype1Bit, 3 * 18 * 1500},
                                         Case{CohortFormat::kHap, Packing::kHaplotype1Bit, 3 * 18 * 1024},
                                         Case{CohortFormat::kHaps, Packing::kHaplotype1Bit, 1},
                                         Case{CohortFormat::kHapt, Packing::kHaplotype1Bit, size_t{1} << 20},
                                         Case{CohortFormat::kNpy, Packing::kDiploid2Bit, size_t{1} << 20},
                                         Case{CohortFormat::kZarr, Packing::kHaplotype1Bit, 3 * 18 * 1100}),
                         NameOfCase);

class PartOptionsTest : public FolderTest {};

TEST_F(PartOptionsTest, OptionsThatMakeNoSenseAreRefused) {
  const GenotypeMatrix genotypes = TestGenotypes(Packing::kDiploid2Bit, 3000, 5);
  const CohortDescription cohort = TestDescription(genotypes);
  const auto refused = [&](std::vector<int64_t> ends, std::vector<int64_t> done, bool keep = true) {
    CohortWriterOptions options;
    options.range_ends = std::move(ends);
    options.done = std::move(done);
    options.keep_part = keep;
    const absl::Status status = OpenCohortWriter(CohortFormat::kVcf, Path("c.vcf"), cohort, options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return Message(status);
  };
  EXPECT_THAT(refused({1000, 3000}, {}), HasSubstr("a multiple of 1024"));
  EXPECT_THAT(refused({2048, 1024, 3000}, {}), HasSubstr("ascending"));
  EXPECT_THAT(refused({1024, 2048}, {}), HasSubstr("ranges end at 2048 where there are 3000 samples"));
  EXPECT_THAT(refused({}, {1000}), HasSubstr("1000 samples done of range 0"));
  EXPECT_THAT(refused({}, {4096}), HasSubstr("4096 samples done of range 0"));
  EXPECT_THAT(refused({}, {1024, 0}), HasSubstr("samples done of 2 ranges where there are 1"));
  EXPECT_THAT(refused({}, {1024}, false), HasSubstr("not a kept one"));
  EXPECT_THAT(Names(), IsEmpty());

  auto writer = OpenCohortWriter(CohortFormat::kVcf, Path("c.vcf"), cohort);
  EXPECT_EQ((*writer)->Save().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message((*writer)->Append(genotypes, 1)), HasSubstr("range 1 where there are 1"));
}

}  // namespace
}  // namespace genoserve
