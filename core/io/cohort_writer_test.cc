#include "core/io/cohort_writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/io/genotype_reader.h"
#include "core/io/genotype_source.h"
#include "core/io/test_cohorts.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr ReadOptions kKeep{MissingCalls::kKeep};

std::string FileName(CohortFormat format) {
  return IsFileset(format) ? "c" : absl::StrCat("c.", CohortFormatName(format));
}

class CohortWriterTest : public FolderTest {
 protected:
  // The names of all files in the folder, also in folders, with their bytes.
  std::map<std::string, std::string> Files() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
      files[std::filesystem::relative(entry.path(), folder_)] = entry.is_regular_file() ? Read(entry.path()) : "";
    }
    return files;
  }

  absl::StatusOr<GenotypeData> ReadBack(CohortFormat format) const {
    return ReadGenotypes(SourceOfPath(absl::StrCat(Path("c."), CohortFormatName(format))), kKeep);
  }
};

// Every format with what it can hold.
std::vector<std::tuple<CohortFormat, Packing>> FormatsAndPackings() {
  std::vector<std::tuple<CohortFormat, Packing>> all;
  for (const CohortFormat format : AllCohortFormats()) {
    const bool haplotypes_only =
        format == CohortFormat::kHap || format == CohortFormat::kHaps || format == CohortFormat::kHapt;
    if (!haplotypes_only) all.emplace_back(format, Packing::kDiploid2Bit);
    all.emplace_back(format, Packing::kHaplotype1Bit);
  }
  return all;
}

std::string NameOfFormat(const testing::TestParamInfo<std::tuple<CohortFormat, Packing>>& info) {
  const bool phased = std::get<1>(info.param) == Packing::kHaplotype1Bit;
  return absl::StrCat(absl::StrReplaceAll(CohortFormatName(std::get<0>(info.param)), {{".", ""}}),
                      phased ? "Phased" : "Unphased");
}

class EveryFormatTest : public CohortWriterTest, public testing::WithParamInterface<std::tuple<CohortFormat, Packing>> {
 protected:
  CohortFormat format() const { return std::get<0>(GetParam()); }
  Packing packing() const { return std::get<1>(GetParam()); }
};

TEST_P(EveryFormatTest, ReadsBackAsItWasWritten) {
  for (const size_t samples : {1, 4, 5, 131}) {
    const GenotypeMatrix genotypes = TestGenotypes(packing(), samples, 70);
    const CohortDescription cohort = TestDescription(genotypes);
    ASSERT_EQ(WriteCohort(format(), Path(FileName(format())), cohort, genotypes), absl::OkStatus());
    const auto data = ReadBack(format());
    ASSERT_TRUE(data.ok()) << data.status();
    EXPECT_EQ(data->genotypes, format() == CohortFormat::kBed ? genotypes.ToDiploid() : genotypes) << samples;
    ASSERT_EQ(data->variants.size(), cohort.variants.size());
    for (size_t i = 0; i < cohort.variants.size(); ++i) {
      VariantRecord expected = cohort.variants[i];
      // A .legend has the id that bcftools wants.
      if (format() == CohortFormat::kHap || format() == CohortFormat::kHapt) expected.id = data->variants[i].id;
      EXPECT_EQ(data->variants[i], expected);
    }
    ASSERT_EQ(data->samples.size(), samples);
    EXPECT_EQ(data->samples.front(), "SYN000001");
    EXPECT_EQ(data->samples.back(), SyntheticSampleName(static_cast<int64_t>(samples) - 1, 1));
  }
}

TEST_P(EveryFormatTest, BytesDependNeitherOnBatchesNorOnMemory) {
  const GenotypeMatrix genotypes = TestGenotypes(packing(), 1003, 200);
  const CohortDescription cohort = TestDescription(genotypes);
  ASSERT_EQ(WriteCohort(format(), Path(FileName(format())), cohort, genotypes), absl::OkStatus());
  const auto whole = Files();
  for (const auto& [batch, memory] : {std::pair<size_t, size_t>{1, 1}, {7, 100}, {100, 20'000}, {2000, 5'000}}) {
    ASSERT_EQ(WriteCohort(format(), Path(FileName(format())), cohort, genotypes, batch, WithMemory(memory)),
              absl::OkStatus());
    EXPECT_EQ(Files(), whole) << batch << " " << memory;
  }
}

TEST_P(EveryFormatTest, NothingStaysOfAWriterThatIsNotClosed) {
  const GenotypeMatrix genotypes = TestGenotypes(packing(), 10, 30);
  CohortDescription cohort = TestDescription(genotypes);
  cohort.sample_count = cohort.cohort_size = 20;
  {
    auto writer = OpenCohortWriter(format(), Path(FileName(format())), cohort);
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_TRUE((*writer)->Append(genotypes).ok());
    const absl::Status status = (*writer)->Close();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(Message(status), HasSubstr("only 10 of 20 samples were written"));
  }
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_P(EveryFormatTest, AFileSizeLimitIsResourceExhaustedAndLeavesNothing) {
  const GenotypeMatrix genotypes = TestGenotypes(packing(), 3000, 200);
  const CohortDescription cohort = TestDescription(genotypes);
  const std::string path = Path(FileName(format()));
  // The genotypes take 150,000 bytes of the disk while they are gathered, and more in every format but those whose
  // main file they are gathered in, and in many small chunks. Each limit holds for a process of its own.
  const bool in_place = format() == CohortFormat::kBed || format() == CohortFormat::kNpy ||
                        (format() == CohortFormat::kPgen && packing() == Packing::kDiploid2Bit);
  std::vector<std::pair<rlim_t, bool>> limits = {{149'999, true}, {150'000, in_place}};
  if (format() == CohortFormat::kZarr) limits.pop_back();
  for (const auto& [limit, fails_at_once] : limits) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit both{limit, limit};
      ::setrlimit(RLIMIT_FSIZE, &both);
      const auto writer = OpenCohortWriter(format(), path, cohort);
      absl::Status status = writer.status();
      if (!fails_at_once && status.ok()) status = (*writer)->Append(genotypes);
      if (!fails_at_once && status.ok()) status = (*writer)->Close();
      ::_exit(writer.ok() != fails_at_once && status.code() == absl::StatusCode::kResourceExhausted &&
                      absl::StrContains(status.message(), path.substr(0, path.rfind('/')))
                  ? 0
                  : 1);
    }
    int result = 0;
    ASSERT_EQ(::waitpid(child, &result, 0), child);
    EXPECT_TRUE(WIFEXITED(result) && WEXITSTATUS(result) == 0) << limit;
    EXPECT_THAT(Names(), IsEmpty());
  }
}

TEST_P(EveryFormatTest, BadCallsAreRefused) {
  const GenotypeMatrix genotypes = TestGenotypes(packing(), 10, 30);
  const CohortDescription cohort = TestDescription(genotypes);
  auto writer = OpenCohortWriter(format(), Path(FileName(format())), cohort);
  ASSERT_TRUE(writer.ok()) << writer.status();
  EXPECT_THAT(Message((*writer)->Append(TestGenotypes(packing(), 10, 31))),
              HasSubstr("rows have 31 variants, expected 30"));
  const Packing other = packing() == Packing::kDiploid2Bit ? Packing::kHaplotype1Bit : Packing::kDiploid2Bit;
  EXPECT_THAT(Message((*writer)->Append(TestGenotypes(other, 10, 30))), HasSubstr("in the other packing"));
  EXPECT_EQ((*writer)->Append(genotypes), absl::OkStatus());
  EXPECT_THAT(Message((*writer)->Append(genotypes)), HasSubstr("got 10 samples where 0 are left of 10"));
  EXPECT_EQ((*writer)->Close(), absl::OkStatus());
  EXPECT_EQ((*writer)->Close().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(Names().empty());
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryFormatTest, testing::ValuesIn(FormatsAndPackings()), NameOfFormat);

TEST_F(CohortWriterTest, AVcfIsWrittenToTheByte) {
  CohortDescription cohort;
  cohort.variants =
      VariantTable::Create({{"chr1", 100, "rs1", "A", "G"}, {"chr2", 5, "", "C", "CT"}}, {{"chr1", 248956422}}).value();
  cohort.cohort_size = 1'234'567;
  cohort.first_sample = 41;
  cohort.sample_count = 3;
  cohort.provenance = {{"Model", "wgan-gp"}, {"Seed", "7"}, {"Label", "a \"b\", c"}};
  GenotypeMatrix genotypes(Packing::kDiploid2Bit, 3, 2);
  genotypes.PackRow(0, std::vector<uint8_t>{0, 3});
  genotypes.PackRow(1, std::vector<uint8_t>{1, 0});
  genotypes.PackRow(2, std::vector<uint8_t>{2, 1});
  ASSERT_EQ(WriteCohort(CohortFormat::kVcf, Path("c.vcf"), cohort, genotypes), absl::OkStatus());
  EXPECT_EQ(Read(Path("c.vcf")),
            "##fileformat=VCFv4.3\n"
            "##FILTER=<ID=PASS,Description=\"All filters passed\">\n"
            "##source=genoserve/0.1.0\n"
            "##contig=<ID=chr1,length=248956422>\n"
            "##contig=<ID=chr2>\n"
            "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
            "##synthetic=<ID=genoserve,Model=wgan-gp,Seed=7,Label=\"a \\\"b\\\", c\">\n"
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tSYN0000042\tSYN0000043\tSYN0000044\n"
            "chr1\t100\trs1\tA\tG\t.\tPASS\t.\tGT\t0/0\t0/1\t1/1\n"
            "chr2\t5\tchr2:5:C:CT\tC\tCT\t.\tPASS\t.\tGT\t./.\t0/0\t0/1\n");
}

TEST_F(CohortWriterTest, HaplotypesAreWrittenPhased) {
  CohortDescription cohort;
  cohort.variants = VariantTable::Create({{"1", 1, "v", "A", "G"}}, {}).value();
  cohort.packing = Packing::kHaplotype1Bit;
  cohort.cohort_size = cohort.sample_count = 4;
  GenotypeMatrix genotypes(Packing::kHaplotype1Bit, 8, 1);
  for (const size_t row : {2, 5, 6, 7}) genotypes.Set(row, 0, 1);
  ASSERT_EQ(WriteCohort(CohortFormat::kVcf, Path("c.vcf"), cohort, genotypes), absl::OkStatus());
  EXPECT_THAT(Read(Path("c.vcf")), HasSubstr("1\t1\tv\tA\tG\t.\tPASS\t.\tGT\t0|0\t1|0\t0|1\t1|1\n"));
  ASSERT_EQ(WriteCohort(CohortFormat::kBed, Path("c"), cohort, genotypes), absl::OkStatus());
  EXPECT_EQ(Read(Path("c.bed")), std::string("\x6c\x1b\x01\x2b", 4)) << "11 10 10 00, from the low bits up";
}

TEST_F(CohortWriterTest, PlinkFilesAreWrittenToTheByte) {
  CohortDescription cohort;
  cohort.variants = VariantTable::Create({{"1", 100, "rs1", "A", "G"}, {"X", 5, "", "C", "CT"}}, {}).value();
  cohort.cohort_size = cohort.sample_count = 5;
  GenotypeMatrix genotypes(Packing::kDiploid2Bit, 5, 2);
  const std::vector<std::vector<uint8_t>> rows = {{2, 0}, {3, 0}, {1, 0}, {0, 0}, {2, 0}};
  for (size_t i = 0; i < 5; ++i) genotypes.PackRow(i, rows[i]);
  ASSERT_EQ(WriteCohort(CohortFormat::kBed, Path("c.bed"), cohort, genotypes), absl::OkStatus());
  EXPECT_THAT(Names(), ElementsAre("c.bed", "c.bim", "c.fam"));
  // 00 01 10 11 | 00 and padding; then 11 five times and padding.
  EXPECT_EQ(Read(Path("c.bed")), std::string("\x6c\x1b\x01\xe4\x00\xff\x03", 7));
  EXPECT_EQ(Read(Path("c.bim")), "1\trs1\t0\t100\tG\tA\nX\tX:5:C:CT\t0\t5\tCT\tC\n");
  EXPECT_EQ(Read(Path("c.fam")),
            "0\tSYN000001\t0\t0\t0\t-9\n0\tSYN000002\t0\t0\t0\t-9\n0\tSYN000003\t0\t0\t0\t-9\n"
            "0\tSYN000004\t0\t0\t0\t-9\n0\tSYN000005\t0\t0\t0\t-9\n");
}

TEST_F(CohortWriterTest, StandardOutputTakesTheSameBytesAsAFile) {
  const GenotypeMatrix genotypes = TestGenotypes(Packing::kDiploid2Bit, 300, 100);
  for (const CohortFormat format : {CohortFormat::kVcf, CohortFormat::kVcfGz, CohortFormat::kBcf}) {
    ASSERT_EQ(WriteCohort(format, Path(FileName(format)), TestDescription(genotypes), genotypes), absl::OkStatus());
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(::open(Path("out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
      ::_exit(WriteCohort(format, "-", TestDescription(genotypes), genotypes).ok() ? 0 : 1);
    }
    int result = 0;
    ASSERT_EQ(::waitpid(child, &result, 0), child);
    EXPECT_EQ(result, 0);
    EXPECT_EQ(Read(Path("out")), Read(Path(FileName(format))));
  }
}

TEST_F(CohortWriterTest, AFullDiskBehindStandardOutputIsResourceExhausted) {
  const GenotypeMatrix genotypes = TestGenotypes(Packing::kDiploid2Bit, 300, 100);
  for (const CohortFormat format : {CohortFormat::kVcf, CohortFormat::kVcfGz, CohortFormat::kBcf}) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(::open("/dev/full", O_WRONLY), STDOUT_FILENO);
      const absl::Status status = WriteCohort(format, "-", TestDescription(genotypes), genotypes);
      const bool named = absl::StrContains(status.message(), "standard output: cannot write: No space left on device");
      ::_exit(status.code() == absl::StatusCode::kResourceExhausted && named ? 0 : 1);
    }
    int result = 0;
    ASSERT_EQ(::waitpid(child, &result, 0), child);
    EXPECT_EQ(result, 0);
  }
}

TEST_F(CohortWriterTest, TargetsThatCannotBeReplacedAreRefusedBeforeTheFirstSample) {
  const GenotypeMatrix genotypes = TestGenotypes(Packing::kDiploid2Bit, 3, 5);
  const CohortDescription cohort = TestDescription(genotypes);
  const auto refused = [&](CohortFormat format, const std::string& path) {
    return OpenCohortWriter(format, path, cohort).status();
  };
  EXPECT_THAT(Message(refused(CohortFormat::kVcf, "/dev/null")),
              HasSubstr("/dev/null: is not a regular file; give \"-\""));
  EXPECT_THAT(Message(refused(CohortFormat::kVcf, folder_.string())), HasSubstr("is a folder"));
  std::filesystem::create_directory(Path("c.fam"));
  EXPECT_THAT(Message(refused(CohortFormat::kBed, Path("c"))), HasSubstr("c.fam: is a folder"));
  EXPECT_EQ(refused(CohortFormat::kVcf, Path("none/c.vcf")).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(refused(CohortFormat::kBed, "-")), HasSubstr("bed is several files"));
  EXPECT_EQ(refused(CohortFormat::kVcf, "").code(), absl::StatusCode::kInvalidArgument);
  struct stat info;
  ASSERT_EQ(::stat("/dev/null", &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
}

TEST_F(CohortWriterTest, DescriptionsThatMakeNoSenseAreRefused) {
  const GenotypeMatrix genotypes = TestGenotypes(Packing::kDiploid2Bit, 3, 5);
  const auto refused = [this](CohortDescription cohort, CohortFormat format = CohortFormat::kVcf) {
    const absl::Status status = OpenCohortWriter(format, Path("c.vcf"), std::move(cohort)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return Message(status);
  };
  CohortDescription cohort = TestDescription(genotypes);
  cohort.first_sample = 1;
  EXPECT_THAT(refused(cohort), HasSubstr("samples 1 to 3 do not lie in a cohort of 3"));
  cohort = TestDescription(genotypes);
  cohort.sample_count = 0;
  EXPECT_THAT(refused(cohort), HasSubstr("do not lie in a cohort"));
  cohort = TestDescription(genotypes);
  cohort.variants = VariantTable();
  EXPECT_THAT(refused(cohort), HasSubstr("at least one variant"));
  cohort = TestDescription(genotypes);
  cohort.provenance = {{"two words", "x"}};
  EXPECT_THAT(refused(cohort), HasSubstr("provenance key \"two words\""));
  cohort = TestDescription(genotypes);
  cohort.cohort_size = cohort.sample_count = kMaxBcfSamples + 1;
  EXPECT_THAT(refused(cohort, CohortFormat::kBcf), HasSubstr("a BCF holds at most 16777215 samples"));
}

TEST_F(CohortWriterTest, AnOlderCohortIsReplacedWithItsIndex) {
  for (const size_t samples : {200, 50}) {
    const GenotypeMatrix genotypes = TestGenotypes(Packing::kDiploid2Bit, samples, 40);
    ASSERT_EQ(WriteCohort(CohortFormat::kVcfGz, Path("c.vcf.gz"), TestDescription(genotypes), genotypes),
              absl::OkStatus());
    EXPECT_THAT(Names(), ElementsAre("c.vcf.gz", "c.vcf.gz.csi"));
  }
  EXPECT_EQ(ReadBack(CohortFormat::kVcfGz)->samples.size(), 50u);
  EXPECT_THAT(Run("bcftools view -H -r X:0-250 c.vcf.gz | wc -l"), "8\n");
}

TEST(CohortFormatTest, IsToldByTheSuffix) {
  for (const CohortFormat format : AllCohortFormats()) {
    EXPECT_EQ(FormatOfPath(absl::StrCat("a.b.", CohortFormatName(format))).value(), format);
  }
  EXPECT_EQ(FormatOfPath("a/b.vcf").value(), CohortFormat::kVcf);
  EXPECT_EQ(FormatOfPath("b.vcf.gz").value(), CohortFormat::kVcfGz);
  EXPECT_EQ(FormatOfPath("b.BCF").value(), CohortFormat::kBcf);
  EXPECT_EQ(FormatOfPath("b.bed").value(), CohortFormat::kBed);
  EXPECT_THAT(Message(FormatOfPath("b.txt").status()),
              HasSubstr("b.txt: the format is told by the suffix: .vcf, .vcf.gz"));
}

TEST(SyntheticSampleNameTest, IsPaddedToTheCohort) {
  EXPECT_EQ(SyntheticSampleName(0, 10), "SYN000001");
  EXPECT_EQ(SyntheticSampleName(999'999, 1'000'000), "SYN1000000");
  EXPECT_EQ(SyntheticSampleName(0, 1'000'000), "SYN0000001");
}

}  // namespace
}  // namespace genoserve
